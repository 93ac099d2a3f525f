"""Every metric at every stage, in every combination of the columns that the audit is stratified by."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence import Evidence
from audit.metrics import Metric
from audit.stats import ALL, Estimate
from audit.stats.rates import estimates as estimates_of
from audit.stats.speakers import checked_values, speaker_sums
from audit.vocabulary import ordered_groups

ESTIMATE = [field.name for field in fields(Estimate)]
AT_ONCE = 2_000_000
"""So many values are put together at a time."""


def disparities(evidence: Evidence, by: tuple[str, ...]) -> pd.DataFrame:
    """Every metric at every stage, in every combination of the columns of ``by`` and over all of each."""
    frame = evidence.frame
    columns = [
        (metric, stage, values)
        for metric in evidence.metrics.values()
        for stage in metric.stages
        if not np.isnan(values := checked_values(frame[f"{stage}.{metric.name}"].to_numpy(), metric.kind)).all()
    ]
    keys: list[tuple[object, ...]] = []
    found: list[list[Estimate]] = [[] for _ in columns]
    for size in range(len(by) + 1):
        for subset in combinations(by, size):
            cells = _cells_of(frame, subset)
            keys += [tuple(dict(zip(subset, key, strict=True)).get(name, ALL) for name in by) for key in cells.keys]
            for i, estimates in _figures(evidence, columns, cells).items():
                found[i] += estimates
    place = {group: i for i, group in enumerate([ALL, *ordered_groups(set(frame["group"]))])}
    order = pd.DataFrame(keys, columns=list(by)).sort_values(
        list(by),
        key=lambda values: values.map(place) if values.name == "group" else values.astype(str),
        kind="stable",
    )
    rows = [
        (metric.name, stage, *keys[i], *astuple(estimates[i]))
        for (metric, stage, _), estimates in zip(columns, found, strict=True)
        for i in order.index
    ]
    table = pd.DataFrame(rows, columns=["metric", "stage", *by, *ESTIMATE])
    return table.astype({"value": float, "low": float, "high": float})


def instrument(evidence: Evidence) -> pd.DataFrame:
    """What the instrument read in the portraits, by group and gender."""
    rows = []
    for group in evidence.groups:
        for gender in (ALL, "woman", "man"):
            mask = evidence.where(group=group)
            if gender != ALL:
                mask = mask & (evidence.frame["gender"] == gender).to_numpy()
            if mask.any():
                rows += [
                    (group, gender, metric, *astuple(evidence.figure(metric, "portrait", mask)))
                    for metric in ("read_own_group", "gender_right", "age_error")
                ]
    return pd.DataFrame(rows, columns=["group", "gender", "metric", *ESTIMATE])


@dataclass(frozen=True)
class _Cells:
    """The cells that some columns make: their keys, and the number of each clip's."""

    keys: list[tuple[object, ...]]
    number: NDArray[np.int64]


def _cells_of(frame: pd.DataFrame, columns: tuple[str, ...]) -> _Cells:
    if not columns:
        return _Cells([()], np.zeros(len(frame), np.int64))
    labels = frame[list(columns)]
    grouped = labels.astype("category").groupby(list(columns), sort=True, dropna=False, observed=True)
    number = np.asarray(grouped.ngroup(), np.int64)
    first = np.unique(number, return_index=True)[1]
    return _Cells(list(labels.iloc[first].astype(object).itertuples(index=False, name=None)), number)


def _figures(
    evidence: Evidence, columns: list[tuple[Metric, str, NDArray[np.float64]]], cells: _Cells
) -> dict[int, list[Estimate]]:
    """The estimates of every column in every cell: as many columns at a time as keep memory small."""
    made: dict[int, list[Estimate]] = {}
    n, at_once = len(cells.keys), max(1, AT_ONCE // len(cells.number))
    for kind in ("rate", "mean"):
        of_kind = [i for i, (metric, _, _) in enumerate(columns) if metric.kind == kind]
        for start in range(0, len(of_kind), at_once):
            chosen = of_kind[start : start + at_once]
            sums = speaker_sums(
                np.concatenate([columns[i][2] for i in chosen]),
                np.tile(evidence.speakers, len(chosen)),
                np.concatenate([cells.number + place * n for place in range(len(chosen))]),
                n * len(chosen),
            )
            names = [
                f"{columns[i][1]}.{columns[i][0].name}/" + "/".join(map(str, key)) for i in chosen for key in cells.keys
            ]
            estimates = estimates_of(sums, kind, evidence.settings, names)
            made |= {i: estimates[place * n : (place + 1) * n] for place, i in enumerate(chosen)}
    return made
