"""How each harm changed: the change of a check's figure over all of its groups, in one word and one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from audit.comparisons.changes import Change, Word
from audit.core.grouping import GROUP
from audit.core.sentences import group_words, listing, number_words, p_words
from audit.core.units import write_value
from audit.stats import ALL, speakers_needed

Outcome = Literal["smaller", "larger", "mixed", "no_difference", "inconclusive"]

COUNTED: Final[dict[Outcome, tuple[str, str]]] = {
    "larger": ("grew", "grew"),
    "mixed": ("became smaller for some groups and grew for others",) * 2,
    "smaller": ("became smaller", "became smaller"),
    "inconclusive": ("is undecided", "are undecided"),
    "no_difference": ("changed by no more than the margin",) * 2,
}
"""What a count of harms with each outcome is said to have done, for one and for several, the worst first."""
_BY_GROUP: Final[dict[Word, str]] = {
    "pays": "more harm for",
    "gains": "less harm for",
    "inconclusive": "undecided for",
    "no_difference": "changed by no more than the margin for",
}


@dataclass(frozen=True)
class HarmChange:
    """The change of the harm that one check measures, in one candidate against the baseline.

    Attributes
    ----------
    headline : Change
        The headline of the check.
    groups : tuple of Change
        One change for each group, over all of which the outcome is taken: a harm that grew for one group is never set
        off against one that became smaller for another.
    """

    headline: Change
    groups: tuple[Change, ...]

    @property
    def candidate(self) -> str:
        """The candidate's letter."""
        return self.headline.candidate

    @property
    def figure(self) -> str:
        """The code of the check."""
        return self.headline.figure

    @property
    def quantity(self) -> str:
        """What is compared, and by which columns where that is not the group."""
        by = "" if self.headline.grouping == GROUP.name else f", by {self.headline.grouping.replace('_', ' ')}"
        return f"{self.headline.told}{by}"

    @property
    def outcome(self) -> Outcome:
        """Whether the harm became smaller, larger, or both (``mixed``) for some groups, within the intervals."""
        words = {change.word for change in self.groups}
        if "pays" in words:
            return "mixed" if "gains" in words else "larger"
        if "gains" in words:
            return "smaller"
        return "no_difference" if words == {"no_difference"} else "inconclusive"

    def named(self, word: Word) -> list[Change]:
        """The changes of the groups with this word."""
        return [change for change in self.groups if change.word == word]

    def sentence(self, confidence: float) -> str:
        """What is compared, then :meth:`by_group`."""
        return f"{self.figure}, {self.quantity}, {self.candidate} against A: {self.by_group(confidence)}"

    def by_group(self, confidence: float) -> str:
        """Who, how much and how sure: every group by its word, with the change, its interval and the adjusted p."""
        parts = [
            f"{words} {listing([_whom(change) for change in found])}"
            for word, words in _BY_GROUP.items()
            if (found := [change for change in self.named(word) if not change.is_suppressed])
        ]
        if hidden := sum(change.is_suppressed for change in self.groups):
            parts.append(f"the figures of {number_words(hidden)} {'group' if hidden == 1 else 'groups'} are suppressed")
        return f"{'; '.join(parts)}.{self._not_after_adjustment(confidence)}"

    @property
    def would_change(self) -> str:
        """What would decide an undecided harm, about the headline's group and figure; empty if it is decided."""
        if self.outcome != "inconclusive":
            return ""
        change, margin = self.headline.change, self.headline.margin
        whom = "all speakers" if self.headline.group == ALL else f"{group_words(self.headline.group)} speakers"
        if self.headline.is_suppressed:
            return "What would decide it is not stated, because the figures of the headline are suppressed."
        start = f"What would decide it, for {whom}"
        if change.interval is None:
            return f"{start}: {change.method}."
        needed = {0.0: speakers_needed(change, 0.0).more}
        if margin is not None:
            needed[margin] = speakers_needed(change, margin).more
        known = {limit: more for limit, more in needed.items() if more}
        if not known:
            return f"{start}: no number of speakers can be named while the change is estimated at {change.text}."
        limit = min(known, key=lambda each: known[each])
        effect = "a change would be shown"
        if limit and abs(change.value or 0.0) <= limit:
            size = write_value(limit, change.unit, signed=True).removeprefix("+")
            effect = f"it would be shown to be no more than the margin of {size}"
        return f"{start}: with about {known[limit]:,} more speakers {effect}, if it stayed at {change.text}."

    def _not_after_adjustment(self, confidence: float) -> str:
        """A note on the changes that are shown by themselves but not after adjustment for all changes."""
        error = 1 - confidence + 1e-9
        lost = [
            group_words(change.group)
            for change in self.groups
            if change.word in ("gains", "pays") and change.p_adjusted is not None and change.p_adjusted > error
        ]
        return f" Adjusted for all changes of {self.candidate}, it is not shown for {listing(lost)}." if lost else ""


def harms(checks: Sequence[Change]) -> tuple[HarmChange, ...]:
    """The change of every harm, from the changes of all checks, in their order."""
    found = []
    for headline in (change for change in checks if change.headline):
        key = headline.candidate, headline.figure, headline.grouping
        groups = [
            change
            for change in checks
            if not change.headline and (change.candidate, change.figure, change.grouping) == key
        ]
        if headline.worst_of_groups and groups:
            found.append(HarmChange(headline, tuple(groups)))
        else:
            others = [change for change in groups if change.group != headline.group]
            found.append(HarmChange(headline, (headline, *others)))
    return tuple(found)


def tally(found: Sequence[HarmChange]) -> str:
    """The number of harms of one candidate with each outcome, in words; empty without harms.

    Examples
    --------
    >>> tally([])
    ''
    """
    parts: list[str] = []
    for outcome, (one, several) in COUNTED.items():
        if number := sum(harm.outcome == outcome for harm in found):
            whole = len(found) if not parts else 0
            parts.append(f"{_counted(number, whole)} {one if number == 1 else several}")
    return f"{found[0].candidate} against A: {listing(parts)}." if parts else ""


def _whom(change: Change) -> str:
    """A group with its change, interval and adjusted p; the reason in place of a figure that is missing."""
    whom = "all groups together" if change.group == ALL else group_words(change.group)
    if change.change.value is None:
        return f"{whom} ({change.change.method})"
    return f"{whom} ({', '.join(filter(None, (change.change.text, p_words(change.p_adjusted))))})"


def _counted(number: int, of: int) -> str:
    """A number in words; with ``of``, the number of all harms as well."""
    if not of:
        return number_words(number)
    if number == of:
        return "the one harm" if of == 1 else f"all {number_words(of)} harms"
    return f"{number_words(number)} of {number_words(of)} harms"
