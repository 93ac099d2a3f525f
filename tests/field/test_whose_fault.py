"""A file of the user's that cannot be used is reported as such, and never counted against the model."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import audit
from audit.checks.metrics.metric_frame import metric_frame
from audit.cli import main
from audit.release import Policy
from audit.reports import write_report
from tests.fakes import NOT_A_FACE, ColourInstrument
from tests.release_fixture import RULE

MakeCohort = Callable[..., Path]
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"


@pytest.fixture
def recorded(make_cohort: MakeCohort) -> Callable[..., Path]:
    """A function that writes a cohort with a rendered picture for each clip: the speaker's own portrait."""

    def make(speakers: int = 40, name: str = "cohort", column: str = "rendered") -> Path:
        folder = make_cohort(speakers, name)
        clips = pd.read_csv(folder / "clips.csv")
        (folder / "rendered").mkdir()
        paths = []
        for clip, speaker in zip(clips["clip_id"], clips["speaker_id"], strict=True):
            shutil.copy(folder / "portraits" / f"{speaker}.png", folder / "rendered" / f"{clip}.png")
            paths.append(f"rendered/{clip}.png")
        clips.assign(**{"rendered": paths, column: paths}).to_csv(folder / "clips.csv", index=False)
        return folder

    return make


def pictures_of(folder: Path, group: str) -> list[Path]:
    """The rendered pictures of a group's clips."""
    speakers = pd.read_csv(folder / "speakers.csv").set_index("speaker_id")["group"]
    clips = pd.read_csv(folder / "clips.csv")
    return [folder / path for path in clips.loc[clips["speaker_id"].map(speakers) == group, "rendered"]]


def run(folder: Path, out: Path) -> audit.Run:
    return audit.run(audit.Cohort.read(folder), model=audit.model("recorded"), instrument=ColourInstrument(), out=out)


def damage(path: Path, kind: str) -> None:
    whole = path.read_bytes()
    if kind == "file_missing":
        path.unlink()
    elif kind == "file_unsupported":
        path.write_bytes(b"%PDF-1.7")
    else:
        broken = {"file_empty": b"", "file_pointer": POINTER, "file_truncated": whole[:-20], "unreadable": b"a text"}
        path.write_bytes(broken[kind])


KINDS = ("file_missing", "file_empty", "file_pointer", "file_truncated", "file_unsupported", "unreadable")


@pytest.mark.parametrize("kind", KINDS)
def test_each_damage_of_a_rendered_picture_has_its_own_status(
    recorded: Callable[..., Path], tmp_path: Path, kind: str
) -> None:
    folder = recorded(4)
    damage(folder / "rendered" / "s0-en.png", kind)
    seen = run(folder, tmp_path / "run").observations.set_index("clip_id")
    bad = seen.loc["s0-en"]
    assert bad["status"] == "picture_unreadable"
    assert bad["rendered_status"] == kind
    assert bad["detail"].startswith("rendered: ")
    assert str(tmp_path) not in bad["detail"]
    assert (seen["status"] == "ok").sum() == 7


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_portrait_differs_from_none(recorded: Callable[..., Path], tmp_path: Path, kind: str) -> None:
    folder = recorded(4)
    damage(folder / "portraits" / "s0.png", kind)
    speakers = pd.read_csv(folder / "speakers.csv", dtype=str)
    speakers.loc[1, "portrait"] = ""
    speakers.to_csv(folder / "speakers.csv", index=False)
    seen = run(folder, tmp_path / "run").observations.set_index("clip_id")
    assert seen.loc["s0-en", ["status", "portrait_status"]].tolist() == ["portrait_missing", kind]
    assert seen.loc["s1-en", ["status", "portrait_status"]].tolist() == ["portrait_missing", "missing"]


def test_a_damaged_ceiling_leaves_the_rendered_face(recorded: Callable[..., Path], tmp_path: Path) -> None:
    folder = recorded(4, column="ceiling")
    clips = pd.read_csv(folder / "clips.csv")
    clips.loc[0, "ceiling"] = "nowhere.png"
    clips.to_csv(folder / "clips.csv", index=False)
    seen = run(folder, tmp_path / "run")
    bad = seen.observations.set_index("clip_id").loc[clips["clip_id"][0]]
    assert bad[["status", "ceiling_status", "rendered_status"]].tolist() == ["picture_unreadable", "file_missing", "ok"]
    assert metric_frame(seen)["rendered.no_face"].eq(0).all()


def test_no_path_and_no_face_stay_the_models(recorded: Callable[..., Path], tmp_path: Path) -> None:
    folder = recorded(4)
    clips = pd.read_csv(folder / "clips.csv")
    clips.loc[0, "rendered"] = ""
    clips.to_csv(folder / "clips.csv", index=False)
    Image.fromarray(NOT_A_FACE).save(folder / clips["rendered"][1])
    seen = run(folder, tmp_path / "run")
    assert seen.observations["status"].tolist()[:2] == ["no_face", "no_face"]
    assert metric_frame(seen)["rendered.no_face"].tolist()[:3] == [1.0, 1.0, 0.0]
    assert audit.measure(seen).tables["your_files"].frame.empty


@pytest.fixture
def wrong_folder(recorded: Callable[..., Path], tmp_path: Path) -> audit.Run:
    """All rendered pictures of asian speakers are named in a folder that does not exist; the others are perfect."""
    folder = recorded()
    for path in pictures_of(folder, "asian"):
        path.unlink()
    return run(folder, tmp_path / "run")


def test_a_wrong_picture_folder_is_not_a_failure_of_the_model(wrong_folder: audit.Run) -> None:
    result = audit.measure(wrong_folder)
    assert result.finding("S2F006").outcome != "shown"
    assert not [finding.code for finding in result.findings if finding.outcome == "shown"]
    rates = result.frame().query("metric == 'no_face' and stage == 'rendered'")
    assert rates["value"].dropna().eq(0).all() and rates["n_missing"].eq(0).all()
    assert rates["n_clips"].max() == 40


def test_your_files_are_counted_by_group_language_and_damage(wrong_folder: audit.Run) -> None:
    result = audit.measure(wrong_folder)
    assert result.tables["your_files"].frame.to_numpy().tolist() == [
        ["asian", "en", "rendered", "picture_unreadable", "file_missing", 20, 20],
        ["asian", "zh", "rendered", "picture_unreadable", "file_missing", 20, 20],
    ]
    (notice,) = [text for text in result.run["notices"] if text.startswith("Your files")]  # type: ignore[attr-defined]  # a list of texts
    assert notice == (
        "Your files: of 80 clips, no usable rendered picture for 40 (40 no such file). None of this is counted "
        "against the model."
    )


def test_the_report_has_a_section_about_your_files(wrong_folder: audit.Run, tmp_path: Path) -> None:
    page = write_report(audit.measure(wrong_folder), tmp_path / "page").read_text()
    section = page[page.index('id="your_files"') :]
    assert "Your files" in section and "no such file" in section[: section.index("</section>")]


def test_a_report_without_damaged_files_has_no_such_section(recorded: Callable[..., Path], tmp_path: Path) -> None:
    page = write_report(audit.measure(run(recorded(4), tmp_path / "run")), tmp_path / "page").read_text()
    assert "Your files" not in page


def test_other_clips_give_the_same_numbers_as_alone(recorded: Callable[..., Path], tmp_path: Path) -> None:
    folder = recorded(24)
    (folder / "rendered" / "s0-en.png").write_bytes(POINTER)
    (folder / "audio" / "s1-zh.wav").write_bytes(b"")
    with_damage = audit.measure(run(folder, tmp_path / "damaged"))
    clips = pd.read_csv(folder / "clips.csv")
    clips[~clips["clip_id"].isin(["s0-en", "s1-zh"])].to_csv(folder / "clips.csv", index=False)
    without = audit.measure(run(folder, tmp_path / "whole"))
    pd.testing.assert_frame_equal(with_damage.frame(), without.frame())
    findings = [json.loads(result.to_json())["findings"] for result in (with_damage, without)]
    assert findings[0] == findings[1]


def test_a_cohort_of_damaged_files_only_is_reported(recorded: Callable[..., Path], tmp_path: Path) -> None:
    folder = recorded(4)
    for path in (folder / "rendered").iterdir():
        path.write_bytes(b"")
    result = audit.measure(run(folder, tmp_path / "run"))
    assert {finding.outcome for finding in result.findings} == {"not_evaluable"}
    assert write_report(result, tmp_path / "page").is_file()


def test_the_gate_answers_13(wrong_folder: audit.Run) -> None:
    decision = audit.gate(wrong_folder)
    assert decision.exit_code == 13
    (ruling,) = [ruling for ruling in decision.rulings if ruling.id == "data.max_unreadable"]
    assert ruling.outcome == "incomplete"
    assert ruling.sentence == (
        "the rendered picture of 20 of 20 clips of group asian in en cannot be read, more than 1%; "
        "the rendered picture of 20 of 20 clips of group asian in zh cannot be read, more than 1%."
    )


def test_the_gates_next_step_is_about_the_files(
    wrong_folder: audit.Run,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["audit", "gate", str(wrong_folder.folder)])
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == 13
    assert "Next: repair or remove the files" in capsys.readouterr().err


@pytest.mark.parametrize(("most", "outcome"), [("0.05", "pass"), ("0.04", "incomplete"), ("1.0", "pass")])
@pytest.mark.parametrize("file", ["audio/s0-en.wav", "rendered/s0-en.png", "portraits/s0.png"])
def test_a_policy_says_how_many_files_may_be_unreadable(
    recorded: Callable[..., Path], tmp_path: Path, file: str, most: str, outcome: str
) -> None:
    folder = recorded()
    (folder / file).write_bytes(b"")
    terms = (
        f'schema = 1\nname = "p"\nevidence.allow = ["simulated", "unpinned"]\n[data]\nmax_unreadable = {most}\n' + RULE
    )
    decision = audit.gate(run(folder, tmp_path / "run"), policy=Policy.parse(terms))
    (ruling,) = [ruling for ruling in decision.rulings if ruling.id == "data.max_unreadable"]
    assert ruling.outcome == outcome  # 1 of 20 clips in English


def test_a_comparison_leaves_out_what_cannot_be_used_in_either_run(
    recorded: Callable[..., Path], tmp_path: Path
) -> None:
    first, second = recorded(24, "a"), recorded(24, "b")
    for path in pictures_of(second, "asian")[:6]:
        path.write_bytes(b"")
    shutil.copy(first / "clips.csv", second / "clips.csv")
    before, after = run(first, tmp_path / "one"), run(second, tmp_path / "two")
    changes = {change.change.value for change in audit.compare(before, after).metrics}
    assert changes <= {0.0, None}


def test_equal_runs_over_damaged_files_have_equal_digests(recorded: Callable[..., Path], tmp_path: Path) -> None:
    digests = set()
    for place in ("here", "somewhere/else"):
        folder = recorded(8, f"{place}/people")
        for number, kind in enumerate(KINDS):
            damage(folder / "rendered" / f"s{number}-en.png", kind)
            damage(folder / "portraits" / f"s{number}.png", KINDS[-number])
        (folder / "audio" / "s7-zh.wav").write_text("no sound")
        seen = run(folder, tmp_path / "runs" / place)
        assert not seen.observations["detail"].str.contains(f"0x[0-9a-f]{{6}}|{tmp_path}").any()
        digests.add(seen.digest)
    assert len(digests) == 1


def test_grey_with_16_bits_is_read_like_grey_with_8_bits(recorded: Callable[..., Path], tmp_path: Path) -> None:
    folder = recorded(24)
    for path in pictures_of(folder, "asian"):
        grey = np.asarray(Image.open(path).convert("L")).astype(np.uint16) * 257
        Image.fromarray(grey).save(path)
    result = audit.measure(run(folder, tmp_path / "run"))
    assert result.finding("S2F006").outcome != "shown"
    statuses = result.tables["statuses"].frame
    assert set(statuses["status"]) == {"ok"}


def test_the_terminal_mentions_your_files_in_one_line(
    recorded: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = recorded(4)
    (folder / "rendered" / "s0-en.png").write_bytes(b"")
    run(folder, tmp_path / "run")
    monkeypatch.setattr(sys, "argv", ["audit", "measure", str(tmp_path / "run")])
    with pytest.raises(SystemExit) as done:
        main()
    assert not done.value.code
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Your files")]
    assert line.startswith("Your files: of 8 clips, no usable rendered picture for 1 (1 empty file).")
