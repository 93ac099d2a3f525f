"""Cohorts: who is audited, in which clips and languages, and where every label comes from."""

from audit.cohorts.cohort import Cohort
from audit.cohorts.notes import CohortNotes

__all__ = ["Cohort", "CohortNotes"]
