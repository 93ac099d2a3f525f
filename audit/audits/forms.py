"""Pydantic models of the JSON that documents share: estimates, findings and tables."""

from __future__ import annotations

from pydantic import JsonValue, model_validator

from audit.core.document import Form
from audit.stats.verdict import Outcome


class EstimateForm(Form):
    """An estimate; further keys must have scalar values."""

    __pydantic_extra__: dict[str, str | bool | int | float | None]

    value: float | None
    low: float | None
    high: float | None
    n_speakers: int
    n_clips: int
    n_missing: int
    method: str


class FindingForm(Form):
    """A finding."""

    __pydantic_extra__: dict[str, JsonValue]

    code: str
    title: str
    outcome: Outcome
    group: str
    estimate: EstimateForm | None
    estimates: dict[str, EstimateForm]
    threshold: float | None
    sentence: str
    reason: str
    would_change: str
    p_value: float | None
    p_adjusted: float | None


class TableForm(Form):
    """A table with one cell per row and column."""

    title: str
    note: str
    columns: list[str]
    rows: list[list[str | bool | int | float | None]]

    @model_validator(mode="after")
    def _has_rectangular_rows(self) -> TableForm:
        if len(set(self.columns)) < len(self.columns):
            raise ValueError("two columns have the same name")
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"a row does not have {len(self.columns)} cells, one for each column")
        return self
