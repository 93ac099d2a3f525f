"""Comparing: two runs or more on the same clips and speakers, and what changed for whom."""

from audit.comparisons.compare import compare, paired_changes
from audit.comparisons.comparison import Comparison

__all__ = ["Comparison", "compare", "paired_changes"]
