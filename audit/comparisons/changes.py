"""One figure's change between two runs, and in one word what it means for those whom it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from audit.checks.figure import Figure, Harm
from audit.stats import Curve, Estimate, Pairs, p_value, verdict
from audit.stats.speakers import Floats

Word = Literal["gains", "pays", "no_difference", "inconclusive"]
WORDS: Final[tuple[Word, ...]] = ("gains", "pays", "no_difference", "inconclusive")


@dataclass(frozen=True)
class Change:
    """A figure in the baseline, in a candidate, and how it changed.

    Attributes
    ----------
    candidate : str
        The candidate's letter; the baseline is A.
    figure : str
        The code of a check, or the name of a metric.
    told : str
        What is compared, in words.
    group, language : str
        Whom it is about; ``all`` where it is about no single one. Of a check's headline the group of the worst change.
    headline : bool
        Whether it is the headline of a check.
    before, after, change : Figure
        In the baseline, in the candidate, and candidate minus baseline, paired on the same clips and speakers.
    worse : {"high", "low"}
        Which end of the figure is bad.
    margin : float or None
        The least change that matters; without one, no interval is narrow enough to show that nothing changed.
    word : {"gains", "pays", "no_difference", "inconclusive"} or None
        See :func:`word_for`; None for a figure of one language, whose interval is not held together with the others'.
    p_value, p_adjusted : float or None
        Of no change, and the same for all figures beside it: Holm for the headlines of checks, Benjamini-Hochberg for
        all others.
    worst_of_groups : bool
        Whether it is the worst change of any group, simultaneous over all of them.
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

    def as_dict(self) -> dict[str, object]:
        """The JSON form: estimates as objects."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value.as_dict() if isinstance(value, Figure) else value for name, value in values.items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> Change:
        """The change that :meth:`as_dict` wrote."""
        read = {name: Figure.from_dict(value) if isinstance(value, dict) else value for name, value in data.items()}
        return cls(**read)  # type: ignore[arg-type]  # the fields of as_dict are the fields of the class

    @property
    def better(self) -> Figure:
        """The change with its sign such that more is better for those whom it is about."""
        return self.change if self.worse == "low" else turned(self.change)


def word_for(change: Estimate, worse: Harm, margin: float | None) -> Word:
    """What a change means for those whom it is about.

    ================ =======================================================================
    gains            the whole interval lies on the better side of zero
    pays             the whole interval lies on the worse side of zero
    no_difference    neither, and the whole interval lies within the margin either way
    inconclusive     none of these: the data cannot tell; also where there is no interval
    ================ =======================================================================

    A sure change is named however small it is; its size stands beside it.

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


def p_of(change: Curve, pairs: Pairs | None, confidence: float) -> float | None:
    """The p-value of no change: by exchanging the runs within speakers; where there are no pairs, by the intervals."""
    if change.at(confidence).interval is None:
        return None
    if pairs is not None:
        return pairs.permutation().p
    return p_value(change, 0.0, "two_sided", confidence)


def adjusted(changes: Sequence[Change], rule: Callable[[Floats], Floats]) -> list[Change]:
    """The changes with their p-values adjusted for one another by a rule of :mod:`audit.stats.multiplicity`."""
    p = np.array([np.nan if change.p_value is None else change.p_value for change in changes])
    found = rule(p).tolist()
    return [
        change if np.isnan(q) else replace(change, p_adjusted=float(f"{max(q, change.p_value or 0.0):.12g}"))
        for change, q in zip(changes, found, strict=True)
    ]


def turned(figure: Figure) -> Figure:
    """The same figure with the opposite sign."""
    value, low, high = (None if end is None else 0.0 - end for end in (figure.value, figure.low, figure.high))
    return replace(figure, value=value, low=high, high=low)
