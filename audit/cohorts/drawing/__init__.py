"""Drawn cohorts: new fictional speakers of any number, from a secret seed."""

from audit.cohorts.drawing.drawing import draw_cohort
from audit.cohorts.drawing.seeds import new_seed

__all__ = ["draw_cohort", "new_seed"]
