"""The probe's page and command: what it says, and that nothing in a probe can break out of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import audit
from audit.probes import asking
from audit.probes.factors import AGAIN, FACTORS, TELEPHONE
from audit.reports.probe.page import write_probe
from tests.cli.test_cli import called, command
from tests.fakes import ColourInstrument
from tests.probing_fixture import AfraidOfTelephones, bilingual_voices
from tests.reports.test_report_page import HOSTILE, Page


@pytest.fixture(scope="module")
def folder(harmonic_probe_folder: Path) -> Path:
    return harmonic_probe_folder


@pytest.fixture(scope="module")
def made(harmonic_probe: audit.Probe) -> audit.Probe:
    return harmonic_probe


@pytest.fixture(scope="module")
def page(made: audit.Probe, folder: Path) -> Page:
    path = write_probe(made, folder)
    assert path == folder / "probe.html"
    return Page(path.read_text(encoding="utf-8"))


def test_the_page_says_first_what_it_can_show_then_whether_the_language_matters(page: Page) -> None:
    ids = [element["id"] for element in page.all("section")]
    assert ids == [
        "answers", "in_words", "can_show", "far", "direction", "for_whom",
        "numbers", "same_voices", "factors_used", "not_read", "once_more",
    ]  # fmt: skip
    assert page.text.index("fictional: no real person") < page.text.index("What it cannot show")
    assert page.text.index("What it cannot show") < page.text.index("When only the language changes")
    verdict = (
        "Shown to change: the read race, by the language; the read gender, by the pitch. Of 20 questions, two have"
    )
    assert page.text.index(verdict) < page.text.index("fictional: no real person")
    assert page.source.index("<table") > page.source.index('<section id="numbers"'), "all tables are in the appendix"
    headings = [line for line in page.outline if line.startswith("h3")]
    asked = ("the language", "the accent", "the pitch", "the duration", "a telephone line")
    assert headings[:5] == [f"h3: By {factor}" for factor in asked]
    assert "Every face was made and read: 208 of 208." in page.text
    for factor in FACTORS:
        assert factor.title in page.text and factor.formula in page.text
    assert "mu-law" in page.text and "300 to 3,400 Hz" in page.text


def test_nothing_is_loaded_from_anywhere(page: Page) -> None:
    page.check_that_nothing_is_loaded()


def test_the_page_can_be_read_without_seeing_it(page: Page) -> None:
    ids = [str(attributes["id"]) for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link["href"] for link in page.all("a")} <= {f"#{name}" for name in ids}
    assert len(page.all("caption")) == len(page.all("table"))
    panels = [str(e["aria-label"]) for e in page.all("div") if e.get("class") == "panel"]
    assert len(panels) == 18 and all(len(label) > 100 for label in panels)
    assert "the other language +100 points [" in panels[1]
    assert "the other language 100% [" in panels[5]
    assert "4 semitones higher, voices of men 100%" in panels[8]
    assert all(str(image["alt"]).startswith("Group ") for image in page.all("img"))
    assert not re.search(r"\b(nan|None|null|undefined)\b", page.text)


def test_one_voice_of_each_group_and_sex_is_shown_under_every_factor(page: Page) -> None:
    images = page.all("img")
    assert len(images) == 2 * 2 * len(FACTORS), "every factor and the unchanged clip; no accented clips"
    alts = [str(image["alt"]) for image in images[: len(FACTORS)]]
    assert alts[0] == "Group asian, a woman's voice, as it is, read as white woman, 40"
    assert alts[2] == "Group asian, a woman's voice, the other language, read as asian woman, 40"


def test_the_tables_hold_every_figure(made: audit.Probe, page: Page, folder: Path) -> None:
    files = {path.stem: pd.read_csv(path) for path in (folder / "tables").glob("*.csv")}
    assert files.keys() == made.tables.keys()
    assert all(len(files[name]) == len(table.frame) for name, table in made.tables.items())
    assert (folder / "probe.json").read_text(encoding="utf-8") == made.to_json()
    assert audit.Probe.read(folder).to_json() == made.to_json()
    assert page.source == write_probe(audit.Probe.read(folder), folder).read_text(encoding="utf-8")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_shown_as_text(made: audit.Probe, text: str, tmp_path: Path) -> None:
    bad = replace(made, model={"name": text}, instrument={"name": text}, cohort={**made.cohort, "licence": text})
    hostile = Page(write_probe(bad, tmp_path).read_text(encoding="utf-8"))
    assert len(hostile.all("script")) == 1 and not hostile.all("img") and not hostile.all("iframe")
    assert all(not name.startswith("on") for _, attributes in hostile.elements for name in attributes)
    assert "There are no pictures in this probe's folder." in hostile.text


def test_failures_are_shown_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "ALTERED", (TELEPHONE, AGAIN))
    cohort = audit.Cohort.read(bilingual_voices(tmp_path / "v", 4))
    found = audit.probe(AfraidOfTelephones(), instrument=ColourInstrument(), cohort=cohort, out=tmp_path / "out")
    page = Page(write_probe(found, tmp_path / "out").read_text(encoding="utf-8"))
    assert "4 of 24 faces could not be made or read" in page.text and "the model failed: 4" in page.text


@pytest.mark.study
def test_the_command_ends_with_the_page_and_says_what_was_found(tmp_path: Path) -> None:
    asked = ("probe", "--model", "tests.probing_fixture:Deaf", "--instrument", "tests.fakes:ColourInstrument")
    done = command(*asked, "--voices", 2, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == str(tmp_path / "out" / "probe.html") and Path(lines[-1]).is_file()
    assert lines[0].startswith("language.face") and len(lines) == 21
    printed = command(*asked, "--voices", 2, "-o", tmp_path / "again", "--json")
    assert printed.stdout == (tmp_path / "out" / "probe.json").read_text(encoding="utf-8")
    assert json.loads(printed.stdout)["cohort"]["n_voices"] == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--model", "planted"), "does not use the audio"),
        (("--model", "speech2face-small-gpa"), "did you mean 'speech2face-small-gap'"),
        (("--model", "tests.probing_fixture:Deaf", "--voices", "500"), "1 to 128"),
    ],
)
def test_the_users_own_mistakes_end_with_2(
    arguments: tuple[str, ...],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    reader = ("--instrument", "tests.fakes:ColourInstrument", "-o", tmp_path / "out")
    done = called(monkeypatch, capsys, "probe", *arguments, *reader)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert words in " ".join(done.stderr.split()) and done.stdout == ""


def test_a_property_that_is_not_installed_is_drawn_under_its_own_name(made: audit.Probe, tmp_path: Path) -> None:
    effects = made.tables["effects"]
    renamed = effects.frame.replace({"property": {"age": "hair_length"}})
    settings = {**made.settings, "margins": {"face": 0.05, "hair_length": 0.5}}
    changed = replace(made, settings=settings, tables={**made.tables, "effects": replace(effects, frame=renamed)})
    text = Page(write_probe(changed, tmp_path).read_text(encoding="utf-8")).text
    assert "Hair length, under each factor" in text
    assert "Years between ages read" not in text
