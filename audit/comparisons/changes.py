"""The change of one figure between two runs, and its meaning for the group in one word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from audit.checks.figure import Figure, Harm
from audit.core.grouping import GROUP
from audit.stats import Curve, Estimate, benjamini_hochberg, p_value, verdict
from audit.stats.speakers import Floats

Word = Literal["gains", "pays", "no_difference", "inconclusive"]
FAMILY: Final = (
    "p is the smallest error probability at which a change's own interval excludes zero, adjusted for all changes of "
    "the candidate: every check and metric, group and language, in one family (Benjamini and Hochberg 1995)."
)
"""How the one p of a change is made."""


@dataclass(frozen=True)
class Change:
    """A figure in the baseline and in a candidate, and the change between them.

    Attributes
    ----------
    candidate : str
        The candidate's letter; the baseline is A.
    figure : str
        The code of a check, or the name of a metric.
    told : str
        What is compared, in words; named after its key in comparison.json.
    group, language : str
        The group and language, or ``all``. For a check's headline, the group of the worst change.
    headline : bool
        Whether it is the headline of a check.
    before, after, change : Figure
        The baseline, the candidate, and candidate minus baseline, paired on the same clips and speakers.
    worse : {"high", "low"}
        Which end of the figure is harm.
    margin : float or None
        The smallest change that matters; without a margin, "no difference" can never be shown.
    word : {"gains", "pays", "no_difference", "inconclusive"} or None
        See :func:`word_for`; None for a figure of one language, whose interval is not simultaneous with the others.
    p_value, p_adjusted : float or None
        The smallest error probability at which the interval of this change alone excludes zero; the same, adjusted for
        all changes of the candidate (see :func:`adjusted`).
    worst_of_groups : bool
        Whether it is the worst change of any group, simultaneous over all of them.
    grouping : str
        The name of the grouping that the group belongs to.
    """

    candidate: str
    figure: str
    told: str
    group: str
    language: str
    headline: bool
    before: Figure
    after: Figure
    change: Figure
    worse: Harm
    margin: float | None
    word: Word | None
    p_value: float | None = None
    p_adjusted: float | None = None
    worst_of_groups: bool = False
    grouping: str = GROUP.name

    @property
    def better(self) -> Figure:
        """The change with its sign set so that more is better for the group."""
        return self.change if self.worse == "low" else turned(self.change)

    @property
    def is_suppressed(self) -> bool:
        """Whether its figures are suppressed: a change is made only where at least one run has a figure."""
        return all(figure.value is None for figure in (self.before, self.after, self.change))


def word_for(change: Estimate, worse: Harm, margin: float | None) -> Word:
    """The meaning of a change for the group.

    ================ =======================================================================
    gains            the whole interval lies on the better side of zero
    pays             the whole interval lies on the worse side of zero
    no_difference    neither, and the whole interval lies within the margin either way
    inconclusive     none of these, or there is no interval
    ================ =======================================================================

    A change that is shown is named however small it is; its size is reported next to it.

    Examples
    --------
    >>> word_for(Estimate(-0.2, -0.3, -0.1, 40, 80, 0, "x"), "high", 0.1)
    'gains'
    >>> word_for(Estimate(0.0, -0.08, 0.08, 40, 80, 0, "x"), "high", 0.1)
    'no_difference'
    """
    if change.interval is None:
        return "inconclusive"
    if verdict(change, 0.0, "two_sided").outcome == "shown":
        return "gains" if (change.interval[0] > 0) == (worse == "low") else "pays"
    if margin is not None and verdict(change, margin, "two_sided").outcome == "not_shown":
        return "no_difference"
    return "inconclusive"


def p_of(change: Curve, confidence: float) -> float | None:
    """P-value of no change: the smallest error probability at which its own interval excludes zero.

    So p and interval cannot contradict each other. ``None`` if there is no interval.
    """
    alone = change.alone
    return None if alone.at(confidence).interval is None else p_value(alone, 0.0, "two_sided", confidence)


def adjusted(changes: Sequence[Change]) -> list[Change]:
    """The changes of one candidate with p-values adjusted by Benjamini and Hochberg (1995), in one family.

    The family has every check and every metric in every group and language, so that a change has one adjusted p
    wherever it is printed. The headline of a check that is the change of one of its groups is the same change: it
    does not count again and has the p-values of that group.
    """
    rows = {_place(change): change for change in changes if not change.headline}
    repeated = [change.headline and _place(change) in rows for change in changes]
    made = with_adjusted(changes, benjamini_hochberg, [not again for again in repeated])
    rows = {_place(change): change for change in made if not change.headline}
    return [
        replace(change, p_value=rows[_place(change)].p_value, p_adjusted=rows[_place(change)].p_adjusted)
        if again and change.change.interval is not None
        else change
        for change, again in zip(made, repeated, strict=True)
    ]


def with_adjusted(
    changes: Sequence[Change], adjust: Callable[[Sequence[float]], Floats], counted: Sequence[bool] | None = None
) -> list[Change]:
    """The changes with their p-values adjusted as one family; without ``counted``, every change with a p is in it."""
    counts = [True] * len(changes) if counted is None else counted
    p = [
        change.p_value if in_family and change.p_value is not None else np.nan
        for change, in_family in zip(changes, counts, strict=True)
    ]
    return [
        change if np.isnan(q) else replace(change, p_adjusted=float(f"{max(q, change.p_value or 0.0):.12g}"))
        for change, q in zip(changes, adjust(p).tolist(), strict=True)
    ]


def _place(change: Change) -> tuple[str, str, str, str]:
    return change.figure, change.grouping, change.group, change.language


def turned(figure: Figure) -> Figure:
    """The same figure with the opposite sign."""
    value, low, high = (None if end is None else 0.0 - end for end in (figure.value, figure.low, figure.high))
    return replace(figure, value=value, low=high, high=low)
