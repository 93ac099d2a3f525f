"""Figures: estimates with unit, group, language, margin and direction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, Self, get_args

from audit.core.document import as_json
from audit.core.grouping import GROUP, Grouping
from audit.core.shown import Shown
from audit.core.units import is_signed, write_estimate
from audit.stats import ALL, Curve, Estimate, Verdict, verdict
from audit.stats.verdict import Direction

FigureKind = Literal["rate", "mean", "difference", ""]
Harm = Literal["high", "low"]


def _direction(harm: Harm, two_sided: bool) -> Direction:
    return "two_sided" if two_sided else "greater" if harm == "high" else "less"


def _numbers(estimate: Estimate) -> dict[str, Any]:
    """The fields of an estimate, without those of a figure."""
    return {item.name: getattr(estimate, item.name) for item in fields(Estimate)}


def _alone(curve: Curve, confidence: float, found: Estimate) -> dict[str, Any]:
    """The ends of a curve's interval without adjustment for simultaneous comparisons, as fields of a figure.

    ``found`` is the curve's estimate at the confidence, which is the same if it is not adjusted.
    """
    own = found if curve.unadjusted is None else curve.unadjusted.at(confidence)
    return {"alone_low": own.low, "alone_high": own.high}


@dataclass(frozen=True)
class Judged:
    """The declaration of a figure that a check judges: its unit, default margin and harmful direction.

    Attributes
    ----------
    name : str
        The figure's name, such as ``excess_over_portrait``.
    label : str
        A short description for reports.
    unit : str
        A unit of :mod:`audit.core.units`.
    margin : float
        The default margin, in that unit: the smallest difference that matters.
    harm : {"high", "low"}
        Whether high or low values are harmful to the figure's group.
    two_sided : bool
        Whether a difference in either direction is shown, since a gap between a group and all others harms one of them
        whatever its sign.
    per_group : bool
        Whether there is one such figure for each group.
    quantities : tuple of str
        The quantities (:attr:`audit.core.metric.Metric.quantity`) whose changes between two runs use this margin.

    Raises
    ------
    ValueError
        If a name, label or unit is missing, the margin is negative or not a number, or ``harm`` is not declared.

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
    quantities: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for what in ("name", "label", "unit"):
            if not getattr(self, what):
                raise ValueError(f"A judged figure needs a {what}: {self}.")
        if self.harm not in get_args(Harm):
            raise ValueError(f"The figure {self.name!r} declares harm {self.harm!r}. Allowed: high, low.")
        if isinstance(self.margin, bool) or not (math.isfinite(self.margin) and self.margin >= 0):
            raise ValueError(f"The figure {self.name!r} has the margin {self.margin}. Allowed: a number of at least 0.")

    @property
    def direction(self) -> Direction:
        """The direction that is tested, for :func:`audit.stats.verdict`."""
        return _direction(self.harm, self.two_sided)

    def figure(
        self,
        curve: Curve,
        confidence: float,
        margin: float,
        *,
        group: str = ALL,
        language: str = ALL,
        label: str = "",
        cell: Mapping[str, str] | None = None,
    ) -> Figure:
        """The judged figure: a curve at one confidence, with its margin and direction."""
        found = curve.at(confidence)
        return Figure.of(
            found,
            name=self.name,
            unit=self.unit,
            kind="difference",
            group=group,
            language=language,
            label=label or self.label,
            cell=cell or {},
            margin=margin,
            harm=self.harm,
            two_sided=self.two_sided,
            **_alone(curve, confidence, found),
            curve=curve,
        )


@dataclass(frozen=True, repr=False)
class Figure(Shown, Estimate):
    """An estimate with its unit, kind, group, language, stage and label, and with margin and direction if it is judged.

    Attributes
    ----------
    name : str
        The name within its finding, without group and language: ``gap``, ``rendered``.
    unit : str
        A unit of :mod:`audit.core.units`; empty in figures from older documents.
    kind : {"rate", "mean", "difference"}
        Differences are written with their sign.
    group, language : str
        The group and language; ``all`` if it is not restricted to one.
    cell : Mapping of str to str
        The values by column that define the group, in a grouping other than by the column ``group``.
    stage : str
        The stage: portrait, ceiling or rendered; empty for a difference between stages.
    label : str
        A short description.
    margin : float or None
        The margin that it is judged against; ``None`` for a figure that is not judged.
    harm : {"high", "low"} or None
        Whether high or low values are harmful.
    two_sided : bool
        Whether a difference in either direction is shown.
    alone_low, alone_high : float or None
        Of a judged figure, the ends of its interval without adjustment for the other groups. By this interval it is
        ``not_shown`` and passes a gate, by ``low`` and ``high`` it is ``shown`` and breaches (intersection-union test:
        :func:`audit.stats.verdict`).
    n_smaller : int or None
        Of a difference between two groups of speakers, the number of speakers in the smaller group.
    curve : Curve or None
        The figure at every confidence. Not stored.

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
    cell: Mapping[str, str] = field(default_factory=dict)
    margin: float | None = None
    harm: Harm | None = None
    two_sided: bool = False
    alone_low: float | None = None
    alone_high: float | None = None
    n_smaller: int | None = None
    curve: Curve | None = field(default=None, compare=False, repr=False)

    def _line(self) -> str:
        about = [each for each in (self.group, self.language) if each != ALL]
        where = f" ({', '.join(about)})" if about else ""
        return f"{self.label or self.name}{where}: {self.text}, {self.n_speakers:,} speakers"

    @classmethod
    def of(cls, estimate: Estimate, **known: object) -> Self:
        """An estimate as a figure; ``known`` are the further fields."""
        return cls(**(_numbers(estimate) | known))

    @property
    def grouping(self) -> Grouping:
        """The grouping that the group belongs to."""
        return Grouping(tuple(self.cell)) if self.cell else GROUP

    @property
    def signed(self) -> bool:
        """Whether the value is written with its sign, as a difference is."""
        return is_signed(self.kind)

    @property
    def deciding(self) -> tuple[float | None, float | None]:
        """The ends of the interval that decides the verdict: own for ``not_shown``, else simultaneous."""
        if self.margin is not None and self.alone is not None and self.verdict.outcome == "not_shown":
            return self.alone
        return self.low, self.high

    @property
    def text(self) -> str:
        """The value with its unit and the interval that decides its verdict."""
        return write_estimate(self.value, *self.deciding, self.unit, self.signed)

    @property
    def direction(self) -> Direction:
        """The direction that is tested, for :func:`audit.stats.verdict`.

        Raises
        ------
        ValueError
            If the figure is not judged.
        """
        if self.harm is None:
            raise ValueError(f"The figure {self.name!r} is not judged: it has no direction.")
        return _direction(self.harm, self.two_sided)

    @property
    def verdict(self) -> Verdict:
        """The interval compared with the figure's margin, in its direction.

        Raises
        ------
        ValueError
            If the figure is not judged.
        """
        if self.margin is None:
            raise ValueError(f"The figure {self.name!r} is not judged: it has no margin.")
        return self.against(self.margin, self.direction)

    @property
    def alone(self) -> tuple[float, float] | None:
        """The interval without adjustment for other groups; ``None`` if it is not known or the figure not judged."""
        return None if self.alone_low is None or self.alone_high is None else (self.alone_low, self.alone_high)

    def against(self, bound: float, direction: Direction) -> Verdict:
        """Compare the figure's two intervals with a bound: ``shown`` by the simultaneous, ``not_shown`` by its own."""
        return verdict(self, bound, direction, self.alone)

    def at(self, confidence: float) -> Figure:
        """The same figure with its intervals at another confidence.

        Raises
        ------
        ValueError
            If the figure has no curve, as one read from a file.
        """
        if self.curve is None:
            raise ValueError(f"The figure {self.name!r} is known at one confidence only.")
        found = self.curve.at(confidence)
        alone = {} if self.alone is None else _alone(self.curve, confidence, found)
        return replace(self, **_numbers(found), **alone)

    def emptied(self, method: str) -> Figure:
        """The figure without its numbers and counts; ``method`` is the reason."""
        nothing = _numbers(Estimate(None, None, None, 0, 0, 0, method))
        return replace(self, **nothing, alone_low=None, alone_high=None, n_smaller=None, curve=None)

    def as_dict(self) -> dict[str, float | int | str | None]:
        """The JSON form: every field except the curve."""
        found: dict[str, float | int | str | None] = as_json(self)
        return found
