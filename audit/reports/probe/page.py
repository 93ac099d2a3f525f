"""The page of a probe: one standalone HTML file, with JSON and tables in the same folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final

from audit.core.addresses import local_path
from audit.core.units import write_value
from audit.core.written_files import write_files
from audit.probes.answers import ASKED, adjusted_words, alike, lead
from audit.probes.probe import Probe
from audit.reports.html.csv_tables import TABLES, csv_tables
from audit.reports.html.gallery import Album, Strip
from audit.reports.html.identity import NOT_RECORDED, Fact, name_of
from audit.reports.html.page import Page, Section
from audit.reports.html.records import Record, count, mapping, number, records, text, where
from audit.reports.html.verdicts import Verdict, verdict_of
from audit.reports.html.wording import counted, group_name, status_name, write_confidence
from audit.reports.probe.names import TITLES, properties_in
from audit.reports.probe.panels import answers_view, direction_view, far_view, groups_view
from audit.reports.probe.tables import factors, matrix, missing, shifts
from audit.runs.faces import RecordedFace, open_face
from audit.runs.run import FACES
from audit.stats import ALL

PAGE: Final = "probe.html"
_TEMPLATES: Final = Path(__file__).parent / "templates"
SECTIONS: Final = {
    "answers": "What about a voice changes the face, and how much",
    "in_words": "Which way, and for whom",
    "can_show": "What was not asked, and what this cannot show",
    "far": "How much each change of a voice changes the face",
    "direction": "Direction of the changes",
    "for_whom": "The effect of the language by group",
}
"""The main part, of at most 12 printed pages."""
APPENDIX: Final = {
    "numbers": "The numbers of the charts",
    "same_voices": "The same voices, one thing changed",
    "factors_used": "The changes to the voices",
    "not_read": "Missing faces",
    "once_more": "How to reproduce this probe",
}
"""The appendix, with every table."""
_FAMILIES: Final = {family: f"By {words}" for family, words in ASKED.items()}


def write_probe(probe: Probe, folder: str | Path) -> Path:
    """Write ``probe.html``, ``probe.json`` and ``tables/*.csv`` into the probe's folder.

    Parameters
    ----------
    probe : Probe
        The probe. Besides it, only the pictures in the folder's ``faces`` are read.
    folder : str or Path
        The folder given to :func:`audit.probe` as ``out``.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    RunError
        If a file to be replaced was not written by this tool.
    """
    home = local_path(folder, "The folder of a probe")
    files = {Probe.FILE: probe.to_json(), **csv_tables(probe), PAGE: to_html(probe, home)}
    write_files(home, files, instead_of=(TABLES,))
    return home / PAGE


def to_html(probe: Probe, folder: Path) -> str:
    """The page's text; pictures are read from the folder."""
    titles = {prop.name: prop.title for prop in properties_in(probe)}
    verdict = lead(probe.findings, titles)
    voices, clips = (count(probe.cohort, name) or 0 for name in ("n_voices", "n_clips"))
    page = Page(
        probe,
        title=f"Probe of \u201c{name_of(probe.model)}\u201d",
        eyebrow="Probe of a model that renders faces from voices",
        subtitle=f"{verdict} {counted(voices, 'voice')}, fictional and bilingual, {counted(clips, 'clip')}; one thing "
        f"changed at a time. Read by: {name_of(probe.instrument)}.",
        skip="Skip to the findings",
        footer="Written only from probe.json; the same probe gives the same page.",
        sections={name: Section(title) for name, title in SECTIONS.items()}
        | {name: Section(title, appendix=True) for name, title in APPENDIX.items()},
        templates=_TEMPLATES,
        style="probe.css",
        notices=probe.notices,
    )
    confidence = float(str(probe.settings.get("confidence", 0.95)))
    told = {finding.sentence + adjusted_words(finding, len(probe.findings), confidence) for finding in probe.findings}
    told |= {verdict, *alike(probe.findings, titles)}
    rows = where(records(probe, "missing"), group=ALL)
    views = {"answers": answers_view(probe), "far": far_view(probe), "direction": direction_view(probe)}
    views["groups"] = groups_view(probe)
    content = {
        "verdict": verdict,
        "confidence": write_confidence(probe.settings),
        "families": _families(probe, confidence),
        "without_accent": not probe.cohort.get("n_accented_clips"),
        "n_questions": len(probe.findings),
        "sentences": [sentence for sentence in probe.sentences if sentence not in told],
        "figures": {name: replace(view, tables=()) for name, view in views.items()},
        "has_bare_dot": any(view.has_bare_dot for view in views.values()),
        "numbers": [table for view in views.values() for table in view.tables],
        "tables": {make.__name__: make(probe) for make in (matrix, shifts, factors, missing)},
        "voices": _voices(probe, folder),
        "faces": sum(count(row, "n_faces") or 0 for row in rows),
        "failed": sum(count(row, "n_not_read") or 0 for row in rows),
        "n_voices": voices,
        "seed": str(probe.settings.get("seed")),
        "facts": _facts(probe),
    }
    return page.html(content)


def _families(probe: Probe, confidence: float) -> list[tuple[str, list[tuple[Verdict, str]]]]:
    """The answers by family of factors, each with its sentence."""
    number, found = len(probe.findings), dict[str, list[tuple[Verdict, str]]]()
    for finding in probe.findings:
        family = finding.code.split(".", 1)[0]
        sentence = finding.sentence + adjusted_words(finding, number, confidence)
        found.setdefault(_FAMILIES.get(family, family), []).append((verdict_of(finding, ("voice", "face")), sentence))
    return [*found.items()]


def _voices(probe: Probe, folder: Path) -> list[Strip]:
    """The sample of voices, each with its faces under every factor."""
    rows, album = records(probe, "strip"), Album(show=True)
    if not (folder / FACES).is_dir():
        return []
    voices = []
    for name in dict.fromkeys(text(row, "speaker_id") for row in rows):
        mine, shots = where(rows, speaker_id=name), []
        owner = {"woman": "a woman's", "man": "a man's"}.get(text(mine[0], "gender"), "a")
        title = f"Group {group_name(text(mine[0], 'group'))}, {owner} voice"
        for row in mine:
            factor, status = TITLES[text(row, "factor")], status_name(text(row, "status"))
            # pictures of a probe are named by the digest of their pixels: the voices are fictional
            face = RecordedFace("", "rendered", PurePosixPath(text(row, "picture")).stem)
            opened = partial(open_face, folder, face) if face.name else None
            shots.append(album.shot(opened, factor, _read(row), f"{title}, {factor}", unread=status))
        voices.append(Strip(title, name, tuple(shots)))
    return voices


def _read(row: Record) -> str:
    if not text(row, "read_race"):
        return ""
    age = number(row, "read_age")
    return f"{group_name(text(row, 'read_race'))} {text(row, 'read_gender')}{'' if age is None else f', {age:.0f}'}"


def _facts(probe: Probe) -> list[Fact]:
    def fact(name: str, of: Mapping[str, object], key: str) -> Fact:
        return name, (str(of.get(key) or NOT_RECORDED),)

    versions = sorted(mapping(probe.settings.get("versions")).items())
    plain = {key: value for key, value in probe.settings.items() if key not in ("versions", "margins")}
    margins = [
        f"{prop.title}: " + write_value(prop.margin, prop.unit, signed=prop.unit == "share").removeprefix("+")
        for prop in properties_in(probe)
    ]
    return [
        ("Model", name_of(probe.model)),
        fact("Weights of the model", probe.model, "weights_sha256"),
        ("Instrument", name_of(probe.instrument)),
        ("Voices", name_of(probe.cohort)),
        fact("Digest of the voices", probe.cohort, "digest"),
        ("Licence of the voices", str(probe.cohort.get("licence") or NOT_RECORDED)),
        *((key.replace("_", " ").capitalize(), str(value)) for key, value in plain.items()),
        ("Margins", "; ".join(margins)),
        ("Versions", ", ".join(f"{name} {version}" for name, version in versions)),
    ]
