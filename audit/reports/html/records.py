"""Rows of the audit's tables as plain values: text, numbers or ``None``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from audit.audits.audit import Audit
from audit.audits.table import Table, plain_value
from audit.core.clean_text import clean

Record = Mapping[str, object]


class Tabled(Protocol):
    """A document with tables by name, such as an audit."""

    @property
    def tables(self) -> Mapping[str, Table]:
        """The tables, by name."""
        ...


def records(audit: Tabled, table: str) -> list[dict[str, object]]:
    """The rows of a table; none if the document has no such table."""
    if table not in audit.tables:
        return []
    frame = audit.tables[table].frame
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, map(plain, row), strict=True)) for row in frame.itertuples(index=False, name=None)]


def plain(value: object) -> object:
    """A cell as a built-in type; every missing value as ``None``."""
    value = plain_value(value)
    return clean(value) if isinstance(value, str) else value


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
    return [row for row in records(audit, "disparities") if all(text(row, key, "all") == "all" for key in further)]


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
        return self.label(metric).capitalize()

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


def values(rows: Iterable[Record], key: str, order: Callable[[Iterable[str]], list[str]] = sorted) -> list[str]:
    """The unique texts of a column, in an order."""
    return order({text(row, key) for row in rows})


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
