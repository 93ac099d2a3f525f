"""Recording quality from the clip to the report: columns of the run, table, section, older runs, small cells."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import soundfile

import audit
from audit.core.audio import read_clip
from audit.core.columns import OF_A_RECORDING
from audit.core.errors import CohortError
from audit.core.files import file_digest
from audit.core.plan import EngineSettings, MeasureSettings, RunSettings
from audit.core.recording import RATE, RECORDING, recording_columns
from audit.reports import write_report
from tests.fakes import ColourInstrument, LoudnessModel

MakeCohort = Callable[..., Path]
COLUMNS = [*OF_A_RECORDING]


@pytest.fixture
def spoken(make_cohort: MakeCohort) -> Path:
    """Twelve speakers; the recordings of the group asian have 10 dB of noise below the speech, the others 30 dB."""
    folder = make_cohort(12)
    time = np.arange(3 * RATE) / RATE
    for path in sorted((folder / "audio").glob("*.wav")):
        number = int(path.stem[1:].split("-")[0])
        rng = np.random.default_rng(number)
        speech = np.where(time % 1.5 < 0.5, 0.0, 0.1) * rng.normal(size=len(time))
        snr = 10 if number % 2 == 0 else 30
        soundfile.write(path, speech + 0.1 * 10 ** (-snr / 20) * rng.normal(size=len(time)), RATE)
    return folder


def run(cohort: Path, out: Path, **settings: int) -> audit.Run:
    return audit.run(
        audit.Cohort.read(cohort),
        model=LoudnessModel(),
        instrument=ColourInstrument(),
        out=out,
        settings=RunSettings(**settings),  # type: ignore[arg-type]
        engine=EngineSettings(cache="none"),
    )


def as_before(run: audit.Run) -> audit.Run:
    """The run as an earlier version wrote it."""
    assert run.folder is not None
    manifest = json.loads((run.folder / "manifest.json").read_text())
    for path in (run.folder / "observations").glob("part-*.parquet"):
        pq.write_table(pq.read_table(path).drop_columns(COLUMNS), path)
        manifest["parts"][path.name] = file_digest(path)
    (run.folder / "manifest.json").write_text(json.dumps(manifest))
    return audit.Run.read(run.folder)


def test_each_clip_has_the_quality_of_what_the_model_hears(spoken: Path, tmp_path: Path) -> None:
    seen = run(spoken, tmp_path / "run", max_seconds=2).observations.set_index("clip_id")
    assert list(seen[COLUMNS].dtypes.astype(str).unique()) == ["float64"]
    for name, row in seen.iterrows():
        clip = read_clip(spoken / "audio" / f"{name}.wav", max_seconds=2, measure_recording=True)
        assert row[COLUMNS].to_dict() == recording_columns(clip.recording)
    noisy = seen["group"] == "asian"
    assert seen.loc[noisy, "recording_snr"].between(9, 11).all()
    assert seen.loc[~noisy, "recording_snr"].between(29, 31).all()


def test_the_columns_do_not_depend_on_the_parts(spoken: Path, tmp_path: Path) -> None:
    whole, parts = (run(spoken, tmp_path / str(size), part=size) for size in (100, 3))
    assert whole.digest == parts.digest


def test_a_clip_that_cannot_be_used_has_none(spoken: Path, tmp_path: Path) -> None:
    soundfile.write(spoken / "audio" / "s0-en.wav", np.zeros(2 * RATE), RATE)
    (spoken / "audio" / "s1-en.wav").write_bytes(b"no sound")
    seen = run(spoken, tmp_path / "run").observations.set_index("clip_id")
    assert seen.loc[["s0-en", "s1-en"], COLUMNS].isna().all(axis=None)
    assert seen.drop(["s0-en", "s1-en"])[COLUMNS].notna().all(axis=None)


def test_a_cohort_may_not_have_columns_of_these_names(spoken: Path) -> None:
    clips = pd.read_csv(spoken / "clips.csv").assign(recording_snr=20.0)
    clips.to_csv(spoken / "clips.csv", index=False)
    with pytest.raises(CohortError, match="'recording_snr' is reserved for runs"):
        audit.Cohort.read(spoken)


def test_the_table_has_the_mean_of_each_group_and_language(spoken: Path, tmp_path: Path) -> None:
    found = run(spoken, tmp_path / "run")
    result = audit.measure(found)
    table = result.tables["recording"].frame.set_index(["measure", "group", "language"])
    assert set(table.index.get_level_values("measure")) == {measure.name for measure in RECORDING}
    seen = found.observations
    for group in ("asian", "white"):
        row = table.loc[("snr", group, "en")]
        clips = seen[(seen["group"] == group) & (seen["language"] == "en")]
        assert row["value"] == pytest.approx(clips["recording_snr"].mean())
        assert row["low"] < row["value"] < row["high"]
        assert (row["unit"], row["n_speakers"], row["n_clips"], row["n_missing"]) == ("dB", 6, 6, 0)
    at_limit = (seen["recording_bandwidth"] == 8000).sum()
    assert at_limit > 0 and table.loc[("bandwidth", "all", "all"), "n_at_limit"] == at_limit


def test_clips_that_were_not_measured_are_counted(spoken: Path, tmp_path: Path) -> None:
    found = run(spoken, tmp_path / "run")
    some = found.observations.assign(
        recording_snr=found.observations["recording_snr"].mask(found.observations["clip_id"] == "s0-en")
    )
    table = audit.measure(audit.Run(some, found.manifest)).tables["recording"].frame
    assert table.set_index(["measure", "group", "language"]).loc[("snr", "asian", "en"), "n_missing"] == 1


def test_small_cells_are_suppressed(spoken: Path, tmp_path: Path) -> None:
    result = audit.measure(run(spoken, tmp_path / "run"), settings=MeasureSettings(suppress_below=7))
    table = result.tables["recording"].frame
    assert table.loc[table["group"] != "all", "value"].isna().all()
    assert table.loc[(table["group"] == "all") & (table["language"] == "all"), "value"].notna().all()


def test_the_report_has_the_section_recordings(spoken: Path, tmp_path: Path) -> None:
    found = run(spoken, tmp_path / "run")
    page = write_report(audit.measure(found), tmp_path / "report").read_text()
    assert ">Recordings<" in page and "Signal-to-noise ratio" in page
    assert (tmp_path / "report" / "tables" / "recording.csv").is_file()


def test_an_older_run_is_read_measured_compared_and_reported(spoken: Path, tmp_path: Path) -> None:
    new, old = run(spoken, tmp_path / "new"), as_before(run(spoken, tmp_path / "old"))
    before, after = audit.measure(old), audit.measure(new)
    assert "recording" not in before.tables and "recording" in after.tables
    assert [finding.as_dict() for finding in before.findings] == [finding.as_dict() for finding in after.findings]
    assert audit.compare(old, new).checks
    assert ">Recordings<" not in write_report(before, tmp_path / "report").read_text()


def test_an_unfinished_run_of_an_earlier_version_is_resumed_with_the_columns(spoken: Path, tmp_path: Path) -> None:
    old = as_before(run(spoken, tmp_path / "run", part=4))
    assert old.folder is not None
    manifest = json.loads((old.folder / "manifest.json").read_text()) | {"status": "running", "parts": {}}
    (old.folder / "manifest.json").write_text(json.dumps(manifest))
    (old.folder / "observations" / "part-000002.parquet").unlink()
    resumed = run(spoken, tmp_path / "run", part=4)
    assert resumed.digest == run(spoken, tmp_path / "another", part=4).digest


@pytest.mark.parametrize("older", [False, True])
def test_a_run_that_is_read_again_keeps_its_columns(spoken: Path, tmp_path: Path, older: bool) -> None:
    found = run(spoken, tmp_path / "run")
    if older:
        found = as_before(found)
    again = audit.read_again(found, instrument=ColourInstrument(), out=tmp_path / "again").observations
    if older:
        assert again[COLUMNS].isna().all(axis=None)
    else:
        pd.testing.assert_frame_equal(again[COLUMNS], found.observations[COLUMNS])
