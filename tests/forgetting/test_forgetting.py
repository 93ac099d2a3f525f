"""A withdrawal of consent: nothing that the tool wrote in the named folders is left of the speaker."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import audit
from audit.core.errors import AuditError
from audit.core.plan import EngineSettings, RunSettings
from audit.core.vocabulary import STAGES
from audit.runs.journal import Journal
from tests.runs.test_engines import KnownInstrument, KnownModel

SPEAKER = "s1"


@pytest.fixture
def folders(tmp_path: Path, make_cohort: Callable[..., Path]) -> dict[str, Path]:
    """A cohort, a measured run with a cache beside it, and a sheet."""
    cohort = make_cohort()
    run = audit.run(
        audit.Cohort.read(cohort),
        model=KnownModel(),
        instrument=KnownInstrument(),
        out=tmp_path / "runs" / "run",
        settings=RunSettings(part=3),
        engine=EngineSettings(cache="beside"),
    )
    audit.measure(run).write(tmp_path / "runs" / "run")
    audit.labelling_sheet(run, tmp_path / "sheet", faces=100)
    return {name: tmp_path / place for name, place in (("cohort", "cohort"), ("run", "runs/run"), ("sheet", "sheet"))}


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_nothing_is_left_of_the_speaker(folders: dict[str, Path]) -> None:
    run, others = audit.Run.read(folders["run"]), {}
    before = run.observations
    speaker = before["speaker_id"].iloc[0]
    theirs = before["speaker_id"] == speaker
    columns = [f"{stage}_face" for stage in STAGES]
    alone = {*before.loc[theirs, columns].stack()} - {*before.loc[~theirs, columns].stack()}
    assert alone, "the fake faces of this speaker must be different from those of others"
    others = before[~theirs].reset_index(drop=True)

    done = audit.forget(speaker, *folders.values())

    after = audit.Run.read(folders["run"])
    assert after.complete and after.observations.equals(others)
    assert after.manifest["cohort"]["n_speakers"] == others["speaker_id"].nunique()
    assert Journal.read(folders["run"]).digest == after.manifest["journal"]
    assert speaker not in set(audit.Cohort.read(folders["cohort"]).speakers["speaker_id"])
    for name, path in folders.items():
        written = everything(path)
        assert not any(face in file for face in alone for file in written), name
        named = [file for file, data in written.items() if speaker.encode() in data and Path(file).suffix != ".png"]
        assert named == [], name
        record = json.loads((path / "forgotten.json").read_text())
        assert len(record) == 1 and speaker not in json.dumps(record)
    assert not (folders["run"] / "audit.json").exists(), "it was made from the former rows"
    kinds = [one.kind for one in done]
    assert kinds == ["run", "cohort", "sheet", "cache"], "the cache beside the run is found by itself"
    assert done[2].removed["pictures"] > 0 and done[3].removed["answers"] > 0
    audit.measure(after)


def test_the_cache_has_nothing_of_the_speakers_recordings(folders: dict[str, Path]) -> None:
    seen = audit.Run.read(folders["run"]).observations
    speaker = seen["speaker_id"].iloc[0]
    sounds = {*seen.loc[seen["speaker_id"] == speaker, "audio_sha256"]} - {
        *seen.loc[seen["speaker_id"] != speaker, "audio_sha256"]
    }
    audit.forget(speaker, folders["run"])
    with closing(sqlite3.connect(folders["run"].parent / ".audit-cache" / "answers.sqlite")) as database:
        asked = [of for (of,) in database.execute("SELECT of FROM answers")]
    assert asked and not any(sound in of for sound in sounds for of in asked)


def test_an_unknown_speaker_and_a_foreign_folder_change_nothing(folders: dict[str, Path], tmp_path: Path) -> None:
    before = everything(folders["run"])
    (tmp_path / "mine").mkdir()
    with pytest.raises(AuditError, match="not a run, a cohort"):
        audit.forget("s1", folders["run"], tmp_path / "mine")
    with pytest.raises(AuditError, match="speaker of that id"):
        audit.forget("nobody", folders["run"])
    assert everything(folders["run"]) == before
