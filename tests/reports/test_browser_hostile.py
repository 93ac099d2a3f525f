"""Hostile words in every field of a cohort, a model and a plan: the browser shows them and does nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import audit
from audit.core.clean_text import clean
from audit.reports import write_report
from audit.reports.comparison.page import write_comparison
from audit.reports.probe.page import write_probe
from tests.browser import chromium, opened
from tests.fakes import ColourInstrument, LoudnessModel
from tests.probing_fixture import PitchAndLanguage, bilingual_voices

ATTACKS = (
    "<script>alert(1)</script><img src=x onerror=alert(1)><svg onload=alert(1)>",
    "\"'><a href=javascript:alert(1) autofocus onfocus=alert(1)>&amp;&lt;</textarea></style></title>",
    "javascript:alert(1) https://evil.example/x.png {{7*7}} {% raw %} ${alert(1)}",
    "=HYPERLINK(0) \u202egnorw\u202c \U0001f9d1\u200d\U0001f3a4 " + "W" * 300,
)
WORDS = " ".join(ATTACKS)
"""All of them at once: one run tells of each."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


def hostile(kind: type, name: str = WORDS) -> Any:
    """A model or an instrument that calls itself so."""
    return type(kind.__name__, (kind,), {"name": name})()


def poisoned(folder: Path) -> audit.Cohort:
    """The cohort with the words in every field that takes any, and one sound file that holds nothing else."""
    for table, keys in (("speakers", ("speaker_id",)), ("clips", ("clip_id", "speaker_id"))):
        frame = pd.read_csv(folder / f"{table}.csv", dtype=str)
        for key in keys:
            frame[key] = frame[key] + WORDS
        frame["further" if table == "speakers" else "said"] = WORDS
        frame.to_csv(folder / f"{table}.csv", index=False)
    spoken = pd.read_csv(folder / "clips.csv", dtype=str)["audio"][0]
    (folder / spoken).write_text(WORDS)
    demonstration = dict.fromkeys(("name", "licence", "consent", "notes"), WORDS)
    (folder / "cohort.toml").write_text(
        "".join(f"{key} = {json.dumps(text, ensure_ascii=False)}\n" for key, text in demonstration.items())
    )
    return audit.Cohort.read(folder)


def shown_as_text(browser: Any, path: Path, least: int) -> None:
    """The page holds the words literally, so many times at least; nothing of them became an element or ran."""
    for width in (1200, 360):
        with opened(browser, path, width=width) as page:
            text = " ".join(page.locator("body").text_content().split())
            for attack in ATTACKS:
                assert text.count(" ".join(clean(attack).split())) >= least
            assert page.locator("script").count() == 1
            assert page.locator("iframe, object, embed, form:not(.sign), base, link, audio, video").count() == 0
            assert page.locator("a:not([href^='#'])").count() == 0
            assert page.locator("img:not([src^='data:image/webp;base64,'])").count() == 0
            assert page.locator("[autofocus], [onfocus], [onload], [onerror], [srcdoc]").count() == 0
            wide, room = page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
            assert wide <= room, "no word is too long for the page"


def test_a_report_and_a_comparison_show_hostile_words_as_words(
    make_cohort: Callable[..., Path], tmp_path: Path, browser: Any
) -> None:
    cohort = poisoned(make_cohort(10))
    plan = audit.Plan.parse(f'title = {json.dumps(WORDS, ensure_ascii=False)}\n[measure]\nby = ["group", "further"]\n')
    instrument = hostile(ColourInstrument)
    runs = [
        audit.run(
            cohort,
            model=hostile(LoudnessModel, f"{WORDS} {name}"),
            instrument=instrument,
            out=tmp_path / name,
            plan=plan,
        )
        for name in ("a", "b")
    ]
    demonstration = audit.with_ids(audit.measure(runs[0], settings=plan.measure), runs[0])
    shown_as_text(browser, write_report(demonstration, tmp_path / "a", show_faces=True, show_ids=True), 10)
    made = audit.with_ids(audit.compare(*runs, settings=plan.measure), runs[0])
    folders = [tmp_path / "a", tmp_path / "b"]
    page = write_comparison(made, tmp_path / "comparison", folders, show_faces=True, show_ids=True)
    shown_as_text(browser, page, 5)


def test_a_probe_shows_hostile_words_as_words(tmp_path: Path, browser: Any) -> None:
    folder = bilingual_voices(tmp_path / "voices", 4, seconds=2.0)
    (folder / "cohort.toml").write_text(f"name = {json.dumps(WORDS, ensure_ascii=False)}\nfictional = true\n")
    probe = audit.probe(
        hostile(PitchAndLanguage),
        instrument=hostile(ColourInstrument),
        cohort=audit.Cohort.read(folder),
        out=tmp_path / "probe",
        cache="none",
    )
    shown_as_text(browser, write_probe(probe, tmp_path / "probe"), 3)


def test_a_page_that_speaks_asks_or_loads_is_caught(tmp_path: Path, browser: Any) -> None:
    page = tmp_path / "bad.html"
    page.write_text("<title>x</title><script>console.log(1); alert(2)</script><img src='http://evil.example/x.png'>")
    with pytest.raises(AssertionError) as seen, opened(browser, page):
        pass
    for word in ("evil.example", "'1'", "'2'"):
        assert word in str(seen.value)
