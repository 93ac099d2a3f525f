"""A standalone HTML page: masthead, contents, sections and footer, without any network access.

Its content security policy allows only its own script.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import jinja2
from markupsafe import Markup

from audit.core.clean_text import clean
from audit.reports.html.badges import BADGES
from audit.reports.html.charts import inline
from audit.reports.html.palette import css_variables
from audit.reports.html.panels import Panel
from audit.reports.html.verdicts import GLYPH_WIDTH
from audit.reports.html.wording import counted

_TEMPLATES: Final = Path(__file__).parent / "templates"

INCOMPLETE_TITLE: Final = "This run is not complete"
INCOMPLETE: Final = (
    "Some clips have not been audited yet. Every figure below covers only the clips read so far and may change. "
    "Do not rely on this report; run the same command again to finish the run."
)
NOTICES_TITLE: Final = "Read this first"


@dataclass(frozen=True)
class Section:
    """A section of a page, and the ids and titles of its parts in the table of contents."""

    id: str
    number: int
    title: str
    parts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Frame:
    """The text around the sections of a page.

    Attributes
    ----------
    title, eyebrow, subtitle : str
        The masthead.
    skip : str
        The link over the contents to the first section.
    footer : str
        The sources of the page.
    document : str
        The JSON file of the page.
    schema_version, digest_of, digest : str
        Schema version and digest of the document.
    notices : sequence of str
        Sentences below the masthead.
    complete : bool
        Whether the run is complete; otherwise a banner says so.
    """

    title: str
    eyebrow: str
    subtitle: str
    skip: str
    footer: str
    document: str
    schema_version: str
    digest_of: str
    digest: str
    notices: Sequence[str] = ()
    complete: bool = True


def numbered_sections(
    titles: Mapping[str, str], parts: Mapping[str, Mapping[str, str]] | None = None
) -> tuple[Section, ...]:
    """The sections in order, from their titles by id; ``parts`` has the titles of those within a section."""
    within = parts or {}
    return tuple(
        Section(name, i, title, tuple(within.get(name, {}).items()))
        for i, (name, title) in enumerate(titles.items(), 1)
    )


def render_page(
    frame: Frame,
    sections: Sequence[Section],
    content: Mapping[str, object],
    templates: Path,
    *,
    style: str = "",
) -> str:
    """The text of a page; every text that a template is given is escaped.

    Parameters
    ----------
    frame : Frame
        The text around the sections.
    sections : sequence of Section
        In order; each has its own template ``section_<id>.html.jinja``.
    content : mapping
        The variables of the sections' templates.
    templates : Path
        The folder of the sections' templates.
    style : str
        A style sheet in that folder, added after that of all pages.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([_TEMPLATES, templates]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["clean"] = clean
    script = (_TEMPLATES / "script.js").read_text(encoding="utf-8")
    own_style = (templates / style).read_text(encoding="utf-8") if style else ""
    # Safe markup here is only this package's own files and charts, in which matplotlib escaped every text.
    environment.globals.update(
        inline=_inline,
        counted=counted,
        badges=BADGES,
        glyph_width=GLYPH_WIDTH,
        incomplete_title=INCOMPLETE_TITLE,
        incomplete=INCOMPLETE,
        notices_title=NOTICES_TITLE,
        style=Markup(_style() + own_style),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii"),
    )
    template = environment.get_template("page.html.jinja")
    return template.render(page=frame, sections=sections, **content)


def _inline(panel: Panel) -> Markup:
    return Markup(inline(panel.svg, panel.name))


def _style() -> str:
    """The style sheet, with the charts' colours for light and dark; print is always light."""
    sheet = (_TEMPLATES / "style.css").read_text(encoding="utf-8")
    light, dark = css_variables(dark=False), css_variables(dark=True)
    by_scheme = f":root {{ {light} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"
    return f"{by_scheme}\n{sheet}"
