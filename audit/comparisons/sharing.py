"""Changes for documents: the figures of small cells are left out, and whatever would reveal one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from audit.audits.privacy.small_cells import SmallCells
from audit.comparisons.changes import Change
from audit.comparisons.levelling import Levelling


def shared(changes: Sequence[Change], small: SmallCells) -> list[Change]:
    """The changes of one candidate, without the figures and p-values of small cells; their words stay.

    The worst change of several groups is a figure of a small group as well where an end of its interval is that
    group's.
    """
    return [_emptied(change, small) if _hidden(change, changes, small) else change for change in changes]


def shared_levellings(levelled: Sequence[Levelling], small: SmallCells) -> list[Levelling]:
    """The levellings, without those of small groups."""
    return [
        replace(item, losers={group: by for group, by in item.losers.items() if not small.hide(group)})
        for item in levelled
        if not small.hides(item.own)
    ]


def suppression_notice(changes: Sequence[Change], small: SmallCells) -> list[str]:
    """A notice with the number of suppressed changes; none without suppression."""
    count = sum(change.change.method == small.words for change in changes)
    notice = f"{count:,} of {len(changes):,} changes are suppressed: {small.words.partition(': ')[2]}."
    return [notice] if small.below >= 2 else []


def _hidden(change: Change, changes: Sequence[Change], small: SmallCells) -> bool:
    if _is_small(change, small):
        return True
    if not change.worst_of_groups:
        return False
    groups = [each for each in changes if not each.headline and _check(each) == _check(change)]
    visible = [each.change for each in groups if not _is_small(each, small)]
    return len(visible) < len(groups) and any(
        getattr(change.change, end) not in {getattr(figure, end) for figure in visible}
        for end in ("value", "low", "high")
    )


def _is_small(change: Change, small: SmallCells) -> bool:
    return any(small.hides(figure) for figure in (change.before, change.after, change.change))


def _check(change: Change) -> tuple[str, str]:
    return change.figure, change.grouping


def _emptied(change: Change, small: SmallCells) -> Change:
    before, after, between = (figure.emptied(small.words) for figure in (change.before, change.after, change.change))
    return replace(change, before=before, after=after, change=between, p_value=None, p_adjusted=None)
