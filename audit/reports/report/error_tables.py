"""The tables about the instrument's error and about missing reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from audit.audits.audit import Audit
from audit.core.units import write_interval, write_value
from audit.core.vocabulary import RACES
from audit.reports.html.records import (
    MetricDefinitions,
    Record,
    Value,
    count,
    disparities,
    number,
    one,
    records,
    split,
    text,
    where,
)
from audit.reports.html.tabular import (
    GROUP,
    LANGUAGE,
    Cell,
    Column,
    TableView,
    estimate,
    figure,
    head,
    missing,
    whole,
    words,
    written,
)
from audit.reports.html.wording import group_name

_READERS = {
    "instrument": "By the instrument, all faces",
    "people": "By people, some faces",
    "prediction_powered": "By both, prediction-powered",
}


def calibration(audit: Audit) -> TableView:
    """The instrument's reads of calibration pictures, whose truth is known."""
    columns = [Column[Sequence[Record]]("Shown", lambda of: head(group_name(text(of[0], "truth"))))]
    columns += [figure(group_name(race), "share", band="Read as", read=race) for race in RACES]
    rows = split(records(audit, "confusion"), "truth")
    return TableView.of("calibration", "Reads of the calibration pictures", columns, rows)


def corrected(audit: Audit) -> TableView:
    """Own-group reads and reads as white at each later stage, raw and corrected for the instrument's error."""
    rows, raw = records(audit, "corrected"), disparities(audit)
    columns = [GROUP, LANGUAGE]
    for band, metric, read in (
        ("Read as the own group", "read_own_group", ""),
        ("Read as white", "read_white", "white"),
    ):
        for stage in ("ceiling", "rendered"):
            columns.append(figure(f"{stage.capitalize()}, raw", "share", band=band, metric=metric, stage=stage))
            columns.append(Column(f"{stage.capitalize()}, corrected", _corrected(stage, read), True, band))
    items = [
        [*of, *where(raw, group=text(of[0], "group"), language=text(of[0], "language"))]
        for of in split(rows, "group", "language")
    ]
    view = TableView.of("corrected", "Raw, and corrected for the instrument's misclassification", columns, items)
    conditions = [value for row in rows if (value := number(row, "condition_number")) is not None]
    if conditions:
        view.note = f"Condition number of the calibration: {max(conditions):.1f} (1 would lose nothing)."
    return view


def _corrected(stage: str, read: str) -> Callable[[Sequence[Record]], Cell]:
    """The corrected share of a read, or the reason why there is none; an empty ``read`` is the row's own group."""

    def cell(rows: Sequence[Record]) -> Cell:
        named = read or text(rows[0], "group")
        if (row := one(rows, stage=stage, read=named)) is not None:
            return estimate(Value.of(row), "share")
        if "|" in named:
            reason = "Not corrected: the label allows several reads, and calibration pictures need one."
            return missing("not corrected", reason)
        return missing("not corrected", "Not corrected: no calibration pictures of this label.")

    return cell


def bounds(audit: Audit) -> TableView:
    """Worst-case (Manski) bounds of rates over missing faces and speakers of unknown group.

    Rows without missing faces or unknown speakers are left out, because there the bounds equal the figure.
    """
    rows = where(records(audit, "bounds"), language="all")
    rows = [row for row in rows if (count(row, "n_missing") or 0) + (count(row, "n_unknown") or 0) > 0]
    metrics = MetricDefinitions.of(audit)
    columns = (
        Column[Record]("Group", lambda row: head(group_name(text(row, "group")))),
        Column[Record]("Figure", lambda row: words(metrics.label(text(row, "metric")))),
        Column[Record]("Unknown", lambda row: words(text(row, "not_known"))),
        Column[Record]("Lowest possible", lambda row: _share(row, "least"), numeric=True),
        Column[Record]("Highest possible", lambda row: _share(row, "most"), numeric=True),
        Column[Record]("With sampling error", _sampled, numeric=True),
        Column[Record]("Clips without a face", lambda row: whole(count(row, "n_missing")), numeric=True),
        Column[Record]("Unknown speakers", lambda row: whole(count(row, "n_unknown")), numeric=True),
    )
    items = [row for of in split(rows, "group") for row in of]
    return TableView.of("bounds", "Worst-case bounds of the rates, all languages", columns, items)


def _share(row: Record, key: str) -> Cell:
    value = number(row, key)
    return missing() if value is None else written(value, write_value(value, "share"))


def _sampled(row: Record) -> Cell:
    return Cell(write_interval(number(row, "low"), number(row, "high"), "share"), kind="number")


def people(audit: Audit) -> TableView:
    """Human readings of some rendered faces, the instrument's readings, and their combination."""
    rows, metrics = where(records(audit, "human_readings"), language="all"), MetricDefinitions.of(audit)
    columns = [GROUP]
    for metric in ("read_own_group", "read_white"):
        for reader, label in _READERS.items():
            columns.append(figure(label, "share", band=metrics.title(metric), metric=metric, read_by=reader))
    columns.append(figure("People and instrument agree", "share", metric="alike", read_by="people"))
    caption = "Readings of the rendered faces by people and by the instrument, all languages"
    return TableView.of("people", caption, columns, split(rows, "group"))
