"""The tables about similarity: retrieval of the own portrait, and craniofacial measures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from audit.audits.audit import Audit
from audit.checks.metrics.metric_frame import identification, over_impostors, own_similarity
from audit.core.units import write_interval, write_number, write_value
from audit.reports.html.records import Record, count, mapping, number, one, records, split, strings, text, where
from audit.reports.html.tabular import DASH, GROUP, Cell, Column, TableView, figure, missing, whole, words, written

_LATER = ("ceiling", "rendered")


def similarity_metrics(audit: Audit) -> list[tuple[str, str]]:
    """The metrics of similarity to the own portrait, and of that over impostors, of each similarity model."""
    return [(own_similarity(model), over_impostors(model)) for model in _models(audit)]


def identification_metrics(audit: Audit) -> list[str]:
    """The metric of identification by each similarity model."""
    return [identification(model) for model in _models(audit)]


def _models(audit: Audit) -> list[str]:
    return sorted(strings(mapping(audit.run.get("instrument")).get("similarity_models")))


def retrieval(audit: Audit) -> TableView:
    """Recall@k of the own portrait in a gallery, by group."""

    def gallery(of: Sequence[Record]) -> Cell:
        return whole(next((count(row, "gallery") for row in of if row.get("gallery") is not None), None))

    rows = where(records(audit, "retrieval"), language="all")
    columns = [GROUP, Column("Gallery", gallery, numeric=True)]
    chances = {count(row, "first") or 0: number(row, "chance") for row in rows}
    for first in sorted(chances):
        for stage in _LATER:
            band = f"Own portrait among the first {first}"
            columns.append(figure(stage.capitalize(), "share", band=band, stage=stage, first=str(first)))
    by_chance = [
        f"{write_value(chance, 'share')} among the first {first}"
        for first, chance in sorted(chances.items())
        if chance is not None
    ]
    note = f"By chance alone: {', '.join(by_chance)}." if by_chance else ""
    return TableView.of("retrieval", "Retrieval of the own portrait (recall@k)", columns, split(rows, "group"), note)


def craniofacial(audit: Audit) -> TableView:
    """The correlation of craniofacial measures with those of the own portrait, over all groups."""
    rows = where(records(audit, "craniofacial"), group="all")
    columns = [Column[str]("Measure", lambda measure: words(measure.replace("_", " ")))]
    for stage in _LATER:
        here, band = where(rows, stage=stage), stage.capitalize()
        columns.append(Column("Pearson's r", _correlation(here), True, band))
        columns.append(Column("With others of the same group and gender", _of_others(here), True, band))
    caption = "Craniofacial measures: correlation with the own portrait's, all groups"
    return TableView.of("craniofacial", caption, columns, dict.fromkeys(text(row, "measure") for row in rows))


def _correlation(rows: Sequence[Record]) -> Callable[[str], Cell]:
    """The cell of the correlation with the own portrait's measure."""

    def cell(measure: str) -> Cell:
        row = one(rows, measure=measure)
        value = None if row is None else number(row, "value")
        if row is None or value is None:
            return missing(reason="Not measured in this audit." if row is None else text(row, "method"))
        ends = write_interval(number(row, "low"), number(row, "high"), "cosine", signed=True)
        size = f"n\N{NO-BREAK SPACE}{count(row, 'n_speakers') or 0:,}"
        return written(value, write_number(value, "cosine", signed=True), ends, size)

    return cell


def _of_others(rows: Sequence[Record]) -> Callable[[str], Cell]:
    """The cell of the correlation with the measures of others."""

    def cell(measure: str) -> Cell:
        row = one(rows, measure=measure)
        others = None if row is None else number(row, "others")
        return DASH if others is None else written(others, write_number(others, "cosine", signed=True))

    return cell
