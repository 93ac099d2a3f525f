"""Attestations: signed in-toto statements that a run or a decision is the one that the signer measured or made."""
