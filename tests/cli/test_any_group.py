"""A cohort whose groups are accents, without race labels: from its files to report, comparison and gate."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import audit
from audit.cli import app

ACCENTS = {"sco": "scottish", "wel": "welsh", "nig": "nigerian english"}
NEED_RACE = ("S2F001", "S2F003")
POLICY = """schema = 1
name = "accents"
evidence.allow = ["simulated", "planted_model", "shared_audio", "shared_portrait", "baseline_is_run", "unpinned"]
[[rule]]
id = "faces"
check = "S2F006"
limit = 0.9
min_speakers = 2
[[rule]]
id = "faces-by-region-and-sex"
check = "S2F006"
by = "region x gender"
limit = 0.95
min_speakers = 2
[[rule]]
id = "no-worse-by-region"
check = "S2F006"
kind = "non_inferiority"
by = "region"
margin = 0.9
min_speakers = 2
"""


def command(*words: object) -> tuple[int, str]:
    """The exit code of a command, and its output."""
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    return done.exit_code, done.output


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 embedded speakers, eight for each of three made-up accents, with an English and another clip each."""
    source, folder = audit.embedded("synthetic_bilingual"), tmp_path_factory.mktemp("accents")
    speakers = pd.read_csv(source / "speakers.csv", dtype=str, keep_default_na=False).head(24)
    speakers["group"] = [*ACCENTS] * 8
    speakers["region"] = speakers.groupby("gender").cumcount().map(lambda place: ("north", "south")[place % 2])
    clips = pd.read_csv(source / "clips.csv", dtype=str, keep_default_na=False)
    clips = clips[clips["speaker_id"].isin(speakers["speaker_id"]) & clips["clip_id"].str.endswith("1")]
    for name in (*clips["audio"], *speakers["portrait"]):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(source / name, folder / name)
    speakers.to_csv(folder / "speakers.csv", index=False)
    clips.to_csv(folder / "clips.csv", index=False)
    words = "\n".join(f'{code} = "{word}"' for code, word in ACCENTS.items())
    (folder / "cohort.toml").write_text(f'name = "accents"\nfictional = true\n[categories.group]\n{words}\n')
    return folder


@pytest.fixture(scope="module")
def runs(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The cohort rendered by two models."""
    made = []
    for model in ("speech2face-small-gap", "planted"):
        out = tmp_path_factory.mktemp(model) / "run"
        by = ("--by", "region", "--by", "region x gender")
        code, said = command("run", "--cohort", cohort, "--model", model, *by, "-o", out)
        assert code == 0, said
        assert "is not a race label: scottish, welsh, nigerian english" in " ".join(said.split())
        made.append(out)
    return made[0], made[1]


def test_the_cohort_is_read_with_its_own_labels_in_its_own_order(cohort: Path) -> None:
    found = audit.Cohort.read(cohort)
    assert set(found.speakers["group"]) == set(ACCENTS.values())
    assert found.notes.order == {"group": ("scottish", "welsh", "nigerian english")}


def test_checks_without_race_labels_judge_every_accent(runs: tuple[Path, Path]) -> None:
    made = audit.Audit.read(runs[0])
    for code in ("S2F004", "S2F006", "S2F008"):
        finding = made.finding(code)
        assert list(finding.by_group) == ["scottish", "welsh", "nigerian english"], code
        assert finding.worst_cell is not None and finding.worst_cell.figure.cell["group"] in ACCENTS.values()
    for code in NEED_RACE:
        assert made.finding(code).outcome == "not_evaluable"
        assert "asian" in made.finding(code).reason or "race label" in made.finding(code).reason


def test_columns_are_groupings(runs: tuple[Path, Path]) -> None:
    made = audit.Audit.read(runs[0])
    assert list(made.finding("S2F006", by="region").by_group) == ["north", "south"]
    crossed = made.finding("S2F006", by="region x gender")
    assert set(crossed.by_group) == {"north, woman", "north, man", "south, woman", "south, man"}
    assert crossed.estimates["north, woman"].cell == {"region": "north", "gender": "woman"}
    assert not [finding for finding in made.findings if finding.code in NEED_RACE and finding.grouping != "group"]
    sizes = made.tables["groupings"].frame.set_index(["grouping", "group"])["n_speakers"]
    assert sizes["region", "north"] == 12
    assert set(made.tables["power"].frame["grouping"]) == {"group", "region", "region x gender"}


def test_the_report_names_the_accents_and_the_groupings(runs: tuple[Path, Path]) -> None:
    page = (runs[0] / "report.html").read_text(encoding="utf-8")
    for words in ("nigerian english", "by region", "by region x gender", "Worst where groups meet"):
        assert words in page


def test_two_models_are_compared_by_accent_and_region(runs: tuple[Path, Path], tmp_path: Path) -> None:
    code, said = command("compare", *runs, "-o", tmp_path / "c")
    assert code == 0, said
    checks = audit.Comparison.read(tmp_path / "c").checks
    found = {(change.grouping, change.group) for change in checks if change.figure == "S2F006" and not change.headline}
    assert {("group", "welsh"), ("region", "south"), ("region x gender", "south, man")} <= found


def test_a_policy_gates_accents_and_regions(runs: tuple[Path, Path], tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    code, said = command("gate", runs[1], "--policy", policy, "--baseline", runs[0], "--json")
    assert code == 0, said
    rulings = {ruling["id"]: ruling for ruling in json.JSONDecoder().raw_decode(said[said.index("{") :])[0]["rulings"]}
    assert [item["group"] for item in rulings["faces"]["held"]] == ["scottish", "welsh", "nigerian english"]
    assert rulings["faces-by-region-and-sex"]["by"] == "region x gender"
    assert len(rulings["faces-by-region-and-sex"]["held"]) == 4
    assert [item["group"] for item in rulings["no-worse-by-region"]["held"]] == ["north", "south"]


def test_a_rule_about_race_labels_refuses_another_grouping(runs: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(
        POLICY.replace('check = "S2F006"\nby = "region x', 'check = "S2F003"\nby = "region x')
    )
    with pytest.raises(audit.PlanError, match="S2F003 needs race labels, so it has no figures by region x gender"):
        audit.gate(runs[1], policy=tmp_path / "p.toml")


def test_an_unknown_column_is_refused_before_the_model_runs(cohort: Path, tmp_path: Path) -> None:
    with pytest.raises(audit.PlanError, match="'dialect'.*columns of the run: .*region"):
        command("run", "--cohort", cohort, "--model", "recorded", "--by", "dialect", "-o", tmp_path / "r")


def test_the_power_of_bands_of_age_is_that_of_their_speakers(cohort: Path) -> None:
    code, said = command("cohort", "check", cohort, "--by", "age", "--json")
    assert code == 0, said
    assert '"grouping": "age"' in said and "and over" in said
