"""Which clips are taken: by length, by number, and short ones joined."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

import audit
from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported
from audit.cohorts.importing.joining import runs_of
from audit.cohorts.importing.selection import Selection, selected
from audit.core.audio import read_clip
from tests.cli.test_cli import command
from tests.cohorts.test_datasets_adapters import imported
from tests.conftest import tone


def of_lengths(root: Path, **seconds: list[float]) -> Path:
    """A folder with a speaker for each name, and clips of those lengths."""
    for speaker, lengths in seconds.items():
        for i, length in enumerate(lengths):
            tone(root / speaker / f"{i:02d}.wav", level=0.1 + 0.01 * i, seconds=length)
    return root


def clips_of(cohort: audit.Cohort) -> list[str]:
    return cohort.clips["clip_id"].tolist()


def test_only_clips_that_are_long_enough(tmp_path: Path) -> None:
    root = of_lengths(tmp_path / "d", ann=[2.9, 3.0, 6.0], bo=[1.0])
    (root / "ann" / "03.wav").write_text("no sound")
    cohort, said = imported("folder", root, tmp_path / "C", clip_seconds=3)
    assert clips_of(cohort) == ["ann/01", "ann/02"]
    assert "2 clips are shorter than 3 s and were left out" in said
    assert "The length of 1 clips cannot be read" in said
    assert "1 speakers have no selected clip" in said
    with pytest.raises(audit.AuditError, match="No clip is left"):
        audit.import_cohort("folder", root, tmp_path / "D", clip_seconds=60)
    assert not (tmp_path / "D").exists()


def test_a_number_of_each_speaker_is_drawn_by_the_seed(tmp_path: Path) -> None:
    root = of_lengths(tmp_path / "d", ann=[1.0] * 12, bo=[1.0] * 2)
    drawn = []
    for seed in range(5):
        cohort, said = imported("folder", root, tmp_path / f"C{seed}", clips_per_speaker=3, seed=seed)
        assert cohort.clips["speaker_id"].value_counts().to_dict() == {"ann": 3, "bo": 2}
        assert f"9 clips were not drawn (at most 3 of each speaker in each language, by seed {seed})" in said
        drawn.append(clips_of(cohort))
    assert len({tuple(names) for names in drawn}) > 1
    of_lengths(root, cy=[1.0] * 5)  # other speakers do not change the draw
    again, _ = audit.import_cohort("folder", root, tmp_path / "D", clips_per_speaker=3, seed=2)
    assert [name for name in clips_of(again) if not name.startswith("cy")] == drawn[2]


def table(speakers: Iterable[str], languages: Iterable[str], clips: int) -> Imported:
    rows = [(f"{s}-{c}-{i}", s, c) for s in speakers for c in languages for i in range(clips)]
    frame = pd.DataFrame(rows, columns=["clip_id", "speaker_id", "language"])
    frame["audio"] = "files/" + frame["clip_id"]
    return Imported(pd.DataFrame({"speaker_id": sorted(set(frame["speaker_id"]))}), frame, CohortNotes())


def test_the_number_is_per_language() -> None:
    found = selected(table("ab", ["en", "zh"], 5), Selection(per_speaker=2), lambda paths: np.ones(len(list(paths))))
    assert set(found.clips.groupby(["speaker_id", "language"]).size()) == {2}


@settings(deadline=None)
@given(
    st.lists(st.floats(0.5, 9, allow_nan=False), min_size=12, max_size=12),
    st.integers(1, 4),
    st.integers(0, 5),
    st.randoms(use_true_random=False),
)
def test_lengths_are_read_of_no_more_clips_than_needed(lengths, number, seed, random) -> None:
    """The clips taken are the first long ones in the order of the draw, in any order of rows."""
    everything = table("ab", ["en"], 6)
    of = dict(zip(everything.clips["audio"], lengths, strict=True))
    asked: list[str] = []

    def read(paths: Iterable[str]) -> np.ndarray:
        new = list(paths)
        asked.extend(new)
        return np.array([of[path] for path in new])

    wanted = Selection(seconds=0.5, per_speaker=number, seed=seed)
    found = selected(everything, wanted, read)
    assert len(found.clips) == min(number, 6) * 2 == len(asked)  # all are long enough: none is read in vain
    asked.clear()
    wanted = Selection(seconds=4, per_speaker=number, seed=seed)
    rows = list(range(12))
    random.shuffle(rows)
    try:
        found = selected(everything, wanted, read)
    except audit.CohortError:
        assert max(lengths) < 4
        return
    assert len(asked) == len(set(asked))
    shuffled = Imported(everything.speakers, everything.clips.iloc[rows].reset_index(drop=True), CohortNotes())
    assert set(selected(shuffled, wanted, read).clips["clip_id"]) == set(found.clips["clip_id"])
    for speaker, own in everything.clips.groupby("speaker_id"):
        long = sum(of[path] >= 4 for path in own["audio"])
        assert (found.clips["speaker_id"] == speaker).sum() == min(number, long)


@given(st.lists(st.floats(0.1, 5, allow_nan=False), max_size=30), st.floats(1, 12))
def test_joined_clips_are_the_shortest_of_sufficient_length(lengths, enough) -> None:
    seconds = np.array(lengths)
    runs = list(runs_of(seconds, enough))
    assert [i for run in runs for i in run] == list(range(sum(map(len, runs))))
    for run in runs:
        assert seconds[run].sum() >= enough - 1e-5
        assert seconds[run[:-1]].sum() < enough
    assert seconds[sum(map(len, runs)) :].sum() < enough


def test_short_clips_of_one_speaker_are_joined(tmp_path: Path) -> None:
    root = of_lengths(tmp_path / "d", ann=[1.5, 2.0, 7.0, 1.0, 2.0, 2.5], bo=[1.0, 1.0])
    cohort, said = imported("folder", root, tmp_path / "C", clip_seconds=3, join=True)
    table = cohort.clips.set_index("clip_id")
    assert list(table.index) == ["ann/00+1", "ann/02", "ann/03+1"]
    assert list(table["joined_from"]) == ["ann/00;ann/01", "", "ann/03;ann/04"]
    assert "4 clips shorter than 3 s were joined to 2 of at least that length" in said
    assert "3 short clips were left over" in said and "1 speakers have no selected clip" in said
    path = cohort.root / table.loc["ann/00+1", "audio"]
    assert path.parent == cohort.root / "joined"
    sound = soundfile.info(str(path))
    assert (sound.format, sound.samplerate, sound.channels, sound.duration) == ("FLAC", 16_000, 1, 3.5)
    sound = read_clip(path).waveform
    assert sound is not None
    for part, level in ((sound[:24_000], 0.1), (sound[24_000:], 0.11)):
        assert np.sqrt(np.mean(part**2)) == pytest.approx(level, rel=0.01)
    again, _ = audit.import_cohort("folder", root, tmp_path / "D", clip_seconds=3, join=True)
    assert again.digest == cohort.digest
    assert (again.root / table.loc["ann/00+1", "audio"]).read_bytes() == path.read_bytes()


def test_a_joined_clip_has_the_cluster_of_its_first_source(tmp_path: Path) -> None:
    root = of_lengths(tmp_path / "d", ann=[2.0, 2.0, 2.0, 2.0], bo=[5.0])
    rows = zip(["ann/00", "ann/01", "ann/02", "ann/03", "bo/00"], ["u", "u", "v", "w", "w"], strict=True)
    (root / "labels.csv").write_text("clip_id,cluster\n" + "".join(f"{clip},{video}\n" for clip, video in rows))
    cohort, said = imported("folder", root, tmp_path / "C", labels=root / "labels.csv", clip_seconds=3, join=True)
    assert cohort.clips.set_index("clip_id")["cluster"].to_dict() == {"ann/00+1": "u", "ann/02+1": "v", "bo/00": "w"}
    assert "1 joined clips are of several videos or sessions; their cluster is that of the first." in said


def test_sources_above_a_minute_are_joined_whole(tmp_path: Path) -> None:
    root = of_lengths(tmp_path / "d", ann=[70.0, 70.0])
    cohort, _ = imported("folder", root, tmp_path / "C", clip_seconds=140, join=True)
    (path,) = cohort.clips["audio"]
    assert soundfile.info(str(cohort.root / path)).duration == 140


def test_a_clip_that_is_a_picture_only_has_no_length(tmp_path: Path) -> None:
    root = of_lengths(tmp_path / "d", ann=[2.0])
    (root / "x.png").write_bytes(b"x")
    (root / "labels.csv").write_text("clip_id,audio,speaker_id,rendered\na,ann/00.wav,ann,\nb,,ann,x.png\n")
    cohort, said = imported("folder", root, tmp_path / "C", clip_seconds=1)
    assert clips_of(cohort) == ["a"] and "The length of 1 clips cannot be read" in said


def test_clips_of_several_rates_and_channels_are_joined(tmp_path: Path) -> None:
    root = tmp_path / "d"
    tone(root / "ann" / "0.wav", seconds=2, rate=44_100, channels=2)
    (root / "ann" / "1.mp3").parent.mkdir(exist_ok=True)
    soundfile.write(
        root / "ann" / "1.mp3", soundfile.read(tone(tmp_path / "t.wav", seconds=2))[0], 16_000, format="MP3"
    )
    cohort, _ = imported("folder", root, tmp_path / "C", clip_seconds=3, join=True)
    (path,) = cohort.clips["audio"]
    assert soundfile.info(str(cohort.root / path)).duration == pytest.approx(4, abs=0.1)


def test_only_joined_clips_that_are_drawn_are_written(tmp_path: Path) -> None:
    root = of_lengths(tmp_path / "d", ann=[2.0] * 12)
    cohort, said = imported("folder", root, tmp_path / "C", clip_seconds=4, join=True, clips_per_speaker=2)
    assert len(cohort.clips) == 2 == len(list((cohort.root / "joined").iterdir()))
    assert "4 clips were not drawn" in said


def test_a_silent_or_damaged_part_excludes_only_its_joined_clip(tmp_path: Path) -> None:
    root = of_lengths(tmp_path / "d", ann=[2.0] * 4)
    soundfile.write(root / "ann" / "01.wav", np.zeros(32_000), 16_000)
    (root / "ann" / "00x.wav").write_text("no sound")
    cohort, said = imported("folder", root, tmp_path / "C", clip_seconds=4, join=True)
    assert clips_of(cohort) == ["ann/02+1"]
    assert "1 joined clips have a silent or damaged part" in said and "The length of 1 clips cannot be read" in said


def test_clips_with_rendered_faces_are_not_joined(tmp_path: Path) -> None:
    root = of_lengths(tmp_path / "d", ann=[2.0, 2.0])
    (root / "x.png").write_bytes(b"")
    (root / "labels.csv").write_text("audio,speaker_id,rendered\nann/00.wav,ann,x.png\nann/01.wav,ann,x.png\n")
    with pytest.raises(audit.AuditError, match="pictures in the column rendered"):
        audit.import_cohort("folder", root, tmp_path / "C", clip_seconds=4, join=True)


def test_an_invalid_selection_is_refused(tmp_path: Path) -> None:
    root = of_lengths(tmp_path / "d", ann=[1.0])
    for how in ({"clip_seconds": -1.0}, {"clips_per_speaker": 0}, {"join": True}, {"clip_seconds": float("nan")}):
        with pytest.raises(audit.AuditError, match="Allowed"):
            audit.import_cohort("folder", root, tmp_path / "C", **how)  # type: ignore[arg-type]  # one of several


def test_the_command_passes_every_option_on(tmp_path: Path) -> None:
    root = of_lengths(tmp_path / "d", ann=[2.0] * 6, bo=[2.0] * 6)
    done = command(
        "cohort", "import", "folder", root, "-o", tmp_path / "C", "--clip-seconds", "4", "--join",
        "--clips-per-speaker", "1", "--seed", "5", "--language", "en",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = audit.Cohort.read(tmp_path / "C")
    python, _ = audit.import_cohort(
        "folder", root, tmp_path / "D", clip_seconds=4, join=True, clips_per_speaker=1, seed=5, language="en"
    )
    assert made.digest == python.digest and "by seed 5" in done.stderr and "assumed to be en" in done.stderr
    assert made.clips["language_source"].tolist() == ["assumed"] * 2
