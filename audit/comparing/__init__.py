"""Comparing: two runs or more on the same clips and speakers, and what changed for whom."""

from audit.comparing.figures import WORSE
from audit.comparing.seam import paired_changes

__all__ = ["WORSE", "paired_changes"]
