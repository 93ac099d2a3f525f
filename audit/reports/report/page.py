"""The page: one standalone HTML file made from an audit, with its figures and tables beside it.

It loads nothing from any network; its policy forbids it to, and lets run only the one script that it carries.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from audit.audits.audit import Audit
from audit.audits.privacy.sharing import withheld
from audit.checks.finding import OUTCOMES
from audit.core.clean_text import clean
from audit.core.written_files import write_files
from audit.reports.html import identity
from audit.reports.html.csv_tables import TABLES, csv_tables
from audit.reports.html.gallery import Gallery, gallery
from audit.reports.html.panels import FigureView, figure_views
from audit.reports.html.records import count, mapping, strings
from audit.reports.html.standalone import Section, page_environment
from audit.reports.html.tabular import Column, TableView, head
from audit.reports.html.tabular import words as in_words
from audit.reports.html.texts import fill, texts
from audit.reports.html.verdicts import GLYPH_WIDTH, verdicts
from audit.reports.html.wording import counted, metric_name, write_confidence
from audit.reports.report import error_tables, evidence, group_tables, language_tables, likeness_tables
from audit.reports.report.first_page import first_page
from audit.reports.report.model_card import model_card
from audit.reports.report.sign_off import DECISIONS, SignOffs, audit_sha256, sign_offs

PAGE: Final = "report.html"
PDF: Final = "report.pdf"
CARD: Final = "model-card.md"
FIGURES: Final = "figures"
SECTIONS: Final = (
    "summary",
    "scope",
    "cohort",
    "instrument",
    "results",
    "disparities",
    "faces",
    "failures",
    "limitations",
    "method",
    "reproduce",
    "sign_off",
)
"""The order of doubt: what is said, what it means, about whom, by what instrument; only then the evidence."""

PARTS: Final = {
    "disparities": ("stages", "confusion", "intersections", "languages", "together", "attributes"),
}
"""The parts of a section, which the contents name too."""


def write_report(audit: Audit, folder: str | Path, *, show_faces: bool = False, show_ids: bool = False) -> Path:
    """Write ``report.html``, ``model-card.md``, ``figures/*.svg`` and ``tables/*.csv`` into the folder of a run.

    The same audit with the same sign-offs gives the same bytes. Figures, tables and the PDF of an earlier report are
    removed; other files in the folder are left alone.

    Parameters
    ----------
    audit : Audit
        All that the report says; nothing else is read but the gallery's pictures and the sign-offs in the folder.
    folder : str or Path
        The run's folder.
    show_faces : bool
        Show the gallery's pictures even where they are of real people. Those of a cohort that declares itself
        fictional are always shown.
    show_ids : bool
        Leave ids and details as the audit has them; without it an id that is no pseudonym is withheld. See
        :func:`audit.with_ids`.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    RunError
        If a table's name could not be a file's, or a file in the way was not written by this tool.
    """
    home = Path(folder)
    home.mkdir(parents=True, exist_ok=True)
    digest = audit_sha256(audit, home)
    if not show_ids:
        audit = replace(audit, tables=withheld(audit.tables))
    figures = figure_views(audit)
    pictures = gallery(audit, home, show=show_faces or _fictional(audit))
    files = {
        **csv_tables(audit),
        **{f"{FIGURES}/{panel.name}.svg": panel.svg for view in figures.values() for panel in view.panels},
        PAGE: to_html(audit, figures, pictures, digest, sign_offs(home, digest)),
        CARD: model_card(audit),
    }
    write_files(home, files, instead_of=(TABLES, FIGURES, PDF))
    return home / PAGE


def to_html(audit: Audit, figures: Mapping[str, FigureView], pictures: Gallery, digest: str, signed: SignOffs) -> str:
    """The page's text; ``digest`` is that of audit.json, which a sign-off names."""
    environment = page_environment(texts(), glyph_width=GLYPH_WIDTH)
    environment.filters["clean"] = clean
    context = _context(audit, figures, pictures) | _signing(digest, signed)
    return environment.get_template("report.html.jinja").render(context)


def _signing(digest: str, signed: SignOffs) -> dict[str, object]:
    """What the page says of sign-offs."""
    words = texts()["sign_off"]
    notes = []
    if signed.of_another:
        who = ", ".join(
            clean(f"{item.name} ({item.file_name}, of {item.audit_sha256[:12]})") for item in signed.of_another
        )
        does = words["does"] if len(signed.of_another) == 1 else words["do"]
        notes.append(fill(words["of_another"], count=counted(len(signed.of_another), "sign-off"), who=who, does=does))
    if signed.unreadable:
        count_ = counted(len(signed.unreadable), "file")
        notes.append(fill(words["unreadable"], count=count_, names=", ".join(signed.unreadable)))
    form = {"audit_sha256": digest, "name": "", "role": "", "decision": "", "conditions": "", "date": "YYYY-MM-DD"}
    return {
        "digest_of_audit": digest,
        "digest_short": digest[:12],
        "signed": signed,
        "sign_off_notes": notes,
        "decisions": DECISIONS,
        "by_hand": json.dumps(form, indent=1),
    }


def _context(audit: Audit, figures: Mapping[str, FigureView], pictures: Gallery) -> dict[str, object]:
    run, words = audit.run, texts()
    instrument = identity.name_of(run.get("instrument"), "the instrument")
    model = identity.name_of(run.get("model"), "the model")
    found = verdicts(audit)
    speakers, clips = (counted(count(run, f"n_{noun}s") or 0, noun) for noun in ("speaker", "clip"))
    return {
        "title": clean(
            str(
                run.get("title")
                or fill(words["page"]["title"], model=model, cohort=identity.name_of(run.get("cohort")))
            )
        ),
        "subtitle": fill(words["page"]["subtitle"], model=model, instrument=instrument, speakers=speakers, clips=clips),
        "schema_version": audit.schema_version,
        "digest": clean(str(run.get("digest") or identity.NOT_RECORDED)),
        "complete": run.get("complete") is True,
        "notices": strings(run.get("notices")),
        "sections": [
            Section(
                name, i, words[name]["heading"], tuple((part, words[part]["heading"]) for part in PARTS.get(name, ()))
            )
            for i, name in enumerate(SECTIONS, 1)
        ],
        "first": first_page(audit, found),
        "confidence": write_confidence(audit.settings),
        "outcomes": OUTCOMES,
        "verdicts": found,
        "instrument": instrument,
        "cohort_name": identity.name_of(run.get("cohort")),
        "fictional": _fictional(audit),
        "speakers": speakers,
        "clips": clips,
        "set_aside": strings(run.get("set_aside")),
        "cohort_facts": identity.cohort_facts(audit),
        "instrument_facts": identity.instrument_facts(audit),
        "instrument_parts": identity.instrument_parts(audit),
        "card": identity.instrument_card(audit),
        "tables": {
            "label_sources": evidence.label_sources(audit),
            "strata": evidence.strata(audit),
            "stages": evidence.three_stages(audit, "read_own_group"),
            "language_flips": language_tables.language_flips(audit),
            "coverage": language_tables.coverage(audit),
            "calibration": error_tables.calibration(audit),
            "corrected": error_tables.corrected(audit),
            "people": error_tables.people(audit),
            "bounds": error_tables.bounds(audit),
            "groups": group_tables.groups(audit),
            "intersections": group_tables.intersections(audit),
            "retrieval": likeness_tables.retrieval(audit),
            "craniofacial": likeness_tables.craniofacial(audit),
            "rendered_as": evidence.rendered_as(audit),
            "statuses": evidence.statuses(audit),
            "failures": evidence.failures(audit),
            "power": evidence.power(audit),
            "standards": _standards(words["method"]),
        },
        "failures_known": "failures" in audit.tables,
        "figures": figures,
        "gallery": pictures,
        "not_estimable": [metric_name(metric).capitalize() for metric in evidence.never_estimable(audit)],
        "withheld_note": _counted_note(words["faces"]["withheld"], pictures.withheld),
        "too_many_note": _counted_note(words["faces"]["too_many"], pictures.too_many),
        "min_speakers": str(audit.settings.get("min_speakers", identity.NOT_RECORDED)),
        "estimand": _estimand(audit, words["method"]),
        "command": clean(str(run.get("command") or identity.NOT_RECORDED)),
        "plan": clean(str(run.get("plan") or "")),
        "digest_facts": identity.digest_facts(audit),
        "model_facts": identity.model_facts(audit),
        "settings_facts": identity.settings_facts(audit),
        "versions": identity.version_facts(audit),
    }


def _estimand(audit: Audit, said: Mapping[str, Any]) -> str:
    named = str(audit.settings.get("estimand", identity.NOT_RECORDED))
    return clean(str(said["estimands"].get(named, named)))


def _standards(said: Mapping[str, Any]) -> TableView:
    """The report's words beside those of the standard."""
    view = TableView("standards", said["caption"], [Column(label) for label in said["columns"]], sortable=False)
    view.rows = [[head(here), in_words(there), in_words(differs)] for here, there, differs in said["words"]]
    return view


def _fictional(audit: Audit) -> bool:
    """Whether the cohort declares, in so many words, that nobody in it exists."""
    return mapping(audit.run.get("cohort")).get("fictional") is True


def _counted_note(template: str, number: int) -> str:
    return fill(template, count=f"{counted(number, 'picture')} {'is' if number == 1 else 'are'}") if number else ""
