"""The comparison: what was compared, every change, and the tables behind the figures; written as comparison.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import pandas as pd

from audit.audits.audit import Table
from audit.comparisons.changes import Change
from audit.comparisons.forms import ComparisonForm
from audit.comparisons.levelling import Levelling
from audit.core.document import SCHEMA_VERSION, Document, Form
from audit.stats import Estimate

_ENDS = ("value", "low", "high")
_COUNTS = ("n_speakers", "n_clips", "n_missing", "method")


@dataclass(frozen=True)
class Comparison(Document):
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
        ``pareto``: each run's figure over all clips and that of its worst group; ``faces``: the sample for the strips.
    """

    FILE: ClassVar[str] = "comparison.json"
    COMMAND: ClassVar[str] = "audit compare A B -o OUT"
    FORM: ClassVar[type[Form]] = ComparisonForm
    WITHOUT_DIGEST: ClassVar[frozenset[str]] = frozenset({"1.0"})

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
        return _frame([*self.checks, *self.metrics])

    @cached_property
    def tables(self) -> dict[str, Table]:
        """Every table, as it is written to CSV."""
        runs = [
            {key: run.get(key) for key in ("letter", "model", "weights_sha256", "digest", "n_speakers", "n_clips")}
            for run in self.runs
        ]
        return {
            "runs": Table("What is compared", "A is the baseline.", pd.DataFrame(runs)),
            "checks": Table(
                "Every check",
                "Candidate minus baseline; headlines adjusted by Holm, groups by Benjamini-Hochberg.",
                _frame(self.checks),
            ),
            "metrics": Table(
                "Every metric",
                "Candidate minus baseline; Benjamini-Hochberg; groups over all languages are held together.",
                _frame(self.metrics),
            ),
            **self.given,
        }

    def content(self) -> dict[str, object]:
        """The published keys: runs, settings, notices, sentences, levelled_down, checks, metrics, tables."""
        return {
            "runs": [dict(run) for run in self.runs],
            "settings": dict(self.settings),
            "notices": list(self.notices),
            "sentences": list(self.sentences),
            "levelled_down": [item.as_dict() for item in self.levelled],
            "checks": [change.as_dict() for change in self.checks],
            "metrics": [change.as_dict() for change in self.metrics],
            "tables": {name: table.as_dict() for name, table in self.given.items()},
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any], schema_version: str) -> Comparison:
        """The comparison of a content that has been checked."""
        return cls(
            runs=tuple(content["runs"]),
            settings=content["settings"],
            notices=tuple(content["notices"]),
            checks=tuple(Change.from_dict(item) for item in content["checks"]),
            metrics=tuple(Change.from_dict(item) for item in content["metrics"]),
            levelled=tuple(Levelling.from_dict(item) for item in content["levelled_down"]),
            sentences=tuple(content["sentences"]),
            given={name: Table.from_dict(item) for name, item in content["tables"].items()},
            schema_version=schema_version,
        )


def _frame(changes: tuple[Change, ...] | list[Change]) -> pd.DataFrame:
    """Changes as rows; the estimates' ends as columns, counts and method being those of the change."""
    rows = []
    for change in changes:
        row: dict[str, object] = {
            name: getattr(change, name) for name in ("candidate", "figure", "group", "language", "headline")
        }
        for name in ("before", "after", "change"):
            found: Estimate = getattr(change, name)
            row |= {name if end == "value" else f"{name}_{end}": getattr(found, end) for end in _ENDS}
        row |= {name: getattr(change, name) for name in ("p_value", "p_adjusted", "worse", "margin", "word")}
        rows.append(row | {name: getattr(change.change, name) for name in _COUNTS})
    return pd.DataFrame(rows)
