"""Is it the recording? Gaps without and with adjustment for age, gender and recording quality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from audit.audits.audit import Audit
from audit.core.recording import RECORDING
from audit.core.units import write_estimate
from audit.reports.html.records import MetricDefinitions, Record, Value, count, number, records, text, values
from audit.reports.html.tabular import DASH, Cell, Column, TableView, estimate, head, missing, whole, words, written
from audit.reports.html.wording import group_name
from audit.stats.e_value import EValue

SECTION: Final = "adjusted_gaps"


@dataclass(frozen=True)
class Gap:
    """One row of the table of adjusted gaps."""

    row: Record
    title: str
    unit: str

    @property
    def unadjusted(self) -> Value:
        """The gap without adjustment."""
        return Value.of(self.row, "unadjusted")

    @property
    def adjusted(self) -> Value:
        """The gap with adjustment."""
        return Value.of(self.row, "adjusted")

    @property
    def strength(self) -> EValue | None:
        """The E-values."""
        point = number(self.row, "e_value")
        return None if point is None else EValue(point, number(self.row, "e_value_end"))

    @property
    def overlaps(self) -> bool:
        """Whether the covariates of the group overlap with those of the others."""
        return text(self.row, "overlap") == "yes"

    @property
    def sentence(self) -> str:
        """What the two gaps say, in words."""
        found, adjusted = (
            write_estimate(each.value, each.low, each.high, self.unit, signed=True)
            for each in (self.unadjusted, self.adjusted)
        )
        who = f"{self.title}, {group_name(text(self.row, 'group'))} speakers"
        if self.adjusted.value is None:
            return f"{who}: {found}, {self.adjusted.method or 'not adjusted'}."
        start = f"{who}: {found}; adjusted {adjusted}."
        if not self.overlaps:
            return f"{start} The group's speakers are too unlike the others to be compared at equal covariates."
        if not _beyond_zero(self.adjusted):
            return f"{start} What was adjusted for may explain the gap; the interval does not show that it does."
        found_end = self.strength.end if self.strength else None
        if found_end is None:
            return f"{start} What was adjusted for does not explain the gap."
        return (
            f"{start} What was adjusted for does not explain the gap. An unmeasured cause would need a risk ratio of "
            f"at least {found_end:.1f} with the group and with the outcome to make the interval contain 0."
        )


def adjusted_gaps(audit: Audit) -> TableView:
    """Every gap without and with adjustment."""
    gaps = _gaps(audit)
    several = len({text(gap.row, "grouping") for gap in gaps}) > 1
    by = [Column[Gap]("Grouping", lambda gap: words(text(gap.row, "grouping")))] if several else []
    columns = (
        Column[Gap]("Figure", lambda gap: head(gap.title)),
        *by,
        Column[Gap]("Group", lambda gap: words(group_name(text(gap.row, "group")))),
        Column[Gap]("Unadjusted", lambda gap: estimate(gap.unadjusted, gap.unit, signed=True), True, "Gap"),
        Column[Gap]("Adjusted", lambda gap: estimate(gap.adjusted, gap.unit, True, speakers=False), True, "Gap"),
        Column[Gap]("E-value", _strength, True, hint="of the interval's end below"),
        Column[Gap]("Overlap", _overlap),
        Column[Gap]("Left out", lambda gap: whole(count(gap.row, "n_left_out")), True, hint="clips"),
    )
    return TableView.of("adjusted-gaps", "Gaps without and with adjustment", columns, gaps, sortable=False)


def adjusted_for(audit: Audit) -> str:
    """What the gaps by group are adjusted for; empty if nothing could be."""
    return next((found for gap in _gaps(audit) if (found := text(gap.row, "adjusted_for"))), "")


def recording_measured(audit: Audit) -> bool:
    """Whether the run has any measure of the recording that varies."""
    columns = {measure.column for measure in RECORDING}
    return any(text(row, "attribute") in columns for row in records(audit, "trends"))


def adjusted_sentences(audit: Audit) -> list[str]:
    """A sentence for every unadjusted gap whose interval does not contain 0."""
    return [gap.sentence for gap in _gaps(audit) if _beyond_zero(gap.unadjusted)]


def _gaps(audit: Audit) -> list[Gap]:
    defined, rows = MetricDefinitions.of(audit), records(audit, SECTION)
    order = {name: i for i, name in enumerate(values(rows, "group"))}
    metrics = list(dict.fromkeys(text(row, "metric") for row in rows))
    rows.sort(key=lambda row: (text(row, "grouping"), metrics.index(text(row, "metric")), order[text(row, "group")]))
    return [Gap(row, defined.title(text(row, "metric")), defined.unit(text(row, "metric"))) for row in rows]


def _beyond_zero(value: Value) -> bool:
    return value.low is not None and value.high is not None and not value.low <= 0 <= value.high


def _strength(gap: Gap) -> Cell:
    found = gap.strength
    if found is None:
        return DASH
    return written(found.point, f"{found.point:.1f}", *([] if found.end is None else [f"{found.end:.1f}"]))


def _overlap(gap: Gap) -> Cell:
    return words("yes") if gap.overlaps else missing("no", gap.adjusted.method)
