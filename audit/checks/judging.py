"""The rules by which figures become findings, the same for every check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from audit.checks.check import Check
from audit.checks.evidence import Evidence
from audit.checks.figure import Figure
from audit.checks.finding import OUTCOME_WORDS, OUTCOMES, Finding
from audit.core.sentences import group_words, listing, typeset
from audit.stats import ALL, p_value, speakers_needed
from audit.stats.verdict import Outcome

MOST_SPEAKERS: Final = 20_000
"""The largest number of speakers that a finding recommends: VoxCeleb has 7,000, AVSpeech 100,000."""


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
    check : Check
        The check.
    evidence : Evidence
        The run.
    head : Figure
        The headline, from :meth:`Check.figure`.
    figures : mapping of str to Figure
        All figures of the finding, by key.
    sentence : str
        The finding in one plain sentence.
    """
    judged = head.verdict
    return Finding(
        check.code,
        check.title,
        judged.outcome,
        head.group,
        head,
        dict(figures),
        head.margin,
        sentence,
        typeset(f"{head.label}: {judged.reason}."),
        would_change([head], judged.outcome, evidence),
        None if judged.outcome == "not_evaluable" else _p_value([head], evidence),
        scope=check.scope,
    )


def judge_groups(
    check: Check, evidence: Evidence, figures: Sequence[GroupFigure], sentence: Callable[[list[str]], str]
) -> Finding:
    """The finding about one judged figure for each group: shown if it is for any group, not shown only if for none.

    Parameters
    ----------
    check : Check
        The check.
    evidence : Evidence
        The run.
    figures : sequence of GroupFigure
        One for each group; their curves are already adjusted for the number of groups.
    sentence : callable
        Takes the groups for which it is shown, largest figure first, or else the group with the largest figure.

    Raises
    ------
    ValueError
        If the figure is not declared with ``per_group``, so that a gate rule would only see one group.
    """
    if undeclared := sorted({i.judged.name for i in figures if not check.declared(i.judged.name).per_group}):
        raise ValueError(f"{check.code} judges {', '.join(undeclared)} for each group: declare it with per_group=True")
    by_group = {item.group: item.judged.verdict.outcome for item in figures}
    by_size = sorted(figures, key=lambda item: -_size(item.judged))
    shown = [item.group for item in by_size if by_group[item.group] == "shown"]
    named = shown or [by_size[0].group]
    head = next(item.judged for item in figures if item.group == named[0])
    able = [outcome for outcome in by_group.values() if outcome != "not_evaluable"]
    outcome: Outcome = "inconclusive"
    if shown:
        outcome = "shown"
    elif not able:
        outcome = "not_evaluable"
    elif set(by_group.values()) == {"not_shown"}:
        outcome = "not_shown"
    all_figures: dict[str, Figure] = {}
    for item in figures:
        all_figures[item.group] = item.judged
        all_figures |= {f"{item.group}.{name}": figure for name, figure in item.behind.items()}
    alike = {word: [group_words(name) for name, found in by_group.items() if found == word] for word in OUTCOMES}
    groups = "; ".join(f"{OUTCOME_WORDS[word]} for {listing(names)}" for word, names in alike.items() if names)
    return Finding(
        check.code,
        check.title,
        outcome,
        named[0],
        head,
        all_figures,
        head.margin,
        sentence(named),
        typeset(f"{head.label}, {group_words(named[0])}: {head.verdict.reason}. By group: {groups}."),
        would_change([item.judged for item in figures], outcome, evidence),
        _p_value([item.judged for item in by_size], evidence) if able else None,
        by_group=by_group,
        scope=check.scope,
    )


def not_evaluable(
    check: Check, reason: str, would: str, *, group: str = ALL, figures: Mapping[str, Figure] | None = None
) -> Finding:
    """The finding of a check that the data cannot answer; ``would`` says which data are needed."""
    sentence = f"Not evaluable: {reason}"
    return Finding(
        check.code,
        check.title,
        "not_evaluable",
        group,
        None,
        dict(figures or {}),
        None,
        sentence,
        reason,
        would,
        scope=check.scope,
    )


def would_change(figures: Sequence[Figure], outcome: Outcome, evidence: Evidence) -> str:
    """One sentence on what would change a verdict about one or several judged figures."""
    judged = [(figure, figure.verdict.outcome) for figure in figures]
    if outcome in ("inconclusive", "not_evaluable"):
        undecided = [figure for figure, found in judged if found in (outcome, "not_evaluable")]
        needed = [
            speakers_needed(figure, figure.margin or 0.0, figure.direction, evidence.settings) for figure in undecided
        ]
        most = max(needed, key=lambda each: float("inf") if each.more is None else each.more)
        if most.more is not None and most.more > MOST_SPEAKERS:
            return f"More than {MOST_SPEAKERS:,} further speakers, since the estimate lies close to the margin."
        return most.reason[:1].upper() + most.reason[1:] + "."
    decided = [
        (figure, figure.interval) for figure, found in judged if figure.interval is not None and found == outcome
    ]
    if outcome == "shown":
        nearest = max(interval[0] if interval[0] > 0 else -interval[1] for _, interval in decided)
        return f"A margin above {nearest:.2f}, instrument errors that explain the difference, or different speakers."
    farthest = max(_reach(figure, interval) for figure, interval in decided)
    less = f"A margin below {farthest:.2f}, instrument" if farthest > 0 else "Instrument"
    return f"{less} errors that hide the difference, or different speakers."


def _reach(figure: Figure, interval: tuple[float, float]) -> float:
    """The end of an interval in the tested direction."""
    low, high = interval
    return {"greater": high, "less": -low, "two_sided": max(-low, high)}[figure.direction]


def _p_value(figures: Sequence[Figure], evidence: Evidence) -> float | None:
    """The smallest p-value of figures whose curves are already adjusted; ``None`` where a curve is missing."""
    least = 1.0
    for figure in figures:
        if figure.curve is None:
            return None
        least = p_value(figure.curve, figure.margin or 0.0, figure.direction, evidence.settings.confidence, least)
    return least


def _size(figure: Figure) -> float:
    """The value in the tested direction."""
    if figure.value is None:
        return float("-inf")
    return {"greater": figure.value, "less": -figure.value, "two_sided": abs(figure.value)}[figure.direction]
