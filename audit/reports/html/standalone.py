"""How a standalone page is set: templates, style, script, and the policy that lets it load nothing from any network."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup

from audit.reports.html.charts import inline
from audit.reports.html.palette import css_variables
from audit.reports.html.panels import Panel
from audit.reports.html.texts import fill, texts

_TEMPLATES: Final = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Section:
    """One part of a page, and the parts of it that the contents name: their ids and titles."""

    id: str
    number: int
    title: str
    parts: tuple[tuple[str, str], ...] = ()


def page_environment(
    own_texts: dict[str, Any], *, templates: Path | None = None, style: str = "", **further: object
) -> jinja2.Environment:
    """What the page's templates are filled with; every text that a template is given is escaped.

    Parameters
    ----------
    own_texts : dict
        The page's own sentences, as ``t``.
    templates : Path, optional
        A folder of templates beside the report's.
    style : str
        Rules after those of the report's style sheet.
    **further
        Further names that templates know.
    """
    folders = [_TEMPLATES, *([templates] if templates else [])]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["fill"] = fill
    script = _script()
    # What jinja2 marks as safe here are this package's own files and drawings, in which matplotlib escaped every text.
    environment.globals.update(
        t=own_texts,
        inline=_inline,
        style=Markup(_style() + style),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii"),
        **further,
    )
    return environment


def _inline(panel: Panel) -> Markup:
    return Markup(inline(panel.svg, panel.name))


def _script() -> str:
    """The script, its words before it."""
    words = json.dumps(texts()["script"], ensure_ascii=True).replace("</", "<\\/")
    return f'"use strict";\nconst words = {words};\n' + (_TEMPLATES / "script.js").read_text(encoding="utf-8")


def _style() -> str:
    """The style sheet, with the colours of the figures for both schemes; print is always light."""
    sheet = (_TEMPLATES / "style.css").read_text(encoding="utf-8")
    light, dark = css_variables(dark=False), css_variables(dark=True)
    by_scheme = f":root {{ {light} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"
    return f"{by_scheme}\n{sheet}"
