"""The report of an audit: one standalone HTML file, with charts and tables in the same folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from audit.audits.audit import Audit
from audit.audits.audit_like import AuditLike, as_audit
from audit.audits.privacy.pictures import ShownPictures
from audit.audits.privacy.sharing import withheld
from audit.audits.recommendations import DEFINITION, recommend
from audit.core.addresses import place
from audit.core.arrays import Picture
from audit.core.clusters import Clusters
from audit.core.files import make_folder
from audit.core.recording import RECORDING
from audit.core.vocabulary import STAGES
from audit.core.written_files import write_files
from audit.reports.html import identity
from audit.reports.html.assets import earlier_assets
from audit.reports.html.csv_tables import TABLES, csv_tables
from audit.reports.html.gallery import Gallery, gallery
from audit.reports.html.page import Page, Section
from audit.reports.html.panels import FigureView
from audit.reports.html.records import MetricDefinitions, records, split, strings
from audit.reports.html.verdicts import verdicts
from audit.reports.html.wording import sizes, write_confidence
from audit.reports.report import error_tables, evidence, group_tables, language_tables, similarity_tables
from audit.reports.report.adjusted_gaps import SECTION as ADJUSTED_GAPS
from audit.reports.report.adjusted_gaps import adjusted_for, adjusted_gaps, adjusted_sentences, recording_measured
from audit.reports.report.cells import cells
from audit.reports.report.charts import figure_views
from audit.reports.report.first_page import first_page
from audit.reports.report.front_matter import SECTION as FRONT_MATTER
from audit.reports.report.front_matter import front_matter
from audit.reports.report.further_tables import further_tables
from audit.reports.report.language_identification import SECTION as LANGUAGE_IDENTIFICATION
from audit.reports.report.language_identification import language_identification
from audit.reports.report.model_card import model_card
from audit.reports.report.recommendations import SECTION as RECOMMENDATIONS
from audit.reports.report.recommendations import recommendations
from audit.reports.report.recording import SECTION as RECORDINGS
from audit.reports.report.recording import recording
from audit.reports.report.sensitivity import sensitivity, tipping_points
from audit.reports.report.sign_off import DECISIONS, SignOffs, audit_sha256, sign_offs
from audit.reports.report.skin_tone import skin_tone
from audit.reports.report.standards import SECTION as STANDARDS
from audit.reports.report.standards import standards
from audit.reports.report.trends import SECTION as TRENDS
from audit.reports.report.trends import bands, trends
from audit.reports.report.worst_slices import SECTION as WORST_SLICES
from audit.reports.report.worst_slices import slice_sentences, worst_slices
from audit.reports.report.your_files import SECTION as YOUR_FILES
from audit.reports.report.your_files import your_files

PAGE: Final = "report.html"
PDF: Final = "report.pdf"
CARD: Final = "model-card.md"
FIGURES: Final = "figures"
_TEMPLATES: Final = Path(__file__).parent / "templates"

DISPARITIES: Final = {
    "stages": "Read as the own group, stage by stage",
    "confusion": "Reads as other groups",
    "intersections": "Group by language",
    "languages": "The same speakers in another language",
    "together": "All groups at once",
    "attributes": "Gender, age and similarity",
}

SECTIONS: Final = {
    "summary": Section("Summary"),
    FRONT_MATTER: Section("Front matter"),
    "scope": Section("The question, and the objection to asking it"),
    "cohort": Section("Who is in the data"),
    "instrument": Section("The instrument and its error"),
    "results": Section("Results by check"),
    RECOMMENDATIONS: Section("Recommendations"),
    "limitations": Section("Limitations"),
    "reproduce": Section("How to reproduce this report"),
    "sign_off": Section("Sign-off"),
    "labels": Section("Data and labels: speakers and the sources of their labels", appendix=True),
    "language_identification": Section("Language identification", appendix=True),
    "your_files": Section("Your files", appendix=True),
    "recording": Section("Recordings", appendix=True),
    "instrument_details": Section("The instrument in detail", appendix=True),
    "check_figures": Section("Every figure of every check", appendix=True),
    "disparities": Section("Disparities by group and intersection", appendix=True, parts=DISPARITIES),
    "worst_slices": Section("Worst slices", appendix=True),
    "adjusted_gaps": Section("Is it the recording?", appendix=True),
    "trends": Section("Age, skin tone and recording quality", appendix=True),
    "faces": Section("Pictures", appendix=True),
    "failures": Section("Missing faces and failures", appendix=True),
    "further_tables": Section("Further tables", appendix=True),
    "method": Section("Method", appendix=True),
    STANDARDS: Section("Standards and laws", appendix=True),
    "run_details": Section("Plan, versions and settings", appendix=True),
}
"""The main report, of at most 12 printed pages, and its appendix with every table.

Summary, scope, data and instrument come before the evidence.
"""

ESTIMANDS: Final = {
    "speaker": "the mean over speakers with equal weights (macro average)",
    "clip": "the mean over clips with equal weights (micro average)",
}


_TABLES: Final = (
    evidence.label_sources,
    evidence.strata,
    evidence.rendered_as,
    language_identification,
    your_files,
    recording,
    evidence.statuses,
    evidence.faces_found,
    evidence.failures,
    evidence.power,
    error_tables.calibration,
    error_tables.corrected,
    error_tables.people,
    error_tables.bounds,
    sensitivity,
    group_tables.groups,
    group_tables.intersections,
    cells,
    worst_slices,
    language_tables.language_flips,
    language_tables.coverage,
    similarity_tables.retrieval,
    similarity_tables.craniofacial,
    adjusted_gaps,
    bands,
    trends,
)
"""The tables of the page; templates name them as the functions."""


def write_report(
    audited: AuditLike,
    folder: str | Path,
    *,
    show_faces: bool = False,
    show_ids: bool = False,
    rules: Sequence[str] = (),
    assets: str = "",
    pictures: Callable[[str, str], Picture] | None = None,
) -> Path:
    """Write ``report.html``, ``model-card.md``, ``figures/*.svg`` and ``tables/*.csv`` into the folder of a run.

    The same audit with the same sign-offs gives the same bytes. Charts, tables and the PDF of an earlier report are
    removed; other files in the folder are kept.

    Parameters
    ----------
    audited : Audit, Run or path
        The audit; see :func:`audit.audits.audit_like.as_audit`. Besides it, only the gallery's pictures and the
        sign-offs in the folder are read.
    folder : str or Path
        The run's folder, or another one. Pictures are taken from the run's folder where the audit knows it.
    show_faces : bool
        Show the gallery's pictures even of real people. Those of a cohort that is declared fictional are always shown.
    show_ids : bool
        Keep ids and details; by default an id that is not a pseudonym is withheld. See
        :func:`audit.with_ids`.
    rules : sequence of str
        Third-party rules of recommendations; see :func:`audit.recommend`.
    assets : str
        A folder, relative to the page, for style and script as files. The page then has no inline style or script and
        works under a Content-Security-Policy without ``'unsafe-inline'``. Without it the page is one standalone file.
    pictures : callable, optional
        Gives the picture of a clip, named as in the audit's gallery, at a stage: for an audit whose run is elsewhere.
        By default the pictures that the run kept, verified.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    AuditError
        If ``assets`` is not a folder within that of the page.
    RunError
        If a table's name is not a valid file name, or a file to be replaced was not written by this tool.
    """
    audit, home = as_audit(audited), place(folder)
    make_folder(home, shared=True)
    digest = audit_sha256(audit, home)
    clips = [clip for of in split(records(audit, "gallery"), "language") for clip in of]
    open_picture = pictures or ShownPictures(audit.source or home, [str(clip["clip_id"]) for clip in clips]).open
    show = show_faces or identity.fictional(audit.run)
    shown = gallery(clips, {stage: (stage, partial(_open, open_picture, stage)) for stage in STAGES}, show, show_ids)
    if not show_ids:
        audit = replace(audit, tables=withheld(audit.tables))
    figures = figure_views(audit)
    files = {
        **csv_tables(audit),
        **{f"{FIGURES}/{panel.name}.svg": panel.svg for view in figures.values() for panel in view.panels},
        **page_files(audit, figures, shown, digest, sign_offs(home, digest), rules=rules, assets=assets),
        CARD: model_card(audit, rules),
    }
    write_files(home, files, instead_of=(TABLES, FIGURES, PDF, *earlier_assets(home, Path(PAGE).stem)))
    return home / PAGE


def _open(pictures: Callable[[str, str], Picture], stage: str, clip: str) -> Picture:
    return pictures(clip, stage)


def page_files(
    audit: Audit,
    figures: Mapping[str, FigureView],
    pictures: Gallery,
    digest: str,
    signed: SignOffs,
    *,
    rules: Sequence[str] = (),
    assets: str = "",
) -> dict[str, str]:
    """The page, with style and script where they are files; ``digest`` is that of audit.json, for sign-offs."""
    run = audit.run
    model, instrument = (identity.name_of(run.get(part), f"the {part}") for part in ("model", "instrument"))
    further = further_tables(audit)
    optional: dict[str, object] = {
        "further_tables": further,
        LANGUAGE_IDENTIFICATION: records(audit, LANGUAGE_IDENTIFICATION),
        YOUR_FILES: records(audit, YOUR_FILES),
        RECORDINGS: records(audit, RECORDINGS),
        WORST_SLICES: records(audit, WORST_SLICES),
        ADJUSTED_GAPS: records(audit, ADJUSTED_GAPS),
        TRENDS: records(audit, TRENDS),
    }
    page = Page(
        audit,
        title=str(run.get("title") or f"Audit of \u201c{model}\u201d on {identity.name_of(run.get('cohort'))}"),
        eyebrow="Bias audit of faces rendered from voices",
        subtitle=f"Model: {model}. Read by: {instrument}. {', '.join(sizes(run))}.",
        skip="Skip to the first page",
        footer="Written only from audit.json and the sign-offs in its folder; the same files give the same page.",
        sections={name: section for name, section in SECTIONS.items() if optional.get(name, True)},
        templates=_TEMPLATES,
        notices=strings(run.get("notices")),
        complete=run.get("complete") is True,
        digest_of="run",
        digest=str(run.get("digest") or identity.NOT_RECORDED),
    )
    form = {"audit_sha256": digest, "name": "", "role": "", "decision": "", "conditions": "", "date": "YYYY-MM-DD"}
    found, stages = verdicts(audit), evidence.three_stages(audit, "read_own_group")
    tables = {make.__name__: make(audit) for make in _TABLES}
    views = [*tables.values(), *further, stages, *(view for figure in figures.values() for view in figure.tables)]
    content = {
        **_content(audit),
        "first": first_page(audit, found, signed, [view.name for view in views if view.rows], recommend(audit, rules)),
        "verdicts": found,
        "tables": tables,
        "stages": stages,
        "recommended": recommendations(audit, found, rules),
        STANDARDS: standards({name: section.title for name, section in page.sections.items()}),
        "further_tables": further,
        "figures": figures,
        "gallery": pictures,
        "digest_of_audit": digest,
        "digest_short": digest[:12],
        "signed": signed,
        "decisions": DECISIONS,
        "by_hand": json.dumps(form, indent=1),
    }
    return page.files(PAGE, content, assets)


def _content(audit: Audit) -> dict[str, object]:
    """The variables of the templates that depend on the audit alone."""
    run = audit.run
    speakers, clips = sizes(run)
    estimand = str(audit.settings.get("estimand", identity.NOT_RECORDED))
    return {
        "confidence": write_confidence(audit.settings),
        FRONT_MATTER: front_matter(audit),
        "strength_defined": DEFINITION,
        "tipping_points": tipping_points(audit),
        "adjusted_for": adjusted_for(audit),
        "recording_measured": recording_measured(audit),
        "adjusted_sentences": adjusted_sentences(audit),
        "skin_tone": skin_tone(audit),
        "recording_measures": RECORDING,
        "slice_sentences": slice_sentences(audit),
        "instrument": identity.name_of(run.get("instrument"), "the instrument"),
        "cohort_name": identity.name_of(run.get("cohort")),
        "fictional": identity.fictional(run),
        "speakers": speakers,
        "clips": clips,
        "excluded": strings(run.get("set_aside")),
        "card": identity.instrument_card(audit),
        "facts": identity.facts(audit),
        "stages": evidence.three_stages(audit, "read_own_group"),
        "people_in_short": evidence.people_in_short(audit),
        "failures_known": "failures" in audit.tables,
        "not_estimable": [MetricDefinitions.of(audit).title(metric) for metric in evidence.never_estimable(audit)],
        "min_speakers": str(audit.settings.get("min_speakers", identity.NOT_RECORDED)),
        "clusters": Clusters.model_validate(run["clusters"]).sentence if run.get("clusters") else "",
        "estimand": ESTIMANDS.get(estimand, estimand),
        "command": str(run.get("command") or identity.NOT_RECORDED),
        "plan": str(run.get("plan") or ""),
    }
