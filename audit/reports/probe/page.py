"""The probe's page: one standalone HTML file in the look of the report, JSON and tables beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from audit.checks.finding import OUTCOMES, Finding
from audit.core.clean_text import clean
from audit.core.units import write_interval, write_value
from audit.core.written_files import write_files
from audit.probes.changes import PROPERTIES
from audit.probes.probe import PROBE, Probe
from audit.reports.html.csv_tables import TABLES, csv_tables
from audit.reports.html.gallery import BUDGET, thumbnail
from audit.reports.html.identity import Fact, name_of
from audit.reports.html.records import Record, count, mapping, number, records, text, where
from audit.reports.html.standalone import Section, page_environment
from audit.reports.html.texts import fill, read_texts
from audit.reports.html.verdicts import GLYPH_WIDTH, Glyph, draw
from audit.reports.html.wording import counted, group_name, status_name, write_confidence
from audit.reports.probe.panels import (
    TITLES,
    direction_view,
    far_view,
    groups_view,
    small_p,
    unit_of,
)
from audit.reports.probe.views import factors, matrix, missing, shifts
from audit.runs.run import FACES
from audit.stats import ALL

PAGE: Final = "probe.html"
_HERE: Final = Path(__file__).parent
SECTIONS: Final = (
    "answers",
    "far",
    "direction",
    "for_whom",
    "same_voices",
    "can_show",
    "factors_used",
    "not_read",
    "once_more",
)


@dataclass(frozen=True)
class Answer:
    """One finding as it is shown."""

    code: str
    title: str
    outcome: str
    sentence: str
    reason: str
    would_change: str
    value: str
    interval: str
    margin: str
    p: str
    sizes: str
    glyph: Glyph | None


@dataclass(frozen=True)
class Shot:
    """One face: under which factor, a data URI or the reason why there is none, and what was read in it."""

    factor: str
    uri: str
    absent: str
    read: str
    status: str


@dataclass(frozen=True)
class Voice:
    """One voice of the sample, with its faces."""

    title: str
    who: str
    shots: tuple[Shot, ...]


def write_probe(probe: Probe, folder: str | Path) -> Path:
    """Write ``probe.html``, ``probe.json`` and ``tables/*.csv`` into the probe's folder.

    Parameters
    ----------
    probe : Probe
        All that the page says; nothing else is read but the pictures in the folder's ``faces``.
    folder : str or Path
        The folder that :func:`audit.probe` was given as ``out``.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    RunError
        If a file in the way was not written by this tool.
    """
    home = Path(folder)
    files = {PROBE: probe.to_json(), **csv_tables(probe), PAGE: to_html(probe, home)}
    write_files(home, files, instead_of=(TABLES,))
    return home / PAGE


def to_html(probe: Probe, folder: Path) -> str:
    """The page's text; pictures are read from the folder."""
    texts = read_texts(_HERE)
    style = (_HERE / "templates" / "probe.css").read_text(encoding="utf-8")
    environment = page_environment(texts, templates=_HERE / "templates", style=style, glyph_width=GLYPH_WIDTH)
    return environment.get_template("report.html.jinja").render(_context(probe, folder, texts))


def _context(probe: Probe, folder: Path, texts: dict[str, Any]) -> dict[str, object]:
    answers = [_answer(finding) for finding in probe.findings if finding.code.startswith("language.")]
    said = {answer.sentence for answer in answers}
    confidence = write_confidence(probe.settings)
    tally = [
        f"{sum(answer.outcome == outcome for answer in answers)} {texts['outcomes'][outcome]['name']}"
        for outcome in OUTCOMES
        if any(answer.outcome == outcome for answer in answers)
    ]
    rows = where(records(probe, "missing"), group=ALL)
    faces, failed = (sum(count(row, name) or 0 for row in rows) for name in ("n_faces", "n_not_read"))
    note = texts["not_read"]["some" if failed else "none"]
    return {
        "title": fill(texts["page"]["title"], model=name_of(probe.model)),
        "subtitle": fill(
            texts["page"]["subtitle"],
            voices=counted(count(probe.cohort, "n_voices") or 0, "voice"),
            clips=counted(count(probe.cohort, "n_clips") or 0, "clip"),
            instrument=name_of(probe.instrument),
        ),
        "schema_version": probe.schema_version,
        "digest": probe.digest,
        "complete": True,
        "notices": [clean(notice) for notice in probe.notices],
        "sections": [Section(name, i, texts[name]["heading"]) for i, name in enumerate(SECTIONS, 1)],
        "lead": fill(texts["answers"]["lead"], tally=", ".join(tally)),
        "confidence": confidence,
        "outcomes": OUTCOMES,
        "verdicts": answers,
        "sentences": [clean(sentence) for sentence in probe.sentences if not clean(sentence).startswith(tuple(said))],
        "figures": {
            "far": far_view(probe, fill(texts["far"]["caption"], confidence=confidence)),
            "direction": direction_view(probe, fill(texts["direction"]["caption"], confidence=confidence)),
            "groups": groups_view(probe, fill(texts["for_whom"]["caption"], confidence=confidence)),
        },
        "tables": {
            "matrix": matrix(probe, texts),
            "shifts": shifts(probe, texts),
            "factors": factors(probe, texts),
            "missing": missing(probe, texts),
        },
        "voices": _voices(probe, folder),
        "missing_note": fill(note, faces=f"{faces:,}", failed=f"{failed:,}"),
        "once_more": fill(
            texts["once_more"]["intro"],
            voices=str(count(probe.cohort, "n_voices") or 0),
            seed=clean(str(probe.settings.get("seed"))),
        ),
        "facts": _facts(probe),
    }


def _answer(finding: Finding) -> Answer:
    unit = unit_of(finding.code.split(".", maxsplit=1)[1])
    estimate = finding.estimate
    margin = write_value(finding.threshold or 0.0, unit, signed=unit == "share").removeprefix("+")
    value = interval = sizes = ""
    glyph = None
    if estimate is not None:
        sizes = f"{counted(estimate.n_speakers, 'voice')}, {counted(estimate.n_clips, 'face')}"
        if estimate.value is None:
            value, interval = "not estimable", clean(estimate.method)
        else:
            value = write_value(estimate.value, unit, signed=True)
            interval = write_interval(estimate.low, estimate.high, unit, signed=True)
            glyph = draw(estimate, unit, True, finding.threshold, True)
    p = ""
    if finding.p_value is not None and finding.p_adjusted is not None:
        p = f"{_written_p(finding.p_value)}, adjusted {_written_p(finding.p_adjusted)}"
    return Answer(
        code=clean(finding.code),
        title=clean(finding.title),
        outcome=finding.outcome,
        sentence=clean(finding.sentence),
        reason=clean(finding.reason),
        would_change=clean(finding.would_change),
        value=value,
        interval=interval,
        margin=margin,
        p=p,
        sizes=sizes,
        glyph=glyph,
    )


def _written_p(p: float) -> str:
    return small_p(p).text


def _voices(probe: Probe, folder: Path) -> list[Voice]:
    rows, spent = records(probe, "strip"), 0
    if not (folder / FACES).is_dir():
        return []
    voices = []
    for name in dict.fromkeys(text(row, "speaker_id") for row in rows):
        mine, shots = where(rows, speaker_id=name), []
        for row in mine:
            picture = text(row, "picture")
            uri, absent = thumbnail(folder, picture) if picture else ("", "no picture")
            if spent + len(uri) > BUDGET:
                uri, absent = "", "left out for size"
            spent += len(uri)
            shots.append(Shot(TITLES[text(row, "factor")], uri, absent, _read(row), status_name(text(row, "status"))))
        group, gender = group_name(text(mine[0], "group")), text(mine[0], "gender")
        whose = {"woman": "a woman's", "man": "a man's"}.get(gender, "a")
        voices.append(Voice(f"Group {group}, {whose} voice", name, tuple(shots)))
    return voices


def _read(row: Record) -> str:
    if not text(row, "read_race"):
        return ""
    age = number(row, "read_age")
    return f"{group_name(text(row, 'read_race'))} {text(row, 'read_gender')}{'' if age is None else f', {age:.0f}'}"


def _facts(probe: Probe) -> list[Fact]:
    def fact(name: str, of: Mapping[str, object], key: str) -> Fact:
        return name, (clean(str(of.get(key) or "not recorded")),)

    versions: Sequence[tuple[str, object]] = sorted(mapping(probe.settings.get("versions")).items())
    plain = {key: value for key, value in probe.settings.items() if key not in ("versions", "margins")}
    return [
        ("Model", clean(name_of(probe.model))),
        fact("Weights of the model", probe.model, "weights_sha256"),
        ("Instrument", clean(name_of(probe.instrument))),
        ("Voices", clean(name_of(probe.cohort))),
        fact("Digest of the voices", probe.cohort, "digest"),
        ("Licence of the voices", clean(str(probe.cohort.get("licence") or "not recorded"))),
        *((key.replace("_", " ").capitalize(), clean(str(value))) for key, value in plain.items()),
        (
            "Margins",
            "; ".join(
                f"{prop.title}: "
                + write_value(prop.margin, unit_of(prop.name), signed=unit_of(prop.name) == "share").removeprefix("+")
                for prop in PROPERTIES
            ),
        ),
        ("Versions", clean(", ".join(f"{name} {version}" for name, version in versions))),
    ]
