"""What the instrument reads in faces that are known."""

from __future__ import annotations

from dataclasses import astuple

import pandas as pd

from audit.audits.table import Column, estimate_columns
from audit.audits.tables.spec import TableSpec
from audit.checks.evidence import Evidence
from audit.core.vocabulary import RACES
from audit.stats import rate


def confusion(evidence: Evidence) -> pd.DataFrame:
    """What the instrument reads in the calibration pictures, by what they show; the sampling unit is who is shown."""
    known = evidence.misreading
    rows = []
    for code in known.classes:
        units = known.truth == code
        for i, read in enumerate(RACES):
            found = rate(known.shares[units, i], known.unit[units], evidence.settings, name=f"confusion.{read}")
            rows.append((RACES[code], read, *astuple(found)))
    return pd.DataFrame(rows, columns=TABLE.names)


TABLE = TableSpec(
    name="confusion",
    title="What the instrument reads in faces that are known",
    note="Calibration pictures by what they show; a person's several pictures count as one.",
    columns=(Column("truth", "group", "Shown"), Column("read", "read", "Read as"), *estimate_columns("share")),
    make=lambda source: confusion(source.evidence),
)
