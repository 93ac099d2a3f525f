"""Drawn cohorts: new fictional speakers of any number, from a secret seed."""

from audit.cohorts.drawing.drawing import draw_cohort

__all__ = ["draw_cohort"]
