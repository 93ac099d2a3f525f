"""Import of data sets: adapters that convert a download to a cohort."""

from audit.cohorts.embedded import embedded, embedded_names
from audit.cohorts.importing.adapter import Imported, adapter, available
from audit.cohorts.importing.importing import import_cohort
from audit.cohorts.importing.label_template import LabelsCheck, check_labels, labels_template

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
