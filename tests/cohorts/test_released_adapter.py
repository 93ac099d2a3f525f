"""The adapter for the released Speech2Face outputs, on a miniature of the page's layout and on the real half of it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import audit
from tests.conftest import tone
from tests.fakes import fake_face


def page(root: Path) -> Path:
    """A miniature of the authors' page, with every quirk that the real one has; no real name in it."""

    def clip(part: str, stem: str, rendered: str, portrait: bool = True) -> None:
        tone(root / part / "Wav" / f"{stem}.wav")
        for folder in (("Face_ori",) if portrait else ()) + ("Face_f2f", rendered):
            (root / part / folder).mkdir(parents=True, exist_ok=True)
            Image.fromarray(fake_face("white")).save(root / part / folder / f"{stem}.jpg")

    clip("figures/voxceleb", "0012Some_Body_abcdefghijk_0000001", "Face_exg0")
    clip("figures/voxceleb", "0012Some_Body_lm_o-qrstuv_0000002", "Face_exg0")
    clip("figures/voxceleb", "1131Other_Body-Name_-bcdefghij__0000007", "Face_exg0")
    clip("figures/voxceleb", "0000First_Body_abcdefghijk_0000001", "Face_exg0")
    clip("figures/voxceleb", "1145Zz_Assistant_abcdefghijk_041.000000-043.000000", "Face_exg0")
    clip("figures/avspeech_res", "--abcDEF-_9_231.231000-234.467567", "Face_exg0")
    clip("supplemental/FiginMain", "6ce-english", "Face_s2f")
    clip("supplemental/FiginMain", "6ce-chinese", "Face_s2f")
    clip("supplemental/FiginMain", "0012Some_Body_abcdefghijk_0000001", "Face_s2f")
    Image.fromarray(np.full((16, 16, 3), 255, np.uint8)).save(root / "supplemental/FiginMain/Face_ori/6ce-english.jpg")
    Image.fromarray(fake_face("white")).save(root / "supplemental/FiginMain/Face_s2f/fig10_11.jpg")
    return root


def test_file_names_give_speakers_languages_and_labels(tmp_path: Path) -> None:
    cohort, remarks = audit.import_cohort("speech2face_released", page(tmp_path / "page"), tmp_path / "C")
    table = cohort.table.set_index("clip_id")
    assert sorted(table["speaker_id"].unique()) == ["--abcDEF-_9", "6ce", "First_Body", "Other_Body-Name", "Some_Body"]
    columns = ["group", "gender", "age_band", "fluency", "language", "language_source", "group_source"]
    assert list(table.loc["1131Other_Body-Name_-bcdefghij__0000007", columns]) == [
        "asian|indian",
        "woman",
        "60 and over",
        "non-native",
        "en",
        "assumed",
        "annotator",
    ]
    assert list(table.loc["0012Some_Body_abcdefghijk_0000001", columns[:4]]) == ["black", "man", "20-39", "native"]
    assert table.loc["0000First_Body_abcdefghijk_0000001", "group"] == "unknown"
    assert list(table.loc["--abcDEF-_9_231.231000-234.467567", ["group", "language"]]) == ["unknown", "und"]
    assert list(table.loc[["6ce-english", "6ce-chinese"], "language"]) == ["en", "zh"]
    assert list(table.loc[["6ce-english", "6ce-chinese"], "cluster"]) == ["", ""]  # their video is not known
    video = {"0000First_Body_abcdefghijk_0000001", "0012Some_Body_abcdefghijk_0000001"}
    assert set(table.index[table["cluster"] == "abcdefghijk"]) == video  # two speakers of one video
    assert table.loc["--abcDEF-_9_231.231000-234.467567", "cluster"] == "--abcDEF-_9"
    assert list(table.loc["6ce-english", ["group", "gender", "speaker_id"]]) == ["asian", "man", "6ce"]
    assert remarks[:3] == (
        "1 clips of voice assistants (Zz_) were left out: they are not people.",
        "1 clips of the paper's figures are also in another part and were used once.",
        "1 rendered faces have no clip and were left out.",
    )


def test_a_part_of_the_page_is_accepted_and_another_folder_refused(tmp_path: Path) -> None:
    root = page(tmp_path / "page")
    cohort, _ = audit.import_cohort("speech2face_released", root, tmp_path / "whole")
    assert len(cohort.clips) == 7
    with pytest.raises(audit.AuditError, match="no part of the released outputs"):
        audit.import_cohort("speech2face_released", tmp_path / "whole", tmp_path / "other")
    with pytest.raises(audit.AuditError, match="Unknown variant 'exg2'"):
        audit.import_cohort("speech2face_released", root, tmp_path / "other", variant="exg2")
    with pytest.raises(audit.AuditError, match="is not empty"):
        audit.import_cohort("speech2face_released", root, tmp_path / "whole")


def test_a_labels_file_adds_labels_with_their_source(tmp_path: Path) -> None:
    root = page(tmp_path / "page")
    labels = tmp_path / "labels.csv"
    labels.write_text(
        "clip_id,group,group_source,language,language_source\n"
        "--abcDEF-_9_231.231000-234.467567,latino_hispanic,annotator,es,annotator\n"
    )
    cohort, _ = audit.import_cohort("speech2face_released", root, tmp_path / "C", labels=labels)
    row = cohort.table.set_index("clip_id").loc["--abcDEF-_9_231.231000-234.467567"]
    assert list(row[["group", "group_source", "language"]]) == ["latino_hispanic", "annotator", "es"]
    labels.write_text("clip_id,group\nno-such-clip,white\n")
    with pytest.raises(audit.CohortError, match="has the column group without group_source"):
        audit.import_cohort("speech2face_released", root, tmp_path / "D", labels=labels)


def test_a_name_that_is_not_utf_8_is_left_out_and_counted(tmp_path: Path) -> None:
    root = page(tmp_path / "page")
    sounds = root / "figures/avspeech_res/Wav"
    (sounds / "ill.wav").write_bytes(b"")
    os.rename(sounds / "ill.wav", os.fsencode(sounds) + b"/\xff.wav")  # noqa: PTH104
    cohort, remarks = audit.import_cohort("speech2face_released", root, tmp_path / "C")
    assert len(cohort.clips) == 7
    assert "1 files or folders have names that are not UTF-8 text and were left out." in remarks


def test_copied_files_need_no_link(tmp_path: Path) -> None:
    root = page(tmp_path / "page")
    linked, _ = audit.import_cohort("speech2face_released", root, tmp_path / "linked")
    copied, _ = audit.import_cohort("speech2face_released", root, tmp_path / "copied", copy=True)
    assert (tmp_path / "linked" / "files").is_symlink() and not (tmp_path / "copied" / "files").is_symlink()
    assert linked.digest == copied.digest
    assert all((copied.root / path).is_file() for path in copied.table["audio"])


def test_the_original_release(shared_data: Path, tmp_path: Path) -> None:
    cohort, remarks = audit.import_cohort("speech2face_released", shared_data / "speech2face_released", tmp_path / "C")
    speakers = cohort.speakers.groupby("group")["speaker_id"].size().to_dict()
    clips = cohort.table.groupby("group")["clip_id"].size().to_dict()
    assert speakers == {"asian|indian": 5, "black": 10, "latino_hispanic": 6, "unknown": 9, "white": 35}
    assert clips == {"asian|indian": 32, "black": 24, "latino_hispanic": 22, "unknown": 17, "white": 53}
    assert remarks[0] == "8 clips of voice assistants (Zz_) were left out: they are not people."
