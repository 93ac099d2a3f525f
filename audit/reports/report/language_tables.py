"""The tables about languages: the same speakers in two languages, and training coverage."""

from __future__ import annotations

from collections.abc import Sequence

from audit.audits.audit import Audit
from audit.core.language_names import language_name
from audit.reports.html.records import MetricDefinitions, Record, number, records, split, text, values
from audit.reports.html.tabular import GROUP, LANGUAGE, Cell, Column, TableView, figure, missing, words, written
from audit.reports.report.evidence import metric_order


def effect_rows(audit: Audit) -> list[Record]:
    """The language effects; those over all other languages are left out if there is only one."""
    rows = records(audit, "language_effects")
    single = len({text(row, "language") for row in rows} - {"all"}) == 1
    return [row for row in rows if not (single and text(row, "language") == "all")]


def language_effects(audit: Audit) -> TableView:
    """English minus the other language for the same speakers, for every metric."""

    def other(of: Sequence[Record]) -> Cell:
        language = text(of[0], "language")
        return words("any other" if language == "all" else language_name(language))

    rows, defined = effect_rows(audit), MetricDefinitions.of(audit)
    columns = [GROUP, Column("Other language", other)]
    for metric in metric_order(rows):
        label, unit = f"{defined.title(metric)}, {defined.scale(metric)}", defined.unit(metric)
        columns.append(figure(label, unit, signed=True, bare=True, metric=metric))
    caption = "English minus the other language, the same speakers, rendered pictures"
    return TableView.of("language-effects", caption, columns, split(rows, "group", "language"))


def language_flips(audit: Audit) -> TableView:
    """How often two clips of one speaker are read as different races."""

    def pair(of: Sequence[Record]) -> Cell:
        codes = text(of[0], "languages")
        return words("all pairs" if codes == "all" else " and ".join(map(language_name, codes.split(" "))))

    rows = records(audit, "language_flips")
    if len(values(rows, "languages")) == 2:  # with one pair of languages, the row of all pairs repeats it
        rows = [row for row in rows if text(row, "languages") != "all"]
    band = "Read as different races"
    columns = [
        GROUP,
        Column("Languages", pair),
        figure("Two clips of one language", "share", band=band, figure="within"),
        figure("Two clips of two languages", "share", band=band, figure="between"),
        figure("The second minus the first, points", "share", signed=True, bare=True, band=band, figure="excess"),
    ]
    caption = "How often two clips of one speaker are read as different races"
    return TableView.of("language-flips", caption, columns, split(rows, "group", "languages"))


def coverage(audit: Audit) -> TableView:
    """Training coverage and own-group reads by group and language; without rows if the coverage is not recorded."""

    def clips(of: Sequence[Record]) -> Cell:
        trained = number(of[0], "clips_trained")
        return missing("not recorded") if trained is None else written(trained, f"{trained:,.0f}")

    rows = records(audit, "coverage")
    if all(number(row, "clips_trained") is None for row in rows):
        rows = []
    columns = [
        GROUP,
        LANGUAGE,
        Column("Training clips", clips, numeric=True),
        figure("Rendered face read as the own group", "share"),
    ]
    caption = "Training coverage, by the model's own record"
    return TableView.of("coverage", caption, columns, split(rows, "group", "language"))
