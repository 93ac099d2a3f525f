"""The tables about the instrument's error and about missing reads."""

from __future__ import annotations

from audit.audits.audit import Audit
from audit.core.units import write_interval, write_value
from audit.core.vocabulary import RACES
from audit.reports.html.records import (
    MetricDefinitions,
    Record,
    count,
    disparities,
    number,
    records,
    text,
    values,
    where,
)
from audit.reports.html.tabular import Cell, Column, TableView, head, whole, words
from audit.reports.html.wording import group_name, language_name, order_groups, order_languages
from audit.reports.report.evidence import one

_STAGES = ("ceiling", "rendered")
_READERS = {
    "instrument": "By the instrument, all faces",
    "people": "By people, some faces",
    "prediction_powered": "By both, prediction-powered",
}


def calibration(audit: Audit) -> TableView | None:
    """The instrument's reads of calibration pictures, whose truth is known."""
    rows = records(audit, "confusion")
    if not rows:
        return None
    columns = [Column("Shown"), *(Column(group_name(race), numeric=True, band="Read as") for race in RACES)]
    view = TableView("calibration", "Reads of the calibration pictures", columns)
    for truth in values(rows, "truth", order_groups):
        here = where(rows, truth=truth)
        cells = [view.estimate(one(here, read=race), "share") for race in RACES]
        view.rows.append([head(group_name(truth)), *cells])
    return view


def corrected(audit: Audit) -> TableView | None:
    """Own-group reads and reads as white at each later stage, raw and corrected for the instrument's error."""
    rows = records(audit, "corrected")
    if not rows:
        return None
    raw = [row for row in disparities(audit) if text(row, "metric").startswith("read_")]
    columns = [Column("Group"), Column("Language")]
    columns += [
        Column(f"{stage.capitalize()}, {how}", numeric=True, band=band)
        for band in ("Read as the own group", "Read as white")
        for stage in _STAGES
        for how in ("raw", "corrected")
    ]
    view = TableView("corrected", "Raw, and corrected for the instrument's misclassification", columns)
    for group in values(rows, "group", order_groups):
        for language in values(where(rows, group=group), "language", order_languages):
            cells: list[Cell] = []
            for read in (group, "white"):
                for stage in _STAGES:
                    metric = "read_own_group" if read == group else "read_white"
                    read_by = one(raw, metric=metric, stage=stage, group=group, language=language)
                    made = one(rows, stage=stage, group=group, language=language, read=read)
                    cells += [view.estimate(read_by, "share", bare=False), _corrected(view, made, read)]
            view.rows.append([head(group_name(group)), words(language_name(language)), *cells])
    conditions = [value for row in rows if (value := number(row, "condition_number")) is not None]
    if conditions:
        view.note = f"Condition number of the calibration: {f'{max(conditions):.1f}'} (1 would lose nothing)."
    return view


def _corrected(view: TableView, row: Record | None, read: str) -> Cell:
    """A corrected figure, or the reason why there is none."""
    if row is None and "|" in read:
        reason = "Not corrected: the label allows several reads, and calibration pictures need one."
        return Cell("not corrected", kind="missing", note=view.note_for(reason))
    if row is None:
        reason = "Not corrected: no calibration pictures of this label."
        return Cell("not corrected", kind="missing", note=view.note_for(reason))
    return view.estimate(row, "share", bare=False)


def bounds(audit: Audit) -> TableView | None:
    """Worst-case (Manski) bounds of rates over missing faces and speakers of unknown group.

    Rows without missing faces or unknown speakers are left out, because there the bounds equal the figure.
    """
    rows = [
        row
        for row in records(audit, "bounds")
        if (count(row, "n_missing") or 0) + (count(row, "n_unknown") or 0) > 0 and text(row, "language") == "all"
    ]
    if not rows:
        return None
    columns = (
        Column("Group"),
        Column("Figure"),
        Column("Unknown"),
        Column("Lowest possible", numeric=True),
        Column("Highest possible", numeric=True),
        Column("With sampling error", numeric=True),
        Column("Clips without a face", numeric=True),
        Column("Unknown speakers", numeric=True),
    )
    view = TableView("bounds", "Worst-case bounds of the rates, all languages", columns)
    metrics = MetricDefinitions.of(audit)
    for group in values(rows, "group", order_groups):
        for row in where(rows, group=group):
            least, most = (_share(row, end) for end in ("least", "most"))
            ends = write_interval(number(row, "low"), number(row, "high"), "share", signed=False)
            view.rows.append(
                [
                    head(group_name(group)),
                    words(metrics.label(text(row, "metric"))),
                    words(text(row, "not_known")),
                    least,
                    most,
                    Cell(ends, kind="number"),
                    whole(count(row, "n_missing")),
                    whole(count(row, "n_unknown")),
                ]
            )
    return view


def people(audit: Audit) -> TableView | None:
    """Human readings of some rendered faces, the instrument's readings, and their combination."""
    rows = [row for row in records(audit, "human_readings") if text(row, "language") == "all"]
    if not rows:
        return None
    columns, metrics = [Column("Group")], MetricDefinitions.of(audit)
    columns += [
        Column(label, numeric=True, band=metrics.title(metric))
        for metric in ("read_own_group", "read_white")
        for label in _READERS.values()
    ]
    columns.append(Column("People and instrument agree", numeric=True))
    view = TableView("people", "Readings of the rendered faces by people and by the instrument, all languages", columns)
    for group in values(rows, "group", order_groups):
        here = where(rows, group=group)
        cells = [
            view.estimate(one(here, metric=metric, read_by=reader), "share", bare=False)
            for metric in ("read_own_group", "read_white")
            for reader in _READERS
        ]
        agreement = view.estimate(one(here, metric="alike", read_by="people"), "share", bare=False)
        view.rows.append([head(group_name(group)), *cells, agreement])
    return view


def _share(row: Record, key: str) -> Cell:
    value = number(row, key)
    if value is None:
        return Cell("not estimable", kind="missing")
    return Cell(write_value(value, "share", signed=False), sort=repr(value), kind="number")
