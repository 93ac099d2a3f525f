"""Runs: the observations of one model on one cohort, the harness that makes them, and simulated ones."""
