"""The journal: who wrote each part of a run, of which files, and what a resumed run refuses."""

from __future__ import annotations

import hashlib
import importlib
import json
import pickle
import shutil
import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import audit
from audit.cli.verifying import verify_files
from audit.core.arrays import Picture, Waveform
from audit.core.errors import PlanError, RunError
from audit.core.files import file_digest
from audit.core.plan import EngineSettings, RunSettings
from audit.core.provenance import versions
from audit.runs import code
from audit.runs.code import instrument_code, model_code
from audit.runs.harness.dry_run import dry_run
from audit.runs.harness.running import prepare
from audit.runs.journal import JOURNAL, Journal, journal_state
from audit.runs.run import part_path
from tests.conftest import tone, write_cohort
from tests.fakes import ColourInstrument, LoudnessModel, fake_face

PARTS = 4


class KnownModel(LoudnessModel):
    """A fake model whose answers may be cached."""

    def describe(self) -> dict[str, object]:
        return {"cache_key": "loudness 1"}


class KnownInstrument(ColourInstrument):
    """A fake instrument whose answers may be cached."""

    def describe(self) -> dict[str, object]:
        return {"cache_key": "colours 1"}


class BlackModel(LoudnessModel):
    """Another model of the same name and description."""

    def render(self, waveforms: Sequence[Waveform], sample_rate: int) -> list[Picture | None]:
        return [fake_face("black")] * len(waveforms)


class Killed(Exception):
    """Ends a run in the middle."""


def run(cohort: Path, out: Path, model: Any = None, *, kill_after: int | None = None, **given: Any) -> audit.Run:
    """A run of four parts; with ``kill_after``, it ends after that number of parts."""
    done = iter(range(1, 100))

    def progress(_: int, __: int) -> None:
        if next(done) == kill_after:
            raise Killed

    return audit.run(
        audit.Cohort.read(cohort),
        model=model or LoudnessModel(),
        instrument=given.pop("instrument", ColourInstrument()),
        out=out,
        settings=RunSettings(part=given.pop("part", 4)),
        engine=EngineSettings(cache=given.pop("cache", "none"), keys=str(cohort.parent / "keys")),
        progress=progress,
        **given,
    )


def begin(cohort: Path, out: Path, model: Any = None, **given: Any) -> None:
    """Write the first two parts of a run."""
    with pytest.raises(Killed):
        run(cohort, out, model, kill_after=2, **given)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cohort that no test changes."""
    return write_cohort(tmp_path_factory.mktemp("journal") / "cohort")


@pytest.fixture(scope="module")
def finished(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> audit.Run:
    """A finished run that no test changes."""
    return run(cohort, tmp_path_factory.mktemp("journal") / "run")


@pytest.fixture
def copied(finished: audit.Run, tmp_path: Path) -> Path:
    """The folder of a copy of that run."""
    assert finished.folder is not None
    return Path(shutil.copytree(finished.folder, tmp_path / "copied"))


def other_code(patch: pytest.MonkeyPatch) -> None:
    """Make this process one with another source of the package."""
    patch.setattr(code, "_of_this_package", lambda places: hashlib.sha256(b"changed").hexdigest())


# what is in it


def test_the_journal_has_the_digest_of_every_part_and_of_who_wrote_it(finished: audit.Run) -> None:
    assert finished.folder is not None
    journal = Journal.read(finished.folder)
    assert {name: entry.sha256 for name, entry in journal.entries.items()} == finished.manifest["parts"]
    assert [entry.rows for entry in journal.entries.values()] == [4] * PARTS
    (writer,) = journal.used
    assert {entry.writer for entry in journal.entries.values()} == {writer.id}
    assert finished.manifest["code_identity"]["model_sha256"] == writer.model
    assert finished.manifest["journal"] == journal.digest
    assert journal_state(finished.folder, finished.manifest) == "one_writer"


def test_the_content_is_that_of_every_file_of_the_cohort(finished: audit.Run, cohort: Path) -> None:
    files = {path.read_bytes() for path in [*cohort.glob("audio/*"), *cohort.glob("portraits/*")]}
    content = finished.manifest["content"]
    assert (content["n_files"], content["n_bytes"]) == (len(files), sum(map(len, files)))


@pytest.mark.parametrize("part", [1, 3, 64])
def test_content_depends_neither_on_the_model_nor_on_the_size_of_parts(
    finished: audit.Run, cohort: Path, tmp_path: Path, part: int
) -> None:
    other = run(cohort, tmp_path / "run", BlackModel(), part=part)
    assert other.manifest["content"] == finished.manifest["content"]
    assert other.manifest["journal"] != finished.manifest["journal"]


def test_the_journal_is_in_no_digest_of_the_run_and_no_observation(finished: audit.Run, copied: Path) -> None:
    manifest = json.loads((copied / "manifest.json").read_text())
    for key in ("journal", "content", "writers", "code_identity"):
        del manifest[key]
    (copied / "manifest.json").write_text(json.dumps(manifest))
    (copied / JOURNAL).unlink()
    older = audit.Run.read(copied)
    assert older.digest == finished.digest
    assert "clip_files" not in older.observations
    assert journal_state(copied, older.manifest) == "none"


def test_equal_runs_have_equal_journals_with_a_cache_or_without(cohort: Path, tmp_path: Path) -> None:
    known: dict[str, Any] = {"instrument": KnownInstrument(), "cache": str(tmp_path / "cache")}
    runs = [run(cohort, tmp_path / name, KnownModel(), **known) for name in ("one", "two")]
    alone = run(cohort, tmp_path / "alone", KnownModel(), instrument=KnownInstrument())
    assert {one.manifest["journal"] for one in (*runs, alone)} == {alone.manifest["journal"]}
    entries = [[*Journal.read(tmp_path / name).entries.values()] for name in ("one", "two", "alone")]
    assert sum(entry.from_cache for entry in entries[1]) > sum(entry.from_cache for entry in entries[0])
    assert entries[2][0].cache is None and entries[0][0].cache == entries[1][0].cache is not None


def test_a_run_read_again_keeps_the_content_of_the_files(finished: audit.Run, tmp_path: Path) -> None:
    again = audit.read_again(finished, instrument=ColourInstrument(), out=tmp_path / "again")
    assert again.manifest["content"] == finished.manifest["content"]


# what a resumed run keeps and computes again


def test_a_part_without_a_line_is_computed_again(cohort: Path, finished: audit.Run, copied: Path) -> None:
    lines = (copied / JOURNAL).read_text().splitlines(keepends=True)
    (copied / JOURNAL).write_text("".join(lines[:-1]) + lines[-1][:40])  # the last line is incomplete
    restarted(copied)
    model = LoudnessModel()
    done = run(cohort, copied, model)
    assert model.heard == 4
    assert done.manifest["journal"] == finished.manifest["journal"]


def test_resuming_reads_footers_and_closing_finds_changed_bytes(
    cohort: Path, finished: audit.Run, copied: Path
) -> None:
    part = part_path(copied, 1)
    data = bytearray(part.read_bytes())
    data[100:104] = bytes(byte ^ 255 for byte in data[100:104])
    part.write_bytes(data)
    restarted(copied)
    model = LoudnessModel()
    done = run(cohort, copied, model)
    assert model.heard == 4
    assert done.manifest["parts"] == finished.manifest["parts"]


def restarted(folder: Path) -> None:
    """Change the manifest to that of a run that was killed before its end."""
    manifest = json.loads((folder / "manifest.json").read_text())
    kept = {key: value for key, value in manifest.items() if key not in ("parts", "journal", "content", "finished")}
    (folder / "manifest.json").write_text(json.dumps(kept | {"status": "running"}))


def test_a_finished_run_is_taken_as_it_is_by_other_code(
    cohort: Path, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_code(monkeypatch)
    before = (copied / "manifest.json").read_bytes()
    run(cohort, copied)
    assert (copied / "manifest.json").read_bytes() == before


# attacks


def test_a_run_begun_by_one_code_is_not_resumed_by_another(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(cohort, tmp_path / "run")
    other_code(monkeypatch)
    with pytest.raises(RunError, match="begun with other code than now: the code of this package was .* now it is"):
        run(cohort, tmp_path / "run")
    ready = prepare(
        audit.Cohort.read(cohort),
        model=LoudnessModel(),
        instrument=ColourInstrument(),
        out=tmp_path / "run",
        settings=RunSettings(part=4),
        cache="none",
    )
    tried = dry_run(ready)
    assert (tried.state, "begun with other code" in tried.refused) == ("refused", True)
    mixed = run(cohort, tmp_path / "run", continue_with_other_code=True)
    assert mixed.manifest["writers"] == 2
    assert journal_state(tmp_path / "run", mixed.manifest) == "several_writers"


def test_a_run_begun_with_other_packages_is_not_resumed(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(cohort, tmp_path / "run")
    old = versions()
    monkeypatch.setattr(code, "versions", lambda: old | {"numpy": "0.1"})
    with pytest.raises(RunError, match=rf"numpy was {np.__version__}, now it is 0\.1\. Allowed: "):
        run(cohort, tmp_path / "run")


def test_a_run_is_not_completed_with_the_parts_of_another_model(
    cohort: Path, finished: audit.Run, tmp_path: Path
) -> None:
    begin(cohort, tmp_path / "run")
    other = run(cohort, tmp_path / "other", BlackModel())
    assert other.folder is not None
    for number in (2, 3):
        shutil.copy(part_path(other.folder, number), part_path(tmp_path / "run", number))
    model = LoudnessModel()
    assert run(cohort, tmp_path / "run", model).digest == finished.digest
    assert model.heard == 8


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A third-party model in a module of its own, of the name and with the answers of the fake."""
    (tmp_path / "stand_in.py").write_text(
        "from tests.fakes import LoudnessModel\n\n\nclass StandIn(LoudnessModel):\n    pass\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "stand_in", raising=False)
    yield importlib.import_module("stand_in").StandIn()
    del sys.modules["stand_in"]


def test_a_journal_with_the_lines_of_another_model_is_refused(cohort: Path, tmp_path: Path, stand_in: Any) -> None:
    begin(cohort, tmp_path / "run")
    other = run(cohort, tmp_path / "other", stand_in)
    assert other.folder is not None
    for number in (2, 3):
        shutil.copy(part_path(other.folder, number), part_path(tmp_path / "run", number))
    with (tmp_path / "run" / JOURNAL).open("a") as journal:
        journal.write((other.folder / JOURNAL).read_text())
    part_path(tmp_path / "run", 3).unlink()
    with pytest.raises(RunError, match="the digest of the model and its code was .*, now it is"):
        run(cohort, tmp_path / "run")


def test_replaced_sound_is_found_by_the_content_and_by_verifying(
    make_cohort: Callable[..., Path], tmp_path: Path
) -> None:
    cohort = make_cohort()
    before = run(cohort, tmp_path / "before")
    assert audit.verify(before, cohort).n_different == 0
    tone(cohort / "audio" / "s0-en.wav", level=0.31)
    Image.fromarray(fake_face("white", "man", 33)).save(cohort / "portraits" / "s1.png")
    found = audit.verify(before, cohort)
    assert found.different == (
        "the audio of the clip s0-en",
        "the portrait of the clip s1-en",
        "the portrait of the clip s1-zh",
    )
    with pytest.raises(RunError, match="3 files of .* are not those that the run read: the audio of the clip s0-en"):
        verify_files(before, cohort)
    after = run(cohort, tmp_path / "after")
    assert after.manifest["cohort"] == before.manifest["cohort"]
    assert after.manifest["content"] != before.manifest["content"]


def test_pictures_that_the_model_does_not_show_are_content_too(
    make_cohort: Callable[..., Path], tmp_path: Path
) -> None:
    cohort = make_cohort()
    clips = (cohort / "clips.csv").read_text().splitlines()
    lines = [clips[0] + ",rendered", clips[1] + ",portraits/s7.png", *(line + "," for line in clips[2:])]
    (cohort / "clips.csv").write_text("\n".join(lines) + "\n")
    made = run(cohort, tmp_path / "run")
    (cohort / "portraits" / "s7.png").unlink()
    assert audit.verify(made, cohort).different[0].startswith("the portrait of the clip s7-en")
    assert audit.verify(made, cohort).n_different == 3


def test_verifying_refuses_another_cohort_and_a_changed_journal(
    make_cohort: Callable[..., Path], cohort: Path, finished: audit.Run, copied: Path
) -> None:
    with pytest.raises(RunError, match="is not the cohort of the run"):
        audit.verify(finished, make_cohort(6))
    text = (copied / JOURNAL).read_text()
    (copied / JOURNAL).write_text(text.replace('"rows": 4', '"rows": 5', 1))
    with pytest.raises(RunError, match="is not the one that its manifest names"):
        audit.verify(copied, cohort)
    assert journal_state(copied, audit.Run.read(copied).manifest) == "changed"


def edited_cache(folder: Path) -> None:
    """Give one rendering in a cache the picture of another, with the right digest of the row."""
    with sqlite3.connect(folder / "answers.sqlite") as answers:
        voices = answers.execute("SELECT of, answer FROM answers WHERE of LIKE 'voice %'").fetchall()
        pictures = sorted({answer for _, answer in voices})
        for of, answer in voices:
            other = pictures[0] if answer != pictures[0] else pictures[1]
            answers.execute(
                "UPDATE answers SET answer = ?, sha256 = ? WHERE of = ?", (other, hashlib.sha256(other).hexdigest(), of)
            )
    answers.close()


def test_an_edited_answer_of_the_cache_is_found_by_rechecking(cohort: Path, tmp_path: Path) -> None:
    known: dict[str, Any] = {"instrument": KnownInstrument(), "cache": str(tmp_path / "cache")}
    first = run(cohort, tmp_path / "first", KnownModel(), **known)
    model = KnownModel()
    checked = run(cohort, tmp_path / "checked", model, **known, recheck=1.0)
    result = checked.manifest["recheck"]
    assert (result["different"], result["checked"]) == (0, result["from_cache"])
    assert model.heard > 0
    assert checked.digest == first.digest
    edited_cache(tmp_path / "cache")
    assert run(cohort, tmp_path / "fooled", KnownModel(), **known).digest != first.digest
    with pytest.raises(
        RunError, match=r"3 of 3 renderings of the cache differ .* by up to \d+ of 255 levels"
    ) as caught:
        run(cohort, tmp_path / "caught", KnownModel(), **known, recheck=1.0)
    sent = pickle.loads(pickle.dumps(caught.value))  # from a worker process
    assert (str(sent), sent.result) == (str(caught.value), caught.value.result)
    manifest = json.loads((tmp_path / "caught" / "manifest.json").read_text())
    assert (manifest["status"], manifest["recheck"]["different"]) == ("running", 3)
    with pytest.raises(RunError, match="differed when they were computed again"):
        run(cohort, tmp_path / "caught", KnownModel(), **known)


def test_an_edited_reading_of_the_cache_is_found_by_rechecking(cohort: Path, tmp_path: Path) -> None:
    known: dict[str, Any] = {"instrument": KnownInstrument(), "cache": str(tmp_path / "cache")}
    run(cohort, tmp_path / "first", **known)
    with sqlite3.connect(tmp_path / "cache" / "answers.sqlite") as answers:
        rows = answers.execute("SELECT of, answer FROM answers").fetchall()
        of, other = rows[0][0], next(answer for _, answer in rows if answer != rows[0][1])
        digest = hashlib.sha256(other).hexdigest()
        answers.execute("UPDATE answers SET answer = ?, sha256 = ? WHERE of = ?", (other, digest, of))
    answers.close()
    with pytest.raises(RunError, match="1 of [0-9]+ readings of the cache differ"):
        run(cohort, tmp_path / "caught", **known, recheck=1.0)


def test_a_finished_run_cannot_be_rechecked_afterwards(cohort: Path, copied: Path) -> None:
    with pytest.raises(RunError, match="was complete, so that none of its answers were computed again"):
        run(cohort, copied, recheck=0.5)
    with pytest.raises(PlanError, match="share of answers to re-check is 2"):
        run(cohort, copied, recheck=2)


def test_lines_about_parts_that_the_run_does_not_have_are_refused(cohort: Path, copied: Path) -> None:
    line = (copied / JOURNAL).read_text().splitlines()[-1].replace("part-000003", "part-000004")
    with (copied / JOURNAL).open("a") as journal:
        journal.write(line + "\n")
    with pytest.raises(RunError, match=r"has parts that are not of this run: part-000004\.parquet"):
        run(cohort, copied)


@pytest.mark.parametrize("text", ["{}\n", '{"part": 1}\n', "not JSON\n"])
def test_a_journal_that_is_not_valid_is_refused(cohort: Path, copied: Path, text: str) -> None:
    (copied / JOURNAL).write_text(text)
    with pytest.raises(RunError, match="is not a valid journal: line 1"):
        run(cohort, copied)


def test_a_link_in_place_of_the_journal_is_not_followed(cohort: Path, copied: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine\n")
    (copied / JOURNAL).unlink()
    (copied / JOURNAL).symlink_to(tmp_path / "precious")
    part_path(copied, 0).unlink()
    with pytest.raises(RunError, match="it is a link"):
        run(cohort, copied)
    assert (tmp_path / "precious").read_text() == "mine\n"


# code


def test_an_instrument_that_names_itself_embedded_has_other_code() -> None:
    class Fake(ColourInstrument):
        name = "embedded"

    assert instrument_code(Fake()) not in (None, instrument_code(audit.instrument("embedded")))


def test_a_replaced_method_changes_the_code_of_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    model = audit.model("planted")
    before = model_code(model)
    monkeypatch.setattr(type(model), "describe", lambda self: {}, raising=False)
    assert model_code(model) != before


def test_code_is_read_again_when_its_file_changes(tmp_path: Path, stand_in: Any) -> None:
    before = model_code(stand_in)
    with (tmp_path / "stand_in.py").open("a") as file:
        file.write("# changed\n")
    assert model_code(stand_in) != before


# forgetting


def test_a_forgotten_speaker_leaves_a_consistent_run_without_a_trace(finished: audit.Run, copied: Path) -> None:
    from audit.runs.forgetting import remove_speaker

    before = {name: file_digest(copied / "observations" / name) for name in finished.manifest["parts"]}
    removed = remove_speaker(copied, "s3")
    assert removed.n_clips == 2
    assert [len(each) for each in (removed.audio, removed.pictures, removed.faces)] == [1, 1, 1]  # all English is equal
    left = audit.Run.read(copied)
    assert len(left.observations) == 14 and "s3" not in set(left.observations["speaker_id"])
    assert left.manifest["cohort"]["n_speakers"] == 7
    assert journal_state(copied, left.manifest) == "one_writer"
    assert left.manifest["content"] != finished.manifest["content"]
    assert not any('"s3' in (copied / name).read_text() for name in (JOURNAL, "manifest.json"))
    kept = [name for name, digest in before.items() if left.manifest["parts"][name] == digest]
    assert len(kept) == PARTS - 1
    assert [note.parts for note in Journal.read(copied).forgotten] == [1]
    assert remove_speaker(copied, "s3").n_clips == 0
    assert audit.Run.read(copied).digest == left.digest


def test_forgetting_that_was_interrupted_is_finished_by_repeating_it(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audit.runs import forgetting

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", interrupted(Path.replace))
        with pytest.raises(Killed):
            forgetting.remove_speaker(copied, "s3")
    with pytest.raises(RunError, match="was changed after the run"):
        audit.Run.read(copied)
    forgetting.remove_speaker(copied, "s3")
    assert len(audit.Run.read(copied).observations) == 14
    assert len(Journal.read(copied).forgotten) == 1


def interrupted(replace: Callable[[Path, Path], Path]) -> Callable[[Path, Path], Path]:
    """Renaming that ends the process at the first part."""

    def rename(path: Path, target: Path) -> Path:
        if Path(target).name.startswith("part-"):
            raise Killed
        return replace(path, target)

    return rename


def test_forgetting_refuses_a_part_that_was_changed(copied: Path) -> None:
    from audit.runs.forgetting import remove_speaker

    shutil.copy(part_path(copied, 1), part_path(copied, 2))
    with pytest.raises(RunError, match="was changed after the run"):
        remove_speaker(copied, "s3")
