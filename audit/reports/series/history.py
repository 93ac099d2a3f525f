"""The page of a history."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from audit.core.clean_text import clean
from audit.reports.html.charts import Drawing
from audit.reports.html.records import Value
from audit.reports.html.wording import counted
from audit.reports.series.charts import short_labels, timeline
from audit.reports.series.page import series_page, write_series
from audit.reports.series.views import CheckView, check_views, value_of
from audit.series import History
from audit.series.figures import Point

PAGE: Final = "history.html"
SECTIONS: Final = {
    "changed": "What changed beyond noise",
    "verdicts": "Verdicts by release",
    "charts": "Every check and group over the releases",
    "tested": "Every tested change",
    "runs": "The releases",
    "settings": "Settings",
}
EXPLAINED: Final = {
    "changed": (
        "Each release is compared with the one before, and the last with the first, paired on the same clips and "
        "speakers. A change is beyond noise if its p-value, adjusted by Holm over all checks, groups and changes of "
        "this page, is at most one minus the confidence, and its interval excludes zero. A change that is not marked "
        "may still be real: the data do not show it."
    ),
    "verdicts": (
        "The outcome of each check, with its headline figure, as in the audit of the release with the settings of this "
        "page. Outcomes may differ between releases by chance: only the changes above are tested."
    ),
    "charts": (
        "Vertical lines are intervals, simultaneous over the groups of a check. The shaded band is the margin. A "
        "diamond is a release whose change since the one before is beyond noise; a note below the chart is about the "
        "change from the first comparable release to the last. A dotted line is a break: cohort, instrument or "
        "settings changed, and nothing is compared across it. All groups of a check have the same axis."
    ),
    "tested": (
        "The change of each figure, in the figure's own sign. Intervals are simultaneous over the groups of each check."
    ),
}


def write_history(history: History, folder: str | Path) -> Path:
    """Write ``history.html``, ``history.json`` and ``tables/*.csv`` into a folder.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    RunError
        If the folder contains a run, or a file to be replaced was not written by this tool.
    """
    return write_series(history, folder, PAGE, to_html(history))


def check_charts(history: History) -> list[CheckView]:
    """The charts of every check: one of every group, over the releases."""
    labels, short = history.labels, short_labels(history.labels)
    names = dict(zip(labels, short, strict=True))
    breaks = {labels.index(each.after) for each in history.breaks}
    marked = {
        (step.change.figure, step.change.grouping, step.change.group, step.change.candidate, step.overall): step
        for step in history.marked
    }

    def draw(title: str, points: list[Point], limits: tuple[float, float]) -> Drawing:
        first, by_run = points[0], {point.run: value_of(point.figure) for point in points}
        key = first.check, first.grouping, first.group
        drifts = [step for label in labels if (step := marked.get((*key, label, True)))]
        return timeline(
            title,
            [by_run.get(label, Value(None)) for label in labels],
            short,
            first.figure.unit,
            limits,
            signed=first.figure.signed,
            margin=first.margin,
            breaks=breaks,
            marked={i: step.marked for i, label in enumerate(labels) if (step := marked.get((*key, label, False)))},
            overall="; ".join(
                f"{names[step.since]} to {names[step.change.candidate]}: {step.marked}" for step in drifts
            ),
        )

    return check_views(history, draw)


def to_html(history: History) -> str:
    """The page's text."""
    labels = history.labels
    return series_page(
        history,
        title=f"{clean(labels[0])} to {clean(labels[-1])}",
        eyebrow="History of a model that renders faces from voices",
        subtitle=f"{counted(len(labels), 'release')}, {counted(len(history.breaks), 'break')}.",
        sections=SECTIONS,
        checks=check_charts(history),
        explained=EXPLAINED,
        further=[each.sentence for each in history.breaks],
    )
