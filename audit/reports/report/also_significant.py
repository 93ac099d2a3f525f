"""What is significant outside the headlines of the checks: judged figures, and rows of tables with a q-value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audit.audits.audit import Audit
from audit.audits.continuous import attribute
from audit.audits.table import OF_METRIC, Q_VALUE, Column, Table
from audit.checks import shipped
from audit.checks.finding import Finding
from audit.core.clean_text import clean
from audit.core.language_names import language_name
from audit.core.units import write_estimate
from audit.core.vocabulary import group_members
from audit.reports.html.records import MetricDefinitions, Record, number, records, text
from audit.reports.html.tabular import p_value
from audit.reports.html.wording import counted, figure_name, file_stem, group_name
from audit.reports.report.evidence import falls

MOST_ROWS: Final = 2
"""Rows of each table that are written out, each of another metric; the others are counted."""
VIEWS: Final = {
    "groups": "groups",
    "changes": "stages-{metric}",
    "language_effects": "language-effects",
    "rendered_as": "rendered-as",
    "trends": "trends",
}
"""The tables of the page that show the rows of a table of the audit; those of third-party tables have its name."""


@dataclass(frozen=True)
class Also:
    """What is significant in one check or table: its title, the place on the page, the count, and the first few.

    ``place`` is an id on the page; where it is empty, the rows are in the file ``file`` only.
    """

    title: str
    place: str
    count: str
    named: tuple[str, ...]
    file: str = ""


def also_significant(audit: Audit, on_page: Sequence[str]) -> tuple[Also, ...]:
    """The shown figures that are not a headline, then the tables with rows whose q is at most 1 minus the confidence.

    Parameters
    ----------
    audit : Audit
        The audit.
    on_page : sequence of str
        The names of the tables on the page, to which links lead.
    """
    confidence = audit.settings.get("confidence")
    level = 1 - confidence if isinstance(confidence, float) else 0.05
    of_checks = [
        found for place, finding in enumerate(audit.findings, 1) if (found := _of_check(finding, f"check-{place}"))
    ]
    of_tables = [
        found
        for name, table in audit.tables.items()
        if Q_VALUE in table.columns and (found := _of_table(audit, name, table, level, on_page))
    ]
    return (*of_checks, *of_tables)


def _of_check(finding: Finding, place: str) -> Also | None:
    """The shown figures of a check other than those of the headline's name."""
    head = finding.estimate
    shown = [
        figure
        for figure in finding.estimates.values()
        if figure.margin is not None and head and figure.name != head.name and figure.verdict.outcome == "shown"
    ]
    if not shown:
        return None
    named = tuple(f"{figure_name(figure)} {figure.text}" for figure in shown[:MOST_ROWS])
    return Also(clean(finding.code), place, f"{counted(len(shown), 'further figure')}", named)


def _of_table(audit: Audit, name: str, table: Table, level: float, on_page: Sequence[str]) -> Also | None:
    """The significant rows of a table, the first of several rows with the same keys; ``None`` without any."""
    rows: dict[tuple[str, ...], Record] = {}
    for row in table.records:
        rows.setdefault(tuple(text(row, column.name) for column in table.columns if column.key), row)
    found = [row for row in rows.values() if (q := number(row, Q_VALUE.name)) is not None and q <= level + 1e-12]
    if not found:
        return None
    order = _Order.of(audit)
    found.sort(key=lambda row: (*order.last(row), number(row, Q_VALUE.name) or 0.0))
    chosen: dict[str, Record] = {}
    for row in found:
        chosen.setdefault(next((text(row, c.name) for c in table.columns if c.kind in ("metric", "read")), ""), row)
    defined = MetricDefinitions.of(audit)
    named = tuple(_words(row, table.columns, defined) for row in [*chosen.values()][:MOST_ROWS])
    view = VIEWS.get(name, f"further-{file_stem(name)}")
    views = [view.format(metric=metric) for metric in chosen] if "{" in view else [view]
    shown = next((view for view in views if view in on_page), "")
    count = f"{len(found):,} of {counted(len(rows), 'row')}"
    return Also(clean(table.title), f"table-{shown}" if shown else "", count, named, f"tables/{name}.csv")


@dataclass(frozen=True)
class _Order:
    """What comes last: metrics without a worse direction, and those that a shown check is about."""

    worse: dict[str, str]
    covered: frozenset[str]

    @classmethod
    def of(cls, audit: Audit) -> _Order:
        defined = records(audit, "metric_definitions")
        shown = {finding.code for finding in audit.findings if finding.outcome == "shown"}
        judged = {
            quantity for check in shipped() if check.code in shown for j in check.judged for quantity in j.quantities
        }
        covered = frozenset(text(row, "metric") for row in defined if text(row, "quantity") in judged)
        return cls({text(row, "metric"): text(row, "worse") for row in defined}, covered)

    def last(self, row: Record) -> tuple[bool, bool]:
        """Whether a row has no worse direction, and whether a shown check is about it."""
        metric, own = text(row, "metric"), text(row, "read") in group_members(text(row, "group"))
        covered = metric in self.covered or (own and bool(falls() & self.covered))
        return not self.worse.get(metric, ""), covered


def _words(row: Record, columns: Sequence[Column], defined: MetricDefinitions) -> str:
    """A row in words: whom, what, its difference with the interval, and q."""
    whom, what = [], []
    for column in columns:
        value = text(row, column.name)
        if not value or value == "all":
            continue
        if column.kind == "group" or column.name == column.about:
            whom.append(group_name(value))
        elif column.kind == "language":
            whom.append(language_name(value))
        elif column.kind == "metric":
            what.append(defined.label(value))
        elif column.kind == "read":
            what.append(f"read as {group_name(value)}")
        elif column.name == "attribute":
            what.append(f"along {attribute(value).label}")
        elif column.name == "to_stage":
            what[-1] += f" to {clean(value)}"
        elif column.key:
            what.append(clean(value))
    size = _difference(row, columns, defined)
    q = p_value(number(row, Q_VALUE.name)).text
    start = f"{', '.join(whom) or 'all groups'}: {', '.join(what)}"
    return f"{start} {size} (q {q})" if size else f"{start} (q {q})"


def _difference(row: Record, columns: Sequence[Column], defined: MetricDefinitions) -> str:
    """The first signed figure of a row, with its interval; empty where the table has none."""
    for place, column in enumerate(columns):
        if column.kind == "value" and column.signed:
            metric = text(row, "metric")
            unit = defined.unit(metric) if column.unit == OF_METRIC else column.unit
            names = [each.name for each in columns[place : place + 3]]
            value, low, high = (number(row, name) for name in names)
            if metric in falls() and any(each.name == "from_stage" for each in columns):
                value, low, high = (None if end is None else -end for end in (value, high, low))
                return f"fall {write_estimate(value, low, high, unit, signed=True)}"
            return "" if value is None else write_estimate(value, low, high, unit, signed=True)
    return ""
