"""A standalone HTML page: masthead, contents, sections and footer, without any network access.

Its content security policy allows only its own style and script.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import jinja2
from markupsafe import Markup

from audit.core.clean_text import clean
from audit.core.document import Document
from audit.reports.html.assets import asset_folder, asset_name
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
    """A section of a page.

    Attributes
    ----------
    title : str
        Its title.
    appendix : bool
        Whether it is in the appendix, which comes after the main report and is printed from a new page.
    parts : Mapping of str to str
        The titles of its parts, by id, for the contents.
    """

    title: str
    appendix: bool = False
    parts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """A page of sections about a document.

    ``skip`` is the link over the contents, ``footer`` names the sources. ``sections`` has the sections by id, in order;
    each has its own template ``section_<id>.html.jinja`` in the folder ``templates``, as has the further ``style``.
    ``digest`` is by default that of the document.
    """

    document: Document
    title: str
    eyebrow: str
    subtitle: str
    skip: str
    footer: str
    sections: Mapping[str, Section]
    templates: Path
    style: str = ""
    notices: Sequence[str] = ()
    complete: bool = True
    digest_of: str = "sha256"
    digest: str = ""

    @property
    def main(self) -> dict[str, Section]:
        """The sections of the main report, by id."""
        return {name: section for name, section in self.sections.items() if not section.appendix}

    @property
    def appendix(self) -> dict[str, Section]:
        """The sections of the appendix, by id."""
        return {name: section for name, section in self.sections.items() if section.appendix}

    def html(self, content: Mapping[str, object]) -> str:
        """The text of the page with its style and script; ``content`` has the variables of the templates.

        Texts are cleaned and escaped.
        """
        return self.files("page.html", content)["page.html"]

    def files(self, name: str, content: Mapping[str, object], assets: str = "") -> dict[str, str]:
        """The files of the page, by their names in its folder.

        Parameters
        ----------
        name : str
            The name of the page, such as ``report.html``.
        content : Mapping
            The variables of the templates, whose texts are cleaned and escaped.
        assets : str
            The folder for style and script, relative to the page. Without it both are within the page. With it the page
            has no inline style or script, as a strict Content-Security-Policy demands.

        Raises
        ------
        AuditError
            If ``assets`` is not a folder within that of the page.
        """
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader([_TEMPLATES, self.templates]),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            finalize=_finalize,
        )
        script = (_TEMPLATES / "script.js").read_text(encoding="utf-8")
        style = _style() + ((self.templates / self.style).read_text(encoding="utf-8") if self.style else "")
        made = {}
        if assets:
            folder, stem = asset_folder(assets), Path(name).stem
            made = {asset_name(folder, stem, style, "css"): style, asset_name(folder, stem, script, "js"): script}
        style_file, script_file = made or ("", "")
        # Safe markup here is only this package's own files and charts, in which matplotlib escaped every text.
        environment.globals.update(
            inline=_inline,
            counted=counted,
            badges=BADGES,
            glyph_width=GLYPH_WIDTH,
            incomplete_title=INCOMPLETE_TITLE,
            incomplete=INCOMPLETE,
            notices_title=NOTICES_TITLE,
            style=Markup(style),
            script=Markup(script),
            style_file=style_file,
            script_file=script_file,
            style_source="'self'" if made else _hash_source(style),
            script_source="'self'" if made else _hash_source(script),
        )
        return {**made, name: environment.get_template("page.html.jinja").render(page=self, **content)}


def _hash_source(text: str) -> Markup:
    """The source expression of a Content-Security-Policy that allows one inline text (CSP 3, section 2.3.1)."""
    return Markup(f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'")


def _finalize(value: object) -> object:
    """A value as it is written: every text from data is cleaned."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _inline(panel: Panel) -> Markup:
    return Markup(inline(panel.svg, panel.name))


def _style() -> str:
    """The style sheet, with the charts' colours for light and dark; print is always light."""
    sheet = (_TEMPLATES / "style.css").read_text(encoding="utf-8")
    light, dark = css_variables(dark=False), css_variables(dark=True)
    by_scheme = f":root {{ {light} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"
    return f"{by_scheme}\n{sheet}"
