"""Differences paired by speaker, with the p-value of "no change" (signs of the changes permuted) and its q-value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple
from typing import Any

import pandas as pd

from audit.audits.table import P_VALUE, Q_VALUE, Column, estimate_columns
from audit.checks.evidence import Evidence
from audit.core.vocabulary import ordered_groups
from audit.stats import ALL, benjamini_hochberg
from audit.stats.pairs import PairSums, paired_estimates


def compared_columns(unit: str) -> tuple[Column, ...]:
    """The columns of a paired difference: an estimate, its p-value and, adjusted for the table's rows, its q-value."""
    return (*estimate_columns(unit, "Change", signed=True), P_VALUE, Q_VALUE)


def changed(evidence: Evidence, metric: str, before: str, after: str) -> list[tuple[Any, ...]]:
    """A metric's change in every cell of group and language and over all of each, in order."""
    found: dict[tuple[object, ...], tuple[Any, ...]] = {}
    for keys, cells in evidence.every_cell("group", "language"):
        pairs = evidence.changes(metric, before, after, cells)
        found |= zip(keys, compared(evidence, pairs, metric, f"{before}>{after}.{metric}"), strict=True)
    return [(*key, *found[key]) for key in in_order(found)]


def compared(evidence: Evidence, pairs: PairSums, metric: str, name: str) -> list[tuple[Any, ...]]:
    """Each cell's row: its figure, and its test where there are enough speakers for one."""
    kind, settings = evidence.metrics[metric].kind, evidence.settings
    figures = paired_estimates(pairs, kind, settings, [name] * pairs.sums.n_cells)
    return [
        (
            *astuple(figure),
            pairs.one(i, kind, settings, name).permutation().p if figure.n_speakers >= settings.min_speakers else None,
        )
        for i, figure in enumerate(figures)
    ]


def with_q(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its p-values adjusted for how many there are (Benjamini and Hochberg 1995)."""
    p = table["p_value"].astype(float)
    return table.assign(p_value=p, q_value=benjamini_hochberg(p))


def in_order(keys: Iterable[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Keys of group and language: groups in their fixed order, languages by code, all of each first."""
    held = list(keys)
    place = {group: i for i, group in enumerate([ALL, *ordered_groups({str(key[0]) for key in held} - {ALL})])}
    return sorted(held, key=lambda key: (place[str(key[0])], key[1] != ALL, str(key[1])))
