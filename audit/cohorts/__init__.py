"""Cohorts: who is audited, in which clips and languages, and where every label comes from."""

from audit.cohorts.cohort import Cohort, CohortNotes

__all__ = ["Cohort", "CohortNotes"]
