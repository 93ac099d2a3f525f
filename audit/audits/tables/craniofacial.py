"""Correlations of the craniofacial measures of faces with those of their portraits (Oh et al. 2019), by group."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from audit.audits.table import GROUP, Column, estimate_columns
from audit.audits.tables.spec import Row, Source, TableSpec
from audit.checks.metrics.craniofacial import MEASURES
from audit.stats import ALL, correlations


def craniofacial(source: Source) -> Iterator[Row]:
    """Pearson's r across speakers between every measure of the face and of the portrait, by group.

    ``others`` is r with the portraits of other speakers of the same group and gender. Empty without landmarks.
    """
    evidence = source.evidence
    frame, groups, cells = evidence.frame, evidence.every_group, evidence.cells("group")
    group = np.array([groups.index(str(key[0])) for key in cells.keys], np.int64)[cells.number]
    demographic = evidence.cells("group", "gender").number
    for name in [measure.name for measure in MEASURES]:
        for stage in ("ceiling", "rendered"):
            if not {f"portrait.{name}", f"{stage}.{name}"} <= set(frame.columns):
                continue
            portrait, face = (frame[f"{of}.{name}"].to_numpy(np.float64) for of in ("portrait", stage))
            for named, number in (([ALL], np.zeros_like(group)), (groups, group)):
                found = correlations(
                    portrait, face, evidence.speakers, number, len(named), demographic, evidence.settings
                )
                yield from (
                    (name, stage, cell, each.estimate, each.others) for cell, each in zip(named, found, strict=True)
                )


TABLE = TableSpec(
    name="craniofacial",
    title="Craniofacial measures",
    note="Pearson's r across speakers between a measure of the face and of the portrait; others: with the portraits of "
    "other speakers of the same group and gender.",
    columns=(
        Column("measure", "key", "Measure"),
        Column("stage", "key", "Stage"),
        GROUP,
        *estimate_columns("cosine", "Pearson's r", signed=True),
        Column("others", "value", "With others of the same group and gender", "cosine", signed=True),
    ),
    make=craniofacial,
)
