"""Language identification of a cohort's clips by two identifiers that must agree."""

from audit.cohorts.identification.identifier import IDENTIFIERS, LanguageIdentifier, load_identifier
from audit.cohorts.identification.identifying import identify_cohort

__all__ = ["IDENTIFIERS", "LanguageIdentifier", "identify_cohort", "load_identifier"]
