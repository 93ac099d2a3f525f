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
    assert "1 .zzz. Read are ." in said
    assert "1 folders have no file with an extension that is read: spk2." in said
    assert "2 hidden files or folders" in said and "1 audio files are not in the folder of a speaker" in said


def test_a_folder_of_unread_formats_is_refused_with_their_names(tmp_path: Path) -> None:
    write(tmp_path / "calls" / "spk1" / "b.xyz", "")
    with pytest.raises(audit.CohortError, match=r"left out: 1 .xyz. Read are .*[.]flac, .*speaker"):
        audit.import_cohort("folder", tmp_path / "calls", tmp_path / "C")


CV_COLUMNS = (
    "client_id\tpath\tsentence_id\tsentence\tsentence_domain\tup_votes\tdown_votes\tage\tgender\taccents\tvariant\t"
    "locale\tsegment\n"
)


def cv_row(client: str, n: int, sentence: str = "x", gender: str = "female_feminine", votes: str = "2") -> str:
    return f"{client}\tcv_{n}.mp3\tid\t{sentence}\t\t{votes}\t0\tthirties\t{gender}\t\t\ttr\t\n"


def common_voice(root: Path, rows: str, *, clips: str = "tr/clips", table: str = "tr/validated.tsv") -> Path:
    for i in range(1, 4):
        write(root / clips / f"cv_{i}.mp3", "")
    write(root / table, CV_COLUMNS + rows)
    return root


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("sentence", ["a\nb", "a\tb", "a\rb", "a\n\nb", "a\n", "\ta"], ids=repr)
def test_a_line_feed_or_tab_in_a_sentence_of_common_voice_is_repaired(
    sentence: str, ending: str, tmp_path: Path
) -> None:
    rows = cv_row("aa", 1) + cv_row("bb", 2) + cv_row("cc", 3)
    root = common_voice(tmp_path / "cv", rows)
    clean, _ = imported("common_voice", root, tmp_path / "C")
    table = root / "tr" / "validated.tsv"
    rows = cv_row("aa", 1) + cv_row("bb", 2, sentence="?") + cv_row("cc", 3)
    write(table, (CV_COLUMNS + rows).replace("\n", ending).replace("?", sentence))
    cohort, said = imported("common_voice", root, tmp_path / "D")
    assert (
        "1 rows of validated.tsv of tr are damaged by a line feed or tab in a text and were repaired: line 3." in said
    )
    assert cohort.speakers.equals(clean.speakers) and cohort.clips.equals(clean.clips)


@pytest.mark.parametrize(
    "damaged",
    [
        "bb\tcv_2.mp3\tid\tabc\n",
        "bb\tcv_2.mp3\tid\tabc\n\t2\ttab\t0\t\t\t\t\t\t\t\t\n",
        cv_row("bb", 2, "a\tb", votes=""),
    ],
    ids=["truncated", "feed and shift", "shifted"],
)
def test_a_row_that_cannot_be_repaired_is_named_and_the_others_are_read(damaged: str, tmp_path: Path) -> None:
    root = common_voice(tmp_path / "cv", cv_row("aa", 1) + damaged + cv_row("cc", 3))
    cohort, said = imported("common_voice", root, tmp_path / "C")
    assert list(cohort.speakers["speaker_id"]) == ["aa", "cc"] and set(cohort.speakers["gender"]) == {"woman"}
    assert "of tr are damaged by a line feed or tab in a text and were left out: line 3" in said
    assert "1 clips of tr are not in validated.tsv of tr" in said


def test_rows_without_their_last_empty_cells_are_read(tmp_path: Path) -> None:
    rows = cv_row("aa", 1).rstrip() + "\n" + cv_row("bb", 2, gender="").rstrip() + "\n\n"
    cohort, said = imported("common_voice", common_voice(tmp_path / "cv", rows), tmp_path / "C")
    assert list(cohort.speakers["gender"]) == ["woman", "unknown"] and "damaged" not in said


def test_common_voice_converted_to_another_format_is_matched_by_name(tmp_path: Path) -> None:
    root = common_voice(tmp_path / "cv", cv_row("aa", 1) + cv_row("bb", 2))
    (root / "tr" / "clips" / "cv_1.mp3").rename(root / "tr" / "clips" / "cv_1.WAV")
    cohort, said = imported("common_voice", root, tmp_path / "C")
    assert list(cohort.clips["audio"]) == ["files/tr/clips/cv_1.WAV", "files/tr/clips/cv_2.mp3"]
    assert "1 rows of validated.tsv of tr name a clip in another format" in said


def test_common_voice_as_on_the_hugging_face_hub(tmp_path: Path) -> None:
    layout = {"clips": "audio/tr/train/tr_train_0", "table": "transcript/tr/train.tsv"}
    root = common_voice(tmp_path / "cv", cv_row("aa", 1) + cv_row("bb", 2), **layout)
    write(root / "transcript" / "tr" / "test.tsv", CV_COLUMNS + cv_row("cc", 4))
    write(root / "audio" / "tr" / "test" / "tr_test_0.tar", "")
    cohort, said = imported("common_voice", root, tmp_path / "C")
    assert list(cohort.clips["audio"]) == [f"files/audio/tr/train/tr_train_0/cv_{i}.mp3" for i in (1, 2)]
    assert set(cohort.clips["language"]) == {"tr"}
    assert "The download has no validated.tsv of tr; its parts train.tsv, test.tsv were read." in said
    assert "1 rows of train.tsv, test.tsv of tr name a clip that is not in audio/tr/" in said and "1 .tar" in said
    one, _ = imported("common_voice", root, tmp_path / "D", table="train")
    assert one.clips.equals(cohort.clips)
    with pytest.raises(audit.CohortError, match="has no validated.tsv"):
        audit.import_cohort("common_voice", root, tmp_path / "E", table="validated")


def test_archives_of_the_hub_that_are_not_extracted_are_named(tmp_path: Path) -> None:
    write(tmp_path / "cv" / "transcript" / "tr" / "train.tsv", CV_COLUMNS + cv_row("aa", 1))
    write(tmp_path / "cv" / "audio" / "tr" / "train" / "tr_train_0.tar", "")
    with pytest.raises(audit.CohortError, match=r"has no clip in the layout of the adapter 'common_voice'.* 1 \.tar"):
        audit.import_cohort("common_voice", tmp_path / "cv", tmp_path / "C")


def edition(root: Path, language: str, name: str, gender: str) -> None:
    """MAV-Celeb's ``id0001`` in English and another language, with a face."""
    for folder in ("English", language):
        write(root / "voices" / "id0001" / folder / f"vid_{language}" / "00000.wav", "")
    write(root / f"{name}_meta.csv", f"ids,name,gender\nid0001,Ann Example,{gender}\n")
    write(root / "faces" / "id0001" / "English" / "vid" / "1.jpg", "")


@pytest.mark.parametrize("folders", [("v1", "v2"), ("mavceleb_v1_train", "mavceleb_V2"), ("urdu", "hindi")], ids=str)
def test_editions_of_mavceleb_side_by_side_are_different_speakers(folders: tuple[str, str], tmp_path: Path) -> None:
    root = tmp_path / "mav"
    edition(root / folders[0], "Urdu", "v1", "m")
    edition(root / folders[1], "Hindi", "v2", "f")
    cohort, said = imported("mavceleb", root, tmp_path / "C")
    speakers = cohort.speakers.set_index("speaker_id")
    assert speakers["gender"].to_dict() == {"v1-id0001": "man", "v2-id0001": "woman"}
    assert list(speakers["edition"]) == ["v1", "v2"]
    assert cohort.clips.groupby("speaker_id")["language"].apply(sorted).to_dict() == {
        "v1-id0001": ["en", "ur"],
        "v2-id0001": ["en", "hi"],
    }
    assert all((cohort.root / path).is_file() for path in (*cohort.clips["audio"], *speakers["portrait"]))
    assert speakers["portrait"].nunique() == 2
    assert "The editions" in said and "use the same ids for different people" in said


def test_editions_of_mavceleb_that_cannot_be_told_apart_are_refused(tmp_path: Path) -> None:
    for root in (tmp_path / "same" / "v1_train", tmp_path / "same" / "v1_test"):
        edition(root, "Urdu", "v1", "m")
    for root in (tmp_path / "unknown" / "a", tmp_path / "unknown" / "b"):
        edition(root, "Urdu", "vX", "m")
    edition(tmp_path / "above", "Hindi", "v2", "m")
    edition(tmp_path / "above" / "v1", "Urdu", "v1", "m")
    for name in ("same", "unknown", "above"):
        with pytest.raises(audit.CohortError, match="several folders of voices .*; ids begin anew in each edition"):
            audit.import_cohort("mavceleb", tmp_path / name, tmp_path / "C")
    edition(tmp_path / "mixed", "Urdu", "v1", "m")
    edition(tmp_path / "mixed", "Hindi", "v2", "f")
    with pytest.raises(audit.CohortError, match="1 speakers, such as id0001, have clips in hi and ur: editions"):
        audit.import_cohort("mavceleb", tmp_path / "mixed", tmp_path / "C")


def test_files_among_the_portraits_that_are_no_pictures_are_counted(tmp_path: Path) -> None:
    edition(tmp_path / "mav", "Urdu", "v1", "m")
    for name in ("2.tga", "notes.txt", "3.tga"):
        write(tmp_path / "mav" / "faces" / "id0001" / name, "")
    _, said = imported("mavceleb", tmp_path / "mav", tmp_path / "C")
    assert "3 files among the portraits have no extension of a picture and were left out: 2 .tga, 1 .txt." in said


@pytest.mark.parametrize("above", ["", "v2"])
def test_the_test_split_of_the_fame_challenge_is_named(above: str, tmp_path: Path) -> None:
    for folder, suffix in (("voices", "wav"), ("faces", "jpg")):
        write(tmp_path / "mav" / above / folder / "English" / f"00000.{suffix}", "")
    with pytest.raises(audit.CohortError, match="is the test split of the FAME challenge .*: it names no speakers"):
        audit.import_cohort("mavceleb", tmp_path / "mav", tmp_path / "C")


def test_a_portrait_folder_named_in_metadata_is_not_looked_for_outside(tmp_path: Path) -> None:
    write(tmp_path / "secret" / "1.jpg", "")
    root = tmp_path / "mav"
    for name, language in (("v1", "Urdu"), ("v2", "Hindi")):
        edition(root / name, language, name, "m")
        (root / name / "faces" / "id0001").rename(root / name / "faces" / "x")
        write(root / name / f"{name}_meta.csv", "ids,name,gender\nid0001,../../../secret,m\n")
    cohort, _ = imported("mavceleb", root, tmp_path / "C")
    assert set(cohort.speakers["portrait"]) == {""}
