"""The comparison's page and command: content, withheld pictures, and hostile texts."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import audit
from audit.core.errors import RunError
from audit.core.written_files import LIST
from audit.reports.comparison.page import write_comparison
from tests.cli.test_cli import called
from tests.kept_faces import record_faces, square
from tests.reports.test_report_page import HOSTILE, Page

WORSE: dict[str, Any] = {
    "groups": ["asian", "white"],
    "languages": ["en", "zh"],
    "speakers_per_group": 40,
    "rendered": {"asian": {"en": {"white": 0.8}}},
}
BETTER = {key: value for key, value in WORSE.items() if key != "rendered"}
LEVELLED = WORSE | {"rendered": {"asian": {"en": {"white": 0.8}}, "white": {"en": {"black": 0.7}}}}


def pictured(run: audit.Run, folder: Path, *colour: int) -> audit.Run:
    """The run with a kept picture of every portrait and rendered face, in one colour."""
    clips = run.observations["clip_id"]
    shown = {(clip, stage): square(*colour) for clip in clips for stage in ("portrait", "rendered")}
    return replace(run, held=record_faces(run.observations, folder, shown), folder=folder)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("compared")
    return {name: home / name for name in ("first", "second", "out")}


@pytest.fixture(scope="module")
def runs(folders: dict[str, Path]) -> list[audit.Run]:
    first = pictured(audit.simulate(WORSE), folders["first"], 0, 128, 128)
    return [first, pictured(audit.simulate(BETTER), folders["second"], 0, 0, 128)]


@pytest.fixture(scope="module")
def made(runs: list[audit.Run]) -> audit.Comparison:
    return audit.compare(*runs)


@pytest.fixture(scope="module")
def page(made: audit.Comparison, runs: list[audit.Run], folders: dict[str, Path]) -> Page:
    written = write_comparison(made, folders["out"], runs)
    assert written == folders["out"] / "comparison.html"
    return Page(written.read_text(encoding="utf-8"))


def test_the_page_says_first_which_harms_changed_and_for_whom(made: audit.Comparison, page: Page) -> None:
    ids = [element["id"] for element in page.all("section")]
    main, appendix = ids[:5], ids[5:]
    assert main == ["changed", "gains", "not_answered", "slopes", "pareto"]
    assert appendix == ["compared", "checked", "groups", "numbers", "strips", "lineage"]
    verdict = made.sentences[0]
    assert verdict.startswith("B against A: ")
    assert (
        page.text.index(verdict) < page.text.index("These runs are simulated") < page.text.index("Less harm for asian")
    )
    assert page.source.index("<table") > page.source.index('<section id="compared"'), "all tables are in the appendix"
    for harm in made.harms:
        words = harm.by_group(made.confidence)
        assert words[:1].upper() + words[1:] in page.text
    assert "No metric was levelled down" in page.text
    for word in ("gains", "pays", "less harm", "no difference shown", "inconclusive"):
        assert word in page.text


def test_levelling_down_is_in_a_banner(tmp_path: Path) -> None:
    levelled = audit.compare(audit.simulate(WORSE), audit.simulate(LEVELLED))
    page = Page(write_comparison(levelled, tmp_path).read_text(encoding="utf-8"))
    assert "banner-title: Levelling down" in page.outline
    assert "Other groups lost: white" in page.text
    assert page.text.index("Levelling down in B. B against A: ") < page.text.index("Contents")
    (harm,) = (harm for harm in levelled.harms if harm.outcome in ("larger", "mixed") and harm.figure == "S2F003")
    assert "more harm for white" in harm.sentence(levelled.confidence)


def test_nothing_is_loaded_from_anywhere(page: Page) -> None:
    page.check_that_nothing_is_loaded()


def test_the_page_can_be_read_without_seeing_it(page: Page) -> None:
    ids = [str(attributes["id"]) for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link["href"] for link in page.all("a")} <= {f"#{name}" for name in ids}
    assert len(page.all("caption")) == len(page.all("table"))
    panels = [element for element in page.all("div") if element.get("class") == "panel"]
    assert [str(panel["aria-label"]).split(",")[0] for panel in panels][-3:] == [
        *("Asian", "White", "Read as the own group"),
    ]
    assert all(len(str(panel["aria-label"])) > 60 for panel in panels)
    assert "; English: A 40% [26, 56], B 100% [92, 100]; Chinese: A 100%" in str(panels[-3]["aria-label"])
    assert not re.search(r"\b(nan|None|null|undefined)\b", page.text)


def test_the_same_speakers_are_shown_by_every_model(page: Page) -> None:
    images = page.all("img")
    assert len(images) == 2 * 2 * 2 * 3, "two groups, two speakers, two languages; portrait, A and B"
    assert [re.sub(",.*", "", str(image["alt"])) for image in images[:3]] == [
        "Portrait",
        "Rendered by a",
        "Rendered by b",
    ]
    assert images[1]["src"] != images[2]["src"]


def test_faces_and_ids_of_real_people_are_withheld_unless_asked_for(
    made: audit.Comparison, runs: list[audit.Run], tmp_path: Path
) -> None:
    claims = zip(made.runs, (True, 1), strict=True)  # only true counts as a declaration
    facts = tuple({**run, "cohort": {"name": "people", "fictional": claim}} for run, claim in claims)
    hidden = Page(write_comparison(replace(made, runs=facts), tmp_path, runs).read_text(encoding="utf-8"))
    assert not hidden.all("img")
    assert "24 pictures are withheld" in hidden.text
    names = set(pd.read_csv(tmp_path / "tables" / "faces.csv")["speaker_id"])
    assert names and all(re.fullmatch("speaker [0-9a-f]{10}", name) for name in names)
    assert not any(name in hidden.source for name in names) and "Speaker 1" in hidden.text
    asked = write_comparison(replace(made, runs=facts), tmp_path, runs, show_faces=True).read_text(encoding="utf-8")
    assert len(Page(asked).all("img")) == 24


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_anywhere_is_shown_as_text(made: audit.Comparison, tmp_path: Path, text: str) -> None:
    faces = made.given["faces"]
    frame = faces.frame.assign(speaker_id=text, clip_id=text, portrait=text, A=text, B_read=text, language=text)
    hostile = replace(
        made,
        runs=tuple({**run, "model": text, "instrument": text, "digest": text} for run in made.runs),
        notices=(text,),
        sentences=(text,),
        checks=tuple(replace(change, told=text) for change in made.checks),
        metrics=tuple(replace(change, language=text) for change in made.metrics[:40]),
        given={**made.given, "faces": replace(faces, frame=frame)},
    )
    page = Page(write_comparison(hostile, tmp_path / "out", [tmp_path, tmp_path]).read_text(encoding="utf-8"))
    assert len(page.all("script")) == 1 and not page.all("img") and not page.all("iframe")
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")} == {"out"}


def test_the_same_comparison_gives_the_same_bytes(made: audit.Comparison, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_comparison(audit.Comparison.from_json(made.to_json()) if name == "two" else made, tmp_path / name)
    one, two = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in sorted((tmp_path / name).rglob("*.*"))}
        for name in ("one", "two")
    )
    assert one == two
    assert {str(path) for path in one} == {
        LIST,
        "comparison.html",
        "comparison.json",
        *(
            f"tables/{name}.csv"
            for name in ("checks", "faces", "harms", "metric_definitions", "metrics", "pareto", "runs")
        ),
    }


def test_a_runs_own_folder_is_never_written_into(made: audit.Comparison, tmp_path: Path) -> None:
    audit.simulate(BETTER, out=tmp_path / "run")
    with pytest.raises(RunError, match="contains a run"):
        write_comparison(made, tmp_path / "run")


def test_the_command_ends_with_the_pages_path_and_refuses_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return called(monkeypatch, capsys, *arguments)

    for name, truth in (("a", WORSE), ("b", BETTER)):
        audit.simulate(truth, out=tmp_path / name)
    audit.simulate(BETTER, seed=1, out=tmp_path / "other")
    done = command("compare", tmp_path / "a", tmp_path / "b", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(tmp_path / "out" / "comparison.html")
    assert "less harm for asian" in done.stdout
    as_json = command("compare", tmp_path / "a", tmp_path / "b", "-o", tmp_path / "out", "--json")
    assert json.loads(as_json.stdout) == json.loads((tmp_path / "out" / "comparison.json").read_text())
    refused = command("compare", tmp_path / "a", tmp_path / "other", "-o", tmp_path / "no")
    assert refused.returncode == 2 and "the cohort's digest" in refused.stderr and "Traceback" not in refused.stderr
    assert not (tmp_path / "no").exists()
