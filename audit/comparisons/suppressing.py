"""Suppression of small cells in a comparison; words such as "gains" stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from audit.audits.privacy.small_cells import SmallCells
from audit.comparisons.changes import Change
from audit.comparisons.levelling import Levelling


def hidden(change: Change, small: SmallCells) -> bool:
    """Whether a change belongs to a small cell."""
    return any(small.hides(figure) for figure in (change.before, change.after, change.change))


def shared_change(change: Change, small: SmallCells) -> Change:
    """The change, without its figures if it belongs to a small cell."""
    if not hidden(change, small):
        return change
    before, after, between = (figure.emptied(small.words) for figure in (change.before, change.after, change.change))
    return replace(change, before=before, after=after, change=between, p_value=None, p_adjusted=None)


def shared_levellings(levelled: Sequence[Levelling], small: SmallCells) -> list[Levelling]:
    """The levellings, without those of small groups."""
    seen = [item for item in levelled if not small.hides(item.own)]
    return [
        replace(item, losers={group: by for group, by in item.losers.items() if not small.hide(group)}) for item in seen
    ]


def suppression_notice(changes: Sequence[Change], small: SmallCells) -> tuple[str, ...]:
    """A notice with the number of suppressed changes; none without suppression."""
    if small.below < 2:
        return ()
    count = sum(hidden(change, small) for change in changes)
    return (f"{count:,} of {len(changes):,} changes are suppressed: {small.words.partition(': ')[2]}.",)
