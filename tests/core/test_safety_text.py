"""Hostile words in every field: shown as the words they are, on a terminal, in Markdown, XML, SARIF and CSV."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import markdown_it
import pandas as pd
import pytest
from typer.testing import CliRunner

import audit
from audit.cli import app
from audit.cli.terminal import Terminal, rich_table
from audit.release import Policy
from audit.reports import write_report
from audit.reports.decision import junit_xml, sarif_json, summary_markdown
from audit.reports.html.csv_tables import harmless
from tests.fakes import ColourInstrument, LoudnessModel
from tests.release_fixture import EVIDENCE, RULE, decided, made, waiver, white
from tests.reports.test_report_page import Page

WORDS = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "]]> --> </title></style> {{7*7}} ${7*7} {% raw %}",
    "\x1b[2J\x1b]0;owned\x07 \x9b31m back\x08space",
    "a\u202eb\u2066c\u200fd",
    "[red]markup[/red] [/bold] [link=http://evil.example]x[/link] :warning:",
    "![x](http://evil.example/x.png) [a](javascript:alert(1)) | ` ``` * ~~s~~ \\",
    '=HYPERLINK("http://evil.example")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
)
TOGETHER = tuple(first + second for first, second in zip((*WORDS[6:], *WORDS[:2]), WORDS[2:6], strict=True))
"""All of them in half as many texts; those that a spreadsheet would run come first in their cells."""


def runnable(cell: str) -> bool:
    return bool(re.match(r"\s*[=+\-@|%\uff1d\uff0b\uff0d\uff20]|[\t\r\n]", cell))


@pytest.mark.parametrize("words", WORDS)
def test_a_terminal_shows_the_words_without_control_codes(words: str) -> None:
    terminal = Terminal(force_terminal=True, color_system="truecolor", width=400, emoji=False, highlight=False)
    with terminal.capture() as caught:
        terminal.print(words, markup=False)
        terminal.print(rich_table(words, pd.DataFrame({words: [words]})))
    shown = re.sub("\x1b\\[[0-9;]*m", "", caught.get())  # colours that rich itself sets
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200f]", shown)
    assert "evil.example" not in words or "evil.example" in shown
    assert "[red]" not in words or shown.count("[red]markup[/red]") == 4


@pytest.mark.parametrize("words", WORDS)
def test_an_error_with_hostile_words_is_an_error(make_cohort: Callable[..., Path], words: str) -> None:
    folder = make_cohort()
    speakers = pd.read_csv(folder / "speakers.csv", dtype=str)
    speakers["gender"] = words
    speakers.to_csv(folder / "speakers.csv", index=False)
    from audit import cli

    with pytest.raises(SystemExit) as stopped, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["audit", "cohort", "check", str(folder)])
        cli.main()
    assert stopped.value.code == 2


def test_a_cohort_full_of_hostile_words_is_audited_and_reported(
    make_cohort: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_cohort(12)
    speakers = pd.read_csv(folder / "speakers.csv", dtype=str)["speaker_id"]
    words_of = dict(zip(speakers, itertools.cycle(TOGETHER)))  # every kind of words in every column
    for table in ("speakers", "clips"):
        frame = pd.read_csv(folder / f"{table}.csv", dtype=str)
        words = frame["speaker_id"].map(words_of)
        frame["speaker_id"] = words + frame["speaker_id"]
        if table == "clips":
            frame["clip_id"] = words + frame["clip_id"]
        frame["further" if table == "speakers" else "said"] = words
        frame.to_csv(folder / f"{table}.csv", index=False)
    every = " ".join(TOGETHER)
    quoted = dict.fromkeys(("name", "licence", "consent", "notes"), every)
    (folder / "cohort.toml").write_text("".join(f"{key} = {json.dumps(text)}\n" for key, text in quoted.items()))
    (folder / "audio" / "s0-en.wav").write_text(every)
    plan = audit.Plan.parse(f'title = {json.dumps(every)}\n[measure]\nby = ["group", "further"]\n')
    run = audit.run(
        audit.Cohort.read(folder), model=LoudnessModel(), instrument=ColourInstrument(), out=tmp_path / "r", plan=plan
    )
    result = audit.measure(run, settings=plan.measure)
    result.write(tmp_path / "r")
    page = Page(write_report(audit.with_ids(result, run), tmp_path / "r", show_ids=True).read_text(encoding="utf-8"))
    assert len(page.all("script")) == 1 and not page.all("img") and not page.all("iframe")
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    for path in (tmp_path / "r" / "tables").glob("*.csv"):
        cells = pd.read_csv(path, dtype=str, keep_default_na=False, header=None).to_numpy().ravel()
        for cell in cells:
            assert not runnable(cell) or re.fullmatch(r"-?[\d.e+-]+", cell), (path.name, cell)
    for command in (["measure", tmp_path / "r"], ["cohort", "check", folder], ["gate", tmp_path / "r"]):
        done = CliRunner().invoke(app, [str(word) for word in command])
        assert done.exception is None or isinstance(done.exception, SystemExit)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", done.output)


@pytest.mark.parametrize("words", WORDS)
def test_the_gates_outputs_escape_the_words_of_a_policy(words: str) -> None:
    quoted = json.dumps(words)
    by = quoted if words.isprintable() else '"Ann"'  # a waiver with other words is refused
    terms = Policy.parse(
        f"schema = 1\nname = {quoted}\n{EVIDENCE}{RULE}{waiver(name=by, reason=by, expires='2026-06-30')}",
        "policy.toml",
    )
    decision = decided(terms, made(white(0.2, 0.3)))
    root = ElementTree.fromstring(junit_xml(decision))
    assert not re.search("[\x7f-\x9f\u202e]", junit_xml(decision)) and root.tag == "testsuites"
    told = json.loads(sarif_json(decision))["runs"][0]["results"][0]["message"]["text"]
    assert not re.search(r"(?<!\\)\[[^\]]*\]\(", told)
    tokens, kinds = markdown(summary_markdown(decision))
    assert not kinds & {"html_block", "html_inline", "image", "link_open", "fence"}
    plain = decided(Policy.parse(terms.text.replace(quoted, '"plain"'), "policy.toml"), made(white(0.2, 0.3)))
    assert tokens == markdown(summary_markdown(plain))[0], "no word ends a cell, a row or an item"


def markdown(text: str) -> tuple[list[str], set[str]]:
    """The blocks of a Markdown text, and the kinds of all that is in it."""
    tokens = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    inside = [child.type for token in tokens for child in (token.children or [])]
    return [token.type for token in tokens], {*(token.type for token in tokens), *inside}


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1+2", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1", "\uff1d1", "|x", "%x"]
)
def test_text_that_begins_like_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert not runnable(str(harmless(cell)))
    assert str(harmless(cell)).startswith(("'", "\N{REPLACEMENT CHARACTER}"))
    assert harmless(-0.5) == -0.5 and harmless(True) == "True"
