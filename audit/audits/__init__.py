"""Audits: the findings and tables of a run."""
