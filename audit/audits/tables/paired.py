"""Differences paired by speaker, with the p-value of a sign permutation test and its q-value."""

from __future__ import annotations

from collections.abc import Iterable

from audit.audits.table import P_VALUE, Q_VALUE, Column, estimate_columns
from audit.audits.tables.spec import Row
from audit.checks.evidence import Evidence
from audit.core.vocabulary import ordered_groups
from audit.stats import ALL, Estimate
from audit.stats.pairs import PairSums, paired_estimates

Compared = tuple[Estimate, float | None, None]
"""The cells of :func:`compared_columns`: estimate, p-value, and the q-value, which the table computes."""


def compared_columns(unit: str) -> tuple[Column, ...]:
    """The columns of a paired difference: an estimate, its p-value, and the q-value adjusted for the table's rows."""
    return (*estimate_columns(unit, "Change", signed=True), P_VALUE, Q_VALUE)


def changed(evidence: Evidence, metric: str, before: str, after: str) -> list[Row]:
    """The change of a metric in every cell of group and language, with totals, in order."""
    found: dict[tuple[object, ...], Compared] = {}
    for keys, cells in evidence.every_cell("group", "language"):
        pairs = evidence.changes(metric, before, after, cells)
        found |= zip(keys, compared(evidence, pairs, metric, f"{before}>{after}.{metric}"), strict=True)
    return [(*key, *found[key]) for key in in_order(found)]


def compared(evidence: Evidence, pairs: PairSums, metric: str, name: str) -> list[Compared]:
    """The difference in each cell, with a p-value if there are enough speakers."""
    kind, settings = evidence.metrics[metric].kind, evidence.settings
    figures = paired_estimates(pairs, kind, settings, [name] * pairs.sums.n_cells)
    enough = [figure.n_speakers >= settings.min_speakers for figure in figures]
    return [
        (figure, pairs.one(i, kind, settings, name).permutation().p if enough[i] else None, None)
        for i, figure in enumerate(figures)
    ]


def in_order(keys: Iterable[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Keys of group and language, sorted: groups in the fixed order, languages by code, ``all`` first."""
    listed = list(keys)
    place = {group: i for i, group in enumerate([ALL, *ordered_groups({str(key[0]) for key in listed} - {ALL})])}
    return sorted(listed, key=lambda key: (place[str(key[0])], key[1] != ALL, str(key[1])))
