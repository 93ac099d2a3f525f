"""Differences paired by speaker, with the p-value of a sign permutation test and its q-value."""

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
    """The columns of a paired difference: an estimate, its p-value, and the q-value adjusted for the table's rows."""
    return (*estimate_columns(unit, "Change", signed=True), P_VALUE, Q_VALUE)


def changed(evidence: Evidence, metric: str, before: str, after: str) -> list[tuple[Any, ...]]:
    """The change of a metric in every cell of group and language, with totals, in order."""
    found: dict[tuple[object, ...], tuple[Any, ...]] = {}
    for keys, cells in evidence.every_cell("group", "language"):
        pairs = evidence.changes(metric, before, after, cells)
        found |= zip(keys, compared(evidence, pairs, metric, f"{before}>{after}.{metric}"), strict=True)
    return [(*key, *found[key]) for key in in_order(found)]


def compared(evidence: Evidence, pairs: PairSums, metric: str, name: str) -> list[tuple[Any, ...]]:
    """The row of each cell: the estimate, and the p-value if there are enough speakers."""
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
    """The table with q-values (Benjamini and Hochberg 1995)."""
    p = table["p_value"].astype(float)
    return table.assign(p_value=p, q_value=benjamini_hochberg(p))


def in_order(keys: Iterable[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Keys of group and language, sorted: groups in the fixed order, languages by code, ``all`` first."""
    listed = list(keys)
    place = {group: i for i, group in enumerate([ALL, *ordered_groups({str(key[0]) for key in listed} - {ALL})])}
    return sorted(listed, key=lambda key: (place[str(key[0])], key[1] != ALL, str(key[1])))
