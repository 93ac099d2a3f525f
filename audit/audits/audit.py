"""The audit of one run: findings and tables, from which every report, comparison and decision is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pandas as pd
from pydantic import JsonValue

from audit.audits.fairness import metric_frame_of
from audit.audits.forms import FindingForm, TableForm
from audit.audits.table import Table
from audit.checks.finding import Finding
from audit.core.document import SCHEMA_VERSION, Document, Form
from audit.core.errors import PlanError, RunError

if TYPE_CHECKING:
    from fairlearn.metrics import MetricFrame


class _RunForm(Form):
    digest: str
    n_speakers: int
    n_clips: int


class AuditForm(Form):
    """The content of audit.json."""

    run: _RunForm
    settings: dict[str, JsonValue]
    findings: list[FindingForm]
    tables: dict[str, TableForm]


@dataclass(frozen=True)
class Audit(Document):
    """All that was found in one run; a pure function of the run and the settings.

    Attributes
    ----------
    run : Mapping[str, object]
        What was audited: digest, model, weights_sha256, instrument, cohort, n_speakers, n_clips and more.
    settings : Mapping[str, object]
        How it was measured: confidence, resamples, seed, margins, minimum of speakers.
    findings : tuple of Finding
        One for each check, in the order of their codes.
    tables : Mapping[str, Table]
        The tables behind them, by name.
    scores : DataFrame or None
        Every metric of every clip, from :func:`~audit.checks.metrics.metric_frame.metric_frame`. Only an audit that was
        just measured has them; they are not part of audit.json.
    """

    FILE: ClassVar[str] = "audit.json"
    COMMAND: ClassVar[str] = "audit measure RUN"
    FORM: ClassVar[type[Form]] = AuditForm

    run: Mapping[str, object]
    settings: Mapping[str, object]
    findings: tuple[Finding, ...]
    tables: Mapping[str, Table]
    schema_version: str = SCHEMA_VERSION
    scores: pd.DataFrame | None = field(default=None, compare=False, repr=False)

    def finding(self, code: str) -> Finding:
        """The finding of one check.

        Raises
        ------
        KeyError
            If no check of that code was made.
        """
        for finding in self.findings:
            if finding.code == code:
                return finding
        raise KeyError(f"{code}: this audit holds {', '.join(f.code for f in self.findings)}")

    def frame(self) -> pd.DataFrame:
        """The tidy table of every figure: metric, stage, group, language, value, low, high, n_speakers and more."""
        return self.tables["disparities"].frame.copy()

    def to_metric_frame(
        self, metrics: Sequence[str] | None = None, by: Sequence[str] = ("group", "language"), stage: str = "rendered"
    ) -> MetricFrame:
        """The point figures as a ``fairlearn.metrics.MetricFrame``: the very numbers of :meth:`frame`.

        Averaged over speakers (or clips, where the settings say so), with no interval: fairlearn's own resample rows.

        Parameters
        ----------
        metrics : sequence of str, optional
            Names as in the column ``metric`` of :meth:`frame`; all that were scored at the stage if left out.
        by : sequence of str
            Columns of the observations, which become the sensitive features.
        stage : {"portrait", "ceiling", "rendered"}
            Which faces.

        Raises
        ------
        RunError
            If this audit was read from audit.json, which holds no clip.
        PlanError
            If a metric or column is not there.
        """
        if self.scores is None:
            raise RunError(
                "This audit was read from audit.json, which does not hold what was scored of each clip.",
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

    def content(self) -> dict[str, object]:
        """The published keys: run, settings, findings, tables."""
        return {
            "run": dict(self.run),
            "settings": dict(self.settings),
            "findings": [finding.as_dict() for finding in self.findings],
            "tables": {name: table.as_dict() for name, table in self.tables.items()},
        }

    @property
    def shared_tables(self) -> Mapping[str, Table]:
        """The tables that name speakers or clips."""
        return self.tables

    def with_tables(self, tables: Mapping[str, Table]) -> Self:
        """The same document with other tables in their place."""
        return replace(self, tables=tables)

    @classmethod
    def from_content(cls, content: Mapping[str, Any], schema_version: str) -> Audit:
        """The audit of a content that has been checked."""
        return cls(
            run=content["run"],
            settings=content["settings"],
            findings=tuple(Finding.from_dict(item) for item in content["findings"]),
            tables={name: Table.from_dict(item) for name, item in content["tables"].items()},
            schema_version=schema_version,
        )
