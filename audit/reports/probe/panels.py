"""The charts of a probe, with alternative text and the tables of their numbers."""

from __future__ import annotations

from collections.abc import Sequence

from audit.core.metric import Metric
from audit.core.vocabulary import GENDERS
from audit.probes.asking import UNCHANGED
from audit.probes.probe import Probe
from audit.reports.html.charts import Row, dots, nice_reach
from audit.reports.html.panels import FigureView, Panel
from audit.reports.html.records import Record, Value, number, records, split, text, where
from audit.reports.html.tabular import DASH, Cell, Column, TableView, estimate, head, p_value
from audit.reports.html.wording import file_stem
from audit.reports.probe.names import SHORT, TITLES, capital, panel_title, properties_in, reads_in, voices_name
from audit.stats import ALL

_RACE_READS = ("read_white", "read_own_group")
VOICES = Column[Record]("Voices", lambda row: head(voices_name(text(row, "group"))))
FACTOR = Column[Record]("Factor", lambda row: head(TITLES[text(row, "factor")]))
P_ADJUSTED = Column[Record]("p, adjusted", lambda row: p_value(number(row, "p_adjusted")), numeric=True)


def figure_of(row: Record, name: str) -> Value:
    """One figure of a row."""
    return Value.of(row, name, "n_voices")


def column(
    label: str, name: str, unit: str, *, signed: bool = False, speakers: bool = True, without: str = "", hint: str = ""
) -> Column[Record]:
    """A column of one figure; rows of the factor ``without`` have none."""

    def cell(row: Record) -> Cell:
        if without and text(row, "factor") == without:
            return DASH
        return estimate(figure_of(row, name), unit, signed, speakers=speakers)

    return Column(label, cell, numeric=True, hint=hint)


def overall(probe: Probe) -> list[Record]:
    """The effects over all voices."""
    return where(records(probe, "effects"), group=ALL, gender=ALL)


def answers_view(probe: Probe) -> FigureView:
    """A panel for every property: its excess over another clip under each factor."""
    panels = []
    for prop in properties_in(probe):
        rows = [row for row in where(overall(probe), property=prop.name) if text(row, "outcome")]
        title = panel_title(prop)
        lines = [Row(SHORT[text(row, "factor")], {"ink": figure_of(row, "excess")}) for row in rows]
        alt = _alt(f"{title}, excess over another clip", rows, "excess", prop.unit, "factor", signed=True)
        svg = dots(title, lines, prop.unit, signed=True, limits=_excess_limits(probe, prop.name))
        panels.append(Panel(file_stem(f"answers-{prop.name}"), svg, alt))
    return FigureView("answers-figure", panels)


def _excess_limits(probe: Probe, prop: str) -> tuple[float, float]:
    """The one scale of a property's excess: over all voices under each factor, and by group with the language."""
    rows = where(records(probe, "effects"), property=prop, gender=ALL)
    return _limits([row for row in rows if text(row, "group") == ALL or text(row, "factor") == "language"], "excess")


def far_view(probe: Probe) -> FigureView:
    """A panel for every property: its change under each factor."""
    panels, tables = [], []
    for prop in properties_in(probe):
        rows, unit, title = where(overall(probe), property=prop.name), prop.unit, panel_title(prop)
        lines = [Row(SHORT[text(row, "factor")], {"ink": figure_of(row, "changed")}) for row in rows]
        alt = _alt(f"{title}, change under each factor", rows, "changed", unit, "factor")
        panels.append(Panel(file_stem(f"far-{prop.name}"), dots(title, lines, unit), alt))
        columns = (
            FACTOR,
            column("Change", "changed", unit),
            column("Another clip", "clip", unit, speakers=False),
            column("Excess", "excess", unit, signed=True, without="clip", hint="with its interval"),
        )
        caption = f"{title}, under each factor"
        tables.append(TableView.of(f"far-{prop.name}-numbers", caption, columns, rows, sortable=False))
    return FigureView("far-figure", panels, tables)


def groups_view(probe: Probe) -> FigureView:
    """A panel for every property: the excess of the language, by group; then the shifts of reads of race."""
    panels, tables = [], []
    effects = where(records(probe, "effects"), factor="language", gender=ALL)
    for prop in properties_in(probe):
        rows, unit, title = _in_order(where(effects, property=prop.name)), prop.unit, panel_title(prop)
        columns = [
            VOICES,
            column("The other language", "changed", unit),
            column("Another clip", "clip", unit, speakers=False),
            column("Excess", "excess", unit, signed=True),
            P_ADJUSTED,
        ]
        lead, limits = f"{title}, excess with the language", _excess_limits(probe, prop.name)
        panels.append(_by_group(prop.name, title, lead, rows, "excess", unit, limits))
        caption = f"{title}, by group"
        tables.append(TableView.of(f"language-{prop.name}-numbers", caption, columns, rows, sortable=False))
    shifts = where(records(probe, "reads"), factor="language", gender=ALL)
    shift_limits = _limits([row for read in _RACE_READS for row in where(shifts, read=read)], "shift")
    for read in reads_in(probe):
        if read.name not in _RACE_READS:
            continue
        rows, unit, title = _in_order(where(shifts, read=read.name)), read.unit, capital(read.words)
        columns = [
            VOICES,
            column("The other language", "level", unit),
            column("Minus English", "shift", unit, signed=True, speakers=False),
            P_ADJUSTED,
        ]
        caption = f"{title}: the other language minus English"
        panels.append(_by_group(read.name, title, caption.replace(":", ","), rows, "shift", unit, shift_limits))
        name = file_stem(f"language-{read.name}-numbers")
        tables.append(TableView.of(name, caption, columns, rows, sortable=False))
    return FigureView("groups-figure", panels, tables)


def _in_order(rows: Sequence[Record]) -> list[Record]:
    """The rows in the order of groups."""
    return [row for of in split(rows, "group") for row in of]


def _limits(rows: Sequence[Record], figure: str) -> tuple[float, float]:
    """One scale for a figure of several rows, symmetrical about zero."""
    ends = [number(row, name) for row in rows for name in (figure, f"{figure}_low", f"{figure}_high")]
    reach = nice_reach(max((abs(end) for end in ends if end is not None), default=0.0))
    return -reach, reach


def _by_group(
    name: str, title: str, lead: str, rows: Sequence[Record], figure: str, unit: str, limits: tuple[float, float]
) -> Panel:
    """A panel of differences, with a row for each group."""
    lines = [Row(voices_name(text(row, "group")), {"ink": figure_of(row, figure)}) for row in rows]
    alt = _alt(lead, rows, figure, unit, "group", signed=True)
    return Panel(file_stem(f"language-{name}"), dots(title, lines, unit, signed=True, limits=limits), alt)


def direction_view(probe: Probe) -> FigureView:
    """The reads under each factor: as a woman by the voice's sex, as white, as the own group, and the age."""
    panels, tables = [], []
    for read in reads_in(probe):
        unit, title, by_sex = read.unit, capital(read.words), read.name == "read_woman"
        rows = where(records(probe, "reads"), read=read.name, group=ALL)
        sexes = [gender for gender in GENDERS if where(rows, gender=gender)] if by_sex else [ALL]
        rows = [row for row in rows if text(row, "gender") in sexes]
        lines = []
        for factor, label in SHORT.items():
            here = where(rows, factor=factor)
            marks = {text(row, "gender") if by_sex else "ink": figure_of(row, "level") for row in here}
            lines.append(Row(label, marks))
        limits = (0.0, 1.0) if unit == "share" else None
        drawing = dots(title, lines, unit, limits=limits, series=(sexes if by_sex else []) or ["ink"])
        alt = _alt(f"{title} under each factor", rows, "level", unit, "factor", by_sex=by_sex)
        panels.append(Panel(file_stem(f"direction-{read.name}"), drawing, alt))
        tables.append(_reads_table(read, rows, by_sex))
    return FigureView("direction-figure", panels, tables)


def _reads_table(read: Metric, rows: Sequence[Record], by_sex: bool) -> TableView:
    columns = [FACTOR]
    if by_sex:
        columns.append(Column("Voices of", lambda row: head(text(row, "gender"))))
    columns.append(column("Read", "level", read.unit))
    columns.append(column("Shift", "shift", read.unit, signed=True, speakers=False, without=UNCHANGED))
    return TableView.of(file_stem(f"{read.name}-numbers"), capital(read.words), columns, rows, sortable=False)


def _alt(
    lead: str, rows: Sequence[Record], name: str, unit: str, by: str, *, signed: bool = False, by_sex: bool = False
) -> str:
    """The figures of a chart in words, labelled by factor or group."""
    parts = []
    for row in rows:
        label = TITLES[text(row, "factor")] if by == "factor" else voices_name(text(row, "group"))
        if by_sex:
            label += f", voices of {'women' if text(row, 'gender') == 'woman' else 'men'}"
        parts.append(f"{label} {figure_of(row, name).words(unit, signed)}")
    return f"{lead}: {'; '.join(parts)}."
