"""The tables of the probe's page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from audit.core.units import write_interval, write_number, write_value
from audit.core.vocabulary import GENDERS
from audit.probes.probe import Probe
from audit.reports.html.badges import BADGES
from audit.reports.html.records import Record, count, number, one, records, text, where
from audit.reports.html.tabular import Cell, Column, TableView, estimate, head, whole, words
from audit.reports.html.wording import status_name
from audit.reports.probe.names import TITLES, capital, properties_in, reads_in, voices_name
from audit.reports.probe.panels import FACTOR, figure_of, overall
from audit.stats import ALL

_MATRIX_NOTE: Final = (
    "In each cell: the outcome, and the excess over another clip with its interval. Intervals are simultaneous over "
    "the factors of one family (pitch; duration). An excess below zero means that the factor changes less than another "
    "clip does. n: voices that have both. Every row is in effects.csv."
)
_SHIFTS_NOTE: Final = (
    "Intervals are simultaneous over voices of women and of men. Before an altered clip is the clip itself; before the "
    "other language, all English clips; before another clip, the English clip that is altered. Groups are in reads.csv."
)
_FACTOR: Final = Column[Sequence[Record]]("Factor", lambda of: head(TITLES[text(of[0], "factor")]))


def matrix(probe: Probe) -> TableView:
    """The outcome and the excess of every factor and property, over all voices."""

    def outcome(name: str, unit: str) -> Callable[[Sequence[Record]], Cell]:
        return lambda of: _outcome(one(of, property=name) or {}, unit)

    rows = [row for row in overall(probe) if text(row, "outcome")]
    columns = [_FACTOR]
    for prop in properties_in(probe):
        hint = f"margin {write_value(prop.margin, prop.unit, signed=True).removeprefix('+')}"
        columns.append(Column(capital(prop.title), outcome(prop.name, prop.unit), hint=hint))
    columns.append(Column("n", lambda of: whole(min(count(row, "n_voices") or 0 for row in of)), numeric=True))
    items = [of for factor in TITLES if (of := where(rows, factor=factor))]
    caption = "Each factor against another clip: the verdicts"
    return TableView.of("matrix", caption, columns, items, _MATRIX_NOTE, sortable=False)


def _outcome(row: Record, unit: str) -> Cell:
    outcome, value = text(row, "outcome", "not_evaluable"), number(row, "excess")
    lines = []
    if value is not None:
        interval = write_interval(number(row, "excess_low"), number(row, "excess_high"), unit, signed=True)
        lines.append(f"{write_number(value, unit, signed=True)} {interval}")
    return Cell(str(BADGES[outcome]), tuple(lines), kind=f"word word-{outcome}")


def shifts(probe: Probe) -> TableView:
    """The shifts of the reads under every factor: as a woman by the voice's sex, the others over all voices."""
    rows = where(records(probe, "reads"), group=ALL)
    sexes = [gender for gender in GENDERS if where(rows, gender=gender)] or [ALL]
    hints = {"woman": "voices of women", "man": "voices of men", ALL: "all voices"}

    def shift(read: str, sex: str, unit: str) -> Callable[[str], Cell]:
        def cell(factor: str) -> Cell:
            row = one(rows, read=read, factor=factor, gender=sex)
            return estimate(figure_of(row, "shift") if row else None, unit, signed=True, speakers=False)

        return cell

    columns = [Column[str]("Factor", lambda factor: head(TITLES[factor]))]
    for read in reads_in(probe):
        for sex in sexes if read.name == "read_woman" else [ALL]:
            cell = shift(read.name, sex, read.unit)
            columns.append(Column(capital(read.words), cell, numeric=True, hint=hints[sex]))
    caption, factors = "Shift of the reads: after minus before, the same voices", list(TITLES)[1:]
    return TableView.of("shifts", caption, columns, factors, _SHIFTS_NOTE, sortable=False)


def factors(probe: Probe) -> TableView:
    """The changes to the voices."""

    def quieter(row: Record) -> Cell:
        lowered = count(row, "n_lowered") or 0
        by = (f"by up to {number(row, 'most_lowered_db') or 0:.1f} dB",) if lowered else ()
        return Cell(f"{lowered:,}", by, kind="number")

    columns = (
        Column[Record]("Factor", lambda row: head(text(row, "title"))),
        Column[Record]("Role", lambda row: words(text(row, "role"))),
        Column[Record]("Formula", lambda row: words(text(row, "formula"))),
        Column[Record]("Source", lambda row: words(text(row, "source"))),
        Column[Record]("Clips", lambda row: whole(count(row, "n_clips")), numeric=True),
        Column("Made quieter", quieter, numeric=True),
    )
    caption = "The factors, their formulas and sources"
    return TableView.of("factors", caption, columns, records(probe, "factors"), sortable=False)


def missing(probe: Probe) -> TableView:
    """The faces that could not be read, by factor and group."""
    known = {"factor", "group", "n_voices", "n_voices_failed", "n_voices_without", "n_faces", "n_not_read"}

    def reasons(row: Record) -> Cell:
        found = {name: count(row, name) for name in row if name not in known}
        return words(", ".join(f"{status_name(name)}: {n}" for name, n in found.items() if n))

    columns = (
        FACTOR,
        Column[Record]("Voices", lambda row: words(voices_name(text(row, "group")))),
        Column[Record]("Voices, all", lambda row: whole(count(row, "n_voices")), numeric=True),
        Column[Record]("Voices failed", lambda row: whole(count(row, "n_voices_failed")), numeric=True),
        Column[Record]("Faces, all", lambda row: whole(count(row, "n_faces")), numeric=True),
        Column[Record]("Faces not read", lambda row: whole(count(row, "n_not_read")), numeric=True),
        Column("Reason", reasons),
    )
    rows = [row for row in records(probe, "missing") if count(row, "n_not_read")]
    return TableView.of("missing", "Faces that could not be read, by factor and group", columns, rows)
