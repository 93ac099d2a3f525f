"""The charts of a probe, with alternative text and the tables of their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from audit.core.units import write_interval, write_value
from audit.core.vocabulary import GENDERS
from audit.probes.asking import UNCHANGED
from audit.probes.changes import Property, properties_of, reads_of
from audit.probes.factors import FACTORS
from audit.probes.probe import Probe
from audit.reports.html.charts import Mark, Row, dots
from audit.reports.html.panels import FigureView, Panel
from audit.reports.html.records import Record, count, number, records, text, where
from audit.reports.html.tabular import Column, TableView, dash, head, p_value
from audit.reports.html.wording import file_stem, group_name, order_groups
from audit.stats import ALL

TITLES: Final = {UNCHANGED: "as it is", **{factor.name: factor.title for factor in FACTORS}}
"""The display name of every factor."""
SHORT: Final = TITLES | {
    "language": "other language",
    "pitch_down_4": "pitch \N{MINUS SIGN}4",
    "pitch_down_2": "pitch \N{MINUS SIGN}2",
    "pitch_up_2": "pitch +2",
    "pitch_up_4": "pitch +4",
    "first_3_s": "first 3 s",
    "first_1_5_s": "first 1.5 s",
    "telephone": "telephone",
    "pitch_back": "pitch and back",
    "again": "same again",
}
"""The same, short enough for a row of a chart."""
PANELS: Final = {
    "face": "The face itself",
    "race": "Read as another race",
    "gender": "Read as another gender",
    "age": "Years between ages read",
}


def _title(prop: Property) -> str:
    """The heading of a property's panel; that of a third-party attribute is its own."""
    return PANELS.get(prop.name) or prop.title[:1].upper() + prop.title[1:]


def mark(record: Record, name: str, series: str = "ink") -> Mark:
    """One figure of a row as a mark."""
    return Mark(
        number(record, name),
        number(record, f"{name}_low"),
        number(record, f"{name}_high"),
        count(record, "n_voices"),
        series,
    )


def figure_of(record: Record, name: str) -> dict[str, object]:
    """One figure of a row in the form that :meth:`TableView.estimate` takes."""
    ends = {"value": name, "low": f"{name}_low", "high": f"{name}_high"}
    return {
        **{end: number(record, column) for end, column in ends.items()},
        "n_speakers": count(record, "n_voices"),
        "method": text(record, "method"),
    }


def overall(rows: Sequence[Record]) -> list[Record]:
    """The rows over all voices."""
    return where(rows, group=ALL, gender=ALL)


def far_view(probe: Probe) -> FigureView:
    """A panel for every property: its change under each factor."""
    rows, panels, tables = overall(records(probe, "effects")), [], []
    for prop in properties_of(probe.attributes):
        mine, unit, title = where(rows, property=prop.name), prop.unit, _title(prop)
        lines = [Row(SHORT[text(row, "factor")], (mark(row, "changed"),)) for row in mine]
        panels.append(
            Panel(
                f"far-{prop.name}",
                dots(title, lines, unit),
                _alt(f"{title}, change under each factor", mine, "changed", unit, "factor"),
            )
        )
        view = TableView(
            f"far-{prop.name}-numbers",
            f"{title}, under each factor",
            (
                Column("Factor"),
                Column("Change", True),
                Column("Another clip", True),
                Column("Excess", True, hint="with its interval"),
            ),
            sortable=False,
        )
        for row in mine:
            excess = figure_of(row, "excess") if text(row, "factor") != "clip" else None
            view.rows.append(
                [
                    head(TITLES[text(row, "factor")]),
                    view.estimate(figure_of(row, "changed"), unit, bare=False),
                    view.estimate(figure_of(row, "clip"), unit, bare=False, speakers=False),
                    dash() if excess is None else view.estimate(excess, unit, signed=True, bare=False),
                ]
            )
        tables.append(view)
    return FigureView("far-figure", tuple(panels), tuple(tables))


def groups_view(probe: Probe) -> FigureView:
    """A panel for every property: the excess of the language, by group."""
    rows = where(records(probe, "effects"), factor="language", gender=ALL)
    groups = order_groups(text(row, "group") for row in rows)
    panels, tables = [], []
    for prop in properties_of(probe.attributes):
        unit, title = prop.unit, _title(prop)
        mine = [row for group in groups for row in where(rows, property=prop.name, group=group)]
        lines = [Row(_voices(text(row, "group")), (mark(row, "excess"),)) for row in mine]
        panels.append(
            Panel(
                f"language-{prop.name}",
                dots(title, lines, unit, signed=True),
                _alt(f"{title}, excess with the language", mine, "excess", unit, "group", signed=True),
            )
        )
        view = TableView(
            f"language-{prop.name}-numbers",
            f"{title}, by group",
            (
                Column("Voices"),
                Column("The other language", True),
                Column("Another clip", True),
                Column("Excess", True),
                Column("p, adjusted", True, hint="Benjamini-Hochberg"),
            ),
            sortable=False,
        )
        for row in mine:
            view.rows.append(
                [
                    head(_voices(text(row, "group"))),
                    view.estimate(figure_of(row, "changed"), unit, bare=False),
                    view.estimate(figure_of(row, "clip"), unit, bare=False, speakers=False),
                    view.estimate(figure_of(row, "excess"), unit, signed=True, bare=False),
                    p_value(number(row, "p_adjusted")),
                ]
            )
        tables.append(view)
    for read in ("read_white", "read_own_group"):
        panel, view = _shifts_by_group(probe, read, groups)
        panels.append(panel)
        tables.append(view)
    return FigureView("groups-figure", tuple(panels), tuple(tables))


def _shifts_by_group(probe: Probe, read: str, groups: Sequence[str]) -> tuple[Panel, TableView]:
    """The difference of a read between the two languages, by group."""
    rows = where(records(probe, "reads"), factor="language", read=read, gender=ALL)
    metric = next(each for each in reads_of(probe.attributes) if each.name == read)
    unit, title = metric.unit, metric.words[:1].upper() + metric.words[1:]
    mine = [row for group in groups for row in where(rows, group=group)]
    lines = [Row(_voices(text(row, "group")), (mark(row, "shift"),)) for row in mine]
    view = TableView(
        file_stem(f"language-{read}-numbers"),
        f"{title}: the other language minus English",
        (
            Column("Voices"),
            Column("The other language", True),
            Column("Minus English", True),
            Column("p, adjusted", True, hint="Benjamini-Hochberg"),
        ),
        sortable=False,
    )
    for row in mine:
        view.rows.append(
            [
                head(_voices(text(row, "group"))),
                view.estimate(figure_of(row, "level"), unit, bare=False),
                view.estimate(figure_of(row, "shift"), unit, signed=True, bare=False, speakers=False),
                p_value(number(row, "p_adjusted")),
            ]
        )
    alt = _alt(f"{title}, the other language minus English", mine, "shift", unit, "group", signed=True)
    return Panel(file_stem(f"language-{read}"), dots(title, lines, unit, signed=True), alt), view


def direction_view(probe: Probe) -> FigureView:
    """The reads under each factor: as a woman by the voice's sex, as white, as the own group, and the age."""
    rows = records(probe, "reads")
    panels, tables = [], []
    for metric in reads_of(probe.attributes):
        read, name, unit = metric.name, metric.words, metric.unit
        mine = where(rows, read=read, group=ALL)
        by_sex = read == "read_woman"
        series = tuple(g for g in GENDERS if where(mine, gender=g)) if by_sex else ("ink",)
        lines = []
        for factor, label in SHORT.items():
            here = where(mine, factor=factor)
            of = [(row, s) for s in series for row in where(here, gender=s if by_sex else ALL)]
            lines.append(Row(label, tuple(mark(row, "level", s) for row, s in of)))
        title = name[:1].upper() + name[1:]
        shown = [row for row in mine if (text(row, "gender") in series if by_sex else text(row, "gender") == ALL)]
        limits = (0.0, 1.0) if unit == "share" else None
        panels.append(
            Panel(
                file_stem(f"direction-{read}"),
                dots(title, lines, unit, limits=limits, series=series or ("ink",)),
                _alt(f"{title} under each factor", shown, "level", unit, "factor", by_sex=by_sex),
            )
        )
        tables.append(_reads_table(read, title, shown, unit, by_sex))
    return FigureView("direction-figure", tuple(panels), tuple(tables))


def _reads_table(read: str, title: str, rows: Sequence[Record], unit: str, by_sex: bool) -> TableView:
    view = TableView(
        file_stem(f"{read}-numbers"),
        title,
        (Column("Factor"), *([Column("Voices of")] if by_sex else []), Column("Read", True), Column("Shift", True)),
        sortable=False,
    )
    for row in rows:
        factor = text(row, "factor")
        view.rows.append(
            [
                head(TITLES[factor]),
                *([head(text(row, "gender"))] if by_sex else []),
                view.estimate(figure_of(row, "level"), unit, bare=False),
                dash()
                if factor == UNCHANGED
                else view.estimate(figure_of(row, "shift"), unit, signed=True, bare=False, speakers=False),
            ]
        )
    return view


def _voices(group: str) -> str:
    return "all voices" if group == ALL else group_name(group)


def _alt(
    lead: str,
    rows: Sequence[Record],
    name: str,
    unit: str,
    by: str,
    *,
    signed: bool = False,
    by_sex: bool = False,
) -> str:
    parts = []
    for row in rows:
        label = TITLES[text(row, "factor")] if by == "factor" else _voices(text(row, by))
        if by_sex:
            label += f", voices of {'women' if text(row, 'gender') == 'woman' else 'men'}"
        value = number(row, name)
        written = (
            "not estimable"
            if value is None
            else f"{write_value(value, unit, signed)} "
            f"{write_interval(number(row, f'{name}_low'), number(row, f'{name}_high'), unit, signed)}"
        )
        parts.append(f"{label} {written}")
    return f"{lead}: {'; '.join(parts)}."
