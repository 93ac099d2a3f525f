"""Audits: from a run to findings and tables."""
