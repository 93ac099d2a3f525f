"""Casual Conversations v2 in miniature: both forms of its annotations, and the quirks of its names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import audit
from tests.conftest import tone

NAME = "casual_conversations_v2"


def labels(
    subject: object, gender: str | None, age: object, native: str, confidence: str = "high"
) -> dict[str, object]:
    return {
        "subject_id": subject,
        "gender": gender,
        "age": age,
        "native_language": native,
        "geo_location": {"country": "brazil", "state_region": "minas gerais"},
        "monk_skin_tone": {"scale": "scale 5", "confidence": confidence},
        "fitzpatrick_skin_tone": None if subject == "0033" else {"type": "type iii", "confidence": "medium"},
        "disability": ["none"],
    }


ANNOTATIONS = {
    "0000_portuguese_nonscripted_1.mp4": labels("0000", "transgender woman", "25", "portuguese (brazil)"),
    "0000_english_scripted_1.mp4": labels("0000", "transgender woman", "25", "portuguese (brazil)", "low"),
    "0007_english_nonscripted_1.mp4": labels(7, "cis man", "prefer not to say", "english (united states)"),
    "0012_tagalog_scripted_2.mp4": labels("0012", "non-binary", 41, "bari"),
    "0033_hindi_scripted_1.mp4": labels("0033", None, "30", "hindi"),
    "0033_hindi_scripted_2.mp4": labels("0033", None, "31", "hindi"),
    "0099_english_scripted_1.mp4": labels("0099", "cis woman", "50", "english"),
}
LANGUAGES = {
    "0000_english_scripted_1": "en",
    "0000_portuguese_nonscripted_1": "pt",
    "0007_english_nonscripted_1": "en",
    "0012_tagalog_scripted_2": "fil",
    "0012_vietnamese_scripted_1": "vi",
    "0033_hindi_scripted_1": "hi",
    "0040_klingon_scripted_1": "und",
}


def conversations(root: Path, form: str = "list") -> Path:
    """The videos have the sound of a .wav: the format is recognised by content."""
    for name in (*LANGUAGES, "notes"):
        tone(root / "CCv2_part_1" / f"{name.replace('7_english_nonscripted_', '7_english_nonscripted__')}.mp4")
    rows = [{"video_name": name, **fields} for name, fields in ANNOTATIONS.items()]
    file = root / ("CasualConversationsV2.json" if form == "list" else "CasualConversationsV2_v2.json")
    file.write_text(json.dumps(rows if form == "list" else ANNOTATIONS))
    return root


@pytest.mark.parametrize("form", ["list", "object"])
def test_labels_as_participants_state_them(tmp_path: Path, form: str) -> None:
    cohort, remarks = audit.import_cohort(NAME, conversations(tmp_path / "d", form), tmp_path / "C")
    said = "\n".join(remarks)
    assert cohort.clips.set_index("clip_id")["language"].to_dict() == LANGUAGES
    people = cohort.speakers.set_index("speaker_id")
    assert list(people.index) == ["0000", "0007", "0012", "0033", "0040"]  # texts, not numbers
    assert list(people["gender"]) == ["woman", "man", "nonbinary", "unknown", "unknown"]
    assert people.loc["0000", ["gender_stated", "gender_source"]].tolist() == ["transgender woman", "self_reported"]
    assert people["age"].fillna(0).tolist() == [25, 0, 41, 0, 0]  # declined; 30 and 31 disagree; not annotated
    assert list(people["native_language"]) == ["pt", "en", "und", "hi", "und"]
    tones = ["monk_skin_tone", "monk_skin_tone_confidence", "country"]
    assert people.loc["0000", tones].tolist() == ["5", "low", "brazil"]
    assert list(people["fitzpatrick_skin_tone"]) == ["iii", "iii", "iii", "", ""]
    assert set(people["group"]) == {"unknown"}
    assert "disability" not in people and "minas gerais" not in cohort.speakers.to_csv()
    for sentence in (
        "1 audio files do not match the layout <subject",
        "1 clips are in a language without a code here: und.",
        "2 of 5 speakers have clips in two or more languages; 1 have English and another language (pt 1)",
        "1 subjects of CasualConversationsV2",
        "1 speakers with clips are not in",
        "1 speakers have different values in their videos (age); set to unknown.",
    ):
        assert sentence in said


def test_converted_copies_are_preferred_and_frames_are_portraits(tmp_path: Path) -> None:
    root = conversations(tmp_path / "d")
    tone(root / "wav" / "0007_english_nonscripted_1.wav")
    frame = tone(root / "frames" / "0007" / "0007_english_nonscripted_1_raw_frame00000381.jpg")
    cohort, remarks = audit.import_cohort(NAME, root, tmp_path / "C", portraits=root / "frames")
    assert "files/wav/0007_english_nonscripted_1.wav" in set(cohort.clips["audio"])
    assert "1 clips occur more than once" in "\n".join(remarks)
    assert cohort.speakers.set_index("speaker_id").loc["0007", "portrait"] == f"files/frames/0007/{frame.name}"


def test_without_annotations_only_languages_are_known(tmp_path: Path) -> None:
    root = conversations(tmp_path / "d")
    file = (root / "CasualConversationsV2.json").rename(tmp_path / "elsewhere.json")
    cohort, remarks = audit.import_cohort(NAME, root, tmp_path / "C")
    assert set(cohort.speakers["gender"]) == {"unknown"} and "was not found in the download" in "\n".join(remarks)
    given, _ = audit.import_cohort(NAME, root, tmp_path / "D", annotations=str(file))
    assert "nonbinary" in set(given.speakers["gender"])
    for text, words in (("[", "cannot be read"), ("[1]", "names no video"), ("2", "names no video")):
        file.write_text(text)
        with pytest.raises(audit.CohortError, match=words):
            audit.import_cohort(NAME, root, tmp_path / "E", annotations=str(file))
