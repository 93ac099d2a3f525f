"""Data sets: adapters that turn a download as it lies on disk into a cohort, and the cohorts of the package."""

from audit.datasets.adapter import Imported, adapter, available, import_cohort
from audit.datasets.embedded import embedded, embedded_names

__all__ = ["Imported", "adapter", "available", "embedded", "embedded_names", "import_cohort"]
