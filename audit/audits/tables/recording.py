"""The recording quality of the clips, by group and language."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit.audits.table import GROUP, LANGUAGE, Column, estimate_columns
from audit.audits.tables.spec import Row, Source, TableSpec
from audit.checks.evidence import Evidence
from audit.core.recording import RECORDING, RecordingMeasure
from audit.stats import ALL
from audit.stats.rates import estimates
from audit.stats.speakers import Reads


def recording(source: Source) -> list[Row] | None:
    """The mean of every measure, in every combination of group and language, with totals.

    ``None`` for a run without the columns, such as one of an earlier version. ``n_missing`` counts the clips that were
    not measured, and ``n_at_limit`` those with the largest possible value.
    """
    frame = source.evidence.frame
    known = [measure for measure in RECORDING if measure.column in frame]
    rows = [
        row
        for measure in known
        if not np.isnan(values := frame[measure.column].to_numpy(np.float64)).all()
        for row in _of_measure(source.evidence, measure, values)
    ]
    return rows or None


def _of_measure(evidence: Evidence, measure: RecordingMeasure, values: NDArray[np.float64]) -> list[Row]:
    reads, standing = Reads.of(values), evidence.parts[1]
    of_parts = standing.gathered(reads)
    at_limit = np.zeros(len(values)) if measure.largest is None else (values >= measure.largest).astype(float)
    rows: list[Row] = []
    for keys, cells in evidence.every_cell("group", "language"):
        sums = cells.clips.sums(reads) if cells.parts is None else cells.parts.sums(of_parts, alike_as_one=True)
        names = [f"{measure.column}/{group}/{language}" for group, language in keys]
        found = estimates(sums, measure.kind, evidence.settings, names)
        limited = np.bincount(cells.number, at_limit, len(keys)).astype(int).tolist()
        rows += [
            (measure.name, measure.unit, *key, estimate, n)
            for key, estimate, n in zip(keys, found, limited, strict=True)
        ]
    place = {group: i for i, group in enumerate([ALL, *evidence.every_group])}
    return sorted(rows, key=lambda row: (place[str(row[2])], str(row[3])))


TABLE = TableSpec(
    name="recording",
    title="Recording quality",
    note="Of the clips as the model hears them, averaged like the metrics. Signal-to-noise ratios are at most 60 dB, "
    "bandwidths at most 8 kHz; the last column counts the clips with these values.",
    columns=(
        Column("measure", "key", "Measure"),
        Column("unit", "text", "Unit"),
        GROUP,
        LANGUAGE,
        *estimate_columns("", "Mean"),
        Column("n_at_limit", "count", "Clips with the largest possible value"),
    ),
    make=recording,
)
