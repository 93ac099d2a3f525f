"""Comparisons of two or more runs on the same clips and speakers: which groups gain and which lose."""

from audit.comparisons.compare import compare, paired_changes
from audit.comparisons.comparison import Comparison

__all__ = ["Comparison", "compare", "paired_changes"]
