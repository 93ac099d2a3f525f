"""The section "Worst slices" of the report: which slice of the cohort fails most, by metric."""

from __future__ import annotations

from collections.abc import Sequence

from audit.audits.audit import Audit
from audit.core.units import write_estimate, write_value
from audit.reports.html.records import MetricDefinitions, Record, Value, count, number, records, split, text
from audit.reports.html.tabular import DASH, Cell, Column, TableView, estimate, head, p_value, whole, words, written
from audit.reports.html.wording import counted

SECTION = "worst_slices"


def slice_sentences(audit: Audit) -> list[str]:
    """One sentence for each metric: the slice that fails most, or that none fails more than chance allows."""
    metrics = MetricDefinitions.of(audit)
    return [_sentence(rows[0], metrics) for rows in split(records(audit, SECTION), "metric")]


def _sentence(row: Record, metrics: MetricDefinitions) -> str:
    metric, number_of = text(row, "metric"), count(row, "n_slices")
    title, unit, gap = metrics.title(metric), metrics.unit(metric), Value.of(row, "difference")
    if not number_of:
        return f"{title}: {text(row, 'method')}."
    searched = counted(number_of, "slice")
    if not count(row, "place"):
        return f"{title}: none of {searched} fails more than its complement."
    worst, p = text(row, "slice"), number(row, "p_value")
    value = number(row, "value")
    if gap.value is None or gap.low is None or gap.high is None or p is None or value is None:
        return f"{title}: of {searched}, {worst} fails most; the figures are suppressed."
    found = write_estimate(gap.value, gap.low, gap.high, unit, signed=True)
    if gap.low <= 0 <= gap.high:
        chance = f"none of {searched} fails more than chance allows"
        return f"{title}: {chance}; the largest difference, of {worst}, is {found}, p = {_written(p)}."
    return (
        f"{title}: of {searched}, {worst} fails most: {write_value(value, unit)}, {found} against all others "
        f"({counted(count(row, 'n_speakers') or 0, 'speaker')}, p = {_written(p)})."
    )


def _written(p: float) -> str:
    return f"{p:.3f}"


def worst_slices(audit: Audit) -> TableView:
    """The worst slices of every metric, with simultaneous intervals."""
    metrics = MetricDefinitions.of(audit)
    absent = "suppressed" if audit.settings.get("suppress_below") else "not recorded"

    def value(row: Record) -> Cell:
        found = number(row, "value")
        return DASH if found is None else written(found, write_value(found, metrics.unit(text(row, "metric"))))

    def difference(row: Record) -> Cell:
        return estimate(Value.of(row, "difference"), metrics.unit(text(row, "metric")), signed=True, speakers=False)

    columns = (
        Column[Record]("Figure", lambda row: head(metrics.title(text(row, "metric")))),
        Column[Record]("Slice", lambda row: words(text(row, "slice"))),
        Column[Record]("Value", value, numeric=True),
        Column[Record]("Difference to all others", difference, numeric=True),
        Column[Record]("p", lambda row: p_value(number(row, "p_value")), numeric=True),
        Column[Record]("Speakers", lambda row: whole(count(row, "n_speakers"), absent), numeric=True),
        Column[Record]("Clips", lambda row: whole(count(row, "n_clips"), absent), numeric=True),
        Column[Record]("Slices searched", lambda row: whole(count(row, "n_slices")), numeric=True),
    )
    return TableView.of("worst-slices", "Worst slices", columns, _listed(records(audit, SECTION)), sortable=False)


def _listed(rows: Sequence[Record]) -> list[Record]:
    """The rows that name a slice."""
    return [row for row in rows if count(row, "place")]
