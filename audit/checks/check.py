"""Checks: named questions that an audit asks of a run, each one object in one file."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Final

from audit.checks.figure import Figure, Judged
from audit.stats import ALL, Curve

if TYPE_CHECKING:
    from audit.checks.compared import CheckCompared
    from audit.checks.evidence import Evidence
    from audit.checks.finding import Finding
    from audit.checks.pair import Pair
    from audit.checks.power import Comparison, GroupClips

_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class Check(ABC):
    """A question that an audit asks of a run.

    A check declares its code, its title and the figures that it judges. Plans (margins), policies (rules), comparisons,
    reports and suppression read these declarations, so a third-party check takes the same path as one that ships.

    Attributes
    ----------
    code : str
        The stable code, such as ``S2F001``: letters, digits, ``_`` and ``-``.
    title : str
        What is shown where the check is shown, in a few words.
    question : str
        What it asks, in one sentence.
    scope : str
        Which clips it is about, where it is not about all, such as ``heard in English``.
    judged : tuple of Judged
        The figures that it judges; the margin of the first one is the check's in a plan.

    Raises
    ------
    ValueError
        When a check is made whose code, title or question is missing, or that declares no judged figure.

    Examples
    --------
    >>> from audit.checks import Check, Finding, Judged, judge
    >>> class Children(Check):
    ...     code, title, question = "LAB001", "Children read as adults", "Are children read as adults?"
    ...     judged = (Judged("excess", "rendered minus portrait", "years", 5.0, "high"),)
    ...
    ...     def measure(self, evidence):
    ...         young = (evidence.frame["age"] < 13).to_numpy()
    ...         change = evidence.changed("age_error", "portrait", "rendered", young)
    ...         excess = self.figure(evidence, "excess", change.curve())
    ...         return judge(self, evidence, excess, {"excess": excess}, f"Children: {excess.text}.")
    >>> Children().margin_key(Children.judged[0])
    'LAB001'
    """

    code: ClassVar[str] = ""
    title: ClassVar[str] = ""
    question: ClassVar[str] = ""
    scope: ClassVar[str] = ""
    judged: ClassVar[tuple[Judged, ...]] = ()

    def __init__(self) -> None:
        """Refuse a check whose declarations are missing."""
        name = type(self).__name__
        if not _CODE.fullmatch(self.code):
            raise ValueError(f"The check {name} has the code {self.code!r}. Allowed: letters, digits, _ and -.")
        for what in ("title", "question"):
            if not getattr(self, what).strip():
                raise ValueError(f"The check {self.code} has no {what}.")
        if not self.judged or not all(isinstance(item, Judged) for item in self.judged):
            raise ValueError(
                f"The check {self.code} declares no judged figure. Give `judged` at least one audit.checks.Judged: "
                "unit, margin and direction of harm."
            )
        names = [item.name for item in self.judged]
        if len(set(names)) < len(names):
            raise ValueError(f"The check {self.code} declares two judged figures of one name: {', '.join(names)}.")

    @abstractmethod
    def measure(self, evidence: Evidence) -> Finding:
        """Answer the question from one run."""

    def compare(self, pair: Pair) -> CheckCompared | None:  # for those that cannot compare
        """How the judged figure changed between two runs; ``None`` where they cannot answer."""
        return None

    def power(self, group: GroupClips) -> Iterator[Comparison]:
        """The comparisons that the check would make for a group of speakers, for the table of power."""
        return iter(())

    def declared(self, name: str) -> Judged:
        """The declaration of a judged figure.

        Raises
        ------
        KeyError
            If the check declares none of that name.
        """
        for item in self.judged:
            if item.name == name:
                return item
        raise KeyError(f"{self.code} declares {', '.join(item.name for item in self.judged)}, not {name}")

    def margin_key(self, item: Judged) -> str:
        """The key of a figure's margin in a plan: the code, or ``CODE.name`` for a unit other than the first one's."""
        return self.code if item.unit == self.judged[0].unit else f"{self.code}.{item.name}"

    def margins(self) -> dict[str, float]:
        """The default margins, by their keys in a plan."""
        return {self.margin_key(item): item.margin for item in reversed(self.judged)}

    def margin(self, item: Judged, margins: Mapping[str, float]) -> float:
        """The margin of a judged figure: that of the plan, else the default."""
        return margins.get(self.margin_key(item), self.margins()[self.margin_key(item)])

    def figure(
        self, evidence: Evidence, name: str, curve: Curve, *, group: str = ALL, language: str = ALL, label: str = ""
    ) -> Figure:
        """A judged figure from a curve, with its declared unit and direction, and its margin in this audit."""
        item = self.declared(name)
        return item.figure(
            curve,
            evidence.settings.confidence,
            self.margin(item, evidence.margins),
            group=group,
            language=language,
            label=label,
        )


def checked_margin(key: str, margin: float, largest: float) -> float:
    """A margin of a plan.

    Raises
    ------
    ValueError
        If it does not lie between 0 and the largest value that its unit allows.
    """
    if not math.isfinite(margin) or not 0 <= margin <= largest:
        raise ValueError(f"the margin of {key} is {margin:g}; it lies in [0, {largest:g}]")
    return margin
