"""The page: one standalone HTML file made from an audit, with its figures and tables beside it.

It loads nothing from any network; its policy forbids it to, and lets run only the one script that it carries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from audit.audit import Audit
from audit.clean_text import clean
from audit.finding import OUTCOMES
from audit.report import error_tables, evidence, group_tables, identity, language_tables, likeness_tables
from audit.report.csv_tables import write_csv_tables
from audit.report.gallery import Gallery, gallery
from audit.report.model_card import model_card
from audit.report.panels import FigureView, figure_views
from audit.report.records import count, mapping, strings
from audit.report.standalone import Section, fill, page_environment, read_texts
from audit.report.verdicts import GLYPH_WIDTH, tally, verdicts
from audit.report.wording import counted, metric_name
from audit.sharing import withheld
from audit.writing import write_whole

_HERE: Final = Path(__file__).parent
SECTIONS: Final = (
    "verdicts",
    "scope",
    "cohort",
    "instrument",
    "stages",
    "confusion",
    "languages",
    "together",
    "attributes",
    "failures",
    "gallery",
    "change",
    "limitations",
    "reproduce",
)
"""The order of doubt: what is said, what it means, about whom, by what instrument; only then the evidence."""


def write_report(audit: Audit, folder: str | Path, *, show_faces: bool = False, show_ids: bool = False) -> Path:
    """Write ``report.html``, ``model-card.md``, ``figures/*.svg`` and ``tables/*.csv`` into the folder of a run.

    The same audit gives the same bytes. Figures and tables of an earlier report are removed.

    Parameters
    ----------
    audit : Audit
        All that the report says; nothing else is read but the gallery's pictures.
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
        If a table's name could not be a file's.
    """
    home = Path(folder)
    home.mkdir(parents=True, exist_ok=True)
    if not show_ids:
        audit = replace(audit, tables=withheld(audit.tables))
    write_csv_tables(audit, home / "tables")
    figures = figure_views(audit)
    _write_figures(figures, home / "figures")
    pictures = gallery(audit, home, show=show_faces or _fictional(audit))
    page = home / "report.html"
    write_whole(page, to_html(audit, figures, pictures))
    write_whole(home / "model-card.md", model_card(audit))
    return page


def to_html(audit: Audit, figures: Mapping[str, FigureView], pictures: Gallery) -> str:
    """The page's text."""
    texts = read_texts(_HERE)
    environment = page_environment(texts, glyph_width=GLYPH_WIDTH)
    return environment.get_template("report.html.jinja").render(_context(audit, figures, pictures, texts))


def _context(
    audit: Audit, figures: Mapping[str, FigureView], pictures: Gallery, texts: dict[str, Any]
) -> dict[str, object]:
    run = audit.run
    instrument = identity.name_of(run.get("instrument"), "the instrument")
    model = identity.name_of(run.get("model"), "the model")
    found = verdicts(audit)
    speakers, clips = (counted(count(run, f"n_{noun}s") or 0, noun) for noun in ("speaker", "clip"))
    confidence = audit.settings.get("confidence")
    heard = [f"{number} {texts['outcomes'][outcome]['name']}" for outcome, number in tally(found)]
    return {
        "title": clean(
            str(
                run.get("title")
                or fill(texts["page"]["title"], model=model, cohort=identity.name_of(run.get("cohort")))
            )
        ),
        "subtitle": fill(texts["page"]["subtitle"], model=model, instrument=instrument, speakers=speakers, clips=clips),
        "schema_version": audit.schema_version,
        "digest": clean(str(run.get("digest") or identity.NOT_RECORDED)),
        "complete": run.get("complete") is True,
        "notices": strings(run.get("notices")),
        "sections": [Section(name, i, texts[name]["heading"]) for i, name in enumerate(SECTIONS, 1)],
        "lead": fill(
            texts["verdicts"]["lead"], checks=counted(len(found), "check"), tally=", ".join(heard) or "none made"
        ),
        "confidence": f"{100 * confidence:g}%" if isinstance(confidence, float) else "confidence",
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
            "retrieval": likeness_tables.retrieval(audit),
            "craniofacial": likeness_tables.craniofacial(audit),
            "rendered_as": evidence.rendered_as(audit),
            "statuses": evidence.statuses(audit),
            "failures": evidence.failures(audit),
            "power": evidence.power(audit),
        },
        "failures_known": "failures" in audit.tables,
        "figures": figures,
        "gallery": pictures,
        "not_estimable": [metric_name(metric).capitalize() for metric in evidence.never_estimable(audit)],
        "withheld_note": _counted_note(texts["gallery"]["withheld"], pictures.withheld),
        "too_many_note": _counted_note(texts["gallery"]["too_many"], pictures.too_many),
        "command": clean(str(run.get("command") or identity.NOT_RECORDED)),
        "plan": clean(str(run.get("plan") or "")),
        "digest_facts": identity.digest_facts(audit),
        "settings_facts": identity.settings_facts(audit),
        "versions": identity.version_facts(audit),
    }


def _fictional(audit: Audit) -> bool:
    """Whether the cohort declares, in so many words, that nobody in it exists."""
    return mapping(audit.run.get("cohort")).get("fictional") is True


def _counted_note(template: str, number: int) -> str:
    return fill(template, count=f"{counted(number, 'picture')} {'is' if number == 1 else 'are'}") if number else ""


def _write_figures(figures: Mapping[str, FigureView], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    written = set()
    for view in figures.values():
        for panel in view.panels:
            path = folder / f"{panel.name}.svg"
            path.write_text(panel.svg, encoding="utf-8", newline="\n")
            written.add(path)
    for stale in sorted(set(folder.glob("*.svg")) - written):
        stale.unlink()
