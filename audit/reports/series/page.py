"""The page of a series: one standalone HTML file, with JSON and tables in the same folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from audit.core.addresses import local_path
from audit.core.clean_text import clean
from audit.core.errors import RunError
from audit.core.written_files import write_files
from audit.reports.html.csv_tables import TABLES, csv_tables
from audit.reports.html.page import Page, Section
from audit.reports.html.wording import write_confidence
from audit.reports.series.charts import short_labels
from audit.reports.series.views import CheckView, change_table, run_table, verdict_table
from audit.series import Series

_TEMPLATES: Final = Path(__file__).parent / "templates"
APPENDIX: Final = ("tested", "runs", "settings")
"""The sections of the appendix."""


def write_series(series: Series, folder: str | Path, name: str, text: str) -> Path:
    """Write a page of this name and text, its document and ``tables/*.csv`` into a folder.

    Tables of an earlier time are removed.

    Raises
    ------
    RunError
        If the folder contains a run, or a file to be replaced was not written by this tool.
    """
    home = local_path(folder, "The folder of a history or sweep")
    if (home / "manifest.json").exists():
        raise RunError(
            f"{folder} contains a run.", f"a folder for {series.FILE} alone", "Choose another folder for -o."
        )
    home.mkdir(parents=True, exist_ok=True)
    write_files(home, {series.FILE: series.to_json(), **csv_tables(series), name: text}, instead_of=(TABLES,))
    return home / name


def series_page(
    series: Series,
    *,
    title: str,
    eyebrow: str,
    subtitle: str,
    sections: Mapping[str, str],
    checks: Sequence[CheckView],
    explained: Mapping[str, str],
    further: Sequence[str] = (),
) -> str:
    """The page's text.

    ``checks`` are the charts of every check, ``explained`` has a paragraph for each of the templates that need one, and
    ``further`` are sentences after those about changes.
    """
    page = Page(
        series,
        title=title,
        eyebrow=eyebrow,
        subtitle=subtitle,
        skip=f"Skip to: {next(iter(sections.values()))}",
        footer=f"Written only from {series.FILE}; the same document gives the same page.",
        sections={name: Section(title, appendix=name in APPENDIX) for name, title in sections.items()},
        templates=_TEMPLATES,
        style="series.css",
        notices=series.notices,
    )
    short = short_labels(series.labels)
    numbered = [
        f"{number}: {clean(label)}" for number, label in zip(short, series.labels, strict=True) if number != label
    ]
    return page.html(
        {
            "summary": series.sentences[0],
            "sentences": [*series.sentences[1:], *further],
            "explained": explained,
            "confidence": write_confidence(series.settings),
            "numbered": ", ".join(numbered),
            "verdict_table": verdict_table(series),
            "checks": checks,
            "change_table": change_table(series, series.steps),
            "run_table": run_table(series),
            "settings_facts": [(str(key).capitalize(), str(value)) for key, value in series.settings.items()],
        }
    )
