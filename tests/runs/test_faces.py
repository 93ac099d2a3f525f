"""Kept faces: named by a key outside the run, in subfolders, and opened only if they are the recorded pictures."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import audit
from audit.core.columns import face_check_column, face_column
from audit.core.pictures import picture_digest, read_picture
from audit.core.plan import EngineSettings, MeasureSettings
from audit.runs.face_keys import cohort_key
from audit.runs.faces import (
    FaceError,
    RecordedFace,
    face_file,
    faces_only_of,
    open_face,
    recorded_face,
    remove_faces,
    speakers_sharing,
)
from tests.fakes import ColourInstrument, LoudnessModel, fake_face
from tests.kept_faces import square, write_pictured_run

ONE = {("a", "rendered"): fake_face("asian")}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> audit.Cohort:
    """Four speakers with two clips each, of whom the first two share a portrait."""
    from scipy.io import wavfile

    folder = tmp_path_factory.mktemp("cohort")
    rng, clips, people = np.random.default_rng(0), [], []
    for i in range(4):
        Image.fromarray(fake_face("asian", age=30 + max(i, 1))).save(folder / f"s{i}.png")
        people.append({"speaker_id": f"s{i}", "group": "asian", "gender": "woman", "portrait": f"s{i}.png"})
        for language, level in (("en", 0.3), ("zh", 0.1)):
            wave = rng.standard_normal(20_000) * level
            wavfile.write(
                folder / f"s{i}{language}.wav", 16_000, (wave * 20_000).clip(-32_000, 32_000).astype(np.int16)
            )
            clips.append({"clip_id": f"s{i}{language}", "speaker_id": f"s{i}", "language": language})
    pd.DataFrame(people).to_csv(folder / "speakers.csv", index=False)
    pd.DataFrame(clips).assign(audio=lambda t: t["clip_id"] + ".wav").to_csv(folder / "clips.csv", index=False)
    return audit.Cohort.read(folder)


def ran(cohort: audit.Cohort, out: Path, **engine: str) -> audit.Run:
    plan = audit.Plan(engine=EngineSettings(**engine))
    return audit.run(cohort, model=LoudnessModel(), instrument=ColourInstrument(), out=out, plan=plan)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def run(cohort: audit.Cohort, home: Path) -> audit.Run:
    return ran(cohort, home / "run")


def measured(run: audit.Run) -> audit.Audit:
    return audit.measure(run, settings=MeasureSettings(resamples=200, intersect=(), slice_depth=0))


def names(run: audit.Run, stage: str = "portrait") -> list[str]:
    return run.observations[face_column(stage)].tolist()


# names


def test_whoever_has_a_portrait_cannot_recognise_it_in_a_run_or_an_audit(run: audit.Run, cohort: audit.Cohort) -> None:
    """Before: face files and gallery rows were named by an unsalted digest of the pixels."""
    pixels = read_picture(cohort.root / "s3.png").pixels
    assert pixels is not None and run.folder is not None
    digest = picture_digest(pixels)
    result = measured(run)
    result = replace(result, tables={"gallery": result.tables["gallery"]})
    said = result.to_json() + json.dumps(dict(run.manifest))
    said += " ".join(str(path) for path in run.folder.rglob("*")) + run.observations.to_csv()
    assert digest not in said
    result.write_report(run.folder, show_faces=True)
    assert not any(digest.encode() in path.read_bytes() for path in run.folder.rglob("*") if path.is_file())


def test_the_key_is_outside_the_run_private_and_in_no_file_of_it(run: audit.Run, home: Path) -> None:
    (key,) = (home / ".audit-keys").iterdir()
    secret = key.read_bytes().strip()
    assert len(bytes.fromhex(secret.decode())) == 32
    assert key.stat().st_mode & 0o777 == 0o600 and key.parent.stat().st_mode & 0o777 == 0o700
    assert run.folder is not None
    assert not any(secret in path.read_bytes() for path in run.folder.rglob("*") if path.is_file())


def test_runs_next_to_each_other_give_a_picture_the_same_name(run: audit.Run, cohort: audit.Cohort, home: Path) -> None:
    other = ran(cohort, home / "other")
    pd.testing.assert_frame_equal(other.observations, run.observations)


def test_equal_runs_with_different_keys_have_equal_digests_and_audits(
    run: audit.Run, cohort: audit.Cohort, home: Path
) -> None:
    other = ran(cohort, home / "keyed", keys=str(home / "keys"))
    assert not set(names(other)) & set(names(run)) and (home / "keys").is_dir()
    assert other.digest == run.digest
    assert measured(other).to_json() == measured(run).to_json(), "where the key is, is not said either"


def test_pictures_lie_in_subfolders_by_the_first_two_digits(run: audit.Run) -> None:
    assert run.folder is not None
    files = sorted(path.relative_to(run.folder / "faces") for path in (run.folder / "faces").rglob("*.png"))
    stages = ("portrait", "ceiling", "rendered")
    shown = {name for stage in stages for name in names(run, stage)}
    assert files == sorted(Path(name[:2], f"{name}.png") for name in shown)


def test_a_changed_picture_changes_the_digest_of_the_run(run: audit.Run) -> None:
    seen = run.observations
    other = seen.assign(**{face_check_column("rendered"): "0" * 32})
    assert replace(run, held=other).digest != run.digest
    renamed = seen.assign(**{face_column("rendered"): "0" * 32})
    assert replace(run, held=renamed).digest == run.digest


def test_a_run_is_not_resumed_with_another_key(cohort: audit.Cohort, tmp_path: Path) -> None:
    begun = ran(cohort, tmp_path / "run")
    manifest = {key: value for key, value in begun.manifest.items() if key != "parts"} | {"status": "running"}
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(manifest))
    next((tmp_path / "run" / "observations").glob("part-*")).unlink()
    shutil.rmtree(tmp_path / ".audit-keys")
    with pytest.raises(audit.RunError, match="another key.*--keys DIR"):
        ran(cohort, tmp_path / "run")


def test_a_complete_run_needs_no_key(cohort: audit.Cohort, tmp_path: Path) -> None:
    first = ran(cohort, tmp_path / "run")
    shutil.rmtree(tmp_path / ".audit-keys")
    assert ran(cohort, tmp_path / "run").digest == first.digest
    assert not (tmp_path / ".audit-keys").exists()


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda key: key.chmod(0o644), "may be read by other users.*chmod 600"),
        (lambda key: key.write_text("abc"), "is not the key of a cohort"),
        (lambda key: (key.rename(key.with_name("x")), key.symlink_to(key.with_name("x"))), "is a link"),
    ],
)
def test_a_key_that_is_not_private_damaged_or_a_link_is_refused(
    tmp_path: Path, harm: Callable[[Path], object], message: str
) -> None:
    made = cohort_key(tmp_path / "keys", "c0")
    assert cohort_key(tmp_path / "keys", "c0") == made != cohort_key(tmp_path / "keys", "c1")
    for key in (tmp_path / "keys").iterdir():
        harm(key)
    with pytest.raises(audit.RunError, match=message):
        cohort_key(tmp_path / "keys", "c0")


# opening


def test_a_copied_run_is_verified_without_its_key(run: audit.Run, tmp_path: Path) -> None:
    assert run.folder is not None
    copy = audit.Run.read(shutil.copytree(run.folder, tmp_path / "copy"))
    assert copy.folder is not None
    for observation in copy.observations.to_dict("records"):
        face = recorded_face(observation, "rendered")
        assert face is not None and open_face(copy.folder, face).shape == (16, 16, 3)
    sheet = audit.labelling_sheet(copy, tmp_path / "sheet", faces=4)
    assert len(list((sheet.folder / "pictures").iterdir())) == 4


def planted(folder: Path, harm: str) -> RecordedFace:
    """A run's picture, after an attacker changed the run's folder."""
    made = write_pictured_run(folder, ONE)
    face = recorded_face(made.observations.iloc[0].to_dict(), "rendered")
    assert face is not None
    path, secret = face_file(folder / "faces", face.name), folder.parent / "secret.png"
    Image.fromarray(fake_face("black")).save(secret)
    if harm == "a path":
        return replace(face, name="../../secret")
    if harm == "a link":
        path.unlink()
        path.symlink_to(secret)
    elif harm == "a linked subfolder":
        path.parent.rename(folder.parent / "moved")
        path.parent.symlink_to(folder.parent / "moved")
    elif harm == "a linked folder":
        (folder / "faces").rename(folder.parent / "moved")
        (folder / "faces").symlink_to(folder.parent / "moved")
    elif harm == "another picture":
        shutil.copy(secret, path)
    elif harm == "a picture of another clip":
        return replace(face, clip_id="b")
    elif harm == "a pipe":
        path.unlink()
        os.mkfifo(path)
    elif harm == "a bomb":
        Image.new("1", (8_000, 8_001)).save(path)
    elif harm == "a text":
        path.write_text("no picture")
    return face


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        ("a path", "not the name of a picture"),
        ("a link", "a link"),
        ("a linked subfolder", "a link"),
        ("a linked folder", "a link"),
        ("another picture", "not the picture that the run recorded"),
        ("a picture of another clip", "not the picture that the run recorded"),
        ("a pipe", "not a regular file"),
        ("a bomb", "too large to open"),
        ("a text", "not a readable picture"),
    ],
)
def test_only_a_recorded_picture_inside_the_run_is_opened(tmp_path: Path, harm: str, reason: str) -> None:
    """Before: ``audit sheet`` copied what ``rendered_face`` or a link in faces/ led to."""
    face = planted(tmp_path / "run", harm)
    with pytest.raises(FaceError, match=reason):
        open_face(tmp_path / "run", face)


def test_a_sheet_is_refused_whole_if_one_picture_is_not_the_recorded_one(run: audit.Run, tmp_path: Path) -> None:
    assert run.folder is not None
    folder = shutil.copytree(run.folder, tmp_path / "copy")
    secret = tmp_path / "secret.png"
    Image.fromarray(fake_face("black")).save(secret)
    path = face_file(folder / "faces", names(run, "rendered")[0])
    path.unlink()
    path.symlink_to(secret)
    with pytest.raises(audit.RunError, match="was not opened: a link"):
        audit.labelling_sheet(folder, tmp_path / "sheet")
    assert not (tmp_path / "sheet").exists()


def test_a_run_of_an_earlier_version_is_read_and_its_names_verify_the_pictures(tmp_path: Path) -> None:
    pixels = fake_face("asian")
    (tmp_path / "faces").mkdir()
    face = RecordedFace("a", "rendered", picture_digest(pixels))
    Image.fromarray(pixels).save(tmp_path / "faces" / f"{face.name}.png")
    assert (open_face(tmp_path, face) == pixels).all()
    Image.fromarray(fake_face("black")).save(tmp_path / "faces" / f"{face.name}.png")
    with pytest.raises(FaceError, match="not the picture that"):
        open_face(tmp_path, face)


@pytest.mark.parametrize("place", ["faces", "faces/ab"])
def test_a_run_is_not_written_through_a_link(cohort: audit.Cohort, tmp_path: Path, place: str) -> None:
    (tmp_path / "foreign").mkdir()
    link = tmp_path / "run" / place
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "foreign")
    with pytest.raises(audit.RunError, match="is a link"):
        ran(cohort, tmp_path / "run")
    assert not list((tmp_path / "foreign").iterdir())


# speakers


def test_the_pictures_of_a_speaker_are_removed_but_for_those_that_others_use(tmp_path: Path) -> None:
    shared, own = square(10, 0, 0), square(20, 0, 0)
    shown = {("a", "portrait"): shared, ("b", "portrait"): shared, ("a", "rendered"): own}
    run = write_pictured_run(tmp_path / "run", shown, speakers={"a": "ann", "b": "ben"})
    theirs = faces_only_of(run.observations, ["ann"])
    assert theirs == {run.observations.loc[0, "rendered_face"]}
    assert remove_faces(tmp_path / "run", [*theirs, "../../x", "0" * 32]) == 1
    assert (
        len(list((tmp_path / "run" / "faces").rglob("*.png"))) == 1 == len(list((tmp_path / "run" / "faces").iterdir()))
    )


def test_removing_never_follows_a_link(tmp_path: Path) -> None:
    face = planted(tmp_path / "run", "a link")
    assert remove_faces(tmp_path / "run", [face.name]) == 1 and (tmp_path / "secret.png").exists()
    face = planted(tmp_path / "other", "a linked subfolder")
    with pytest.raises(audit.RunError, match="a link"):
        remove_faces(tmp_path / "other", [face.name])
    assert list((tmp_path / "moved").iterdir())


def test_speakers_who_share_a_portrait_are_found(run: audit.Run) -> None:
    assert speakers_sharing(run.observations, "portrait_face") == [("s0", "s1")]
    assert speakers_sharing(run.observations, "audio_sha256") == []
