"""The base class of checks."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Final

from audit.checks.compared import CheckCompared
from audit.checks.evidence import Evidence
from audit.checks.figure import Figure, Judged
from audit.checks.finding import Finding
from audit.checks.pair import Pair
from audit.checks.power import Comparison, GroupClips
from audit.checks.sensitivity import Sensitivity
from audit.core.grouping import GROUP, Grouping
from audit.stats import ALL, Curve

_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class Check(ABC):
    """A question about a run, answered by a finding.

    A check declares its code, its title and the figures that it judges. Plans (margins), policies (rules), comparisons,
    reports and suppression read these declarations, so third-party checks work like the shipped ones.

    Attributes
    ----------
    code : str
        The stable code, such as ``S2F001``: letters, digits, ``_`` and ``-``.
    title : str
        The result when the outcome is ``shown``, in a few words.
    question : str
        The question, in one sentence.
    scope : str
        The clips that are used, such as ``English clips``; empty for all.
    judged : tuple of Judged
        The figures that it judges. In a plan, the margin of the first one has the check's code as its key.
    needs_race : bool
        Whether the question is about race labels. The check is then made only for groupings by the column ``group``:
        alone, or crossed with others if it judges a figure for each group.
    grouping : Grouping or None
        The only grouping that the check is made for, whether or not a plan names it; ``None`` for those of the plan.
    not_crossed : tuple of str
        Columns whose values the check compares or chooses, so that its groups cannot be crossed with them.

    Raises
    ------
    ValueError
        On instantiation, if the code, title or question is missing or no judged figure is declared.

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
    needs_race: ClassVar[bool] = False
    grouping: ClassVar[Grouping | None] = None
    not_crossed: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        """Validate the declarations."""
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
            raise ValueError(f"The check {self.code} declares two judged figures with one name: {', '.join(names)}.")

    @abstractmethod
    def measure(self, evidence: Evidence) -> Finding:
        """Answer the question from one run."""

    def applies(self, evidence: Evidence) -> bool:
        """Whether the check is made for the grouping of the evidence."""
        return self.fits(evidence.grouping)

    def fits(self, grouping: Grouping) -> bool:
        """Whether the question can be asked of the groups of a grouping."""
        if self.grouping is not None:
            return grouping == self.grouping
        crossing = GROUP.name in grouping.columns and self.judged[0].per_group
        return not self.needs_race or grouping == GROUP or crossing

    def judges(self, group: str) -> bool:
        """Whether a known group is judged, instead of only being compared with; gate rules skip other groups."""
        return True

    def in_cells(self, evidence: Evidence, crossed: Evidence, cells: Sequence[str]) -> list[Figure]:
        """The judged figures of some groups of a finer grouping, to find the worst one.

        Parameters
        ----------
        evidence, crossed : Evidence
            The clips in the grouping of the finding, and in that grouping crossed with further columns.
        cells : sequence of str
            The groups of ``crossed`` that have enough speakers.

        Returns
        -------
        list of Figure
            Adjusted for their number; empty where the check has no figure of a cell.
        """
        return []

    def compare(self, pair: Pair) -> CheckCompared | None:
        """The change of the judged figure between two runs; ``None`` where they cannot be compared."""
        return None

    def power(self, group: GroupClips) -> Iterator[Comparison]:
        """The comparisons that the check would make for a group of speakers, for the power table."""
        return iter(())

    def sensitivity(self, evidence: Evidence) -> Iterator[Sensitivity]:
        """The judged figures whose sensitivity to missing faces, misclassification and wrong labels is reported."""
        return iter(())

    def declared(self, name: str) -> Judged:
        """The declaration of the judged figure with this name.

        Raises
        ------
        KeyError
            If the check does not declare it.
        """
        declared = {item.name: item for item in self.judged}
        if name not in declared:
            raise KeyError(f"{self.code} declares {', '.join(declared)}, not {name}")
        return declared[name]

    def margin_key(self, item: Judged) -> str:
        """The key of a figure's margin in a plan, which all figures of a unit share.

        It is the code for the first figure's unit, and ``CODE.name`` for another one, with the name of the first figure
        in that unit.
        """
        first = next(each for each in self.judged if each.unit == item.unit)
        return self.code if first == self.judged[0] else f"{self.code}.{first.name}"

    def margins(self) -> dict[str, float]:
        """The default margins, by their keys in a plan."""
        return {self.margin_key(item): item.margin for item in reversed(self.judged)}

    def margin(self, item: Judged, margins: Mapping[str, float]) -> float:
        """The margin of a judged figure: from ``margins`` if it is there, else the default."""
        return margins.get(self.margin_key(item), self.margins()[self.margin_key(item)])

    def figure(
        self, evidence: Evidence, name: str, curve: Curve, *, group: str = ALL, language: str = ALL, label: str = ""
    ) -> Figure:
        """A judged figure from a curve, with its declared unit and direction and this audit's margin."""
        item, confidence = self.declared(name), evidence.settings.confidence
        margin = self.margin(item, evidence.margins)
        return item.figure(
            curve, confidence, margin, group=group, language=language, label=label, cell=evidence.cell_of(group)
        )
