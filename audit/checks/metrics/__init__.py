"""Metrics: the scores of single clips."""
