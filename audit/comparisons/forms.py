"""The form of comparison.json."""

from __future__ import annotations

from pydantic import Field, JsonValue

from audit.audits.forms import EstimateForm, TableForm
from audit.comparisons.changes import Word
from audit.core.document import Form


class _RunForm(Form):
    letter: str
    digest: str
    n_speakers: int
    n_clips: int


class _ChangeForm(Form):
    candidate: str
    figure: str
    told: str
    group: str
    language: str
    headline: bool
    before: EstimateForm
    after: EstimateForm
    change: EstimateForm
    worse: str
    margin: float | None
    word: Word | None
    p_value: float | None
    p_adjusted: float | None


class _LevellingForm(Form):
    candidate: str
    metric: str
    told: str
    worst: str
    gap: EstimateForm
    own: EstimateForm
    losers: dict[str, EstimateForm]


class ComparisonForm(Form):
    """The content of comparison.json."""

    runs: list[_RunForm] = Field(min_length=1)
    settings: dict[str, JsonValue]
    notices: list[str]
    sentences: list[str]
    levelled_down: list[_LevellingForm]
    checks: list[_ChangeForm]
    metrics: list[_ChangeForm]
    tables: dict[str, TableForm]
