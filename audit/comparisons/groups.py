"""Changes by group: the figures of every check and every metric of the rendered faces."""

from __future__ import annotations

from collections.abc import Sequence

from audit.checks.check import Check
from audit.checks.compared import CheckCompared, Compared
from audit.checks.figure import Figure
from audit.checks.metrics.metric_frame import FEATURE_DISTANCE
from audit.checks.pair import Pair
from audit.checks.strata import Cells
from audit.comparisons.changes import Change, p_of, word_for
from audit.core.errors import AuditError
from audit.core.metric import Metric
from audit.core.vocabulary import UNKNOWN, ordered_groups
from audit.stats import ALL, Curve
from audit.stats.pairs import paired_estimates


def compared_checks(checks: Sequence[Check], pair: Pair) -> list[tuple[Check, CheckCompared]]:
    """Every check that both runs can answer, in the order of the audit.

    Raises
    ------
    AuditError
        If a check compares a figure of another unit or direction than its first one, which gate rules go by.
    """
    compared = ((check, check.compare(pair)) for check in checks if check.applies(pair.baseline))
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
    confidence, judged = pair.settings.confidence, found.judged
    margin = check.margin(judged, pair.baseline.margins)

    def change(compared: Compared, headline: bool) -> Change:
        def figure(curve: Curve) -> Figure:
            return Figure.of(
                curve.at(confidence),
                name=judged.name,
                unit=judged.unit,
                kind="difference",
                group=compared.group,
                label=judged.label,
                cell=pair.baseline.cell_of(compared.group),
                harm=judged.harm,
                curve=curve,
            )

        between = figure(compared.change)
        repeats = headline and compared.group in of_groups  # its p is that of the group's own change
        return Change(
            candidate,
            check.code,
            found.label,
            compared.group,
            ALL,
            headline,
            figure(compared.baseline),
            figure(compared.candidate),
            between,
            judged.harm,
            margin,
            word_for(between, judged.harm, margin),
            None if repeats else p_of(compared.change, confidence),
            worst_of_groups=headline and found.worst_of_groups,
            grouping=pair.baseline.grouping.name,
        )

    of_groups = {group.group for group in found.groups}
    groups = [group.adjusted(len(found.groups)) for group in found.groups]
    return [change(found.headline, True), *(change(group, False) for group in groups)]


def metric_changes(checks: Sequence[Check], pair: Pair, candidate: str) -> list[Change]:
    """Changes of every metric with a worse end, over all clips, by group, by language and by both.

    The margin of a metric is that of the check that judges its quantity. Intervals of groups over all languages are
    simultaneous, and those changes have a word; changes in one language have unadjusted intervals and no word.
    """
    margins = {
        quantity: check.margin(judged, pair.baseline.margins)
        for check in reversed(checks)  # the first check that judges a quantity takes precedence
        for judged in reversed(check.judged)
        for quantity in judged.quantities
    }
    return [
        change
        for metric in compared_metrics(pair)
        for keys, cells in pair.baseline.every_cell("group", "language")
        for change in _in_cells(pair, candidate, metric, margins.get(metric.quantity), keys, cells)
    ]


def compared_metrics(pair: Pair) -> list[Metric]:
    """The metrics of rendered faces with a worse end, except feature distances, which repeat the cosines."""
    return [
        metric
        for metric in pair.baseline.metrics.values()
        if metric.worse is not None and "rendered" in metric.stages and metric.quantity != FEATURE_DISTANCE
    ]


def _in_cells(
    pair: Pair, candidate: str, metric: Metric, margin: float | None, keys: list[tuple[object, ...]], cells: Cells
) -> list[Change]:
    by_language = any(language != ALL for _, language in keys)
    by_group = any(group != ALL for group, _ in keys)
    confidence, worse = pair.settings.confidence, metric.worse or "low"
    if by_group and not by_language:
        confidence = 1 - (1 - confidence) / max(1, len(pair.baseline.groups))
    found, name = pair.changes(metric.name, cells), f"rendered.{metric.name} by run"
    between = paired_estimates(found, metric.kind, pair.baseline.at(confidence), [name] * len(keys))
    before, after = (each.figures(metric.name, "rendered", cells, confidence) for each in pair.each)
    order = [ALL, *ordered_groups(str(group) for group, _ in keys if group != ALL)]
    changes = []
    for i in sorted(range(len(keys)), key=lambda i: (order.index(str(keys[i][0])), str(keys[i][1]))):
        group, language = map(str, keys[i])
        if group == UNKNOWN or (before[i].value is None and after[i].value is None):
            continue
        known = {"name": metric.name, "unit": metric.unit, "group": group, "language": language}
        known |= {"stage": "rendered", "label": metric.words}
        changes.append(
            Change(
                candidate,
                metric.name,
                metric.words,
                group,
                language,
                False,
                Figure.of(before[i], kind=metric.kind, **known),
                Figure.of(after[i], kind=metric.kind, **known),
                Figure.of(between[i], kind="difference", harm=worse, **known),
                worse,
                margin,
                None if by_language else word_for(between[i], worse, margin),
                p_of(found.one(i, metric.kind, pair.settings, name).curve(), pair.settings.confidence),
            )
        )
    return changes
