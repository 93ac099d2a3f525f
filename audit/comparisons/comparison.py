"""The comparison: what was compared, every change, and the tables behind the figures; written as comparison.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from audit.audits.table import Table
from audit.comparisons.changes import Change
from audit.comparisons.levelling import Levelling
from audit.comparisons.tables import changes_frame, changes_table, runs_table
from audit.core.errors import RunError

SCHEMA_VERSION = "1.0"
COMPARISON = "comparison.json"


@dataclass(frozen=True)
class Comparison:
    """All that was found between runs; a pure function of the runs and the settings.

    Attributes
    ----------
    runs : tuple of Mapping
        What each run is: its letter, digest, model, weights, training coverage, cohort, instrument, plan, versions. The
        first, A, is the baseline.
    settings : Mapping
        How all of them were measured.
    notices : tuple of str
        What a reader must know before the first figure.
    checks : tuple of Change
        Every check's headline and groups, for every candidate against the baseline.
    metrics : tuple of Change
        Every metric over all clips, by group, by language and by both, likewise.
    levelled : tuple of Levelling
        What was levelled down.
    sentences : tuple of str
        Who gains and who pays, in words.
    given : Mapping of str to Table
        ``pareto``: each run's figure over all clips and that of its worst group; ``faces``: the sample for the strips;
        ``metric_definitions``: the label and unit of every metric.
    """

    runs: tuple[Mapping[str, object], ...]
    settings: Mapping[str, object]
    notices: tuple[str, ...]
    checks: tuple[Change, ...]
    metrics: tuple[Change, ...]
    levelled: tuple[Levelling, ...]
    sentences: tuple[str, ...]
    given: Mapping[str, Table]
    schema_version: str = SCHEMA_VERSION

    def frame(self) -> pd.DataFrame:
        """Every change as a tidy table: candidate, figure, group, language, before, after, change, p_value and more."""
        return changes_frame([*self.checks, *self.metrics])

    @cached_property
    def tables(self) -> dict[str, Table]:
        """Every table, as it is written to CSV."""
        return {
            "runs": runs_table(self.runs),
            "checks": changes_table(
                "Every check",
                "Candidate minus baseline; headlines adjusted by Holm, groups by Benjamini-Hochberg.",
                self.checks,
                of_metrics=False,
            ),
            "metrics": changes_table(
                "Every metric",
                "Candidate minus baseline; Benjamini-Hochberg; groups over all languages are held together.",
                self.metrics,
                of_metrics=True,
            ),
            **self.given,
        }

    def to_json(self) -> str:
        """comparison.json: the same runs and settings give the same bytes."""
        document = {
            "schema_version": self.schema_version,
            "runs": [dict(run) for run in self.runs],
            "settings": dict(self.settings),
            "notices": list(self.notices),
            "sentences": list(self.sentences),
            "levelled_down": [item.as_dict() for item in self.levelled],
            "checks": [change.as_dict() for change in self.checks],
            "metrics": [change.as_dict() for change in self.metrics],
            "tables": {name: table.as_dict() for name, table in self.given.items()},
        }
        return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Comparison:
        """The comparison that :meth:`to_json` wrote.

        Raises
        ------
        RunError
            If the text is no comparison, or one of another schema.
        """
        try:
            data = json.loads(text)
            version = str(data["schema_version"])
            if version.split(".", maxsplit=1)[0] != SCHEMA_VERSION.split(".", maxsplit=1)[0]:
                raise RunError(f"{COMPARISON} has schema version {version}.", SCHEMA_VERSION)
            return cls(
                runs=tuple(data["runs"]),
                settings=data["settings"],
                notices=tuple(data["notices"]),
                checks=tuple(Change.from_dict(item) for item in data["checks"]),
                metrics=tuple(Change.from_dict(item) for item in data["metrics"]),
                levelled=tuple(Levelling.from_dict(item) for item in data["levelled_down"]),
                sentences=tuple(data["sentences"]),
                given={name: Table.from_dict(item) for name, item in data["tables"].items()},
                schema_version=version,
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise RunError(
                f"This is no {COMPARISON}: {error}.", next_step="Write it again: audit compare A B -o OUT."
            ) from error

    @classmethod
    def read(cls, folder: str | Path) -> Comparison:
        """The comparison in a folder.

        Raises
        ------
        RunError
            If the folder holds none.
        """
        path = Path(folder) / COMPARISON
        if not path.is_file():
            raise RunError(f"{folder} holds no {COMPARISON}.", next_step="Make one: audit compare A B -o OUT.")
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(f"{path} cannot be read: {error}.") from error
        return cls.from_json(text)
