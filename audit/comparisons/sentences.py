"""A comparison in plain sentences: who gains and who pays, and levelling down by its name."""

from __future__ import annotations

from collections.abc import Sequence

from audit.comparisons.changes import Change
from audit.comparisons.levelling import Levelling
from audit.core.sentences import group_words, listing
from audit.stats import ALL

QUIET = ({"no_difference"}, {"inconclusive"})
"""What every group's change is called where a metric brings no news."""


def who_gains(changes: Sequence[Change]) -> str:
    """One metric's changes by group in one candidate, in one sentence.

    ``changes`` are those of the groups over all languages. Numbers are as they are measured: fewer years of age error
    are a gain with a minus.
    """
    first = changes[0]
    parts = []
    for word, told in (("gains", "gains"), ("pays", "pays")):
        parts += [
            f"{group_words(change.group)} {told} ({change.change.text})" for change in changes if change.word == word
        ]
    alike = [group_words(change.group) for change in changes if change.word == "no_difference"]
    if alike:
        parts.append(f"no difference is shown for {listing(alike)}")
    unclear = [group_words(change.group) for change in changes if change.word == "inconclusive"]
    if unclear:
        parts.append(f"inconclusive for {listing(unclear)}")
    return f"{first.told[:1].upper()}{first.told[1:]}, {first.candidate} against A: {'; '.join(parts)}."


def levelling_words(levelling: Levelling) -> str:
    """What was levelled down, and at whose cost."""
    lost = listing([f"{group_words(name)} ({by.text})" for name, by in levelling.losers.items()])
    return (
        f"Levelling down in {levelling.candidate}, {levelling.told}: {group_words(levelling.worst)} speakers, the "
        f"worst off in A, came {levelling.gap.text} nearer to all other groups, but are not "
        f"shown to have gained ({levelling.own.text}, more being better). Others lost: {lost}."
    )


def by_language(changes: Sequence[Change], error: float) -> str:
    """Which groups' changes in one language stand out of all that were explored; empty where none does.

    ``changes`` are those of one metric in one candidate by group and language; they count where their adjusted p is at
    most ``error``.
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
    """Metrics in which the word is the same for every group and is neither gain nor loss: one sentence a word."""
    heads = {"no_difference": "No difference is shown for any group", "inconclusive": "Inconclusive for every group"}
    made = []
    for word, head in heads.items():
        told = [groups[0].told for groups in changes if all(change.word == word for change in groups)]
        if told:
            made.append(f"{head}, {changes[0][0].candidate} against A: {'; '.join(told)}.")
    return made


def sentences(
    headline: Change | None,
    changes: Sequence[Change],
    levelled: Sequence[Levelling],
    figures: Sequence[str],
    confidence: float,
) -> list[str]:
    """One candidate: levelling down first, the named check's headline, who gains and who pays by each of some metrics,
    and in the end what brought no news.
    """
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
