"""The comparison document, written as comparison.json: the runs, every change and the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, ClassVar, Self

import pandas as pd
from pydantic import Field, JsonValue

from audit.audits.method import METHOD_VERSION
from audit.audits.table import StoredTable, Table
from audit.comparisons.changes import FAMILY, Change
from audit.comparisons.harms import HarmChange, harms
from audit.comparisons.levelling import Levelling
from audit.comparisons.tables import CHECK_CHANGES, METRIC_CHANGES, changes_frame, harms_table, runs_table
from audit.core.document import AS_STORED, SCHEMA_VERSION, Document, Form
from audit.core.shown import Shown, name_in_line, provided


class _RunForm(Form):
    letter: str
    digest: str
    n_speakers: int
    n_clips: int


@dataclass(frozen=True)
class NotCompared:
    """A check that could not be compared, because the runs have no figure for it: its code and title."""

    code: str
    title: str


class ComparisonForm(Form):
    """The content of comparison.json."""

    method_version: int | None = None
    runs: tuple[Annotated[_RunForm, AS_STORED], ...] = Field(min_length=1)
    settings: dict[str, JsonValue]
    notices: tuple[str, ...]
    sentences: tuple[str, ...]
    levelled: tuple[Levelling, ...] = Field(alias="levelled_down")
    checks: tuple[Change, ...]
    metrics: tuple[Change, ...]
    not_compared: tuple[NotCompared, ...] = ()
    given: dict[str, StoredTable] = Field(alias="tables")


@dataclass(frozen=True, repr=False)
class Comparison(Shown, Document):
    """The result of comparing runs; a pure function of the runs and the settings.

    Attributes
    ----------
    runs : tuple of Mapping
        Each run's letter, digest, model, weights, training coverage, cohort, instrument, plan and versions. The first,
        A, is the baseline.
    settings : Mapping
        The settings with which all runs were measured.
    notices : tuple of str
        Warnings to show before any figure.
    checks : tuple of Change
        Every check's headline and groups, for every candidate against the baseline.
    metrics : tuple of Change
        Every metric over all clips, by group, by language and by both, likewise.
    levelled : tuple of Levelling
        What was levelled down.
    sentences : tuple of str
        How many harms became smaller or grew, every harm by group, and which groups gain and lose, in words.
    not_compared : tuple of NotCompared
        The checks that were asked for and for which the runs have no figure.
    given : Mapping of str to Table
        ``pareto``: each run's figure over all clips and for its worst group; ``faces``: the sample of pictures;
        ``metric_definitions``: the label and unit of every metric.
    method_version : int or None
        The version of the method that measured the runs; ``None`` in documents of earlier versions of the tool.
    folders : tuple of Path or None
        The folder of each run that has one, for its pictures. Not part of comparison.json.
    """

    FILE: ClassVar[str] = "comparison.json"
    COMMAND: ClassVar[str] = "audit compare A B -o OUT"
    FORM: ClassVar[type[Form]] = ComparisonForm

    runs: tuple[Mapping[str, object], ...]
    settings: Mapping[str, object]
    notices: tuple[str, ...]
    checks: tuple[Change, ...]
    metrics: tuple[Change, ...]
    levelled: tuple[Levelling, ...]
    sentences: tuple[str, ...]
    given: Mapping[str, Table]
    not_compared: tuple[NotCompared, ...] = ()
    method_version: int | None = METHOD_VERSION
    schema_version: str = SCHEMA_VERSION
    folders: tuple[Path | None, ...] = field(default=(), compare=False)

    def _line(self) -> str:
        found = [change.word for change in self.checks if change.headline]
        words = {"gains": "gains", "pays": "pays", "no_difference": "no difference", "inconclusive": "inconclusive"}
        counts = ", ".join(f"{found.count(word)} {said}" for word, said in words.items() if word in found)
        first, *others = (f"{run['letter']} {name_in_line(run.get('model'))}" for run in self.runs)
        return f"of {len(self.runs)} runs, {len(found)} headlines: {counts}; {', '.join(others)} against {first}"

    def write(self, folder: str | Path) -> Path:
        """Write ``comparison.json`` into a folder, with the page ``comparison.html`` and the tables as CSV.

        Returns
        -------
        Path
            The path of comparison.json.

        Raises
        ------
        RunError
            If the folder contains a run, or a file to be replaced was not written by this tool.
        """
        return self.write_report(folder).with_name(self.FILE)

    def write_report(self, folder: str | Path, *, show_faces: bool = False, show_ids: bool = False) -> Path:
        """Write ``comparison.html``, ``comparison.json`` and ``tables/*.csv`` into a folder.

        Parameters
        ----------
        folder : str or Path
            A folder for the comparison alone. Pictures are taken from the folders of the runs.
        show_faces, show_ids : bool
            As of :meth:`audit.Audit.write_report`.

        Returns
        -------
        Path
            The page.

        Raises
        ------
        RunError
            As :meth:`write`.
        """
        write = provided("write_comparison_report")
        page: Path = write(self, folder, show_faces=show_faces, show_ids=show_ids)
        return page

    def frame(self) -> pd.DataFrame:
        """Every change as a tidy table: candidate, figure, group, language, before, after, change, p_value and more."""
        return changes_frame([*self.checks, *self.metrics])

    @cached_property
    def harms(self) -> tuple[HarmChange, ...]:
        """How the harm of every check changed, over its groups; in the order of ``checks``."""
        return harms(self.checks)

    @property
    def confidence(self) -> float:
        """The confidence of the intervals."""
        return float(str(self.settings.get("confidence", 0.95)))

    @cached_property
    def tables(self) -> dict[str, Table]:
        """Every table that is written as CSV."""
        return {
            "runs": runs_table(self.runs),
            "harms": harms_table(self.harms, self.confidence),
            "checks": Table(
                "Every check",
                f"Candidate minus baseline. {FAMILY}",
                changes_frame(self.checks),
                CHECK_CHANGES,
            ),
            "metrics": Table(
                "Every metric",
                f"Candidate minus baseline; simultaneous intervals for groups over all languages. {FAMILY}",
                changes_frame(self.metrics),
                METRIC_CHANGES,
            ),
            **self.given,
        }

    @property
    def shared_tables(self) -> Mapping[str, Table]:
        """The tables that name speakers or clips."""
        return self.given

    def with_tables(self, tables: Mapping[str, Table]) -> Self:
        """The same document with other tables in their place."""
        return replace(self, given=tables)
