"""The document of a series of runs: what every run shows, and which changes are beyond noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, ClassVar

import pandas as pd
from pydantic import Field, JsonValue

from audit.audits.method import METHOD_VERSION
from audit.audits.table import GROUP, METHOD, N_SPEAKERS, P_VALUE, Column, Table, interval_columns
from audit.checks.figure import Figure
from audit.core.document import AS_STORED, SCHEMA_VERSION, Document, Form
from audit.core.shown import Shown, provided
from audit.series.figures import Point, Step, Verdict


class _RunForm(Form):
    label: str
    digest: str
    n_speakers: int
    n_clips: int


class SeriesForm(Form):
    """The content of the document of a series."""

    method_version: int | None = None
    runs: tuple[Annotated[_RunForm, AS_STORED], ...] = Field(min_length=1)
    settings: dict[str, JsonValue]
    notices: tuple[str, ...]
    sentences: tuple[str, ...]
    n_tests: int
    verdicts: tuple[Verdict, ...]
    points: tuple[Point, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, repr=False)
class Series(Shown, Document):
    """Several runs, each with the figures of every check and group, and the changes between them.

    Attributes
    ----------
    runs : tuple of Mapping
        Each run's label, digest, model, weights, cohort, instrument, plan and versions, in the given order.
    settings : Mapping
        The settings with which all runs were measured.
    notices : tuple of str
        Warnings to show before any figure.
    sentences : tuple of str
        What is beyond noise, in words.
    n_tests : int
        The number of tested changes, over which p-values are adjusted.
    verdicts : tuple of Verdict
        The outcome of every check in every run.
    points : tuple of Point
        The figure of every check and group in every run.
    steps : tuple of Step
        The changes between runs.
    method_version : int
        The version of the method that measured the runs.
    """

    LABEL: ClassVar[str] = "run"
    """The name of the frame's first column: what a run is in this series."""

    runs: tuple[Mapping[str, object], ...]
    settings: Mapping[str, object]
    notices: tuple[str, ...]
    sentences: tuple[str, ...]
    n_tests: int
    verdicts: tuple[Verdict, ...]
    points: tuple[Point, ...]
    steps: tuple[Step, ...]
    method_version: int | None = field(default=METHOD_VERSION, kw_only=True)
    schema_version: str = field(default=SCHEMA_VERSION, kw_only=True)

    def _line(self) -> str:
        return f"{len(self.marked)} of {self.n_tests} tested changes beyond noise: {', '.join(self.labels)}"

    def write_report(self, folder: str | Path) -> Path:
        """Write the page, the document as JSON and ``tables/*.csv`` into a folder for the series alone.

        Returns
        -------
        Path
            The page.

        Raises
        ------
        RunError
            If the folder contains a run, or a file to be replaced was not written by this tool.
        """
        page: Path = provided("write_series_report")(self, folder)
        return page

    @property
    def labels(self) -> list[str]:
        """The labels of the runs, in order."""
        return [str(run["label"]) for run in self.runs]

    @property
    def marked(self) -> list[Step]:
        """The changes beyond noise."""
        return [step for step in self.steps if step.marked]

    def frame(self) -> pd.DataFrame:
        """One row for each run, check and group: the figure, and its change from the run it is compared with.

        The columns ``change``, ``change_low``, ``change_high``, ``p_value``, ``p_adjusted`` and ``marked`` are empty
        where nothing is tested.
        """
        return self.tables["figures"].frame.copy()

    @cached_property
    def tables(self) -> dict[str, Table]:
        """Every table that is written as CSV."""
        columns, verdicts = _figure_columns(self.LABEL), _verdict_columns(self.LABEL)
        since = {(_step_key(step)): step for step in self.steps if not step.overall}
        return {
            "figures": Table(
                "Every figure",
                "The figure of each check and group, and its change since the run that it is compared with.",
                _frame([_figure_row(point, since.get(_point_key(point))) for point in self.points], columns),
                columns,
            ),
            "changes": Table(
                "Every tested change",
                f"P-values adjusted by Holm over {self.n_tests} changes.",
                _frame([_step_row(step) for step in self.steps], CHANGES),
                CHANGES,
            ),
            "verdicts": Table(
                "Every verdict",
                "The outcome of each check, as in the audit of each run.",
                _frame(
                    [
                        (v.run, v.check, v.title, v.grouping, v.group, v.outcome, *_ends(v.figure))
                        for v in self.verdicts
                    ],
                    verdicts,
                ),
                verdicts,
            ),
        }


_CHANGE = (
    *interval_columns("change", "Change", "", signed=True),
    P_VALUE,
    Column("p_adjusted", "p_value", "p, adjusted"),
)
CHANGES = (
    Column("since", "key", "Since"),
    Column("run", "key", "Run"),
    Column("overall", "text", "First to last"),
    Column("check", "key", "Check"),
    Column("grouping", "grouping", "Grouping"),
    GROUP,
    Column("unit", "text", "Unit"),
    *interval_columns("before", "Before", ""),
    *interval_columns("after", "After", ""),
    *_CHANGE,
    Column("marked", "text", "Beyond noise"),
    N_SPEAKERS,
    METHOD,
)


def _figure_columns(label: str) -> tuple[Column, ...]:
    return (
        Column(label, "key"),
        Column("check", "key", "Check"),
        Column("grouping", "grouping", "Grouping"),
        GROUP,
        Column("figure", "text", "Figure"),
        Column("unit", "text", "Unit"),
        Column("value", "value", "Value"),
        Column("low", "low"),
        Column("high", "high"),
        Column("outcome", "text", "Outcome"),
        N_SPEAKERS,
        Column("since", "text", "Since"),
        *_CHANGE,
        Column("marked", "text", "Beyond noise"),
        METHOD,
    )


def _verdict_columns(label: str) -> tuple[Column, ...]:
    return (
        Column(label, "key"),
        Column("check", "key", "Check"),
        Column("title", "text", "Title"),
        Column("grouping", "grouping", "Grouping"),
        GROUP,
        Column("outcome", "text", "Outcome"),
        Column("value", "value", "Value"),
        Column("low", "low"),
        Column("high", "high"),
    )


def _figure_row(point: Point, step: Step | None) -> tuple[object, ...]:
    figure, change = point.figure, None if step is None else step.change
    return (
        *(point.run, point.check, point.grouping, point.group, figure.name, figure.unit, *_ends(figure)),
        *(point.outcome, figure.n_speakers, None if step is None else step.since),
        *_ends(None if change is None else change.change),
        *((None, None) if change is None else (change.p_value, change.p_adjusted)),
        *(None if step is None else step.marked, figure.method),
    )


def _step_row(step: Step) -> tuple[object, ...]:
    change = step.change
    return (
        *(step.since, change.candidate, step.overall, change.figure, change.grouping, change.group, change.change.unit),
        *(*_ends(change.before), *_ends(change.after), *_ends(change.change), change.p_value, change.p_adjusted),
        *(step.marked, change.change.n_speakers, change.change.method),
    )


def _point_key(point: Point) -> tuple[str, ...]:
    return point.run, point.check, point.grouping, point.group


def _step_key(step: Step) -> tuple[str, ...]:
    return step.change.candidate, step.change.figure, step.change.grouping, step.change.group


def _ends(figure: Figure | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if figure is None else (figure.value, figure.low, figure.high)


def _frame(rows: Sequence[object], columns: Sequence[Column]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[column.name for column in columns])
