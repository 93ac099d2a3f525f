"""Cohorts: who is audited, in which clips and languages, and where every label comes from."""

from audit.cohort.cohort import Cohort, CohortNotes

__all__ = ["Cohort", "CohortNotes"]
