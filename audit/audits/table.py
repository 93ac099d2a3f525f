"""Tables of a document, with typed columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Annotated, Any, Final, Literal, get_args

import numpy as np
import pandas as pd
from pydantic import AfterValidator, TypeAdapter, model_validator

from audit.core.clean_text import clean
from audit.core.document import Form, HasJson
from audit.core.shown import Shown
from audit.stats import Estimate

Kind = Literal[
    "key",
    "grouping",
    "metric",
    "group",
    "language",
    "read",
    "status",
    "speaker_id",
    "clip_id",
    "cluster",
    "n_speakers",
    "count",
    "value",
    "low",
    "high",
    "p_value",
    "setting",
    "text",
    "picture",
    "method",
    "detail",
    "untyped",
]
KEYS: Final = frozenset({"key", "grouping", "metric", "group", "language", "read", "status"})
FIGURES: Final = frozenset({"n_speakers", "count", "value", "low", "high", "p_value"})
ESTIMATE: Final = tuple(item.name for item in fields(Estimate))
OF_METRIC: Final = "metric"
"""The unit of a column whose numbers are in the unit of the row's metric; the table ``metric_definitions`` has it."""

PERSONAL: Final[dict[str, Kind]] = {
    "speaker_id": "speaker_id",
    "clip_id": "clip_id",
    "cluster": "cluster",
    "detail": "detail",
}
"""Columns with ids or free text in every table, typed or not: documents of schema 1.0 have no types."""


@dataclass(frozen=True)
class Column:
    """One column of a table, as reports, CSV files and suppression need it.

    Attributes
    ----------
    name : str
        The name in the frame, in audit.json and in CSV.
    kind : str
        The kind of its cells:

        - ``key``: identifies rows, such as a stage; ``grouping`` (of the row's group; ``group`` without this column),
          ``metric`` (a metric's name), ``group``, ``language``, ``read`` (a race that the instrument read) and
          ``status`` (of a clip) are keys too. The group, in its grouping, and language of a row decide whether it is
          suppressed.
        - ``speaker_id``, ``clip_id``: replaced by pseudonyms. A table with such a column has one row per person or
          clip; the rows of suppressed cells are removed.
        - ``cluster``: the video, session or source voice of a clip, which may identify its speakers: replaced by a
          pseudonym.
        - ``n_speakers``, ``count``, ``value``, ``low``, ``high``, ``p_value``: figures, emptied in suppressed rows.
          ``low`` and ``high`` directly follow the ``value`` of which they are the interval.
        - ``setting``: a number that does not depend on the speakers of the row, such as a margin.
        - ``text``; ``picture``: the name of a picture, replaced by a pseudonym; ``method``: how a figure was made or
          why it is missing, replaced in suppressed rows; ``detail``: free text that may contain names and
          paths, never shared.
        - ``untyped``: unknown, in a document of an earlier version.
    label : str
        The heading; by default the name with spaces.
    unit : str
        The unit, one of :data:`audit.core.units.UNITS`, or :data:`OF_METRIC`.
    signed : bool
        Whether its numbers are differences, written with their sign.
    about : str
        For a column about a group other than the row's: the column that names that group, which may be the column
        itself. The cells are emptied where that group is suppressed.

    Raises
    ------
    ValueError
        If the kind is unknown, or a column of ids or details is declared as another kind.

    Examples
    --------
    >>> Column("n_clips", "count").heading, Column("n_clips", "count").figure
    ('N clips', True)
    """

    name: str
    kind: Kind = "untyped"
    label: str = ""
    unit: str = ""
    signed: bool = False
    about: str = ""

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"column {self.name!r} has the kind {self.kind!r}; allowed: {', '.join(get_args(Kind))}")
        personal = PERSONAL.get(self.name, self.kind)
        if self.kind not in ("untyped", personal):
            raise ValueError(f"column {self.name!r} has the kind {self.kind!r}; allowed: {personal!r}")
        object.__setattr__(self, "kind", personal)

    @property
    def heading(self) -> str:
        """The label, or the name with spaces."""
        return self.label or self.name.replace("_", " ").capitalize()

    @property
    def key(self) -> bool:
        """Whether the column identifies rows."""
        return self.kind in KEYS

    @property
    def figure(self) -> bool:
        """Whether suppression empties the column."""
        return self.kind in FIGURES


N_SPEAKERS: Final = Column("n_speakers", "n_speakers", "Speakers")
N_CLIPS: Final = Column("n_clips", "count", "Clips")
GROUP: Final = Column("group", "group", "Group")
LANGUAGE: Final = Column("language", "language", "Language")
METHOD: Final = Column("method", "method", "Method")
P_VALUE: Final = Column("p_value", "p_value", "p")
Q_VALUE: Final = Column("q_value", "p_value", "q")


def interval_columns(
    name: str, label: str, unit: str, *, signed: bool = False, about: str = ""
) -> tuple[Column, Column, Column]:
    """A figure and the ends of its interval: ``name``, ``name_low`` and ``name_high``."""
    return (
        Column(name, "value", label, unit, signed, about),
        Column(f"{name}_low", "low", "", unit, signed, about),
        Column(f"{name}_high", "high", "", unit, signed, about),
    )


def estimate_columns(unit: str, label: str = "Value", *, signed: bool = False) -> tuple[Column, ...]:
    """The columns of an estimate, in the order of the fields of :class:`audit.stats.Estimate`."""
    return (
        Column("value", "value", label, unit, signed),
        Column("low", "low", "", unit, signed),
        Column("high", "high", "", unit, signed),
        N_SPEAKERS,
        N_CLIPS,
        Column("n_missing", "count", "Not read"),
        METHOD,
    )


@dataclass(frozen=True, repr=False)
class Table(Shown, HasJson):
    """One table of a document.

    Attributes
    ----------
    title : str
        The title, in one line.
    note : str
        Notes for the reader.
    frame : DataFrame
        The cells; a missing value is ``None`` in JSON and empty in CSV.
    columns : tuple of Column
        One for each column of the frame, in order; by default untyped.

    Raises
    ------
    ValueError
        If the columns do not match the frame.
    """

    title: str
    note: str
    frame: pd.DataFrame
    columns: tuple[Column, ...] = ()

    def __post_init__(self) -> None:
        found = tuple(map(str, self.frame.columns))
        if not self.columns:
            object.__setattr__(self, "columns", tuple(Column(name) for name in found))
        elif (declared := tuple(column.name for column in self.columns)) != found:
            raise ValueError(f"a table has the columns {', '.join(found)}; its types are of {', '.join(declared)}")

    def _line(self) -> str:
        return f"{self.title!r}: {len(self.frame):,} rows of {', '.join(column.name for column in self.columns)}"

    def names(self, *kinds: Kind) -> list[str]:
        """The names of the columns of these kinds."""
        return [column.name for column in self.columns if column.kind in kinds]

    @cached_property
    def records(self) -> tuple[Mapping[str, object], ...]:
        """The rows for display: by column name, texts without control characters, missing values as ``None``."""
        names = [str(name) for name in self.frame.columns]
        return tuple(dict(zip(names, map(_displayed, row), strict=True)) for row in self._rows())

    def as_dict(self) -> dict[str, object]:
        """The JSON form: title, note, columns, their types and rows; missing values as ``None``."""
        rows = [[plain_value(value) for value in row] for row in self._rows()]
        typed = any(column.kind != "untyped" for column in self.columns)
        return {
            "title": self.title,
            "note": self.note,
            "columns": list(self.frame.columns),
            **({"column_types": [_type_of(column) for column in self.columns]} if typed else {}),
            "rows": rows,
        }

    def _rows(self) -> Iterable[tuple[object, ...]]:
        return self.frame.itertuples(index=False, name=None)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Table:
        """The inverse of :meth:`as_dict`; also reads earlier versions without types.

        Raises
        ------
        ValueError
            If the types are malformed, or not one for each column.
        """
        types: Sequence[Any] = data.get("column_types") or [{}] * len(data["columns"])
        named = [{**given, "name": name} for name, given in zip(data["columns"], types, strict=True)]
        columns = _COLUMNS.validate_python(tuple(named))
        frame = pd.DataFrame(data["rows"], columns=data["columns"])
        # pandas makes floats of counts of which some are missing
        counts = [column.name for column in columns if column.kind in ("n_speakers", "count")]
        broken = {name: "Int64" for name in counts if frame[name].dtype.kind == "f" and _whole(frame[name])}
        return cls(data["title"], data["note"], frame.astype(broken), columns)


_COLUMNS: Final = TypeAdapter(tuple[Column, ...])


class TableForm(Form):
    """The JSON form of a table, with one cell per row and column."""

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


StoredTable = Annotated[TableForm, AfterValidator(lambda form: Table.from_dict(form.model_dump()))]
"""The table of a form that has the types of :class:`TableForm`."""


def _type_of(column: Column) -> dict[str, object]:
    """The fields of a column that are not empty, without its name."""
    values = {field.name: getattr(column, field.name) for field in fields(column)}
    return {name: value for name, value in values.items() if value and name != "name"}


def _displayed(value: object) -> object:
    value = plain_value(value)
    return clean(value) if isinstance(value, str) else value


def _whole(numbers: pd.Series) -> bool:
    """Whether all numbers that are not missing are integers."""
    return bool((numbers.dropna() % 1 == 0).all())


def plain_value(value: object) -> object:
    """A cell as a JSON value: numpy numbers as Python numbers, missing values as ``None``."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
