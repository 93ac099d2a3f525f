"""The adapter tidyvoice on a miniature of the data set's layout."""

from __future__ import annotations

from pathlib import Path

import pytest

import audit
from tests.conftest import tone


def test_speakers_languages_and_parts(tmp_path: Path) -> None:
    for clip in (
        *("Train/id1/en/en_1", "Train/id1/zh-TW/zh-TW_2", "Train/id2/es/es_3", "Train/id2/ca/ca_4"),
        *("Dev/id3/en/en_5", "Dev/id3/de/de_6", "Dev/id4/en/en_7", "Dev/id4/speech/8"),
    ):
        tone(tmp_path / "TidyVoice" / f"TidyVoiceX_{clip}.wav", seconds=0.2)
    cohort, remarks = audit.import_cohort("tidyvoice", tmp_path / "TidyVoice", tmp_path / "C")
    assert cohort.clips.groupby("speaker_id")["language"].apply(sorted).to_dict() == {
        "id1": ["en", "zh-TW"],
        "id2": ["ca", "es"],
        "id3": ["de", "en"],
        "id4": ["en"],
    }
    clips = cohort.clips.set_index("clip_id")
    assert list(clips.loc[["id1/zh-TW/zh-TW_2", "id3/de/de_6"], "set"]) == ["train", "dev"]
    assert "split" not in cohort.speakers or set(cohort.speakers["split"]) <= {""}  # the audited model saw none of them
    said = "\n".join(remarks)
    assert "3 of 4 speakers have clips in two or more languages; 2 have English and another language" in said
    assert "(de 1, zh 1), and 1 English and one of zh, yue" in said
    assert "1 audio files do not match the layout <speaker>/<language>/*.wav" in said


def test_another_layout_is_refused(tmp_path: Path) -> None:
    tone(tmp_path / "x" / "id1" / "recordings" / "1.wav")
    for adapter in ("tidyvoice", "emime", "nisp"):
        with pytest.raises(audit.CohortError, match="no clip in the layout"):
            audit.import_cohort(adapter, tmp_path / "x", tmp_path / "C")
