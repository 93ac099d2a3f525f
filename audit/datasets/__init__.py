"""Data sets: adapters that turn a download as it lies on disk into a cohort, and the cohorts of the package."""

from audit.datasets.adapters import Imported, adapter, available
from audit.datasets.importing import import_cohort
from audit.datasets.label_template import LabelsCheck, check_labels, labels_template
from audit.datasets.shipped import embedded, embedded_names

__all__ = [
    "Imported",
    "LabelsCheck",
    "adapter",
    "available",
    "check_labels",
    "embedded",
    "embedded_names",
    "import_cohort",
    "labels_template",
]
