"""Changes by group: the figures of every check and every metric of the rendered faces."""

from __future__ import annotations

from dataclasses import replace

from audit.checks.check import Check
from audit.checks.compared import CheckCompared, Compared, as_figure
from audit.checks.evidence import Evidence
from audit.checks.figure import Figure
from audit.checks.gaps import gap_change
from audit.checks.metrics.metric_frame import FEATURE_DISTANCE
from audit.checks.pair import Pair
from audit.checks.strata import Cells
from audit.comparisons.changes import Change, p_of, word_for
from audit.comparisons.levelling import Levelling, levelled_down
from audit.core.errors import AuditError
from audit.core.metric import Metric
from audit.core.vocabulary import UNKNOWN, ordered_groups
from audit.stats import ALL, Estimate
from audit.stats.pairs import paired_estimates


def compared_checks(pair: Pair) -> list[tuple[Check, CheckCompared]]:
    """Every check that both runs can answer, in the order of the audit.

    Raises
    ------
    AuditError
        If a check compares a figure of another unit or direction than its first one, which gate rules go by.
    """
    compared = ((check, check.compare(pair)) for check in pair.baseline.checks)
    answered = [(check, found) for check, found in compared if found is not None]
    for check, found in answered:
        mine, first = found.judged, check.judged[0]
        if (mine.unit, mine.harm) != (first.unit, first.harm):
            raise AuditError(
                f"The check {check.code} compares the figure {mine.name}, of another unit or direction than "
                f"{first.name}.",
                "a figure of the unit and direction of the check's first one",
            )
    return answered


def check_changes(check: Check, found: CheckCompared, candidate: str, pair: Pair) -> list[Change]:
    """A check's headline and its groups' figures as changes; simultaneous over the groups where the headline is."""
    confidence = pair.settings.confidence
    margin, harm = check.margin(found.judged, pair.baseline.margins), found.judged.harm

    def change(compared: Compared, headline: bool) -> Change:
        before, after, change = (
            as_figure(compared, curve, found.judged, confidence)
            for curve in (compared.baseline, compared.candidate, compared.change)
        )
        return Change(
            candidate,
            check.code,
            found.label,
            compared.group,
            ALL,
            headline,
            before,
            after,
            change,
            harm,
            margin,
            word_for(change, harm, margin),
            p_of(compared.change, compared.pairs, confidence),
            worst_of_groups=headline and found.worst_of_groups,
        )

    return [
        change(found.headline, True),
        *(change(group.adjusted(len(found.groups)), False) for group in found.groups),
    ]


def metric_changes(pair: Pair, candidate: str) -> list[Change]:
    """Changes of every metric with a worse end, over all clips, by group, by language and by both.

    Intervals of groups over all languages are simultaneous, and those changes have a word; changes in one language have
    unadjusted intervals and no word.
    """
    changes = []
    for metric in compared_metrics(pair):
        for keys, cells in pair.baseline.every_cell("group", "language"):
            changes += _in_cells(pair, candidate, metric, keys, cells)
    return changes


def compared_metrics(pair: Pair) -> list[Metric]:
    """The metrics of rendered faces with a worse end, except feature distances, which repeat the cosines."""
    return [
        metric
        for metric in pair.baseline.metrics.values()
        if metric.worse is not None and "rendered" in metric.stages and metric.quantity != FEATURE_DISTANCE
    ]


def _in_cells(pair: Pair, candidate: str, metric: Metric, keys: list[tuple[object, ...]], cells: Cells) -> list[Change]:
    by_language = any(language != ALL for _, language in keys)
    by_group = any(group != ALL for group, _ in keys)
    confidence = pair.settings.confidence
    if by_group and not by_language:
        confidence = 1 - (1 - confidence) / max(1, len(pair.baseline.groups))
    settings = pair.baseline.at(confidence)
    found = pair.changes(metric.name, cells)
    name = f"rendered.{metric.name} by run"
    estimates = paired_estimates(found, metric.kind, settings, [name] * len(keys))
    before, after = (each.figures(metric.name, "rendered", cells, confidence) for each in pair.each)
    margin, changes = _margin(metric, pair.baseline), []
    order = ordered_groups(str(group) for group, _ in keys if group != ALL)
    for i in sorted(range(len(keys)), key=lambda i: ([ALL, *order].index(str(keys[i][0])), str(keys[i][1]))):
        group, language = keys[i]
        if group == UNKNOWN or (before[i].value is None and after[i].value is None):
            continue
        estimate = estimates[i]
        pairs = found.one(i, metric.kind, pair.settings, name)
        changes.append(
            Change(
                candidate,
                metric.name,
                metric.words,
                str(group),
                str(language),
                False,
                _figure(before[i], metric, str(group), str(language)),
                _figure(after[i], metric, str(group), str(language)),
                replace(_figure(estimate, metric, str(group), str(language)), kind="difference", harm=metric.worse),
                metric.worse or "low",
                margin,
                None if by_language else word_for(estimate, metric.worse or "low", margin),
                None if estimate.interval is None else pairs.permutation().p,
            )
        )
    return changes


def _figure(estimate: Estimate, metric: Metric, group: str, language: str) -> Figure:
    return Figure.of(
        estimate,
        name=metric.name,
        unit=metric.unit,
        kind=metric.kind,
        group=group,
        language=language,
        stage="rendered",
        label=metric.words,
    )


def _margin(metric: Metric, evidence: Evidence) -> float | None:
    """The margin of the check that judges a metric; ``None`` if no check does."""
    for check in evidence.checks:
        for judged in check.judged:
            if judged.quantity == metric.quantity:
                return check.margin(judged, evidence.margins)
    return None


def levellings(pair: Pair, changes: list[Change]) -> list[Levelling]:
    """The metrics that were levelled down."""
    found = []
    for metric in compared_metrics(pair):
        groups = [
            change
            for change in changes
            if change.figure == metric.name and change.language == ALL and change.group != ALL
        ]

        def gap_of(group: str, metric: Metric = metric) -> Figure:
            curve = gap_change(pair, metric.name, group).together(len(pair.baseline.groups))
            estimate = curve.at(pair.settings.confidence)
            return replace(_figure(estimate, metric, group, ALL), kind="difference", harm=metric.worse)

        levelled = levelled_down(groups, gap_of)
        if levelled is not None:
            found.append(levelled)
    return found
