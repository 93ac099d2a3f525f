"""Metrics: what is scored of each clip."""
