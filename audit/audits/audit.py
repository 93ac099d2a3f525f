"""The audit of one run: the findings and tables behind every report, comparison and decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

import pandas as pd
from pydantic import BeforeValidator, JsonValue

from audit.audits.fairness import metric_frame_of
from audit.audits.latex import findings_latex, table_latex
from audit.audits.method import METHOD_VERSION
from audit.audits.table import StoredTable, Table
from audit.checks.finding import Finding, findings_frame, outcomes_in_line
from audit.core.addresses import place
from audit.core.clusters import Clusters
from audit.core.document import AS_STORED, SCHEMA_VERSION, Document, Form
from audit.core.errors import PlanError, RunError
from audit.core.front_matter import FrontMatter
from audit.core.grouping import GROUP, Grouping
from audit.core.shown import Shown, name_in_line, provided, sizes_in_line
from audit.runs.run import Run

if TYPE_CHECKING:
    from fairlearn.metrics import MetricFrame


class _RunForm(Form):
    digest: str
    n_speakers: int
    n_clips: int
    clusters: Clusters | None = None


class AuditForm(Form):
    """The content of audit.json."""

    method_version: int | None = None
    run: Annotated[_RunForm, AS_STORED]
    front_matter: Annotated[FrontMatter, BeforeValidator(FrontMatter.stored)] = FrontMatter()
    settings: dict[str, JsonValue]
    findings: tuple[Finding, ...]
    tables: dict[str, StoredTable]


@dataclass(frozen=True, repr=False)
class Audit(Shown, Document):
    """The findings and tables of one run; a pure function of the run and the settings.

    Attributes
    ----------
    run : Mapping[str, object]
        The audited run: digest, model, weights_sha256, instrument, cohort, n_speakers, n_clips, clusters (see
        :class:`~audit.core.clusters.Clusters`) and more.
    settings : Mapping[str, object]
        The settings: confidence, resamples, seed, margins, minimum number of speakers and more.
    findings : tuple of Finding
        One for each check, in the order of their codes.
    tables : Mapping[str, Table]
        The tables by name.
    front_matter : FrontMatter
        What the auditor states about audit, model and use. It is not a part of the run: changing it needs no measuring.
    method_version : int or None
        The version of the method that measured the run; ``None`` in documents of earlier versions of the tool.
    scores : DataFrame or None
        Every metric of every clip, from :func:`~audit.checks.metrics.metric_frame.metric_frame`. They are not part of
        audit.json; ``None`` if the audit was read from a file.
    source : Run, Path or None
        The run that was measured, or the folder that the audit was read from. Not part of audit.json.
    """

    FILE: ClassVar[str] = "audit.json"
    COMMAND: ClassVar[str] = "audit measure RUN"
    FORM: ClassVar[type[Form]] = AuditForm

    run: Mapping[str, object]
    settings: Mapping[str, object]
    findings: tuple[Finding, ...]
    tables: Mapping[str, Table]
    method_version: int | None = METHOD_VERSION
    schema_version: str = SCHEMA_VERSION
    front_matter: FrontMatter = field(default_factory=FrontMatter)
    scores: pd.DataFrame | None = field(default=None, compare=False)
    source: Run | Path | None = field(default=None, compare=False)

    @classmethod
    def read(cls, folder: str | Path) -> Self:
        """The audit in a folder; it remembers the folder.

        Raises
        ------
        RunError
            As :meth:`audit.core.document.Document.read`.
        """
        return replace(super().read(folder), source=place(folder))

    def _line(self) -> str:
        names = f"{name_in_line(self.run.get('model'))} on {name_in_line(self.run.get('cohort'))}"
        sizes = sizes_in_line(self.run.get("n_speakers"), self.run.get("n_clips"))
        return f"{names}: {sizes}; {outcomes_in_line(finding.outcome for finding in self.findings)}"

    @property
    def folder(self) -> Path | None:
        """The folder of the run, or that the audit was read from; ``None`` if there is none."""
        return self.source.folder if isinstance(self.source, Run) else self.source

    def measured_run(self) -> Run:
        """The run that was measured.

        Raises
        ------
        RunError
            If it is not known, or the folder that the audit was read from has no run or another one.
        """
        if isinstance(self.source, Run):
            return self.source
        if self.source is None:
            raise RunError(
                "This audit does not know its run: it was made from a text.",
                "a run, its folder, or an audit that was measured or read from the run's folder",
                "Give the run: audit.Run.read(RUN).",
            )
        run = Run.read(self.source)
        if run.digest != self.run["digest"]:
            raise RunError(
                f"{self.source} now holds another run than the one that this audit is about.",
                "the run with the digest in the audit's run",
                f"Measure it again: audit measure {self.source}.",
            )
        return run

    def write_report(
        self,
        folder: str | Path,
        *,
        pdf: bool = False,
        show_faces: bool = False,
        show_ids: bool = False,
        rules: Sequence[str] = (),
    ) -> Path:
        """Write the report: ``report.html``, ``model-card.md``, charts, tables and ``audit.json``.

        An audit.json of this audit that is in the folder already is kept.

        Parameters
        ----------
        folder : str or Path
            The run's folder, or another one. Pictures are taken from the run's folder.
        pdf : bool
            Also print ``report.pdf``, with a browser of this machine.
        show_faces : bool
            Show the gallery's pictures even of real people.
        show_ids : bool
            Keep ids and details, which :func:`audit.with_ids` adds; without it they are withheld.
        rules : sequence of str
            Third-party rules of recommendations; see :func:`audit.recommend`.

        Returns
        -------
        Path
            The page.

        Raises
        ------
        RunError
            If a file to be replaced was not written by this tool.
        AuditError
            If there is no browser for ``pdf``.
        """
        write = provided("write_audit_report")
        page: Path = write(self, folder, pdf=pdf, show_faces=show_faces, show_ids=show_ids, rules=rules)
        return page

    def findings_frame(self) -> pd.DataFrame:
        """A row for each finding, with its headline figure.

        Returns
        -------
        DataFrame
            Columns code, grouping, title, outcome, group, value, low, high, unit, n_speakers, p and p_adjusted.
            ``low`` and ``high`` are the interval that decides the verdict; shares are in [-1, 1].
        """
        return findings_frame(self.findings)

    def to_latex(self, table: str = "") -> str:
        """The findings, or one of :attr:`tables`, as a LaTeX ``table`` with numbers as in the report.

        Needs the LaTeX package booktabs. Texts are escaped.

        Parameters
        ----------
        table : str
            The name of a table, such as ``rendered_as``; by default the findings.

        Raises
        ------
        KeyError
            If there is no such table.
        """
        if not table:
            return findings_latex(self.findings)
        if table not in self.tables:
            raise KeyError(f"{table}: this audit has the tables {', '.join(self.tables)}")
        return table_latex(self.tables[table], self.tables.get("metric_definitions"))

    def content(self) -> dict[str, object]:
        """The published keys; without ``front_matter`` where none is stated, as in documents of earlier versions."""
        content = super().content()
        content["front_matter"] = self.front_matter.as_dict()
        return content if self.front_matter else {key: content[key] for key in content if key != "front_matter"}

    def finding(self, code: str, by: str = "") -> Finding:
        """The finding of one check.

        Parameters
        ----------
        code : str
            The code of the check.
        by : str
            The grouping, such as ``accent x gender``; by default ``group``, or the only one with a finding of
            this check.

        Raises
        ------
        KeyError
            If the audit has no such finding.
        """
        made = [finding.grouping for finding in self.findings if finding.code == code]
        grouping = Grouping.parse(by).name if by else made[0] if len(made) == 1 else GROUP.name
        for finding in self.findings:
            if (finding.code, finding.grouping) == (code, grouping):
                return finding
        known = ", ".join(f"{found.code} by {found.grouping}" for found in self.findings)
        raise KeyError(f"{code} by {grouping}: this audit has {known}")

    def frame(self) -> pd.DataFrame:
        """The tidy table of all estimates: metric, stage, group, language, value, low, high, n_speakers and more."""
        return self.tables["disparities"].frame.copy()

    def to_metric_frame(
        self, metrics: Sequence[str] | None = None, by: Sequence[str] = ("group", "language"), stage: str = "rendered"
    ) -> MetricFrame:
        """The point estimates of :meth:`frame` as a ``fairlearn.metrics.MetricFrame``.

        Averaged over speakers (or clips, according to the settings). There are no intervals, since fairlearn resamples
        rows and not speakers.

        Parameters
        ----------
        metrics : sequence of str, optional
            Names as in the column ``metric`` of :meth:`frame`; by default all that were scored at the stage.
        by : sequence of str
            Columns of the observations, which become the sensitive features.
        stage : {"portrait", "ceiling", "rendered"}
            The stage.

        Raises
        ------
        RunError
            If this audit was read from audit.json, which has no scores of single clips.
        PlanError
            If a metric or column does not exist.
        """
        if self.scores is None:
            raise RunError(
                "This audit was read from audit.json, which does not contain the scores of single clips.",
                next_step="Measure the run: audit.measure(audit.Run.read(RUN)).to_metric_frame().",
            )
        start = f"{stage}."
        scored = [name.removeprefix(start) for name in self.scores.columns if name.startswith(start)]
        chosen = [name for name in scored if self.scores[start + name].notna().any()] if metrics is None else [*metrics]
        if absent := [name for name in chosen if name not in scored]:
            raise PlanError(f"There is no metric {', '.join(absent)} at the stage {stage}.", ", ".join(scored))
        if absent := [name for name in by if name not in self.scores]:
            raise PlanError(
                f"There is no column {', '.join(absent)}.", ", ".join(c for c in self.scores.columns if "." not in c)
            )
        columns = {name: start + name for name in chosen}
        return metric_frame_of(self.scores, columns, tuple(by), str(self.settings["estimand"]))

    @property
    def shared_tables(self) -> Mapping[str, Table]:
        """The tables that name speakers or clips."""
        return self.tables

    def with_tables(self, tables: Mapping[str, Table]) -> Self:
        """The same document with other tables in their place."""
        return replace(self, tables=tables)
