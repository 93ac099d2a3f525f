"""Correlations of the craniofacial measures of faces with those of their portraits (Oh et al. 2019), by group."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pandas as pd

from audit.audits.table import GROUP, Column, estimate_columns
from audit.audits.tables.spec import TableSpec
from audit.checks.evidence import Evidence
from audit.checks.metrics.craniofacial import MEASURES
from audit.stats import ALL, correlations


def craniofacial(evidence: Evidence) -> pd.DataFrame:
    """Pearson's r across speakers between every measure of the face and of the portrait, by group.

    ``others`` is r with the portraits of other speakers of the same group and gender. Empty without landmarks.
    """
    frame = evidence.frame
    read = [
        (measure.name, stage)
        for measure in MEASURES
        for stage in ("ceiling", "rendered")
        if {f"portrait.{measure.name}", f"{stage}.{measure.name}"} <= set(frame.columns)
    ]
    if not read:
        return pd.DataFrame(columns=TABLE.names)
    rows = []
    groups = evidence.every_group
    place = {group: i for i, group in enumerate(groups)}
    cells = evidence.cells("group")
    group = np.array([place[str(key[0])] for key in cells.keys], np.int64)[cells.number]
    demographic = evidence.cells("group", "gender").number
    for name, stage in read:
        portrait, face = (frame[f"{of}.{name}"].to_numpy(np.float64) for of in ("portrait", stage))
        for named, number in (([ALL], np.zeros_like(group)), (groups, group)):
            found = correlations(portrait, face, evidence.speakers, number, len(named), demographic, evidence.settings)
            rows += [
                (name, stage, cell, *astuple(each.estimate), each.others)
                for cell, each in zip(named, found, strict=True)
            ]
    return pd.DataFrame(rows, columns=TABLE.names)


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
    make=lambda source: craniofacial(source.evidence),
)
