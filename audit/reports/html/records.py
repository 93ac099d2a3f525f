"""Rows of the audit's tables as plain values: text, numbers or ``None``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from audit.audits.audit import Audit
from audit.audits.table import Table
from audit.core.clean_text import clean
from audit.core.units import write_interval, write_value
from audit.reports.html.wording import order_genders, order_groups, order_languages

Record = Mapping[str, object]
_ORDERS: Final[Mapping[str, Callable[[Iterable[str]], list[str]]]] = {
    "group": order_groups,
    "truth": order_groups,
    "language": order_languages,
    "gender": order_genders,
}
"""The display order of a column's texts; all others are sorted."""


class Tabled(Protocol):
    """A document with tables by name, such as an audit."""

    @property
    def tables(self) -> Mapping[str, Table]:
        """The tables, by name."""
        ...


def records(audit: Tabled, table: str) -> list[Record]:
    """The rows of a table; none if the document has no such table."""
    return [*audit.tables[table].records] if table in audit.tables else []


def text(record: Record, key: str, default: str = "") -> str:
    """A text of a row, or the default."""
    value = record.get(key)
    return default if value is None else clean(str(value))


def number(record: Record, key: str) -> float | None:
    """A number of a row, or ``None``."""
    value = record.get(key)
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def count(record: Record, key: str) -> int | None:
    """An integer of a row, or ``None``."""
    value = number(record, key)
    return None if value is None else round(value)


def further_keys(audit: Audit) -> list[str]:
    """The plan's columns, besides group and language, that split the table of disparities."""
    by = audit.settings.get("by")
    return sorted({str(name) for name in by} - {"group", "language"}) if isinstance(by, (list, tuple)) else []


def disparities(audit: Audit) -> list[Record]:
    """The figures by group and language, without those split by further columns."""
    further = further_keys(audit)
    return [row for row in records(audit, "disparities") if all(row.get(key) in (None, "all") for key in further)]


@dataclass(frozen=True)
class MetricDefinitions:
    """The label and unit of every metric, from a document's table ``metric_definitions``."""

    labels: Mapping[str, str]
    units: Mapping[str, str]

    @classmethod
    def of(cls, document: Tabled) -> MetricDefinitions:
        """The definitions of a document; documents of earlier versions have none."""
        rows = records(document, "metric_definitions")
        labels, units = ({text(row, "metric"): text(row, key) for row in rows} for key in ("label", "unit"))
        return cls(labels, units)

    def label(self, metric: str) -> str:
        """The metric's label; its name with spaces if it is not defined.

        Examples
        --------
        >>> MetricDefinitions({"age_error": "error of the age"}, {}).label("age_error")
        'error of the age'
        >>> MetricDefinitions({}, {}).label("age_error")
        'age error'
        """
        return self.labels.get(metric) or clean(metric.replace("_", " "))

    def title(self, metric: str) -> str:
        """The label with a capital."""
        label = self.label(metric)
        return label[:1].upper() + label[1:]

    def unit(self, metric: str) -> str:
        """The unit of the metric's values; empty if it is not defined."""
        return self.units.get(metric, "")

    def scale(self, metric: str) -> str:
        """The unit of a difference: points for shares."""
        unit = self.unit(metric)
        return "points" if unit == "share" else unit


def where(rows: Iterable[Record], **fixed: str) -> list[Record]:
    """The rows whose columns have these texts."""
    return [row for row in rows if all(text(row, key) == value for key, value in fixed.items())]


def one(rows: Iterable[Record], **fixed: str) -> Record | None:
    """The first row with these texts, or ``None``."""
    return next(iter(where(rows, **fixed)), None)


def values(rows: Iterable[Record], key: str) -> list[str]:
    """The unique texts of a column, in display order."""
    return _ORDERS.get(key, sorted)(dict.fromkeys(text(row, key) for row in rows))


def split(rows: Sequence[Record], *keys: str) -> list[list[Record]]:
    """The rows of every combination of texts in the key columns, in display order.

    Examples
    --------
    >>> rows = [{"group": "white", "value": 1}, {"group": "asian", "value": 2}, {"group": "white", "value": 3}]
    >>> [[row["value"] for row in here] for here in split(rows, "group")]
    [[2], [1, 3]]
    """
    found: dict[tuple[str, ...], list[Record]] = {}
    for row in rows:
        found.setdefault(tuple(text(row, key) for key in keys), []).append(row)
    orders = [values(rows, key) for key in keys]
    return [found[place] for place in sorted(found, key=lambda place: list(map(list.index, orders, place)))]


@dataclass(frozen=True)
class Value:
    """A figure of a row: value, interval, number of speakers, and how it was made or why it is missing."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n_speakers: int | None = None
    method: str = ""

    @classmethod
    def of(cls, row: Record, name: str = "value", size: str = "n_speakers") -> Value:
        """The figure in the column ``name``, with the columns of its interval and the column of its sample size."""
        low, high = ("low", "high") if name == "value" else (f"{name}_low", f"{name}_high")
        return cls(number(row, name), number(row, low), number(row, high), count(row, size), text(row, "method"))

    @property
    def turned(self) -> Value:
        """The same difference, subtracted the other way round.

        Examples
        --------
        >>> Value(-0.5, -0.75, -0.25).turned
        Value(value=0.5, low=0.25, high=0.75, n_speakers=None, method='')
        """
        value, low, high = (None if end is None else -end for end in (self.value, self.high, self.low))
        return replace(self, value=value, low=low, high=high)

    def words(self, unit: str, signed: bool = False) -> str:
        """The value with its interval, for alternative texts."""
        if self.value is None:
            return "not estimable"
        return f"{write_value(self.value, unit, signed)} {write_interval(self.low, self.high, unit, signed)}"


def strings(value: object) -> list[str]:
    """A stored text or list of texts, as a list."""
    if value is None:
        return []
    if isinstance(value, (list, tuple)):
        return [clean(str(item)) for item in value]
    return [clean(str(value))]


def mapping(value: object) -> dict[str, object]:
    """A stored mapping; empty if there is none."""
    return {clean(str(key)): item for key, item in value.items()} if isinstance(value, Mapping) else {}
