"""The adapter ascend on a miniature of the data set's Parquet files."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

import audit
from audit.cohorts.adapters.ascend import COLUMNS

ROWS = (
    "s1_1 en 1 1,s1_2 en 1 1,s1_3 zh 1 1,s1_4 mixed 1 1,s1_5 mixed 2 1,s1_6 en 2 1,s1_7 fr 2 1,s2_1 zh 3 2,s2_1 zh 3 2"
)
"""Audio file, language, speaker and session of each row."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two of the data set's Parquet files; row i has a tone of level 0.1 + i / 100 and 2 s."""
    root = tmp_path / "ascend"
    (root / "main").mkdir(parents=True)
    rows = pd.DataFrame(map(str.split, ROWS.split(",")), columns=["name", *COLUMNS[:3]]).assign(topic="sports")
    audio: list[dict[str, object]] = []
    for i, name in enumerate(rows.pop("name")):
        file = io.BytesIO()
        soundfile.write(file, (0.1 + i / 100) * np.sin(np.arange(32_000) / 5), 16_000, format="WAV")
        audio.append({"bytes": file.getvalue(), "path": f"cache/waves/{name}.wav"})
    rows = rows.assign(audio=audio)
    rows[:7].to_parquet(root / "main" / "train-0.parquet")
    rows[7:].to_parquet(root / "main" / "validation-0.parquet")
    return root


def test_utterances_are_written_to_the_cohort(root: Path, tmp_path: Path) -> None:
    cohort, remarks = audit.import_cohort("ascend", root, tmp_path / "C")
    clips = cohort.clips.set_index("clip_id")
    assert list(clips["language"]) == ["en", "en", "zh", "und", "und", "en", "zh"]
    assert list(clips["language_given"]) == ["", "", "", "mul", "mul", "", ""]
    assert list(clips["cluster"].unique()) == ["session 1", "session 2"]
    assert list(cohort.speakers["speaker_id"]) == ["spk1", "spk2", "spk3"]
    wave, rate = soundfile.read(cohort.root / clips.loc["s1_3", "audio"])
    assert rate == 16_000 and np.abs(wave).max() == pytest.approx(0.12, abs=0.001)
    for remark in (
        "2 rows lack a speaker, a known language or an audio file, or repeat one: left out.",
        "2 utterances are in both languages (mul).",  # so spk2, who has English and mixed ones, does not count
        "1 of 3 speakers have clips in two or more languages; 1 have English and another language (zh 1)",
    ):
        assert remark in "\n".join(remarks)


def test_only_selected_utterances_are_kept(root: Path, tmp_path: Path) -> None:
    joined, _ = audit.import_cohort("ascend", root, tmp_path / "C", clip_seconds=3, join=True)
    assert list(joined.clips["clip_id"]) == ["s1_1+1"] and not list((joined.root / "files").iterdir())
    drawn, _ = audit.import_cohort("ascend", root, tmp_path / "D", clips_per_speaker=1, copy=True)
    written = sorted(path.relative_to(drawn.root).as_posix() for path in (drawn.root / "files").iterdir())
    assert written == sorted(drawn.clips["audio"]) and len(written) == 6


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:1"), "git-lfs pointer"),
        (lambda path: path.write_bytes(b"PAR1 cut off"), "cannot be read"),
        (lambda path: pd.read_parquet(path).drop(columns="topic").to_parquet(path), "has no column 'topic'"),
        (lambda path: path.rename(path.with_suffix(".csv")), "no Parquet file"),
    ],
)
def test_other_downloads_are_refused(change, words: str, root: Path, tmp_path: Path) -> None:
    (root / "main" / "validation-0.parquet").unlink()
    change(root / "main" / "train-0.parquet")
    with pytest.raises(audit.CohortError, match=words):
        audit.import_cohort("ascend", root, tmp_path / "C")
    assert not (tmp_path / "C").exists()
