"""Rules of recommendations: what a shown finding says would help, and which figures it needs to say so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from audit.audits.audit import Audit
from audit.checks.figure import Figure
from audit.checks.finding import Finding

ANY_CHECK: Final = "*"
"""The key of the figures that a rule needs of every check."""


@dataclass(frozen=True)
class Case:
    """A shown finding, for rules to look into; no rule sees any other finding.

    Raises
    ------
    ValueError
        If the finding is not shown.
    """

    audit: Audit
    finding: Finding

    def __post_init__(self) -> None:
        if self.finding.outcome != "shown":
            raise ValueError(f"{self.finding.code} is {self.finding.outcome}: no recommendation follows from it")

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The groups for which the finding is shown, in the order of the check."""
        return tuple(self.finding.groups_with("shown")) or (self.finding.group,)

    def judged(self, group: str) -> tuple[Figure, ...]:
        """The figures by which the finding is shown for a group; none where they are suppressed."""
        head = self.finding.estimate
        figures = self.finding.estimates.values() if self.finding.by_group else () if head is None else (head,)
        return tuple(f for f in figures if f.group == group and _is_shown(f))

    def figures(self, name: str, group: str) -> tuple[Figure, ...]:
        """The figures of that name and group that have an interval, over all languages first."""
        found = [f for f in self.finding.estimates.values() if (f.name, f.group) == (name, group) and f.interval]
        return tuple(sorted(found, key=lambda f: f.language != "all"))

    def shows(self, name: str, group: str) -> bool:
        """Whether a judged figure of that name and group is shown by itself."""
        return any(map(_is_shown, self.figures(name, group)))

    def rows(self, table: str, **fixed: str) -> list[Mapping[str, object]]:
        """The rows of a table with these texts; none if the audit has no such table."""
        rows = self.audit.tables[table].records if table in self.audit.tables else ()
        return [row for row in rows if all(row.get(key) == value for key, value in fixed.items())]


def _is_shown(figure: Figure) -> bool:
    return figure.margin is not None and figure.verdict.outcome == "shown"


@dataclass(frozen=True, kw_only=True)
class RecommendationRule:
    """One kind of recommendation.

    Attributes
    ----------
    name : str
        The name, unique among rules.
    summary : str
        One line for ``audit list recommendations``.
    figures : Mapping of str to tuple of str
        By the code of a check that it is about, or :data:`ANY_CHECK`: the names of the figures it needs of a group.
    words : callable
        The recommendation for some groups of a case, in one or two sentences.
    tables : tuple of str
        The tables that it needs.
    holds : callable
        Whether the evidence supports it for a group. It is asked where all figures and tables are there.

    Raises
    ------
    ValueError
        If it is about no check.
    """

    name: str
    summary: str
    figures: Mapping[str, tuple[str, ...]]
    words: Callable[[Case, Sequence[str]], str]
    tables: tuple[str, ...] = ()
    holds: Callable[[Case, str], bool] = lambda case, group: True

    def __post_init__(self) -> None:
        if not self.figures:
            raise ValueError(f"The rule {self.name} names no check. Give `figures` a code, or ANY_CHECK.")

    def needs(self, code: str) -> tuple[str, ...] | None:
        """The figures that it needs of a check; ``None`` if it is not about the check."""
        return self.figures.get(code, self.figures.get(ANY_CHECK))

    def groups(self, case: Case) -> tuple[str, ...]:
        """The groups of a case for which everything that it needs is there, and it holds."""
        needed = self.needs(case.finding.code)
        if needed is None or not all(name in case.audit.tables for name in self.tables):
            return ()
        able = [group for group in case.groups if all(case.figures(name, group) for name in needed)]
        return tuple(group for group in able if self.holds(case, group))
