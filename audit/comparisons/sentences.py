"""Sentences about a comparison: which groups gain, which lose, and levelling down."""

from __future__ import annotations

from collections.abc import Sequence

from audit.comparisons.changes import Change
from audit.comparisons.levelling import Levelling
from audit.core.sentences import group_words, listing
from audit.stats import ALL

QUIET = ({"no_difference"}, {"inconclusive"})
"""The words of a metric whose groups all have no difference, or all are inconclusive."""


def who_gains(changes: Sequence[Change]) -> str:
    """One sentence about the changes of one metric in one candidate, by group over all languages.

    Numbers keep their measured sign: fewer years of age error are a gain with a minus.
    """
    first = changes[0]
    parts = []
    for word in ("gains", "pays"):
        parts += [
            f"{group_words(change.group)} {word} ({change.change.text})" for change in changes if change.word == word
        ]
    alike = [group_words(change.group) for change in changes if change.word == "no_difference"]
    if alike:
        parts.append(f"no difference is shown for {listing(alike)}")
    unclear = [group_words(change.group) for change in changes if change.word == "inconclusive"]
    if unclear:
        parts.append(f"inconclusive for {listing(unclear)}")
    return f"{first.told[:1].upper()}{first.told[1:]}, {first.candidate} against A: {'; '.join(parts)}."


def levelling_words(levelling: Levelling) -> str:
    """One levelling in words."""
    lost = listing([f"{group_words(name)} ({by.text})" for name, by in levelling.losers.items()])
    return (
        f"Levelling down in {levelling.candidate}, {levelling.told}: {group_words(levelling.worst)} speakers had the "
        f"worst figure in A. The gap to all other groups shrank ({levelling.gap.text}), but they are not shown to have "
        f"gained themselves ({levelling.own.text}, more being better). Other groups lost: {lost}."
    )


def by_language(changes: Sequence[Change], error: float) -> str:
    """The exploratory changes by group and language whose adjusted p is at most ``error``; empty if there are none.

    ``changes`` are those of one metric in one candidate, by group and language.
    """
    found = [
        f"{group_words(change.group)} in {change.language} {'pays' if (change.better.value or 0) < 0 else 'gains'} "
        f"({change.change.text})"
        for change in changes
        if change.p_adjusted is not None and change.p_adjusted <= error and change.change.value
    ]
    if not found:
        return ""
    first = changes[0]
    return (
        f"Explored by language, {first.told}, {first.candidate} against A, at a false discovery rate of {error:.0%}: "
        f"{'; '.join(found)}."
    )


def without_news(changes: Sequence[Sequence[Change]]) -> list[str]:
    """One sentence for the metrics with no difference for any group, and one for those inconclusive for every group."""
    heads = {"no_difference": "No difference is shown for any group", "inconclusive": "Inconclusive for every group"}
    made = []
    for word, head in heads.items():
        named = [groups[0].told for groups in changes if all(change.word == word for change in groups)]
        if named:
            made.append(f"{head}, {changes[0][0].candidate} against A: {'; '.join(named)}.")
    return made


def sentences(
    headline: Change | None,
    changes: Sequence[Change],
    levelled: Sequence[Levelling],
    figures: Sequence[str],
    confidence: float,
) -> list[str]:
    """Sentences about one candidate: levelling down, the headline check, gains and losses by metric, then no change."""
    made = [levelling_words(item) for item in levelled]
    if headline is not None:
        made.append(who_gains([headline]))
    quiet = []
    for figure in figures:
        groups = [
            change for change in changes if change.figure == figure and change.language == ALL and change.group != ALL
        ]
        words = {change.word for change in groups}
        if words and words in QUIET:
            quiet.append(groups)
        elif groups:
            made.append(who_gains(groups))
        spoken = [
            change for change in changes if change.figure == figure and ALL not in (change.language, change.group)
        ]
        explored = by_language(spoken, round(1 - confidence, 12))
        if explored:
            made.append(explored)
    return made + without_news(quiet)
