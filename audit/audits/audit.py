"""The audit of one run: findings and tables, from which every report, comparison and decision is made."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from audit.audits.fairness import metric_frame_of
from audit.checks.finding import Finding
from audit.core.errors import PlanError, RunError
from audit.core.files import writing
from audit.core.written_files import write_files

if TYPE_CHECKING:
    from fairlearn.metrics import MetricFrame

SCHEMA_VERSION = "1.0"
AUDIT = "audit.json"


@dataclass(frozen=True)
class Table:
    """One table of the audit, as it is shown and as it is stored.

    Attributes
    ----------
    title : str
        What the table shows, in one line.
    note : str
        What a reader must know to read it rightly.
    frame : DataFrame
        Its columns and rows; a missing value is ``None`` in JSON and empty in CSV.
    """

    title: str
    note: str
    frame: pd.DataFrame

    def as_dict(self) -> dict[str, object]:
        """The JSON form: title, note, columns and rows; every kind of missing as ``None``."""
        rows = [[plain_value(value) for value in row] for row in self.frame.itertuples(index=False)]
        return {"title": self.title, "note": self.note, "columns": list(self.frame.columns), "rows": rows}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Table:
        """The table that :meth:`as_dict` wrote."""
        return cls(data["title"], data["note"], pd.DataFrame(data["rows"], columns=data["columns"]))


@dataclass(frozen=True)
class Audit:
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

    def to_json(self) -> str:
        """The contract's audit.json: the same run and settings give the same bytes."""
        document: dict[str, object] = {
            "run": dict(self.run),
            "settings": dict(self.settings),
            "findings": [finding.as_dict() for finding in self.findings],
            "tables": {name: table.as_dict() for name, table in self.tables.items()},
        }
        head = {"schema_version": self.schema_version, "content_sha256": _content_sha256(document)}
        return _written(head | document) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Audit:
        """The audit that :meth:`to_json` wrote.

        Raises
        ------
        RunError
            If the text is no audit, one of another schema, or one that was changed after it was written.
        """
        try:
            data = json.loads(text)
            version = str(data["schema_version"])
        except (json.JSONDecodeError, KeyError, TypeError, RecursionError) as error:
            raise RunError(
                f"This is no audit.json: {error}.", next_step="Write it again: audit measure RUN."
            ) from error
        if version.split(".", maxsplit=1)[0] != SCHEMA_VERSION.split(".", maxsplit=1)[0]:
            raise RunError(
                f"audit.json has schema version {version}.", SCHEMA_VERSION, "Write it again: audit measure RUN."
            )
        content = {key: value for key, value in data.items() if key not in ("schema_version", "content_sha256")}
        try:
            if data.get("content_sha256", _content_sha256(content)) != _content_sha256(content):
                raise RunError(
                    "audit.json was changed after it was written.", next_step="Write it again: audit measure RUN."
                )
            _Form.model_validate(data)
            return cls(
                run=data["run"],
                settings=data["settings"],
                findings=tuple(Finding.from_dict(item) for item in data["findings"]),
                tables={name: Table.from_dict(item) for name, item in data["tables"].items()},
                schema_version=version,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            words = " ".join(str(error).split())[:200]
            raise RunError(
                f"This is no audit.json: {words}.", next_step="Write it again: audit measure RUN."
            ) from error

    def write(self, folder: str | Path) -> Path:
        """Write ``audit.json`` into the folder of a run; it appears whole or not at all.

        Raises
        ------
        RunError
            If the disk does not take it, or an audit.json is there that was not written by this tool.
        """
        path = Path(folder) / AUDIT
        with writing(path):
            write_files(path.parent, {AUDIT: self.to_json()})
        return path

    @classmethod
    def read(cls, folder: str | Path) -> Audit:
        """The audit in the folder of a run.

        Raises
        ------
        RunError
            If the folder holds no audit.json.
        """
        path = Path(folder) / AUDIT
        if not path.is_file():
            raise RunError(f"{folder} holds no audit.json.", next_step="Measure the run first: audit measure RUN.")
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(
                f"{path} cannot be read: {error}.", next_step="Write it again: audit measure RUN."
            ) from error
        return cls.from_json(text)


class _TableForm(BaseModel):
    model_config = ConfigDict(strict=True)

    title: str
    note: str
    columns: list[str]
    rows: list[list[str | bool | int | float | None]]


class _RunForm(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")

    digest: str
    n_speakers: int
    n_clips: int


class _Form(BaseModel):
    """What audit.json holds, as far as pages and decisions take it for granted."""

    run: _RunForm
    settings: dict[str, Any]
    findings: list[Finding]
    tables: dict[str, _TableForm]


def _content_sha256(document: Mapping[str, object]) -> str:
    """Digest of all that audit.json holds beside its version and this digest."""
    return hashlib.sha256(_written(document).encode("utf-8", "surrogatepass")).hexdigest()


def _written(document: Mapping[str, object]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)


def plain_value(value: object) -> object:
    """A cell as JSON can hold it: numpy numbers as Python's, every kind of missing as ``None``."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
