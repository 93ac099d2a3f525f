"""The adapter emime on a miniature of the data set's file names."""

from __future__ import annotations

from pathlib import Path

import pytest

import audit
from tests.conftest import tone

NAMES = (
    *("MF2/MF2_MAN_0001_0", "MF2/MF2_MAN_0001_1", "MF2/MF2_ENG_0001_0", "FM4/FM4_FIN_0001", "EM1/notes"),
    *("GF3/GF3_GER_0001", "GF3/GF3_ENG_0069", "GF3/GF3_ENG_0094", "EM1/EM1_ENG_0001_0", "EM1_ENG_0001_0"),
)


def test_talkers_languages_and_sentences_are_in_the_names(tmp_path: Path) -> None:
    for name in NAMES:
        tone(tmp_path / "emime" / f"{name}.wav", seconds=0.2)
    cohort, remarks = audit.import_cohort("emime", tmp_path / "emime", tmp_path / "C")
    clips = cohort.clips.set_index("clip_id")
    assert list(clips.index) == ["EM1_ENG_0001", "FM4_FIN_0001", "GF3_GER_0001", "MF2_ENG_0001", "MF2_MAN_0001"]
    assert list(clips["language"]) == ["en", "fi", "de", "en", "zh"]
    assert list(clips["text_id"]) == ["eng_0001", "fin_0001", "ger_0001", "eng_0001", "man_0001"]
    assert list(clips["mic"]) == ["0", "", "", "0", "0"]
    speakers = cohort.speakers.set_index("speaker_id")
    assert speakers["native_language"].to_dict() == {"EM1": "en", "FM4": "fi", "GF3": "de", "MF2": "zh"}
    assert list(speakers["gender"]) == ["man", "man", "woman", "woman"]
    for remark in (
        "3 clips are of the microphone 0; 1 of the other were left out (--option mic=).",
        "2 clips are known to be noise only and were left out.",
        "1 clips occur more than once",
        "FM4 did not record 50 Finnish sentences (5 to 54), by the data set's README.",
        "1 of 4 speakers have clips in two or more languages; 1 have English and another language (zh 1)",
    ):
        assert remark in "\n".join(remarks)
    other, _ = audit.import_cohort("emime", tmp_path / "emime", tmp_path / "D", mic="1")
    assert list(other.clips["clip_id"]) == ["FM4_FIN_0001", "GF3_GER_0001", "MF2_MAN_0001"]
    with pytest.raises(audit.AuditError, match="no microphone '2'.*Allowed: 0, 1"):
        audit.import_cohort("emime", tmp_path / "emime", tmp_path / "E", mic="2")
