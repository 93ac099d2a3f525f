"""Findings: what one check found, with the figures behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from audit.checks.figure import Figure
from audit.core.document import as_json
from audit.core.grouping import GROUP
from audit.core.shown import Shown, shortened
from audit.stats import ALL
from audit.stats.verdict import Outcome

OUTCOMES: Final[tuple[Outcome, ...]] = ("shown", "not_shown", "inconclusive", "not_evaluable")
OUTCOME_WORDS: Final[dict[Outcome, str]] = {name: name.replace("_", " ") for name in OUTCOMES}


FRAME_TYPES: Final = {
    **dict.fromkeys(("code", "grouping", "title", "outcome", "group"), "object"),
    **dict.fromkeys(("value", "low", "high"), "float64"),
    **{"unit": "object", "n_speakers": "Int64", "p": "float64", "p_adjusted": "float64"},
}
"""The columns of :func:`findings_frame` and their types."""


def outcomes_in_line(outcomes: Iterable[str]) -> str:
    """The number of each outcome, as in a repr.

    Examples
    --------
    >>> outcomes_in_line(["inconclusive", "shown", "shown"])
    '2 shown, 1 inconclusive'
    """
    found = [*outcomes]
    counts = [f"{found.count(outcome)} {words}" for outcome, words in OUTCOME_WORDS.items() if outcome in found]
    return ", ".join(counts) or "no findings"


def powered_name(figure: str) -> str:
    """The name of the version of a figure that is based on human readings.

    Examples
    --------
    >>> powered_name("rendered")
    'rendered_prediction_powered'
    """
    return f"{figure}_prediction_powered"


@dataclass(frozen=True)
class WorstCell:
    """The cell with the largest judged figure of a check, where its groups are crossed with further columns.

    Attributes
    ----------
    figure : Figure
        The figure of the cell, whose interval is simultaneous over all judged cells: it is adjusted for the selection.
    others : tuple of Figure
        The figures of the same name of the other judged cells of the same group, which is crossed with other values.
    shrunk : float or None
        The figure shrunk toward the mean of the cells (:func:`audit.stats.shrinkage.shrink`), for showing next to it.
    shrinkage : float or None
        The share of the way to the mean, in [0, 1].
    n_cells : int
        The number of judged cells.
    n_small : int
        The number of cells that were not judged, because they have too few speakers.
    """

    figure: Figure
    others: tuple[Figure, ...]
    shrunk: float | None
    shrinkage: float | None
    n_cells: int
    n_small: int


@dataclass(frozen=True, repr=False)
class Finding(Shown):
    """The answer of one check.

    Attributes
    ----------
    code : str
        The check's stable code, such as ``S2F001``.
    title : str
        What is shown where the check is shown, in a few words.
    outcome : {"shown", "not_shown", "inconclusive", "not_evaluable"}
        ``shown``: the interval lies beyond the margin. ``not_shown``: it lies inside (equivalence).
        ``inconclusive``: neither. ``not_evaluable``: the data cannot answer.
    group : str
        The group of the headline figure, ``all`` where it is about no single one.
    estimate : Figure or None
        The headline figure, on which the outcome rests.
    estimates : Mapping[str, Figure]
        Every figure that the check used, by key.
    threshold : float or None
        The margin of the headline figure, in its unit.
    sentence : str
        The finding in one plain sentence.
    reason : str
        Why this outcome.
    would_change : str
        What would change the verdict.
    p_value : float or None
        The smallest error probability at which the check would still be ``shown``; ``shown`` is where it is at most
        one minus the audit's confidence. ``None`` where the check is not evaluable.
    p_adjusted : float or None
        The p-value adjusted for all checks of the audit (Holm 1979).
    by_group : Mapping[str, Outcome]
        The outcome for each group, where the check judges one figure for each.
    scope : str
        Which clips it is about, where it is not about all.
    grouping : str
        The name of the grouping whose groups it is about; see :class:`audit.core.grouping.Grouping`.
    worst_cell : WorstCell or None
        The worst cell where the groups are crossed with gender and language, or the columns of the plan.
    """

    code: str
    title: str
    outcome: Outcome
    group: str
    estimate: Figure | None
    estimates: Mapping[str, Figure] = field(default_factory=dict)
    threshold: float | None = None
    sentence: str = ""
    reason: str = ""
    would_change: str = ""
    p_value: float | None = None
    p_adjusted: float | None = None
    by_group: Mapping[str, Outcome] = field(default_factory=dict)
    scope: str = ""
    grouping: str = GROUP.name
    worst_cell: WorstCell | None = None

    def _line(self) -> str:
        by = "" if self.grouping == GROUP.name else f" by {shortened(self.grouping, 24)}"
        head = self.estimate
        figure = "no estimate" if head is None else f"{head.text}, {head.n_speakers:,} speakers"
        return f"{self.code}{by} {OUTCOME_WORDS[self.outcome]}: {shortened(self.group, 24)} {figure}; {self.title}"

    def groups_with(self, outcome: Outcome) -> list[str]:
        """The groups with an outcome, in the order of the check."""
        return [group for group, found in self.by_group.items() if found == outcome]

    def select(self, name: str, group: str = ALL, language: str = ALL) -> Figure | None:
        """The figure of that name, group and language; ``None`` where the check has none."""
        asked = (name, group, language)
        figures = self.estimates.values()
        return next((figure for figure in figures if (figure.name, figure.group, figure.language) == asked), None)

    def prediction_powered(self, figure: Figure) -> Figure | None:
        """The version of a figure that is based on human readings; ``None`` if there is none."""
        return self.select(powered_name(figure.name), figure.group, figure.language)

    def as_dict(self) -> dict[str, object]:
        """The contract's JSON form."""
        found: dict[str, object] = as_json(self)
        return found


def findings_frame(findings: Iterable[Finding]) -> pd.DataFrame:
    """A row for each finding, with its headline figure.

    Returns
    -------
    DataFrame
        Columns code, grouping, title, outcome, group, value, low, high, unit, n_speakers, p and p_adjusted. ``low`` and
        ``high`` are the interval that decides the verdict. Numbers are in the unit, with shares in [-1, 1]; they are
        missing where there is none.
    """
    rows = []
    for finding in findings:
        figure = finding.estimate
        low, high = (None, None) if figure is None else figure.deciding
        rows.append(
            {
                "code": finding.code,
                "grouping": finding.grouping,
                "title": finding.title,
                "outcome": finding.outcome,
                "group": finding.group,
                "value": None if figure is None else figure.value,
                "low": low,
                "high": high,
                "unit": "" if figure is None else figure.unit,
                "n_speakers": None if figure is None else figure.n_speakers,
                "p": finding.p_value,
                "p_adjusted": finding.p_adjusted,
            }
        )
    return pd.DataFrame(rows, columns=[*FRAME_TYPES]).astype(FRAME_TYPES)
