"""The adapter nisp on a miniature of the repository, and on the real list of speakers where it is."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import audit
from audit.cohorts.adapters.nisp import MOTHER_TONGUES
from audit.cohorts.importing.adapter import read_download
from tests.conftest import tone

INFO = """Speaker_ID Gender Mother_Tongue Height Shoulder_size Waist_size Weight Age Native_State Native_District
Hin_0001 Female HINDI 163 40 89.5 58.5 24.24 Rajasthan Jaipur
Hin_0002 Male Urdu 170 41 80 60 30 Bihar Patna
Mal_0001 Male malayam 170 41 80 60 21.5 Kerala Kochi
Kan_0001 Female Beary 170 41 80 60 19.9 Karnataka Udupi
"""


def test_languages_in_the_names_and_mother_tongues_in_the_list(tmp_path: Path) -> None:
    root = tmp_path / "nisp"
    (root / "Telugu_master").mkdir(parents=True)
    (root / "Telugu_master" / "RECS.tar.gz.aa").write_bytes(b"part")
    with pytest.raises(
        audit.CohortError, match="parts of archives only.*Join all parts of one folder, then unpack: cat"
    ):
        audit.import_cohort("nisp", root, tmp_path / "C")
    for name in ["Hin_0001_Eng", "Hin_0001_Hin", "Hin_0002_Hin", "Mal_0001_Eng", "Kan_0001_Kan", "Tam_0007_Tam"]:
        tone(root / "Hindi_master" / "Hindi" / "RECS" / f"{name}_f_0000.wav", seconds=0.2)
    (root / "total_spkrinfo.list").write_text(INFO)
    cohort, remarks = audit.import_cohort("nisp", root, tmp_path / "C")
    assert list(cohort.clips["language"]) == ["en", "hi", "hi", "kn", "en", "ta"]
    speakers = cohort.speakers.set_index("speaker_id")
    assert list(speakers.index) == ["Hin_0001", "Hin_0002", "Kan_0001", "Mal_0001", "Tam_0007"]
    assert list(speakers["native_language"]) == ["hi", "ur", "", "ml", ""]
    assert list(speakers["gender"]) == ["woman", "man", "woman", "man", "unknown"]
    assert list(speakers["age"].fillna(0)) == [24.24, 30, 19.9, 21.5, 0]
    assert set(speakers["group"]) == {"unknown"}  # country is not race
    assert "89.5" not in (cohort.root / "speakers.csv").read_text()  # measures of the body
    for remark in (
        "1 folders have archives that are not unpacked: Telugu_master. Join all parts of one folder, then unpack: cat",
        "1 speakers with clips are not in total_spkrinfo.list",
        "1 mother tongues are not known here (Beary)",
        "1 speakers have another mother tongue than the language of India that they recorded.",
        "1 of 5 speakers have clips in two or more languages; 1 have English and another language (hi 1)",
    ):
        assert remark in "\n".join(remarks)


def test_the_real_list_of_speakers(shared_data: Path, tmp_path: Path) -> None:
    """All 345 speakers of the data set, one clip of each in both languages."""
    info = shared_data / "labels" / "nisp_total_spkrinfo.list"
    if not info.is_file():
        pytest.skip("the real list of NISP's speakers is not on this machine")
    listed = pd.read_csv(info, sep=" ", dtype=str)
    for name in listed["Speaker_ID"]:
        for language in ("Eng", name[:3]):
            (tmp_path / f"{name}_{language}_f_0000.wav").touch()
    found = read_download("nisp", tmp_path, {"info": str(info)})
    assert found.speakers["gender"].value_counts().to_dict() == {"man": 219, "woman": 126}
    assert set(listed["Mother_Tongue"].str.lower()) == set(MOTHER_TONGUES)
    assert found.speakers["native_language"].value_counts().head(7).to_dict() == {
        **{"hi": 95, "ml": 62, "ta": 61, "te": 61, "kn": 48, "tcy": 7, "ur": 3}
    }
    assert found.speakers["age"].astype(float).between(17, 60).all()
    assert "345 of 345 speakers have clips in two or more languages" in "\n".join(found.remarks)
