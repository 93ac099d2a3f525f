"""The dry run: what a run would do, and nothing on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import audit
from audit.core.plan import RunSettings
from audit.runs.harness.dry_run import DryRun, dry_run
from audit.runs.harness.running import prepare
from benchmarks.faults import ColourInstrument, ToneModel

Made = Callable[..., Path]


def tried(cohort: Path, out: Path, seed: int = 0) -> DryRun:
    settings = RunSettings(part=4, seed=seed)
    people = audit.Cohort.read(cohort)
    ready = prepare(
        people, model=ToneModel(), instrument=ColourInstrument(), out=out, settings=settings, cache="beside"
    )
    return dry_run(ready)


def run(cohort: Path, out: Path) -> audit.Run:
    settings = RunSettings(part=4)
    people = audit.Cohort.read(cohort)
    return audit.run(people, model=ToneModel(), instrument=ColourInstrument(), out=out, settings=settings)


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_nothing_is_written_and_nothing_is_claimed_without_an_earlier_run(make_cohort: Made, tmp_path: Path) -> None:
    cohort = make_cohort(4)
    before = files(tmp_path)
    found = tried(cohort, tmp_path / "run")
    assert files(tmp_path) == before
    assert (found.state, found.n_clips, found.n_left, found.n_speakers) == ("new", 8, 8, 4)
    assert (found.seconds, found.bytes) == (None, None) and "no finished run" in found.basis
    assert found.renderings.known == found.readings.known == 0
    assert {(row["group"], row["language"], row["clips"]) for row in found.strata} == {
        (group, language, 2) for group in ("asian", "white") for language in ("en", "zh")
    }


def test_unusable_files_are_counted_by_reason_and_named(make_cohort: Made, tmp_path: Path) -> None:
    cohort = make_cohort(4)
    (cohort / "portraits" / "s1.png").unlink()
    for name in ("s0-en", "s2-zh"):
        (cohort / "audio" / f"{name}.wav").write_bytes(b"no sound")
    found = {(each.file, each.status): each for each in tried(cohort, tmp_path / "run").unusable}
    assert found.keys() == {("audio", "audio_unreadable"), ("portrait", "file_missing")}
    assert found["audio", "audio_unreadable"].count == 2
    assert found["audio", "audio_unreadable"].first == ("audio/s0-en.wav", "audio/s2-zh.wav")


def test_an_earlier_run_answers_from_the_cache_and_tells_the_time(make_cohort: Made, tmp_path: Path) -> None:
    cohort = make_cohort(4)
    run(cohort, tmp_path / "earlier")
    found = tried(cohort, tmp_path / "run")
    assert found.renderings.known == found.renderings.asked > 0
    assert found.readings.known == found.readings.asked > 0
    assert found.seconds is not None and found.bytes is not None and "1 finished run" in found.basis
    again = run(cohort, tmp_path / "run")
    assert (again.manifest["answers"]["rendered"], again.manifest["answers"]["read"]) == (0, 0), "as was said"


def test_a_folder_is_resumed_complete_or_refused(make_cohort: Made, tmp_path: Path) -> None:
    cohort = make_cohort(4)
    run(cohort, tmp_path / "run")
    assert tried(cohort, tmp_path / "run").state == "complete"
    next((tmp_path / "run" / "observations").glob("part-*")).unlink()
    resumed = tried(cohort, tmp_path / "run")
    assert (resumed.state, resumed.n_left) == ("resumed", 4)
    other = tried(cohort, tmp_path / "run", seed=1)
    assert other.state == "refused" and "contains another run" in other.refused
