"""Comparisons over all groups: test of equality, between-group standard deviation, and the worst group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from audit.audits.table import METHOD, N_SPEAKERS, OF_METRIC, P_VALUE, Q_VALUE, Column, interval_columns
from audit.audits.tables.disparities import scored
from audit.audits.tables.spec import Row, Source, TableSpec
from audit.checks.evidence import Evidence
from audit.core.metric import Metric
from audit.stats import Estimate, GroupTest, Settings, difference
from audit.stats.groups import group_tests, ratios, spreads
from audit.stats.rates import estimates, weighing
from audit.stats.speakers import SpeakerSums, sorted_sums

NOTHING = Estimate(None, None, None, 0, 0, 0, "")


def groups(source: Source) -> Iterator[Row]:
    """One row per metric and stage, over the known groups.

    ``p_value``: of the hypothesis that no group differs (:func:`audit.stats.groups.group_tests`). ``spread``:
    between-group standard deviation (:func:`audit.stats.groups.spreads`). ``worst_group``: the group with the worst
    value or, for a metric without a worse direction, the one farthest from its complement; with its value (``worst``),
    its difference to the complement (``apart``) and, for rates, its ratio to the geometric mean of the groups' rates
    (``ratio``). Intervals are Bonferroni-adjusted for the number of groups.
    """
    if source.evidence.groups:
        yield from (_row(source.evidence, metric, stage) for metric, stage in scored(source.evidence))


def _row(evidence: Evidence, metric: Metric, stage: str) -> Row:
    settings, name, number = evidence.settings, f"{stage}.{metric.name}", len(evidence.groups)
    sums = _by_known_group(evidence, metric, stage)
    test = group_tests(sums, number, metric.kind, settings, [name])[0]
    between = spreads(sums, number, metric.kind, settings, [name])[0]
    simultaneous = replace(settings, confidence=1 - (1 - settings.confidence) / max(test.n_groups, 1))
    worst = None if test.p is None else _worst(sums, metric, settings)
    found, gap, ratio = NOTHING, NOTHING, NOTHING
    if worst is not None:
        gap, found = _gap(sums, worst, metric, simultaneous, f"{name}/{evidence.groups[worst]}")
        ratio = ratios(sums, number, settings)[worst] if metric.kind == "rate" else NOTHING
    return (
        *(metric.name, stage, test.n_groups, test.n_speakers, test.p, None),
        *(between.value, between.low, between.high, None if worst is None else evidence.groups[worst]),
        *(end for each in (found, gap, ratio) for end in (each.value, each.low, each.high)),
        "; ".join(_methods(test, between, found, ratio)),
    )


def _by_known_group(evidence: Evidence, metric: Metric, stage: str) -> SpeakerSums:
    """Every speaker's sums, by known group in the fixed order."""
    cells, number = evidence.cells("group"), len(evidence.groups)
    place = np.array([evidence.every_group.index(str(key[0])) for key in cells.keys], np.int64)
    found = evidence.sums(metric.name, stage, cells, alike_as_one=False)
    missing = np.zeros(number + 1, np.int64)
    missing[place] = found.missing
    every = sorted_sums(place[found.cell], found.total, found.clips, missing)
    if found.sharing is not None:
        every = replace(every, sharing=found.sharing.placed(place, number + 1))
    return every.only(np.arange(number + 1) < number)


def _methods(test: GroupTest, between: Estimate, worst: Estimate, ratio: Estimate) -> list[str]:
    """The methods of a row; of the ratio only the reason why it is missing, since its method is that of the value."""
    methods = [test.method, between.method] if test.p is not None else [test.method]
    if worst.n_speakers:
        methods.append(f"worst group: {worst.method}")
    if ratio.n_speakers and ratio.value is None:
        methods.append(f"ratio {ratio.method}")
    return methods


def _worst(sums: SpeakerSums, metric: Metric, settings: Settings) -> int | None:
    """The group with the worst value, or the one farthest from its complement; ``None`` if all groups are equal."""
    total, weight = (sums.sum(part) for part in weighing(sums, settings))
    with np.errstate(divide="ignore", invalid="ignore"):
        value, others = total / weight, (total.sum() - total) / (weight.sum() - weight)
    badness = {"high": value, "low": -value, None: np.abs(value - others)}[metric.worse]
    able = np.flatnonzero(sums.sum() >= settings.min_speakers)
    if np.ptp(value[able]) < 1e-12:
        return None
    return int(able[np.argmax(np.round(badness[able], 12))])


def _gap(sums: SpeakerSums, group: int, metric: Metric, settings: Settings, name: str) -> tuple[Estimate, Estimate]:
    """The difference of a group to its complement, and its own value."""
    own = sums.missing[group]
    missing = np.array([sums.missing.sum() - own, own], np.int64)
    parted = sorted_sums((sums.cell == group).astype(np.int64), sums.total, sums.clips, missing)
    if sums.sharing is not None:
        parted = replace(parted, sharing=sums.sharing.parted(group))
    others, figure = estimates(parted, metric.kind, settings, [f"{name}/others", name])
    return difference(others, figure), figure


TABLE = TableSpec(
    name="groups",
    title="Comparison over all groups",
    note="p: permutation test of the hypothesis that no group differs; q: p adjusted for the number of rows "
    "(Benjamini-Hochberg). Between-group standard deviation: of the groups' true values, without sampling noise; "
    "unlike the largest difference, it does not grow with the number of groups. The intervals of the worst group "
    "are adjusted for its selection among all groups. Ratio: to the geometric mean of the groups' rates.",
    columns=(
        Column("metric", "metric", "Figure"),
        Column("stage", "key", "Stage"),
        Column("n_groups", "setting", "Groups"),
        N_SPEAKERS,
        P_VALUE,
        Q_VALUE,
        *interval_columns("spread", "Between-group standard deviation", OF_METRIC),
        Column("worst_group", "text", "Worst group", about="worst_group"),
        *interval_columns("worst", "Its value", OF_METRIC, about="worst_group"),
        *interval_columns("apart", "Minus all others", OF_METRIC, signed=True, about="worst_group"),
        *interval_columns("ratio", "Over the geometric mean", "", about="worst_group"),
        METHOD,
    ),
    make=groups,
)
