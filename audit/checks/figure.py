"""Figures: numbers with everything that a later stage needs to know about them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Final, Literal, Self

from audit.core.units import write_estimate
from audit.stats import ALL, Curve, Estimate, Verdict, verdict
from audit.stats.verdict import Direction

FigureKind = Literal["rate", "mean", "difference", ""]
Harm = Literal["high", "low"]
HARMS: Final = ("high", "low")


@dataclass(frozen=True)
class Judged:
    """The declaration of a figure that a check judges: its unit, its default margin and which end of it is harm.

    Attributes
    ----------
    name : str
        The figure's name, such as ``excess_over_portrait``.
    label : str
        What it is, in a few words, as reports write it.
    unit : str
        A unit of :mod:`audit.core.units`.
    margin : float
        The default margin, in that unit: the least difference that matters.
    harm : {"high", "low"}
        Which end of the figure is harm to the group that it is about.
    two_sided : bool
        Whether a difference in either direction is shown. A gap between a group and all others is harm to one of them
        whichever sign it has.
    per_group : bool
        Whether there is one such figure for each group.
    quantity : str
        The metrics (:attr:`audit.checks.metrics.Metric.quantity`) whose changes between two runs take this margin.

    Raises
    ------
    ValueError
        If a name, label or unit is missing, the margin is no number of at least 0, or the direction is not declared.

    Examples
    --------
    >>> Judged("gap", "minus all other groups", "share", 0.05, "high", two_sided=True).direction
    'two_sided'
    """

    name: str
    label: str
    unit: str
    margin: float
    harm: Harm
    two_sided: bool = False
    per_group: bool = False
    quantity: str = ""

    def __post_init__(self) -> None:
        for what in ("name", "label", "unit"):
            if not getattr(self, what):
                raise ValueError(f"A judged figure needs a {what}: {self}.")
        if self.harm not in HARMS:
            raise ValueError(f"The figure {self.name!r} declares harm {self.harm!r}. Allowed: high, low.")
        if isinstance(self.margin, bool) or not (math.isfinite(self.margin) and self.margin >= 0):
            raise ValueError(f"The figure {self.name!r} has the margin {self.margin}. Allowed: a number of at least 0.")

    @property
    def direction(self) -> Direction:
        """The direction in which a difference is looked for, as :func:`audit.stats.verdict` takes it."""
        return "two_sided" if self.two_sided else "greater" if self.harm == "high" else "less"

    def figure(
        self,
        curve: Curve,
        confidence: float,
        margin: float,
        *,
        group: str = ALL,
        language: str = ALL,
        label: str = "",
    ) -> Figure:
        """The judged figure: a curve at one confidence, with its margin and direction."""
        return Figure.of(
            curve.at(confidence),
            name=self.name,
            unit=self.unit,
            kind="difference",
            group=group,
            language=language,
            label=label or self.label,
            margin=margin,
            harm=self.harm,
            two_sided=self.two_sided,
            curve=curve,
        )


@dataclass(frozen=True)
class Figure(Estimate):
    """An estimate with its unit, kind, group, language, stage and label; a judged one with its margin and direction.

    Attributes
    ----------
    name : str
        What it is among the figures of its finding, without group and language: ``gap``, ``rendered``.
    unit : str
        A unit of :mod:`audit.core.units`; empty where an older document does not say.
    kind : {"rate", "mean", "difference"}
        Differences are written with their sign.
    group, language : str
        Whom it is about; ``all`` where it is about no single one.
    stage : str
        The stage that was read, where it is one: portrait, ceiling or rendered.
    label : str
        What it is, in a few words.
    margin : float or None
        The margin that it is judged against; ``None`` for a figure that no check judges.
    harm : {"high", "low"} or None
        Which end is harm.
    two_sided : bool
        Whether a difference in either direction is shown.
    n_smaller : int or None
        Of a difference between two groups of speakers, the number of speakers on the smaller side.
    curve : Curve or None
        The figure at every confidence. Only in memory.

    Examples
    --------
    >>> gap = Figure(0.25, 0.1, 0.4, 8, 16, 0, "exact", unit="share", kind="difference", margin=0.05, harm="high")
    >>> gap.text, gap.verdict.outcome
    ('+25 points [+10, +40]', 'shown')
    """

    name: str = ""
    unit: str = ""
    kind: FigureKind = ""
    group: str = ALL
    language: str = ALL
    stage: str = ""
    label: str = ""
    margin: float | None = None
    harm: Harm | None = None
    two_sided: bool = False
    n_smaller: int | None = None
    curve: Curve | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, estimate: Estimate, **known: object) -> Self:
        """An estimate as a figure; ``known`` are further fields."""
        numbers = {item.name: getattr(estimate, item.name) for item in fields(Estimate)}
        return cls(**(numbers | known))

    @property
    def signed(self) -> bool:
        """Whether it is a difference, which is written with its sign."""
        return self.kind == "difference"

    @property
    def text(self) -> str:
        """The value with its unit and interval."""
        return write_estimate(self.value, self.low, self.high, self.unit, self.signed)

    @property
    def direction(self) -> Direction:
        """The direction in which a difference is looked for, as :func:`audit.stats.verdict` takes it.

        Raises
        ------
        ValueError
            If the figure is not judged.
        """
        if self.harm is None:
            raise ValueError(f"The figure {self.name!r} is not judged: it has no direction.")
        return "two_sided" if self.two_sided else "greater" if self.harm == "high" else "less"

    @property
    def verdict(self) -> Verdict:
        """The interval held against the figure's own margin and direction.

        Raises
        ------
        ValueError
            If the figure is not judged.
        """
        if self.margin is None:
            raise ValueError(f"The figure {self.name!r} is not judged: it has no margin.")
        return verdict(self, self.margin, self.direction)

    def at(self, confidence: float) -> Figure:
        """The same figure with the interval of another confidence.

        Raises
        ------
        ValueError
            If only one confidence is known, as for a figure that was read from a file.
        """
        if self.curve is None:
            raise ValueError(f"The figure {self.name!r} is known at one confidence only.")
        numbers = {item.name: getattr(self.curve.at(confidence), item.name) for item in fields(Estimate)}
        return replace(self, **numbers)

    def emptied(self, method: str) -> Figure:
        """The figure without its numbers and counts; ``method`` says why."""
        nothing = Estimate(None, None, None, 0, 0, 0, method)
        return replace(self, **vars(nothing), n_smaller=None, curve=None)

    def as_dict(self) -> dict[str, float | int | str | None]:
        """The JSON form: the estimate's keys, then name, unit, kind, group, language and the other typed fields."""
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name != "curve"}

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> Figure:
        """The figure that :meth:`as_dict` wrote; what an older document does not say stays unknown."""
        return cls(**data)  # type: ignore[arg-type]  # JSON numbers and texts, checked by the document's form
