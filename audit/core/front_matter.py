"""Front matter of a report: who audited what, for which use, and where to complain. It is stated, never measured."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

from pydantic import ConfigDict, Field, field_validator

from audit.core.errors import PlanError
from audit.core.typed_toml import Section, parse_mapping, read_text

SECTION: Final = "audit"
"""The section of a plan that has the front matter."""
PAGE: Final = "docs/reference/plan.md"


class FrontMatter(Section):
    """Front matter; every field is optional, and none is filled in by the tool.

    The fields are what model cards (Mitchell et al. 2019, arXiv 1810.03993), the published summaries of New York's
    Local Law 144 (6 RCNY 5-303) and Annex IV of the EU AI Act ask for, and no run can measure. The title of a report is
    that of its plan.

    Examples
    --------
    >>> FrontMatter(auditor="A. Auditor", date="2026-03-01").as_dict()
    {'date': '2026-03-01', 'auditor': 'A. Auditor'}
    >>> bool(FrontMatter())
    False
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, str_max_length=4000)

    date: dt.date | None = Field(default=None, title="Date of the audit")
    auditor: str = Field(default="", title="Auditor")
    contact: str = Field(default="", title="Contact")
    independence: str = Field(default="", title="Independence: who commissioned and paid, conflicts of interest")
    consulted: str = Field(default="", title="People consulted")
    next_audit: dt.date | None = Field(default=None, title="Next audit due")
    model_owner: str = Field(default="", title="Model owner")
    model_version: str = Field(default="", title="Model version")
    distributed: dt.date | None = Field(default=None, title="Model in use since")
    intended_use: str = Field(default="", title="Intended use")
    intended_users: str = Field(default="", title="Intended users")
    out_of_scope_uses: str = Field(default="", title="Uses that are out of scope")
    people_affected: str = Field(default="", title="People affected")
    human_oversight: str = Field(default="", title="Human oversight")
    data_source: str = Field(default="", title="Source of the data, and why these")
    data_period: str = Field(default="", title="Period of the data")
    complaints: str = Field(default="", title="How to complain or appeal")

    @field_validator("date", "next_audit", "distributed", mode="before")
    @classmethod
    def _is_a_date(cls, value: object) -> object:
        """A date as written; a number or a time of day is none."""
        if isinstance(value, dt.datetime) or not isinstance(value, str | dt.date | None):
            raise ValueError("not a date, such as 2026-03-01")
        return value

    @classmethod
    def of(cls, text: str, source: str) -> Self | None:
        """The section ``[audit]`` of a TOML text; ``None`` if it has none. No other section is read.

        Raises
        ------
        PlanError
            If the text is not TOML, or a field or value is not allowed.
        """
        try:
            data = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise PlanError(f"{source} is not a TOML file: {error}.") from error
        return parse_mapping(cls, data[SECTION], f"{source}, section [{SECTION}]", PAGE) if SECTION in data else None

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """The section ``[audit]`` of a TOML file, such as a plan; raises PlanError as :meth:`of`, or if it has none."""
        fields = ", ".join(cls.model_fields)
        found = cls.of(read_text(Path(path), "front matter", f"a TOML file with a section [{SECTION}]"), str(path))
        if found is None:
            raise PlanError(f"{path} has no section [{SECTION}].", f"[{SECTION}] with any of {fields}", f"See {PAGE}.")
        return found

    @classmethod
    def stored(cls, value: object) -> object:
        """A stored object without the fields of later versions, which have no place in a report of this one."""
        known = cls.model_fields
        return {key: item for key, item in value.items() if key in known} if isinstance(value, Mapping) else value

    def __bool__(self) -> bool:
        """Whether any field is stated."""
        return bool(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """The stated fields, dates as ``YYYY-MM-DD``, in the order of the fields."""
        return self.model_dump(mode="json", exclude_defaults=True)

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """The title and text of every field; the text of one that is not stated is empty."""
        stated = self.as_dict()
        return tuple((str(field.title), stated.get(name, "")) for name, field in type(self).model_fields.items())
