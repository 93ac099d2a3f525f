"""L2-ARCTIC in miniature, alone and with CMU ARCTIC as its native speakers."""

from __future__ import annotations

from pathlib import Path

import pytest

import audit
from tests.conftest import tone

NATIVE = ("cmu_us_slt_arctic/wav/arctic_a0051", "bdl/arctic_a0051", "cmu_us_awb_arctic/wav/arctic_a0051")


def arctic(root: Path, *further: str) -> Path:
    for name in (
        "TXHC/wav/arctic_a0001",
        "TXHC/wav/arctic_a0051",
        "HKK/HKK/wav/arctic_a0051",  # the archive of a speaker, extracted into a folder of its own name
        "ASI/wav/ASI_arctic_b0002",
        "suitcase_corpus/wav/txhc",
        "XYZ/wav/arctic_a0001",
        *further,
    ):
        tone(root / f"{name}.wav", seconds=1)
    return root


def test_the_same_sentences_by_first_language(tmp_path: Path) -> None:
    cohort, remarks = audit.import_cohort("l2_arctic", arctic(tmp_path / "l2"), tmp_path / "C")
    said = "\n".join(remarks)
    table = cohort.table.set_index("clip_id")
    assert list(table.index) == ["ASI/arctic_b0002", "HKK/arctic_a0051", "TXHC/arctic_a0001", "TXHC/arctic_a0051"]
    assert list(table["native_language"]) == ["hi", "ko", "zh", "zh"] and set(table["language"]) == {"en"}
    assert list(table["text_id"]) == ["arctic_b0002", "arctic_a0051", "arctic_a0001", "arctic_a0051"]
    assert set(table["gender"]) == {"man"} and set(table["group"]) == {"unknown"}
    assert "The speakers XYZ are not in the adapter's table" in said
    assert "There is no native speaker of English: put CMU ARCTIC into the download" in said


def test_cmu_arctic_gives_native_speakers_with_the_same_text(tmp_path: Path) -> None:
    cohort, remarks = audit.import_cohort("l2_arctic", arctic(tmp_path / "l2", *NATIVE), tmp_path / "C")
    said = "\n".join(remarks)
    same = cohort.table[cohort.table["text_id"] == "arctic_a0051"].set_index("speaker_id")
    assert same["native_language"].to_dict() == {"HKK": "ko", "TXHC": "zh", "bdl": "en", "slt": "en"}
    assert same.loc[["bdl", "slt"], "gender"].tolist() == ["man", "woman"]
    assert same.loc[["HKK", "slt"], "corpus"].tolist() == ["L2-ARCTIC", "CMU ARCTIC"]
    assert "2 native speakers of American English are from CMU ARCTIC" in said
    assert "The speakers XYZ, awb are not in the adapter's table" in said  # awb is Scottish


@pytest.mark.parametrize(("part", "n"), [("suitcase", 1), ("both", 5)])
def test_the_narratives_are_an_option(tmp_path: Path, part: str, n: int) -> None:
    cohort, _ = audit.import_cohort("l2_arctic", arctic(tmp_path / "l2"), tmp_path / "C", part=part)
    assert len(cohort.clips) == n
    assert cohort.clips.set_index("clip_id").loc["TXHC/suitcase", "text_id"] == ""


def test_joined_sentences_have_no_text_id(tmp_path: Path) -> None:
    cohort, _ = audit.import_cohort("l2_arctic", arctic(tmp_path / "l2"), tmp_path / "C", clip_seconds=2, join=True)
    assert cohort.clips[["clip_id", "text_id"]].values.tolist() == [["TXHC/arctic_a0001+1", ""]]


def test_an_unknown_part_is_refused(tmp_path: Path) -> None:
    with pytest.raises(audit.AuditError, match="no part 'suitcases' .did you mean 'suitcase'"):
        audit.import_cohort("l2_arctic", tmp_path, tmp_path / "C", part="suitcases")
