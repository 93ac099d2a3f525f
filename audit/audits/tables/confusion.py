"""The instrument's confusion matrix, from calibration pictures."""

from __future__ import annotations

from dataclasses import astuple

import pandas as pd

from audit.audits.table import Column, estimate_columns
from audit.audits.tables.spec import TableSpec
from audit.checks.evidence import Evidence
from audit.core.vocabulary import RACES
from audit.stats import rate


def confusion(evidence: Evidence) -> pd.DataFrame:
    """The rates of each read in the calibration pictures, by true label; the sampling unit is the person shown."""
    known = evidence.misclassification
    rows = []
    for code in known.classes:
        units = known.truth == code
        for i, read in enumerate(RACES):
            found = rate(known.shares[units, i], known.unit[units], evidence.settings, name=f"confusion.{read}")
            rows.append((RACES[code], read, *astuple(found)))
    return pd.DataFrame(rows, columns=TABLE.names)


TABLE = TableSpec(
    name="confusion",
    title="Confusion matrix of the instrument",
    note="Calibration pictures by true label; several pictures of a person count as one.",
    columns=(Column("truth", "group", "True label"), Column("read", "read", "Read as"), *estimate_columns("share")),
    make=lambda source: confusion(source.evidence),
)
