"""Who gains and who pays: every metric of the rendered faces, by group and language, in two runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from audit.checks.strata import Cells
from audit.comparisons.both import Both
from audit.comparisons.changes import Change, p_of, word_for
from audit.comparisons.check_changes import WORSE, CheckCompared, Compared, gap_change
from audit.comparisons.levelling import Levelling, levelled_down
from audit.core.metric import Metric
from audit.core.vocabulary import UNKNOWN, ordered_groups
from audit.stats import ALL, Estimate
from audit.stats.pairs import paired_estimates

_OVER: Final = ("the one minus the other", "cosine to the own portrait over that to others'")
_CHECK_OF: Final = {
    "read_own_group": "S2F003",
    "gender_right": "S2F004",
    "similarity": "S2F005",
    "no_face": "S2F006",
}
"""Whose margin a metric takes; one that no check is about has none."""


def check_changes(check: CheckCompared, candidate: str, both: Both) -> list[Change]:
    """A check's headline and its groups' figures as changes; groups that are held together are so here."""

    def change(compared: Compared, headline: bool) -> Change:
        held, settings = compared.change.at(both.settings.confidence), both.settings
        margin, worse = both.baseline.margins[check.code], WORSE[check.code]
        return Change(
            candidate,
            check.code,
            check.told,
            compared.group,
            ALL,
            headline,
            compared.baseline.at(settings.confidence),
            compared.candidate.at(settings.confidence),
            held,
            worse,
            margin,
            word_for(held, worse, margin),
            p_of(compared.change, compared.pairs, settings.confidence),
        )

    return [
        change(check.headline, True),
        *(change(group.together(len(check.groups)), False) for group in check.groups),
    ]


def metric_changes(both: Both, candidate: str) -> list[Change]:
    """Every metric of which one end is bad, over all clips, by group, by language and by both.

    Groups over all languages are held together, and have a word; those of one language stand alone, and have none.
    """
    changes = []
    for metric in compared_metrics(both):
        for keys, cells in both.baseline.every_cell("group", "language"):
            changes += _in_cells(both, candidate, metric, keys, cells)
    return changes


def compared_metrics(both: Both) -> list[Metric]:
    """The metrics of rendered faces that say what is better; the distances of features say again what cosines say."""
    return [
        replace(metric, words=metric.words.replace(*_OVER)) if metric.name.startswith("similarity_over") else metric
        for metric in both.baseline.metrics.values()
        if metric.worse is not None and "rendered" in metric.stages and not metric.name.startswith("feature_")
    ]


def _in_cells(both: Both, candidate: str, metric: Metric, keys: list[tuple[object, ...]], cells: Cells) -> list[Change]:
    by_language = any(language != ALL for _, language in keys)
    by_group = any(group != ALL for group, _ in keys)
    confidence = both.settings.confidence
    if by_group and not by_language:
        confidence = 1 - (1 - confidence) / max(1, len(both.baseline.groups))
    settings = both.baseline.at(confidence)
    found = both.changes(metric.name, cells)
    name = f"rendered.{metric.name} by run"
    estimates = paired_estimates(found, metric.kind, settings, [name] * len(keys))
    before, after = (each.figures(metric.name, "rendered", cells, confidence) for each in both.each)
    margin, changes = _margin(metric.name, both.baseline.margins), []
    order = ordered_groups(str(group) for group, _ in keys if group != ALL)
    for i in sorted(range(len(keys)), key=lambda i: ([ALL, *order].index(str(keys[i][0])), str(keys[i][1]))):
        group, language = keys[i]
        if group == UNKNOWN or (before[i].value is None and after[i].value is None):
            continue
        held = estimates[i]
        pairs = found.one(i, metric.kind, both.settings, name)
        changes.append(
            Change(
                candidate,
                metric.name,
                metric.words,
                str(group),
                str(language),
                False,
                before[i],
                after[i],
                held,
                metric.worse or "low",
                margin,
                None if by_language else word_for(held, metric.worse or "low", margin),
                None if held.interval is None else pairs.permutation().p,
            )
        )
    return changes


def _margin(metric: str, margins: Mapping[str, float]) -> float | None:
    code = next((code for start, code in _CHECK_OF.items() if metric.startswith(start)), None)
    return None if code is None else margins[code]


def levellings(both: Both, changes: list[Change]) -> list[Levelling]:
    """The metrics that were levelled down."""
    found = []
    for metric in compared_metrics(both):
        groups = [
            change
            for change in changes
            if change.figure == metric.name and change.language == ALL and change.group != ALL
        ]

        def gap_of(group: str, name: str = metric.name) -> Estimate:
            held = gap_change(both, name, group).together(len(both.baseline.groups))
            return held.at(both.settings.confidence)

        levelled = levelled_down(groups, gap_of)
        if levelled is not None:
            found.append(levelled)
    return found
