"""The tables about languages: the same speakers in two languages, and training coverage."""

from __future__ import annotations

from audit.audits.audit import Audit
from audit.reports.html.records import MetricDefinitions, Record, number, records, text, values, where
from audit.reports.html.tabular import Cell, Column, TableView, head, words
from audit.reports.html.wording import (
    group_name,
    language_name,
    order_groups,
    order_languages,
)
from audit.reports.report.evidence import metric_order, one

_FLIPS = {
    "within": "Two clips of one language",
    "between": "Two clips of two languages",
    "excess": "The second minus the first, points",
}


def effect_rows(audit: Audit) -> list[Record]:
    """The language effects; those over all other languages are left out if there is only one."""
    rows = records(audit, "language_effects")
    single = len({text(row, "language") for row in rows} - {"all"}) == 1
    return [row for row in rows if not (single and text(row, "language") == "all")]


def language_effects(audit: Audit) -> TableView | None:
    """English minus the other language for the same speakers, for every metric."""
    rows = effect_rows(audit)
    metrics, defined = metric_order(rows), MetricDefinitions.of(audit)
    if not metrics:
        return None
    columns = [Column("Group"), Column("Other language")]
    columns += [Column(f"{defined.title(metric)}, {defined.scale(metric)}", numeric=True) for metric in metrics]
    view = TableView(
        "language-effects", "English minus the other language, the same speakers, rendered pictures", columns
    )
    for group in values(rows, "group", order_groups):
        for language in values(where(rows, group=group), "language", order_languages):
            here = where(rows, group=group, language=language)
            cells = [view.estimate(one(here, metric=metric), defined.unit(metric), signed=True) for metric in metrics]
            view.rows.append(
                [head(group_name(group)), words("any other" if language == "all" else language_name(language)), *cells]
            )
    return view


def language_flips(audit: Audit) -> TableView | None:
    """How often two clips of one speaker are read as different races."""
    rows = records(audit, "language_flips")
    pairs = values(rows, "languages")
    if not rows:
        return None
    # with one pair of languages, the row of all pairs repeats it
    pairs = [pair for pair in pairs if not (len(pairs) == 2 and pair == "all")]
    columns = [Column("Group"), Column("Languages")]
    columns += [Column(label, numeric=True, band="Read as different races") for label in _FLIPS.values()]
    view = TableView("language-flips", "How often two clips of one speaker are read as different races", columns)
    for group in values(rows, "group", order_groups):
        for pair in pairs:
            here = where(rows, group=group, languages=pair)
            if here:
                cells = [
                    view.estimate(one(here, figure=figure), "share", signed=figure == "excess", bare=figure == "excess")
                    for figure in _FLIPS
                ]
                view.rows.append([head(group_name(group)), words(_pair_name(pair)), *cells])
    return view


def coverage(audit: Audit) -> TableView | None:
    """Training coverage and own-group reads by group and language; None if the coverage is not recorded."""
    rows = records(audit, "coverage")
    if all(number(row, "clips_trained") is None for row in rows):
        return None
    columns = [
        Column("Group"),
        Column("Language"),
        Column("Training clips", numeric=True),
        Column("Rendered face read as the own group", numeric=True),
    ]
    view = TableView("coverage", "Training coverage, by the model's own record", columns)
    for group in values(rows, "group", order_groups):
        for language in values(where(rows, group=group), "language", order_languages):
            row = one(rows, group=group, language=language)
            clips = None if row is None else number(row, "clips_trained")
            cell = (
                Cell("not recorded", kind="missing")
                if clips is None
                else Cell(f"{clips:,.0f}", sort=repr(clips), kind="number")
            )
            figure = view.estimate(row, "share", bare=False)
            view.rows.append([head(group_name(group)), words(language_name(language)), cell, figure])
    return view


def _pair_name(pair: str) -> str:
    return "all pairs" if pair == "all" else " and ".join(language_name(code) for code in pair.split(" "))
