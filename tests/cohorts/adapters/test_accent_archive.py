"""The Speech Accent Archive as on Kaggle, in miniature: every quirk of its table and folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

import audit
from tests.conftest import tone
from tests.fakes import ColourInstrument, LoudnessModel

ROWS = (
    "age,age_onset,birthplace,filename,native_language,sex,speakerid,country,file_missing?,,,\n"
    '24,12,"koussi, senegal",balanta,balanta,male,788,senegal,TRUE,,,\n'
    '31,9,"beijing, china",mandarin1,mandarin,female,301,china,FALSE,,,\n'
    '0,0,"pittsburgh, pennsylvania, usa",english1,english,famale,1,usa,FALSE,,,\n'
    '40,8,"accra, ghana",ga1,bari,unsure,900,ghana,FALSE,,,\n'
    '50,8,"x, y",lost1,arabic,male,901,y,FALSE,,,\n'
)


def archive(root: Path, rows: str = ROWS) -> Path:
    """Its recordings are in a folder of a folder; one is there twice."""
    for name in ("recordings/mandarin1", "recordings/english1", "recordings/ga1", "recordings/unlisted1", "ga1"):
        (root / "recordings" / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / "recordings" / f"{name}.mp3", np.zeros(16_000, np.float32), 16_000, format="MP3")
    (root / "speakers_all.csv").write_text(rows)
    (root / "reading-passage.txt").write_text("Please call Stella.\n")
    return root


def test_one_text_by_first_language(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"  # it may name speakers without a recording
    labels.write_text("speaker_id,group,group_source\nlost1,white,annotator\nmandarin1,asian,annotator\n")
    cohort, remarks = audit.import_cohort("accent_archive", archive(tmp_path / "saa"), tmp_path / "C", labels=labels)
    said = "\n".join(remarks)
    table = cohort.table.set_index("speaker_id")
    assert list(table.index) == ["english1", "ga1", "mandarin1", "unlisted1"]
    assert set(table["language"]) == {"en"} and set(table["text_id"]) == {"stella"}
    assert list(table["native_language"]) == ["en", "und", "zh", "und"]
    assert list(table["native_language_stated"]) == ["english", "bari", "mandarin", ""]
    assert list(table["gender"]) == ["woman", "unknown", "woman", "unknown"]  # famale is a woman
    assert list(table["group"]) == ["unknown", "unknown", "asian", "unknown"]  # a first language is not a race
    assert list(table["country"]) == ["usa", "ghana", "china", ""] and table["birthplace"].iloc[2] == "beijing, china"
    assert table["audio"].iloc[2] == "files/recordings/recordings/mandarin1.mp3"
    assert table["age"].isna().tolist() == [True, False, False, True]
    for sentence in (
        "2 speakers of speakers_all.csv have no clip in the download and were left out",
        "1 speakers with clips are not in speakers_all.csv: their labels are unknown",
        "1 clips occur more than once",
        "The age of 1 speakers is 0",
        "1 speakers have a gender that is not supported in speakers_all.csv (unsure)",
        "1 of 4 speakers are native speakers of English",
        "The native language of 1 speakers has no code here and is und: bari.",
    ):
        assert sentence in said
    assert "other extensions" not in said


def test_different_rows_of_a_speaker_are_refused(tmp_path: Path) -> None:
    root = archive(tmp_path / "saa", ROWS + "5,5,x,ga1,korean,female,9,x,FALSE,,,\n")
    with pytest.raises(audit.CohortError, match="two different rows of ga1"):
        audit.import_cohort("accent_archive", root, tmp_path / "C")


def test_accent_shift_is_judged_on_the_same_text_without_portraits(tmp_path: Path) -> None:
    """A model that renders soft voices as asian women and loud ones as white men; only Mandarin speakers are soft."""
    loudness = {"english": 0.5, "mandarin": 0.1, "korean": 0.5}
    rows = ["age,age_onset,birthplace,filename,native_language,sex,speakerid,country,file_missing?,,,"]
    for language, level in loudness.items():
        for i in range(1, 31):
            tone(tmp_path / "saa" / "recordings" / "recordings" / f"{language}{i}.wav", level)
            rows.append(f'30,5,"x, y",{language}{i},{language},female,{len(rows)},z,FALSE,,,')
    (tmp_path / "saa" / "speakers_all.csv").write_text("\n".join(rows))
    cohort, _ = audit.import_cohort("accent_archive", tmp_path / "saa", tmp_path / "C")
    run = audit.run(cohort, model=LoudnessModel(), instrument=ColourInstrument(), out=tmp_path / "run")
    finding = audit.measure(run, with_tables=False).finding("S2F009")
    assert finding.outcome == "shown" and finding.group == "zh"
    assert finding.estimates["zh.difference_asian"].value == 1.0
    assert finding.estimates["ko"].value == 0.0
    assert "Only clips of texts that both sides read are compared." in finding.sentence
    assert "not by itself an error" in finding.sentence  # no portraits: these are different people
