"""Comparing: two runs or more on the same clips and speakers, and what changed for whom."""

from audit.comparing.comparing import compare, paired_changes
from audit.comparing.comparison import Comparison
from audit.comparing.figures import WORSE

__all__ = ["WORSE", "Comparison", "compare", "paired_changes"]
