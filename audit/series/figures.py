"""The parts of a series: the figure of a group in one run, the verdict of a check, and the change between two runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from audit.checks.figure import Figure, Harm
from audit.comparisons.changes import Change
from audit.core.grouping import GROUP
from audit.stats.verdict import Outcome

Mark = Literal["better", "worse"]
MARKS: Final[Mapping[str, Mark]] = {"gains": "better", "pays": "worse"}
"""The mark of a change beyond noise, by the word of its interval."""


@dataclass(frozen=True)
class Verdict:
    """The answer of a check in one run.

    Attributes
    ----------
    run : str
        The label of the run.
    check, title : str
        The code and title of the check.
    grouping, group : str
        The grouping, and the group of the headline.
    outcome : {"shown", "not_shown", "inconclusive", "not_evaluable"}
        The outcome, as in the audit of the run.
    figure : Figure or None
        The headline figure.
    """

    run: str
    check: str
    title: str
    grouping: str
    group: str
    outcome: Outcome
    figure: Figure | None


@dataclass(frozen=True)
class Point:
    """The figure of a group in one run.

    Attributes
    ----------
    run : str
        The label of the run.
    check : str
        The code of the check.
    told : str
        What the figure is, in words.
    grouping, group : str
        The group, and the grouping that it belongs to.
    worse : {"high", "low"}
        Which end of the figure is harm.
    margin : float or None
        The margin of the check.
    figure : Figure
        The figure, with an interval that is simultaneous over the groups where the check judges one figure for each.
    outcome : Outcome or None
        The outcome of the check for the group; None for a group that the check only compares with.
    """

    run: str
    check: str
    told: str
    group: str
    worse: Harm
    margin: float | None
    figure: Figure
    outcome: Outcome | None
    grouping: str = GROUP.name


@dataclass(frozen=True)
class Step:
    """The change of a figure between two runs of a series.

    Attributes
    ----------
    since : str
        The label of the earlier run; ``change.candidate`` is that of the later one.
    overall : bool
        Whether the runs are the first and the last of a stretch of several releases, and not neighbours.
    change : Change
        The change, with its p-value adjusted over all changes of the series (Holm).
    marked : {"better", "worse"} or None
        What a change beyond noise means for the group: its adjusted p-value is at most one minus the confidence, and
        its interval excludes zero.
    """

    since: str
    overall: bool
    change: Change
    marked: Mark | None
