"""The judged figure of every check in every cell where its groups are crossed with gender and language."""

from __future__ import annotations

from collections.abc import Iterator

from audit.audits.table import GROUP, LANGUAGE, Column, estimate_columns, interval_columns
from audit.audits.tables.spec import Row, Source, TableSpec
from audit.checks import chosen
from audit.checks.figure import Figure
from audit.checks.intersections import cell_figures, shrunk_figures
from audit.core.grouping import Grouping
from audit.stats import ALL


def intersections(source: Source) -> Iterator[Row]:
    """One row per check, judged figure and cell, each with its empirical-Bayes estimate."""
    columns = source.settings.intersect
    checks = {check.code: check for check in chosen(source.settings.checks, source.settings.metrics)}
    for finding in source.findings:
        if finding.worst_cell is None:
            continue
        grouping = Grouping.parse(finding.grouping)
        figures = cell_figures(checks[finding.code], source.evidence.by(grouping), columns)
        for name in dict.fromkeys(figure.name for figure in figures):
            of_name = [figure for figure in figures if figure.name == name]
            for figure, shrunk in zip(of_name, shrunk_figures(of_name), strict=True):
                group = grouping.label([figure.cell[column] for column in grouping.columns])
                yield (
                    *(finding.code, name, figure.unit, grouping.name, group, *_further(figure, source)),
                    figure,
                    *(shrunk.value, shrunk.low, shrunk.high, shrunk.factor),
                )


def _further(figure: Figure, source: Source) -> list[str]:
    """The values of the language and of the other columns that are crossed, in the order of the table."""
    others = [name for name in source.settings.intersect if name != LANGUAGE.name]
    language = figure.language if figure.language != ALL else figure.cell.get(LANGUAGE.name, ALL)
    return [language, *(figure.cell.get(name, ALL) for name in others)]


TABLE = TableSpec(
    name="intersections",
    title="Where groups meet",
    note="Differences as the check judges them, with intervals adjusted for the number of judged cells (simultaneous). "
    "Shrunk: the empirical-Bayes estimate, which borrows strength from the other cells of the figure; shrinkage: the "
    "share of the way from the raw estimate to their mean. Cells with too few speakers are left out.",
    columns=(
        Column("check", "key", "Check"),
        Column("figure", "key", "Figure"),
        Column("unit", "text", "Unit"),
        Column("grouping", "grouping", "Grouping"),
        GROUP,
        LANGUAGE,
        *estimate_columns("", signed=True),
        *interval_columns("shrunk", "Shrunk", "", signed=True),
        Column("shrinkage", "value", "Shrinkage", "share"),
    ),
    make=lambda source: intersections(source) if source.settings.intersect else None,
    further=lambda source: [name for name in source.settings.intersect if name != LANGUAGE.name],
)
