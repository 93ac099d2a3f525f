"""The instrument's confusion matrix, from calibration pictures."""

from __future__ import annotations

from collections.abc import Iterator

from audit.audits.table import Column, estimate_columns
from audit.audits.tables.spec import Row, Source, TableSpec
from audit.core.vocabulary import RACES
from audit.stats import rate


def confusion(source: Source) -> Iterator[Row]:
    """The rates of each read in the calibration pictures, by true label; the sampling unit is the person shown."""
    known, settings = source.evidence.misclassification, source.evidence.settings
    for code in known.classes:
        units = known.truth == code
        for i, read in enumerate(RACES):
            found = rate(known.shares[units, i], known.unit[units], settings, name=f"confusion.{read}")
            yield RACES[code], read, found


TABLE = TableSpec(
    name="confusion",
    title="Confusion matrix of the instrument",
    note="Calibration pictures by true label; several pictures of a person count as one.",
    columns=(Column("truth", "group", "True label"), Column("read", "read", "Read as"), *estimate_columns("share")),
    make=confusion,
)
