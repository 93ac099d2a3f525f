"""A card as HTML: its own style, in the colours of the report, for light and dark notebooks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import jinja2
from markupsafe import Markup

from audit.core.clean_text import clean
from audit.reports.html.badges import BADGES, Badge
from audit.reports.html.charts import inline
from audit.reports.html.palette import COLOURS
from audit.reports.html.panels import Panel
from audit.reports.html.tabular import TableView
from audit.reports.html.verdicts import GLYPH_WIDTH, Verdict

_HERE: Final = Path(__file__).parent
_DARK: Final = (
    'body[data-jp-theme-light="false"]',
    "body.vscode-dark",
    "body.vscode-high-contrast",
    'html[theme="dark"]',
    'html[data-theme="dark"]',
)
"""How JupyterLab, VS Code, Colab and Sphinx mark dark pages."""
_UNMARKED: Final = "body:not([data-jp-theme-light],.vscode-light)"
"""Other pages follow the setting of the system."""


@dataclass(frozen=True)
class Card:
    """What a notebook shows of an object.

    Attributes
    ----------
    title, subtitle : str
        What it is.
    badge : Badge or None
        Its outcome.
    notices, sentences : sequence of str
        Warnings, and results in words.
    verdicts : sequence of Verdict
        Findings, each in a row with its interval drawn against the margin.
    tables : sequence of TableView
        Tables, shown open.
    charts : str
        The heading of the charts.
    panels : sequence of Panel
        Charts.
    further : sequence of TableView
        Tables that are folded.
    """

    title: str
    subtitle: str = ""
    badge: Badge | None = None
    notices: Sequence[str] = ()
    sentences: Sequence[str] = ()
    verdicts: Sequence[Verdict] = ()
    tables: Sequence[TableView] = ()
    charts: str = ""
    panels: Sequence[Panel] = ()
    further: Sequence[TableView] = ()


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([_HERE, _HERE.parent / "html" / "templates"]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )
    environment.globals.update(badges=BADGES, glyph_width=GLYPH_WIDTH)
    return environment.get_template("card.html.jinja")


def html_of(card: Card) -> str:
    """The HTML of a card; ids of its charts are unique to their content."""
    charts = [Markup(inline(panel.svg, _unique(panel))) for panel in card.panels]
    body = _template().render(card=card, charts=list(zip(card.panels, charts, strict=True)))
    return f"<style>{_style(body)}</style>\n{body}"


def _unique(panel: Panel) -> str:
    return f"s2f-{hashlib.sha256(panel.svg.encode()).hexdigest()[:8]}"


def _style(body: str) -> str:
    """The style sheet, with those of the charts' colours that are used."""
    sheet = (_HERE / "card.css").read_text(encoding="utf-8")
    used = [name for name in COLOURS if re.search(rf"--f-{name}\b(?!-)", body + sheet)]
    light, dark = (" ".join(f"--f-{name}:{COLOURS[name][i]};" for name in used) for i in (0, 1))
    marked = ",".join(f"{page} .s2f" for page in _DARK)
    by_system = f"@media (prefers-color-scheme:dark){{{_UNMARKED} .s2f{{{dark}}}}}"
    return f".s2f{{{light}}}{marked}{{{dark}}}{by_system}" + re.sub(r"\n\s*", "", sheet)
