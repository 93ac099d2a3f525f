"""From figures to findings: the same rules for every check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from audit.checks.evidence import Evidence
from audit.checks.finding import OUTCOMES, Finding
from audit.core.sentences import group_words, listing, typeset
from audit.stats import Curve, Estimate, p_value, speakers_needed, verdict
from audit.stats.verdict import Outcome

Direction = Literal["greater", "two_sided"]


BEYOND_REACH = 20_000
"""More speakers than this are not asked for: VoxCeleb has 7,000, AVSpeech 100,000."""


@dataclass(frozen=True)
class GroupFigure:
    """What a check holds against its margin for one group, and the figures beside it.

    ``curve`` is ``held`` at every confidence; without it the finding has no p-value.
    """

    group: str
    held: Estimate
    beside: Mapping[str, Estimate] = field(default_factory=dict)
    curve: Curve | None = None


def judge(
    evidence: Evidence,
    code: str,
    title: str,
    group: str,
    held: Estimate,
    estimates: Mapping[str, Estimate],
    sentence: str,
    *,
    direction: Direction,
    figure: str,
    curve: Curve | None = None,
) -> Finding:
    """The finding about one figure; ``curve`` is ``held`` at every confidence, for its p-value."""
    margin = evidence.margins[code]
    judged = verdict(held, margin, direction)
    p = None
    if curve is not None and judged.outcome != "not_evaluable":
        p = p_value(curve, margin, direction, evidence.settings.confidence)
    return Finding(
        code,
        title,
        judged.outcome,
        group,
        held,
        dict(estimates),
        margin,
        sentence,
        typeset(f"{figure}: {judged.reason}."),
        would_change([held], margin, direction, judged.outcome, evidence),
        p,
    )


def judge_groups(
    evidence: Evidence,
    code: str,
    title: str,
    figures: list[GroupFigure],
    sentence: Callable[[list[str]], str],
    *,
    direction: Direction,
    figure: str,
) -> Finding:
    """The finding about one figure for every group: shown if it is shown for any, not shown only if for none.

    ``sentence`` is given the groups that it is shown for, else the one whose figure is largest.
    """
    margin = evidence.margins[code]
    verdicts = {item.group: verdict(item.held, margin, direction) for item in figures}
    by_size = sorted(figures, key=lambda item: -_size(item.held, direction))
    shown = [item.group for item in by_size if verdicts[item.group].outcome == "shown"]
    named = shown or [by_size[0].group]
    held = next(item.held for item in figures if item.group == named[0])
    judged = {name: found.outcome for name, found in verdicts.items()}
    able = [outcome for outcome in judged.values() if outcome != "not_evaluable"]
    outcome: Outcome
    if shown:
        outcome = "shown"
    elif not able:
        outcome = "not_evaluable"
    else:
        outcome = "not_shown" if set(judged.values()) == {"not_shown"} else "inconclusive"
    estimates: dict[str, Estimate] = {}
    for item in figures:
        estimates[item.group] = item.held
        estimates |= {f"{item.group}.{name}": estimate for name, estimate in item.beside.items()}
    by_outcome = {word: [name for name, found in judged.items() if found == word] for word in OUTCOMES}
    groups = "; ".join(
        f"{word.replace('_', ' ')} for {listing([group_words(name) for name in names])}"
        for word, names in by_outcome.items()
        if names
    )
    return Finding(
        code,
        title,
        outcome,
        named[0],
        held,
        estimates,
        margin,
        sentence(named),
        typeset(f"{figure}, {group_words(named[0])}: {verdicts[named[0]].reason}. By group: {groups}."),
        would_change([item.held for item in figures], margin, direction, outcome, evidence),
        _least_p(by_size, margin, direction, evidence) if able else None,
    )


def _least_p(figures: list[GroupFigure], margin: float, direction: Direction, evidence: Evidence) -> float | None:
    """The p-value of a figure for any of the groups: the least, their curves being held together already."""
    least = 1.0
    for item in figures:
        if item.curve is None:
            return None
        least = p_value(item.curve, margin, direction, evidence.settings.confidence, least)
    return least


def too_few(code: str, title: str, group: str, estimates: Mapping[str, Estimate], reason: str, would: str) -> Finding:
    """The finding of a check that the data cannot answer."""
    return Finding(
        code, title, "not_evaluable", group, None, dict(estimates), None, f"Not evaluable: {reason}", reason, would
    )


def would_change(
    held: Sequence[Estimate], margin: float, direction: Direction, outcome: Outcome, evidence: Evidence
) -> str:
    """What would change a verdict about one figure or several, in one sentence."""
    outcomes = [verdict(each, margin, direction).outcome for each in held]
    if outcome in ("inconclusive", "not_evaluable"):
        open_ones = [each for each, found in zip(held, outcomes, strict=True) if found in (outcome, "not_evaluable")]
        needed = [speakers_needed(each, margin, direction, evidence.settings) for each in open_ones]
        most = max(needed, key=lambda each: float("inf") if each.more is None else each.more)
        if most.more is not None and most.more > BEYOND_REACH:
            return "No number of speakers within reach, as the figure stands: it lies too close to the margin."
        return _sentence(most.reason)
    ends = [
        each.interval
        for each, found in zip(held, outcomes, strict=True)
        if each.interval is not None and found == outcome
    ]
    if outcome == "shown":
        nearest = max(low if low > 0 else -high for low, high in ends)
        return (
            f"A margin above {nearest:.2f}, an instrument whose own errors explain the difference, or other speakers."
        )
    farthest = max(high if direction == "greater" else max(-low, high) for low, high in ends)
    less = f"A margin below {farthest:.2f}, an" if farthest > 0 else "An"
    return f"{less} instrument that hides the difference, or other speakers."


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + "."


def _size(estimate: Estimate, direction: Direction) -> float:
    if estimate.value is None:
        return float("-inf")
    return estimate.value if direction == "greater" else abs(estimate.value)
