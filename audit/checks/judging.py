"""The rules by which figures become findings, the same for every check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from audit.checks.check import Check
from audit.checks.evidence import Evidence
from audit.checks.figure import Figure
from audit.checks.finding import OUTCOME_WORDS, OUTCOMES, Finding
from audit.checks.would_change import towards_harm, would_change
from audit.core.sentences import group_words, listing, typeset
from audit.stats import ALL, holm, p_value
from audit.stats.verdict import Outcome


@dataclass(frozen=True)
class GroupFigure:
    """The judged figure of one group, and the figures behind it by name."""

    group: str
    judged: Figure
    behind: Mapping[str, Figure] = field(default_factory=dict)


def judge(check: Check, evidence: Evidence, head: Figure, figures: Mapping[str, Figure], sentence: str) -> Finding:
    """The finding about one judged figure.

    Parameters
    ----------
    check, evidence : Check, Evidence
        The check and the run.
    head : Figure
        The headline, from :meth:`Check.figure`.
    figures : mapping of str to Figure
        All figures of the finding, by key.
    sentence : str
        The finding in one plain sentence.
    """
    outcome, reason = head.verdict.outcome, head.verdict.reason
    return Finding(
        check.code,
        check.title,
        outcome,
        head.group,
        head,
        dict(figures),
        head.margin,
        sentence,
        typeset(f"{head.label}: {reason}."),
        would_change(head, (), outcome, evidence.settings),
        None if outcome == "not_evaluable" else _p_value([head], evidence),
        scope=check.scope,
    )


def judge_groups(
    check: Check, evidence: Evidence, figures: Sequence[GroupFigure], sentence: Callable[[list[str]], str]
) -> Finding:
    """The finding about one or several judged figures for each group.

    A group is shown if any of its figures is, and not shown only if all of them are not shown; so is the finding over
    the groups. Each group is represented by the largest of its figures with the group's outcome, in units of the
    margin. The headline is the largest of these, among the groups for which it is shown if there are any.

    Parameters
    ----------
    check, evidence : Check, Evidence
        The check and the run.
    figures : sequence of GroupFigure
        One for each group and judged figure; their curves are already adjusted for the number of groups and figures.
        In the finding, a group's first declared figure has the group as its key, further ones have ``group.name``.
    sentence : callable
        Takes the groups for which it is shown, largest figure first, or else the group of the headline.

    Raises
    ------
    ValueError
        If the figure is not declared with ``per_group``, so that a gate rule would only see one group.
    """
    names = {item.judged.name for item in figures}
    if undeclared := sorted(name for name in names if not check.declared(name).per_group):
        raise ValueError(f"{check.code} judges {', '.join(undeclared)} for each group: declare it with per_group=True")
    of_groups: dict[str, list[Outcome]] = {}
    for item in figures:
        of_groups.setdefault(item.group, []).append(item.judged.verdict.outcome)
    by_group = {group: _together(found) for group, found in of_groups.items()}
    outcome = _together(list(by_group.values()))
    by_size = sorted(figures, key=lambda item: _size(item.judged), reverse=True)
    decisive = [item for item in by_size if item.judged.verdict.outcome == by_group[item.group]]
    of_group: dict[str, GroupFigure] = {}
    for item in (*decisive, *by_size):  # no figure of a group is decisive where some are not shown and others unknown
        of_group.setdefault(item.group, item)
    largest = sorted(of_group.values(), key=lambda item: _size(item.judged), reverse=True)
    largest = [item for item in largest if by_group[item.group] == "shown"] or largest[:1]
    group, head = largest[0].group, largest[0].judged
    first = next(item.name for item in check.judged if item.name in names)
    all_figures: dict[str, Figure] = {}
    for item in figures:
        behind = {f"{item.group}.{name}": figure for name, figure in item.behind.items()}
        key = item.group if item.judged.name == first else f"{item.group}.{item.judged.name}"
        all_figures |= {key: item.judged, **behind}
    alike = {word: [group_words(name) for name, found in by_group.items() if found == word] for word in OUTCOMES}
    groups = "; ".join(f"{OUTCOME_WORDS[word]} for {listing(words)}" for word, words in alike.items() if words)
    unknown: dict[str, list[str]] = {}  # figures that make a group inconclusive because they have no interval
    for item in figures:
        if by_group[item.group] == "inconclusive" and item.judged.verdict.outcome == "not_evaluable":
            unknown.setdefault(item.judged.label, []).append(group_words(item.group))
    lacking = "".join(
        f" {label[:1].upper()}{label[1:]}: not evaluable for {listing(words)}." for label, words in unknown.items()
    )
    return Finding(
        check.code,
        check.title,
        outcome,
        group,
        head,
        all_figures,
        head.margin,
        sentence([item.group for item in largest]),
        typeset(f"{head.label}, {group_words(group)}: {head.verdict.reason}. By group: {groups}.{lacking}"),
        would_change(head, [item.judged for item in by_size if item.judged is not head], outcome, evidence.settings),
        None if outcome == "not_evaluable" else _p_value([item.judged for item in by_size], evidence),
        by_group=by_group,
        scope=check.scope,
    )


def _together(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome of several figures: shown if any is, otherwise the one that all of them have, else inconclusive."""
    found = set(outcomes)
    return "shown" if "shown" in found else "inconclusive" if len(found) > 1 else found.pop()


def not_evaluable(
    check: Check, reason: str, would: str, *, group: str = ALL, figures: Mapping[str, Figure] | None = None
) -> Finding:
    """The finding of a check that the data cannot answer; ``would`` says which data are needed."""
    return Finding(
        check.code,
        check.title,
        "not_evaluable",
        group,
        None,
        dict(figures or {}),
        sentence=f"Not evaluable: {reason}",
        reason=reason,
        would_change=would,
        scope=check.scope,
    )


def holm_adjusted(findings: Sequence[Finding], confidence: float) -> tuple[Finding, ...]:
    """The findings with Holm-adjusted p-values (Holm 1979); findings without a p-value do not count.

    Outcomes do not change. The reason of a finding that is shown says whether it would still be shown at the audit's
    confidence after the adjustment.
    """
    p_values = np.array([finding.p_value for finding in findings], np.float64)
    counted = np.count_nonzero(~np.isnan(p_values))
    made = []
    for finding, p in zip(findings, holm(p_values).tolist(), strict=True):
        reason = finding.reason
        if finding.outcome == "shown" and counted > 1 and finding.p_value is not None:
            still = "still shown" if p <= 1 - confidence + 1e-12 else "no longer shown"
            reason += f" It is {still} after adjustment for {counted} checks (Holm, adjusted p {p:.2g})."
        made.append(replace(finding, reason=reason, p_adjusted=None if finding.p_value is None else p))
    return tuple(made)


def _p_value(figures: Sequence[Figure], evidence: Evidence) -> float | None:
    """The smallest p-value of figures whose curves are already adjusted; ``None`` where a curve is missing."""
    least = 1.0
    for figure in figures:
        if figure.curve is None:
            return None
        least = p_value(figure.curve, figure.margin or 0.0, figure.direction, evidence.settings.confidence, least)
    return least


def largest(figures: Sequence[Figure]) -> Figure:
    """The judged figure that lies farthest in the tested direction, in units of its margin."""
    return max(figures, key=_size)


def _size(figure: Figure) -> tuple[float, float]:
    """The value in the tested direction in units of the margin, which compares figures of different units; the value.

    With a margin of zero, any value beyond it is infinitely large.
    """
    if figure.value is None:
        return float("-inf"), float("-inf")
    value = towards_harm(figure.value, figure.value, figure.direction)
    if figure.margin:
        return value / figure.margin, value
    return float("inf") if value > 0 else 0.0, value
