"""Layouts in which people have the data sets, rebuilt after public reports."""

from __future__ import annotations

from pathlib import Path

import pytest

import audit
from audit.cohorts.importing.scanning import scan
from tests.conftest import tone

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 72862\n"


def imported(name: str, root: Path, out: Path, **options: str) -> tuple[audit.Cohort, str]:
    cohort, remarks = audit.import_cohort(name, root, out, **options)  # type: ignore[arg-type]  # options are strings
    return cohort, "\n".join(remarks)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")


def test_avspeech_as_common_downloaders_name_it(tmp_path: Path) -> None:
    root = tmp_path / "av"
    segment = "-AbCdEfGhI0_30.000000_36.700000"
    for name in (f"{segment}_audio.wav", "a_b-c_d-e_f_1.5_4.5.wav", "0bcdefghijk_3-6-speech_1.wav"):
        tone(root / "data" / name)
    (root / "data" / f"{segment}_video.xyz").touch()
    write(root / "avspeech_train.csv", "-AbCdEfGhI0,30.000000,36.700000,0.5,0.4\n")
    cohort, said = imported("avspeech", root, tmp_path / "C")
    assert list(cohort.clips["clip_id"]) == [
        "-AbCdEfGhI0_30.000000-36.700000",
        "0bcdefghijk_3-6",
        "a_b-c_d-e_f_1.5-4.5",
    ]
    assert list(cohort.clips["set"]) == ["train", "", ""]
    assert "1 files have other extensions than the ones read and were left out: 1 .xyz." in said


def test_a_download_of_videos_only_is_refused_with_their_number(tmp_path: Path) -> None:
    write(tmp_path / "av" / "AbCdEfGhI00_30_36.xyz", "")
    with pytest.raises(audit.CohortError, match=r"named as a segment of AVSpeech. 1 files have other extensions"):
        audit.import_cohort("avspeech", tmp_path / "av", tmp_path / "C")


@pytest.mark.parametrize("above", ["voxceleb1", "vox1_dev", ""])
def test_voxceleb1_as_voxceleb_trainer_leaves_it(above: str, tmp_path: Path) -> None:
    root = tmp_path / "vox"
    tone(root / above / "id10001" / "1zcIwhmdeo4" / "00001.wav")
    tone(root / "voxceleb2" / "id00012" / "1zcIwhmdeo4" / "00001.wav")
    write(root / "vox1_meta.csv", "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\nid10001\tAnn\tf\tNorway\tdev\n")
    cohort, said = imported("voxceleb1", root, tmp_path / "C")
    if above:  # with the speakers in the root, all its folders are looked into
        assert list(cohort.clips["clip_id"]) == ["id10001/1zcIwhmdeo4/00001"]
        assert "1 folders of the download are not part of the layout: voxceleb2." in said
    assert list(cohort.speakers["gender"])[-1] == "woman"
    other, _ = imported("voxceleb2", root, tmp_path / "D")
    assert list(other.speakers["speaker_id"]) == ["id00012"]


def test_git_lfs_pointers_in_place_of_audio_are_named(tmp_path: Path) -> None:
    root = tmp_path / "crema"
    for name in ("1040_DFA_ANG_XX", "1076_DFA_ANG_XX"):
        write(root / "AudioWAV" / f"{name}.wav", POINTER)
    write(root / "VideoDemographics.csv", '"ActorID","Age","Sex","Race","Ethnicity"\n1040,42,Male,Asian,Not Hispanic\n')
    with pytest.raises(audit.CohortError, match=r"are git-lfs pointers, which are text, not audio.*git lfs pull"):
        audit.import_cohort("cremad", root, tmp_path / "C")
    tone(root / "AudioWAV" / "1040_DFA_ANG_XX.wav")
    cohort, said = imported("cremad", root, tmp_path / "C")  # after a partial pull; the run reports the pointers
    assert len(cohort.clips) == 2 and "1 of 2 examined audio files are git-lfs pointers" in said


def test_every_file_that_is_not_read_is_counted(tmp_path: Path) -> None:
    root = tmp_path / "calls"
    names = (
        "a.wav",
        "spk1/a.wav",
        "spk1/b.xyz",
        "spk1/._a.wav",
        "spk1/notes",
        "spk2/d.XYZ",
        "spk2/e.zzz",
        ".git/f.wav",
    )
    for name in names:
        write(root / name, "")
    found = scan(root)
    assert found.files == ["a.wav", "spk1/a.wav"]
    assert found.others.total() + found.hidden + len(found.files) == len(names)
    cohort, said = imported("folder", root, tmp_path / "C")
    assert list(cohort.speakers["speaker_id"]) == ["spk1"]
    assert "4 files have other extensions than the ones read and were left out: 2 .xyz, 1 without an extension" in said
    assert "1 .zzz. Read are .flac" in said
    assert "1 folders have no file with an extension that is read: spk2." in said
    assert "2 hidden files or folders" in said and "1 audio files are not in the folder of a speaker" in said


def test_a_folder_of_unread_formats_is_refused_with_their_names(tmp_path: Path) -> None:
    write(tmp_path / "calls" / "spk1" / "b.xyz", "")
    with pytest.raises(audit.CohortError, match=r"left out: 1 .xyz. Read are .flac, .*speaker"):
        audit.import_cohort("folder", tmp_path / "calls", tmp_path / "C")
