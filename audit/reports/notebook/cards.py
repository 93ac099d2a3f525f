"""The card of each kind of object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import singledispatch
from typing import Final

import pandas as pd

from audit.audits.audit import Audit
from audit.audits.table import Table
from audit.checks.figure import Figure
from audit.checks.finding import Finding
from audit.cohorts import Cohort
from audit.comparisons import Comparison
from audit.comparisons.changes import Change
from audit.core.language_names import language_name
from audit.core.units import write_value
from audit.probes import Probe
from audit.release import Decision
from audit.release.decision import Ruling
from audit.reports.comparison.panels import slopes_view
from audit.reports.html.badges import BADGES, Badge
from audit.reports.html.identity import name_of
from audit.reports.html.records import strings
from audit.reports.html.tabular import Cell, Column, TableView, estimate, head, p_value, whole, words
from audit.reports.html.verdicts import tally, verdict_of, verdicts
from audit.reports.html.wording import counted, group_name, sizes, status_name
from audit.reports.notebook.html import Card
from audit.reports.report.charts import VIEWS
from audit.reports.series.history import check_charts as history_charts
from audit.reports.series.sweep import check_charts as sweep_charts
from audit.reports.series.views import CheckView, verdict_table
from audit.runs.run import Run
from audit.series import History, Series
from audit.series.sweep import Sweep

MOST_ROWS: Final = 10
"""Rows of a table that a card shows."""
MOST_CHARTS: Final = 3
GATE: Final = {
    "pass": Badge("\N{WHITE CIRCLE}", "pass"),
    "waived": Badge("\N{WHITE CIRCLE}", "waived"),
    "breach": Badge("\N{BLACK UP-POINTING TRIANGLE}", "breach"),
    "inconclusive": BADGES["inconclusive"],
    "instrument": Badge("\N{MULTIPLICATION X}", "instrument not valid"),
    "incomplete": Badge("\N{MULTIPLICATION X}", "incomplete"),
}
"""The symbol and name of every outcome of the gate."""


@singledispatch
def card_of(shown: object) -> Card:
    """The card of an object: a document (Audit, Comparison, ...), Finding, Figure, Run, Cohort or Table.

    Raises
    ------
    TypeError
        If there is no card for objects of this class.
    """
    raise TypeError(f"There is no card for {type(shown).__name__}.")


@card_of.register
def _of_audit(audit: Audit) -> Card:
    found = verdicts(audit)
    return Card(
        title=f"Audit of {name_of(audit.run.get('model'))} on {name_of(audit.run.get('cohort'))}",
        subtitle=f"{', '.join(sizes(audit.run))}. Read by {name_of(audit.run.get('instrument'))}. {tally(found)}.",
        notices=strings(audit.run.get("notices")),
        verdicts=found,
        charts="Read as the own group at portrait, ceiling and rendered",
        panels=VIEWS["stages"](audit).panels[:1],
    )


@card_of.register
def _of_finding(finding: Finding) -> Card:
    found = verdict_of(finding)
    return Card(
        title=f"{finding.code}: {finding.title}",
        subtitle=finding.scope,
        badge=BADGES[finding.outcome],
        sentences=[each for each in (finding.sentence, found.reason, found.worst) if each],
        verdicts=[found],
        further=[found.figures],
    )


@card_of.register
def _of_figure(figure: Figure) -> Card:
    about = [group_name(figure.group), language_name(figure.language)]
    lines = [
        figure.text,
        f"{counted(figure.n_speakers, 'speaker')}, {counted(figure.n_clips, 'clip')}. {figure.method}",
    ]
    if figure.margin is not None:
        lines.append(f"Margin {write_value(figure.margin, figure.unit, figure.signed)}")
    return Card(title=figure.label or figure.name, subtitle=", ".join(about), sentences=lines)


@card_of.register
def _of_probe(probe: Probe) -> Card:
    found = [verdict_of(finding, ("voice", "face")) for finding in probe.findings]
    return Card(
        title=f"Probe of {name_of(probe.model)}",
        subtitle=f"Read by {name_of(probe.instrument)}. {tally(found)}.",
        notices=probe.notices,
        sentences=probe.sentences[:MOST_CHARTS],
        verdicts=[verdict for verdict in found if verdict.finding.code.startswith("language.")],
    )


@card_of.register
def _of_comparison(comparison: Comparison) -> Card:
    first, *others = (f"{run['letter']}: {name_of(run.get('model'))}" for run in comparison.runs)
    columns = (
        Column[Change]("Check", lambda change: head(change.figure)),
        Column[Change]("What", lambda change: words(change.told)),
        Column[Change]("Run", lambda change: words(change.candidate)),
        Column[Change]("Worst change of", lambda change: words(group_name(change.group))),
        Column[Change]("Baseline", lambda change: _shown(change.before)),
        Column[Change]("Candidate", lambda change: _shown(change.after)),
        Column[Change]("Change", lambda change: _shown(change.change)),
        Column[Change]("For the group", lambda change: words(str(BADGES[change.word])) if change.word else words("")),
        Column[Change]("p, adjusted", lambda change: p_value(change.p_adjusted)),
    )
    headlines = [change for change in comparison.checks if change.headline]
    return Card(
        title=f"{', '.join(others)} against {first}",
        subtitle=f"The same {' and '.join(sizes(comparison.runs[0]))}.",
        notices=comparison.notices,
        sentences=comparison.sentences,
        tables=[TableView.of("headlines", "Every check: candidate minus baseline", columns, headlines)],
        charts="Read as the own group, from run to run",
        panels=slopes_view(comparison).panels,
    )


@card_of.register
def _of_history(history: History) -> Card:
    return _of_series(history, "History", history_charts(history))


@card_of.register
def _of_sweep(sweep: Sweep) -> Card:
    return _of_series(sweep, "Sweep", sweep_charts(sweep))


def _of_series(series: Series, kind: str, charts: Sequence[CheckView]) -> Card:
    shown = charts[:1]
    return Card(
        title=f"{kind}: {', '.join(series.labels)}",
        subtitle=f"The same {' and '.join(sizes(series.runs[0]))} in the first.",
        notices=series.notices,
        sentences=series.sentences,
        tables=[verdict_table(series)],
        charts="".join(f"{view.title}: {view.told}" for view in shown),
        panels=[panel for view in shown for panel in view.figure.panels],
    )


@card_of.register
def _of_decision(decision: Decision) -> Card:
    columns = (
        Column[Ruling]("Rule", lambda ruling: head(ruling.id)),
        Column[Ruling]("Outcome", lambda ruling: words(str(GATE[ruling.outcome]))),
        Column[Ruling]("Ruling", lambda ruling: words(ruling.sentence)),
        Column[Ruling]("Figure", lambda ruling: _ruled(ruling.estimate)),
    )
    return Card(
        title=decision.sentence,
        subtitle=f"Exit code {decision.exit_code}, by the policy {decision.policy['name']}, on {decision.decided}.",
        badge=GATE[decision.outcome],
        sentences=[waiver.sentence for waiver in decision.waivers],
        tables=[TableView.of("rulings", "Rules of the policy", columns, decision.rulings)],
    )


@card_of.register
def _of_run(run: Run) -> Card:
    cohort, done = run.manifest["cohort"], run.observations
    counts = done.groupby(["group", "status"], sort=False).size().reset_index(name="n")
    columns = (
        Column[Mapping[str, object]]("Group", lambda row: head(group_name(str(row["group"])))),
        Column[Mapping[str, object]]("Status", lambda row: words(status_name(str(row["status"])))),
        Column[Mapping[str, object]]("Clips", lambda row: whole(int(str(row["n"])))),
    )
    rows = _rows(counts)
    return Card(
        title=f"Run of {name_of(run.manifest['model'])} on {name_of(cohort)}",
        subtitle=f"{counted(done['speaker_id'].nunique(), 'speaker')}, {counted(len(done), 'clip')}. "
        f"Read by {name_of(run.manifest['instrument'])}. {'Complete' if run.complete else 'Not complete'}.",
        notices=[] if run.complete else [f"{len(done)} of {cohort['n_clips']} clips were observed."],
        tables=[TableView.of("statuses", "Clips by group and status", columns, rows)],
    )


@card_of.register
def _of_cohort(cohort: Cohort) -> Card:
    strata = cohort.strata(("group", "language") if "group" in cohort.speakers else ("language",))
    columns: list[Column[Mapping[str, object]]] = [
        *([Column("Group", lambda row: head(group_name(str(row["group"]))))] if "group" in strata else []),
        Column("Language", lambda row: words(language_name(str(row["language"])))),
        Column("Speakers", lambda row: whole(int(str(row["n_speakers"])))),
        Column("Clips", lambda row: whole(int(str(row["n_clips"])))),
    ]
    return Card(
        title=f"Cohort {cohort.name}",
        subtitle=f"{counted(len(cohort.speakers), 'speaker')}, {counted(len(cohort.clips), 'clip')}.",
        notices=cohort.set_aside,
        tables=[TableView.of("strata", "Speakers and clips", columns, _rows(strata))],
    )


@card_of.register
def _of_table(table: Table) -> Card:
    columns = [_column(column.name, column.heading) for column in table.columns]
    rows = table.records[:MOST_ROWS]
    shown = f"The first {len(rows)} of {len(table.records):,} rows" if len(rows) < len(table.records) else "All rows"
    return Card(title=table.title, subtitle=table.note, tables=[TableView.of("rows", shown, columns, rows)])


def _column(name: str, heading: str) -> Column[Mapping[str, object]]:
    def cell(row: Mapping[str, object]) -> Cell:
        value = row[name]
        return words("" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value))

    return Column(heading, cell)


def _rows(frame: pd.DataFrame) -> list[Mapping[str, object]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _shown(figure: Figure) -> Cell:
    return estimate(figure, figure.unit, figure.signed, speakers=False)


def _ruled(figure: Figure | None) -> Cell:
    return words("") if figure is None else _shown(figure)
