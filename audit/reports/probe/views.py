"""The tables of the probe's page."""

from __future__ import annotations

from typing import Final

from audit.core.units import write_interval, write_number, write_value
from audit.core.vocabulary import GENDERS
from audit.probes.changes import properties_of, reads_of
from audit.probes.probe import Probe
from audit.reports.html.badges import BADGES
from audit.reports.html.records import Record, count, number, records, text, where
from audit.reports.html.tabular import Cell, Column, TableView, head, whole, words
from audit.reports.html.wording import group_name, status_name
from audit.reports.probe.panels import TITLES, figure_of, overall
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


def matrix(probe: Probe) -> TableView:
    """The outcome and the excess of every factor and property, over all voices."""
    rows, properties = overall(records(probe, "effects")), properties_of(probe.attributes)
    margins = {prop.name: write_value(prop.margin, prop.unit, signed=True) for prop in properties}
    titles = {prop.name: prop.title[:1].upper() + prop.title[1:] for prop in properties}
    columns = (
        Column("Factor"),
        *(Column(titles[name], hint=f"margin {margin.removeprefix('+')}") for name, margin in margins.items()),
        Column("n", numeric=True),
    )
    view = TableView(
        "matrix", "Each factor against another clip: the verdicts", columns, sortable=False, note=_MATRIX_NOTE
    )
    for factor, title in TITLES.items():
        mine = {text(row, "property"): row for row in where(rows, factor=factor) if text(row, "outcome")}
        if mine:
            cells = [_outcome(mine[prop.name], prop.unit) for prop in properties]
            voices = [count(row, "n_voices") or 0 for row in mine.values()]
            view.rows.append([head(title), *cells, whole(min(voices))])
    return view


def _outcome(row: Record, unit: str) -> Cell:
    outcome, value = text(row, "outcome"), number(row, "excess")
    lines = (
        ()
        if value is None
        else (
            f"{write_number(value, unit, True)} "
            f"{write_interval(number(row, 'excess_low'), number(row, 'excess_high'), unit, True)}",
        )
    )
    return Cell(str(BADGES[outcome]), lines, kind=f"word word-{outcome}")


def shifts(probe: Probe) -> TableView:
    """The shifts of the reads under every factor: as a woman by the voice's sex, the others over all voices."""
    rows = where(records(probe, "reads"), group=ALL)
    metrics = {metric.name: metric for metric in reads_of(probe.attributes)}
    sexes = [gender for gender in GENDERS if where(rows, gender=gender)]
    columns = [("read_woman", sex) for sex in sexes] or [("read_woman", ALL)]
    columns += [(read, ALL) for read in metrics if read != "read_woman"]
    headings = [
        Column(
            metrics[read].words[:1].upper() + metrics[read].words[1:],
            numeric=True,
            hint={"woman": "voices of women", "man": "voices of men"}.get(sex, "all voices"),
        )
        for read, sex in columns
    ]
    view = TableView(
        "shifts",
        "Shift of the reads: after minus before, the same voices",
        (Column("Factor"), *headings),
        sortable=False,
        note=_SHIFTS_NOTE,
    )
    for factor, title in list(TITLES.items())[1:]:
        cells = []
        for read, sex in columns:
            found = where(rows, read=read, factor=factor, gender=sex)
            figure = figure_of(found[0], "shift") if found else None
            cells.append(view.estimate(figure, metrics[read].unit, signed=True, bare=False, speakers=False))
        view.rows.append([head(title), *cells])
    return view


def factors(probe: Probe) -> TableView:
    """The changes to the voices."""
    columns = (
        Column("Factor"),
        Column("Role"),
        Column("Formula"),
        Column("Source"),
        Column("Clips", True),
        Column("Made quieter", True),
    )
    view = TableView("factors", "The factors, their formulas and sources", columns, sortable=False)
    for row in records(probe, "factors"):
        lowered = count(row, "n_lowered") or 0
        by = (f"by up to {number(row, 'most_lowered_db') or 0:.1f} dB",) if lowered else ()
        view.rows.append(
            [
                head(text(row, "title")),
                words(text(row, "role")),
                words(text(row, "formula")),
                words(text(row, "source")),
                whole(count(row, "n_clips")),
                Cell(f"{lowered:,}", by, kind="number"),
            ]
        )
    return view


def missing(probe: Probe) -> TableView:
    """The faces that could not be read, by factor and group."""
    columns = (
        Column("Factor"),
        Column("Voices"),
        Column("Voices, all", True),
        Column("Voices failed", True),
        Column("Faces, all", True),
        Column("Faces not read", True),
        Column("Reason"),
    )
    view = TableView("missing", "Faces that could not be read, by factor and group", columns)
    known = {"factor", "group", "n_voices", "n_voices_failed", "n_faces", "n_not_read"}
    for row in records(probe, "missing"):
        if not count(row, "n_not_read"):
            continue
        why = [f"{status_name(name)}: {count(row, name)}" for name in row if name not in known and count(row, name)]
        view.rows.append(
            [
                head(TITLES[text(row, "factor")]),
                words("all voices" if text(row, "group") == ALL else group_name(text(row, "group"))),
                *(whole(count(row, name)) for name in ("n_voices", "n_voices_failed", "n_faces", "n_not_read")),
                words(", ".join(why)),
            ]
        )
    return view
