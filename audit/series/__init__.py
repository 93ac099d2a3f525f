"""Several runs in one document: releases of a model over time, or several models on one cohort."""

from audit.series.history import History, history
from audit.series.series import Series

__all__ = ["History", "Series", "history"]
