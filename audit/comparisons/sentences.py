"""Sentences about a comparison: levelling down, the change of every harm, and which groups gain and lose."""

from __future__ import annotations

from collections.abc import Sequence

from audit.checks.figure import Figure
from audit.comparisons.changes import Change, turned
from audit.comparisons.comparison import NotCompared
from audit.comparisons.harms import HarmChange, tally
from audit.comparisons.levelling import Levelling
from audit.core.sentences import group_words, listing, p_words
from audit.stats import ALL

QUIET = ("no_difference", "inconclusive")
"""The words for no shown change. The metrics whose groups all have the same of them are listed in one sentence."""


def who_gains(changes: Sequence[Change]) -> str:
    """One sentence about the changes of one metric in one candidate, by group over all languages.

    Numbers keep their measured sign: fewer years of age error are a gain with a minus.
    """
    first = changes[0]
    parts = [
        f"{group_words(change.group)} {word} {_how_much(change)}"
        for word in ("gains", "pays")
        for change in changes
        if change.word == word
    ]
    for word, words in zip(QUIET, ("no difference is shown for", "inconclusive for"), strict=True):
        if named := [group_words(change.group) for change in changes if change.word == word]:
            parts.append(f"{words} {listing(named)}")
    return f"{first.told[:1].upper()}{first.told[1:]}, {first.candidate} against A: {'; '.join(parts)}."


def sentences(
    found: Sequence[HarmChange],
    changes: Sequence[Change],
    levelled: Sequence[Levelling],
    figures: Sequence[str],
    confidence: float,
) -> list[str]:
    """Sentences about one candidate: levelling down, every harm, gains and losses by metric, then no change."""
    made = [levelling_words(item) for item in levelled]
    if found:
        made += [tally(found), *(harm.sentence(confidence) for harm in found)]
    quiet: dict[str, list[str]] = {word: [] for word in QUIET}
    for figure in figures:
        of_groups = [change for change in changes if change.figure == figure and change.group != ALL]
        groups = [change for change in of_groups if change.language == ALL]
        words = {change.word for change in groups}
        if len(words) == 1 and (word := groups[0].word) in quiet:
            quiet[word].append(groups[0].told)
        elif groups:
            made.append(who_gains(groups))
        if explored := _by_language([change for change in of_groups if change.language != ALL], 1 - confidence):
            made.append(explored)
    starts = "No difference is shown for any group", "Inconclusive for every group"
    for start, metrics in zip(starts, quiet.values(), strict=True):
        if metrics:
            made.append(f"{start}, {changes[0].candidate} against A: {'; '.join(metrics)}.")
    return made


def not_compared_words(absent: Sequence[NotCompared]) -> list[str]:
    """One sentence with the checks that could not be compared; none if all could."""
    named = listing([f"{check.code} ({check.title})" for check in absent])
    return [f"Not compared, because the runs have no figure for it: {named}."] if absent else []


def levelling_words(levelling: Levelling) -> str:
    """Levelling down in a sentence; the changes have their measured sign."""
    lost = [f"{group_words(name)} ({_measured(by).text})" for name, by in levelling.losers.items()]
    return (
        f"Levelling down in {levelling.candidate}, {levelling.told}: {group_words(levelling.worst)} speakers had the "
        f"worst figure in A. They came closer to all other groups ({levelling.gap.text}), but are not shown to have "
        f"gained themselves ({_measured(levelling.own).text}). "
        f"{f'Other groups lost: {listing(lost)}.' if lost else 'The figures of the groups that lost are suppressed.'}"
    )


def _measured(figure: Figure) -> Figure:
    """The change with its measured sign; in a levelling, more is better."""
    return turned(figure) if figure.harm == "high" else figure


def _how_much(change: Change) -> str:
    return f"({', '.join(filter(None, (change.change.text, p_words(change.p_adjusted))))})"


def _by_language(changes: Sequence[Change], error: float) -> str:
    """The exploratory changes by group and language whose adjusted p is at most ``error``; empty if there are none."""
    error = round(error, 12)
    found = [
        f"{group_words(change.group)} in {change.language} {'pays' if (change.better.value or 0) < 0 else 'gains'} "
        f"{_how_much(change)}"
        for change in changes
        if change.p_adjusted is not None and change.p_adjusted <= error and change.change.value
    ]
    start = f"Explored by language, {changes[0].told}, {changes[0].candidate} against A" if found else ""
    return f"{start}, at a false discovery rate of {error:.0%}: {'; '.join(found)}." if found else ""
