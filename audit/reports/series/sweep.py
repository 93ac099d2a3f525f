"""The page of a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from audit.core.clean_text import clean
from audit.reports.html.charts import Drawing, Row, dots
from audit.reports.html.identity import name_of
from audit.reports.html.wording import counted, sizes
from audit.reports.series.charts import short_labels
from audit.reports.series.page import series_page, write_series
from audit.reports.series.views import CheckView, check_views, value_of
from audit.series.figures import Point
from audit.series.sweep import Sweep

PAGE: Final = "sweep.html"
SECTIONS: Final = {
    "changed": "Which models can be told apart",
    "verdicts": "Models and checks",
    "charts": "Every check and group",
    "tested": "Every tested difference",
    "runs": "The models",
    "settings": "Settings",
}
EXPLAINED: Final = {
    "changed": (
        "Each model is compared with the first, paired on the same clips and speakers. A difference is beyond noise if "
        "its p-value, adjusted by Holm over all models, checks and groups of this page, is at most one minus the "
        "confidence, and its interval excludes zero. Models that cannot be told apart are not shown to be equal."
    ),
    "verdicts": (
        "The outcome of each check, with its headline figure, as in the audit of the model. The order of the models is "
        "the given one: nothing is ranked."
    ),
    "charts": (
        "Lines are intervals, simultaneous over the groups of a check; overlapping intervals do not decide whether two "
        "models differ, since the speakers are the same. All groups of a check have the same axis."
    ),
    "tested": (
        "The other model minus the first, in the figure's own sign. Intervals are simultaneous over the groups of each "
        "check."
    ),
}


def write_sweep(sweep: Sweep, folder: str | Path) -> Path:
    """Write ``sweep.html``, ``sweep.json`` and ``tables/*.csv`` into a folder.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    RunError
        If the folder contains a run, or a file to be replaced was not written by this tool.
    """
    return write_series(sweep, folder, PAGE, to_html(sweep))


def check_charts(sweep: Sweep) -> list[CheckView]:
    """The charts of every check: one of every group, by model."""
    names = dict(zip(sweep.labels, short_labels(sweep.labels), strict=True))

    def draw(title: str, points: list[Point], limits: tuple[float, float]) -> Drawing:
        rows = [Row(names[point.run], {"ink": value_of(point.figure)}) for point in points]
        return dots(title, rows, points[0].figure.unit, signed=points[0].figure.signed, limits=limits)

    return check_views(sweep, draw)


def to_html(sweep: Sweep) -> str:
    """The page's text."""
    first = sweep.runs[0]
    return series_page(
        sweep,
        title=", ".join(clean(label) for label in sweep.labels),
        eyebrow="Models that render faces from voices, on one cohort",
        subtitle=(
            f"{counted(len(sweep.labels), 'model')}; the same {' and '.join(sizes(first))}, read by "
            f"{name_of(first.get('instrument'))}."
        ),
        sections=SECTIONS,
        checks=check_charts(sweep),
        explained=EXPLAINED,
    )
