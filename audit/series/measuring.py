"""Measuring a series: every run with the same settings, and the changes between linked runs with one error rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, NamedTuple

from audit.audits.privacy.small_cells import SmallCells
from audit.checks import Evidence, findings, groupings_of
from audit.checks import chosen as chosen_checks
from audit.checks.check import Check
from audit.checks.finding import Finding
from audit.checks.pair import Pair
from audit.comparisons.changes import Change, with_adjusted
from audit.comparisons.compare import shared_evidence
from audit.comparisons.groups import check_changes, compared_checks
from audit.comparisons.sharing import shared
from audit.core.plan import MeasureSettings
from audit.runs.run import Run
from audit.series.figures import MARKS, Mark, Point, Step, Verdict
from audit.stats import holm

MOST_RESAMPLES: Final = 100_000
"""The most random permutations or bootstrap resamples for one small p-value."""
FEW: Final = 20
"""A p-value of fewer resamples that are as extreme as the data is made again with more."""
_Key = tuple[str, str, str]
"""Check, grouping and group."""


class Link(NamedTuple):
    """Two runs, by their places, whose figures are compared; ``overall``: see :class:`Step`."""

    before: int
    after: int
    overall: bool = False


class Tested(NamedTuple):
    """The change of a figure over a link, and what it means for the group if it is beyond noise."""

    link: Link
    change: Change
    mark: Mark | None


@dataclass(frozen=True)
class Measured:
    """The verdicts, points and steps of a series, and the number of tested changes."""

    verdicts: tuple[Verdict, ...]
    points: tuple[Point, ...]
    steps: tuple[Step, ...]
    n_tests: int
    n_suppressed: int


def measure_series(
    runs: Sequence[Run],
    labels: Sequence[str],
    stretches: Sequence[Sequence[int]],
    links: Sequence[Link],
    settings: MeasureSettings,
) -> Measured:
    """Measure all runs with the same settings, and test the changes between linked runs.

    Parameters
    ----------
    runs, labels : sequence
        The runs and their labels.
    stretches : sequence of sequence of int
        The places of runs that are comparable with each other; every run is in one stretch.
    links : sequence of Link
        Pairs within a stretch. All changes of all links are one family: their p-values are adjusted by Holm (1979),
        which controls the familywise error however the tests depend on each other.
    settings : MeasureSettings
        The settings.
    """
    asked = chosen_checks(settings.checks, settings.metrics)
    evidence: dict[int, Evidence] = {}
    for stretch in stretches:
        evidence |= zip(stretch, shared_evidence([runs[i] for i in stretch], settings), strict=True)
    found = {i: _findings(evidence[i], asked, settings) for i in sorted(evidence)}
    tested = tested_changes(evidence, labels, links, asked, settings)
    changes = [(each.link, each.change) for each in tested]
    small = [SmallCells.of(run.coded, settings) for run in runs]
    steps = [
        Step(labels[link.before], link.overall, each, mark)
        for link, change, mark in tested
        for each in shared([change], small[link.after])
    ]
    alone = [
        (Link(i, i), change)
        for i in sorted(evidence)
        if not any(i in link[:2] for link in links)
        for change in _changes(evidence, Link(i, i), labels, asked, settings)
    ]
    points = [
        point for i, label in enumerate(labels) for point in _points(i, label, [*changes, *alone], found[i], small[i])
    ]
    return Measured(
        tuple(_verdict(labels[i], each, small[i]) for i in found for each in found[i]),
        tuple(points),
        tuple(steps),
        sum(change.p_value is not None for _, change in changes),
        sum(step.change.is_suppressed for step in steps),
    )


def tested_changes(
    evidence: Mapping[int, Evidence],
    labels: Sequence[str],
    links: Sequence[Link],
    asked: Sequence[Check],
    settings: MeasureSettings,
) -> list[Tested]:
    """The changes of all links, with p-values adjusted over all of them, and what those beyond noise mean.

    ``evidence`` has the clips of each run by its place; the other parameters are those of :func:`measure_series`.
    """
    error = 1 - settings.confidence
    tested = [(link, change) for link in links for change in _changes(evidence, link, labels, asked, settings)]
    resamples = min(MOST_RESAMPLES, math.ceil(4 * sum(change.p_value is not None for _, change in tested) / error))
    if resamples > settings.resamples:
        finer = {i: replace(each, settings=replace(each.settings, resamples=resamples)) for i, each in evidence.items()}
        tested = [
            again
            for link in links
            for again in resolved(
                link,
                [change for of, change in tested if of == link],
                partial(_changes, finer, link, labels, asked, settings),
                min(error, FEW / (settings.resamples + 1)),
            )
        ]
    changes = with_adjusted([change for _, change in tested], holm)
    return [Tested(link, change, mark_of(change, error)) for (link, _), change in zip(tested, changes, strict=True)]


def _findings(evidence: Evidence, asked: Sequence[Check], settings: MeasureSettings) -> list[Finding]:
    """The findings of one run; their outcomes are those of its audit."""
    made_by = groupings_of(asked, evidence.frame, settings.groupings)
    return [finding for grouping, checks in made_by for finding in findings(checks, evidence.by(grouping))]


def _changes(
    evidence: Mapping[int, Evidence],
    link: Link,
    labels: Sequence[str],
    asked: Sequence[Check],
    settings: MeasureSettings,
    only: frozenset[tuple[str, str]] | None = None,
) -> Iterator[Change]:
    """Every group's change between two runs, and the headline of a check where it is the change of none of them.

    A worst change of any group is left out, since the changes of all groups are tested. ``only`` are the checks and
    groupings to make.
    """
    pair = Pair(evidence[link.before], evidence[link.after])
    for grouping, checks in groupings_of(asked, pair.baseline.frame, settings.groupings):
        here = [check for check in checks if only is None or (check.code, grouping.name) in only]
        of_grouping = pair.by(grouping)
        for check, compared in compared_checks(here, of_grouping):
            head, *groups = check_changes(check, compared, labels[link.after], of_grouping)
            if not head.worst_of_groups and head.group not in {change.group for change in groups}:
                yield head
            yield from groups


def resolved(
    link: Link, changes: Sequence[Change], again: Callable[[frozenset[tuple[str, str]]], Iterator[Change]], most: float
) -> Iterator[tuple[Link, Change]]:
    """The changes of a link, with small p-values made again by more resamples.

    A p-value of ``R`` resamples is at least ``1 / (R + 1)``, so with the usual ``R`` no change could be shown among
    many. ``again`` makes the changes of some checks and groupings with as many as the number of tests needs. Only
    p-values of at most ``most`` are made again. They stay valid: the result is at most ``t`` only if the second p-value
    is (where ``t`` is below ``most``) or the first one is (where it is not).
    """
    small = {_key(change) for change in changes if change.p_value is not None and change.p_value <= most}
    finer = {_key(change): change for change in again(frozenset((check, grouping) for check, grouping, _ in small))}
    for change in changes:
        yield link, replace(change, p_value=finer[_key(change)].p_value) if _key(change) in small else change


def mark_of(change: Change, error: float) -> Mark | None:
    """What a change beyond noise means for its group.

    Both the adjusted p-value and the interval must show it: the interval of some figures is wider than the test needs.
    """
    if change.p_adjusted is None or change.p_adjusted > error + 1e-12:
        return None
    return MARKS.get(change.word or "")


def _key(change: Change) -> _Key:
    return change.figure, change.grouping, change.group


def _points(
    i: int, label: str, tested: Sequence[tuple[Link, Change]], found: Sequence[Finding], small: SmallCells
) -> list[Point]:
    """The figures of one run, from the changes that end or begin at it."""
    figures = {_key(change): (change, change.after) for link, change in tested if link.after == i}
    for link, change in tested:
        if link.before == i:
            figures.setdefault(_key(change), (change, change.before))
    outcomes = {(each.code, each.grouping): each for each in found}
    points = []
    for (code, grouping, group), (change, figure) in figures.items():
        finding = outcomes.get((code, grouping))
        outcome = None
        if finding is not None:
            outcome = finding.by_group.get(group) or (finding.outcome if finding.group == group else None)
        shown = figure.emptied(small.words) if small.hides(figure) else figure
        points.append(Point(label, code, change.told, group, change.worse, change.margin, shown, outcome, grouping))
    return points


def _verdict(label: str, finding: Finding, small: SmallCells) -> Verdict:
    figure = finding.estimate
    if figure is not None and small.hides(figure):
        figure = figure.emptied(small.words)
    return Verdict(label, finding.code, finding.title, finding.grouping, finding.group, finding.outcome, figure)
