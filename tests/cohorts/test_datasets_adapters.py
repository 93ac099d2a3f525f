"""Adapters, each on a miniature of its data set's layout with every quirk, and on the real metadata where they are."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

import audit
from audit.cohorts.importing import available
from audit.cohorts.importing.adapter import ADAPTERS, adapter, read_download
from tests.cli.test_cli import command
from tests.cohorts.adapters.test_accent_archive import archive
from tests.cohorts.adapters.test_casual_conversations_v2 import conversations
from tests.cohorts.adapters.test_l2_arctic import arctic
from tests.conftest import ROOT, tone

VOX1_META = (
    "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\n"
    "id10001\tAnn_Example\tf\tIreland\tdev\n"
    "id10002\tBo.B_Example\tm\tNorway\ttest\n"
    "id10003\tAbsent_Example\tm\tIndia\tdev\n"
)
VOX2_TABS = (
    "Name \tVoxCeleb2 ID \tVGGFace2 ID \tGender \tSet \n"
    "Zoë_Example \tid00012 \tn000012 \tf \tdev \n"
    "Yan_Example \tid00015 \tn000015 \tm \ttest \n"
)
VOX2_COMMAS = "\ufeffVoxCeleb2 ID,VGGFace2 ID,Gender,Set\r\nid00012,n000012,f,dev\r\nid00015,n000015,m,test\r\n"


def vox1(root: Path) -> Path:
    for name in ("id10001/-bcdefghijk/00001", "id10001/-bcdefghijk/00002", "id10002/a_cdef-hijk/00001"):
        tone(root / "wav" / f"{name}.wav")
    (root / "vox1_meta.csv").write_text(VOX1_META)
    return root


def vox2(root: Path, meta: str = VOX2_TABS) -> Path:
    for name in ("dev/aac/id00012/abcdefghijk/00001", "test/aac/id00015/abcdefghij-/00001"):
        (root / name).parent.mkdir(parents=True)
        (root / f"{name}.m4a").write_bytes(b"")
    (root / "vox2_meta.csv").write_bytes(meta.encode())
    return root


def mav(root: Path) -> Path:
    for name in ("id0001/English/v1/00000", "id0001/Urdu/v2/00000", "id0002/German/v3/00000", "id0002/Elvish/v4/00000"):
        tone(root / "voices" / f"{name}.wav")
    (root / "v2_meta.csv").write_text("ids,name,gender\nid0001,Ann Example,f\n2,Bo Example,m\n")
    return root


def crema(root: Path) -> Path:
    rows = [
        ("1001", "51", "Male", "Caucasian", "Not Hispanic", "white"),
        ("1002", "21", "Female", "African American", "Hispanic", "black|latino_hispanic"),
        ("1003", "30", "Female", "Asian", "Not Hispanic", "asian|indian"),
        ("1004", "40", "Male", "Unknown", "Hispanic", "latino_hispanic"),
        ("1005", "40", "Male", "Unknown", "Not Hispanic", "unknown"),
    ]
    for actor, *_ in rows:
        tone(root / "AudioWAV" / f"{actor}_DFA_ANG_XX.wav")
    tone(root / "AudioWAV" / "notes.wav")
    lines = ['"ActorID","Age","Sex","Race","Ethnicity"']
    lines += [f'{row[0]},{row[1]},"{row[2]}","{row[3]}","{row[4]}"' for row in rows]
    (root / "VideoDemographics.csv").write_text("\n".join(lines) + "\n")
    return root


OLD = "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccent\tlocale\tsegment\n"
NEW = "client_id\tpath\tsentence_id\tsentence\tage\tgender\taccents\tvariant\tlocale\tsegment\n"


def common_voice(root: Path, name: str = "en") -> Path:
    """One locale in the old columns, one in the new."""
    for path in (f"{name}/clips/cv_1.mp3", f"{name}/clips/cv_2.mp3", "pt/clips/cv_3.mp3"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / path, np.zeros(16_000, np.float32), 16_000, format="MP3")
    (root / name / "validated.tsv").write_text(
        OLD
        + 'aa\tcv_1.mp3\tShe said "no\t2\t0\ttwenties\tmale\tirish\ten\t\n'
        + "aa\tcv_2\tYes\t2\t0\ttwenties\tfemale\tirish\t\t\n"  # the ending left out, another gender
        + "bb\tcv_9.mp3\tGone\t2\t0\t\t\t\ten\t\n"
        + "\tcv_1.mp3\tNobody's\t2\t0\t\t\t\ten\t\n"
    )
    (root / "pt" / "validated.tsv").write_text(
        NEW + "cc\tcv_3.mp3\t1\tSim\tfifties\tnon-binary\t\t\tpt\t\n" + "dd\t../x.mp3\t2\tNão\t\t\t\t\tpt\t\n"
    )
    return root


def avspeech(root: Path) -> Path:
    for name in ("-bcdefghijk_231.231000-234.467567", "-bcdefghijk_1.5-9", "a-_defghijk_0.000000-6.000000", "other"):
        tone(root / "clips" / f"{name}.wav")
    (root / "avspeech_train.csv").write_text("-bcdefghijk,231.231000,234.467567,0.5,0.25\n-=cdefghijk,1,2,0.1,0.1\n")
    (root / "avspeech_test.csv").write_text("a-_defghijk,0.000000,6.000000,0.1,0.9\n")
    return root


def own(root: Path) -> Path:
    for name in ("Zoë Example/one two.wav", "Zoë Example/deep/er/-3.flac", "-x/1.wav", "-x/1.flac", "loose.wav"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / name, np.full((8000, 2), 0.1), 8000, subtype="PCM_16")
    return root


def imported(name: str, root: Path, out: Path, **how: object) -> tuple[audit.Cohort, str]:
    cohort, remarks = audit.import_cohort(name, root, out, **how)  # type: ignore[arg-type]  # a test's keywords
    assert all(remark in cohort.notes.notes for remark in remarks)
    return cohort, "\n".join(remarks)


def test_voxceleb1_with_gender_and_nationality_but_no_group(tmp_path: Path) -> None:
    cohort, said = imported("voxceleb1", vox1(tmp_path / "vox"), tmp_path / "C")
    assert list(cohort.clips["clip_id"]) == [
        "id10001/-bcdefghijk/00001",
        "id10001/-bcdefghijk/00002",
        "id10002/a_cdef-hijk/00001",
    ]
    assert cohort.clips["audio"].iloc[0] == "files/wav/id10001/-bcdefghijk/00001.wav"
    assert list(cohort.clips["cluster"]) == ["-bcdefghijk", "-bcdefghijk", "a_cdef-hijk"]
    speakers = cohort.speakers.set_index("speaker_id")
    columns = ["gender", "gender_source", "group", "nationality", "set"]
    assert list(speakers.loc["id10001", columns]) == ["woman", "metadata", "unknown", "Ireland", "dev"]
    assert set(cohort.clips["language"]) == {"und"}
    assert "Example" not in cohort.speakers.to_csv()  # names are looked for and not kept
    assert "1 speakers of vox1_meta.csv have no clip in the download" in said
    assert "1 speakers have the nationality Norway; most of them are French" in said
    assert "The language of 3 of 3 clips is not known (und)" in said


def test_speakers_of_voxceleb_share_the_cluster_of_their_video(tmp_path: Path) -> None:
    root = vox1(tmp_path / "vox")
    tone(root / "wav" / "id10002" / "-bcdefghijk" / "00007.wav")
    cohort, _ = imported("voxceleb1", root, tmp_path / "C")
    assert cohort.clips.groupby("cluster")["speaker_id"].nunique().to_dict() == {"-bcdefghijk": 2, "a_cdef-hijk": 1}


@pytest.mark.parametrize("meta", [VOX2_TABS, VOX2_COMMAS], ids=["tabs and spaces", "commas and a mark"])
def test_voxceleb2_with_either_metadata_file(tmp_path: Path, meta: str) -> None:
    cohort, _ = imported("voxceleb2", vox2(tmp_path / "vox", meta), tmp_path / "C")
    assert list(cohort.speakers["gender"]) == ["woman", "man"]
    assert list(cohort.speakers["set"]) == ["dev", "test"]
    assert list(cohort.clips["audio"]) == [
        "files/dev/aac/id00012/abcdefghijk/00001.m4a",
        "files/test/aac/id00015/abcdefghij-/00001.m4a",
    ]
    assert list(cohort.clips["cluster"]) == ["abcdefghijk", "abcdefghij-"]


def test_a_converted_copy_of_a_clip_is_used_once(tmp_path: Path) -> None:
    root = vox2(tmp_path / "vox")
    tone(root / "wav" / "id00012" / "abcdefghijk" / "00001.wav")
    tone(root / "wav" / "id00012" / "stray.wav")
    cohort, said = imported("voxceleb2", root, tmp_path / "C")
    assert len(cohort.clips) == 2
    assert "1 clips occur more than once" in said and "1 files do not match the layout" in said


def test_mavceleb_is_the_same_speaker_in_two_languages(tmp_path: Path) -> None:
    cohort, said = imported("mavceleb", mav(tmp_path / "mav"), tmp_path / "C")
    assert cohort.clips.groupby("speaker_id")["language"].apply(sorted).to_dict() == {
        "id0001": ["en", "ur"],
        "id0002": ["de"],
    }
    assert set(cohort.clips["language_source"]) == {"metadata"}
    assert list(cohort.clips["cluster"]) == ["v1", "v2", "v3"]
    assert list(cohort.speakers["gender"]) == ["woman", "man"]
    assert "some are visibly wrong" in said
    assert "1 clips are in folders of an unknown language (Elvish)" in said
    assert "1 speakers have clips in one language only" in said


def test_cremad_uses_self_reported_labels(tmp_path: Path) -> None:
    cohort, said = imported("cremad", crema(tmp_path / "crema"), tmp_path / "C")
    assert list(cohort.speakers["group"]) == [
        "white",
        "black|latino_hispanic",
        "asian|indian",
        "latino_hispanic",
        "unknown",
    ]
    assert list(cohort.speakers["group_source"]) == ["self_reported"] * 4 + ["unstated"]
    assert list(cohort.speakers["age"]) == [51, 21, 30, 40, 40]
    assert set(cohort.clips["language"]) == {"en"} and set(cohort.clips["emotion"]) == {"ANG"}
    assert "2 actors state that they are Hispanic" in said and "1 actors state that they are Asian" in said
    assert "1 audio files are not named as in CREMA-D" in said


def test_common_voice_in_old_and_new_columns(tmp_path: Path) -> None:
    cohort, said = imported("common_voice", common_voice(tmp_path / "cv"), tmp_path / "C")
    table = cohort.table.set_index("clip_id")
    assert list(table.index) == ["cv_1", "cv_2", "cv_3"]
    assert list(table["speaker_id"]) == ["aa", "aa", "cc"]
    assert list(table["language"]) == ["en", "en", "pt"]
    assert "cluster" not in table  # no session is known
    assert list(table["age_band"]) == ["twenties", "twenties", "fifties"] and table["age"].isna().all()
    assert set(table["gender"]) == {"unknown"}  # aa says both, cc says what the audit has no word for
    assert "1 speakers state different ages or genders" in said and "(non-binary); set to unknown" in said
    assert "1 rows of validated.tsv of en name a clip that is not in clips/" in said
    assert "1 rows of validated.tsv of en have no client_id" in said
    assert "1 rows of validated.tsv of pt name a clip that is not in clips/" in said  # ../x.mp3 leads nowhere
    one, _ = imported("common_voice", tmp_path / "cv" / "pt", tmp_path / "D")
    assert list(one.clips["audio"]) == ["files/clips/cv_3.mp3"]


def test_a_known_gender_and_another_word_disagree(tmp_path: Path) -> None:
    root = common_voice(tmp_path / "cv")
    table = root / "en" / "validated.tsv"
    table.write_text(table.read_text().replace("\tfemale\t", "\tother\t"))
    cohort, said = imported("common_voice", root, tmp_path / "C")
    ann = cohort.speakers.set_index("speaker_id").loc["aa"]
    assert (ann["gender"], ann["gender_source"]) == ("unknown", "unstated")
    assert "1 speakers state different ages or genders" in said and "(non-binary, other); set to unknown" in said


def test_a_table_without_existing_clips_is_refused(tmp_path: Path) -> None:
    root = common_voice(tmp_path / "cv")
    for path in root.rglob("*.mp3"):
        path.unlink()
    with pytest.raises(audit.CohortError, match="has no clip in the layout of the adapter 'common_voice'"):
        audit.import_cohort("common_voice", root, tmp_path / "C")


def test_unsupported_genders_are_counted(tmp_path: Path) -> None:
    root = vox1(tmp_path / "vox")
    (root / "vox1_meta.csv").write_text("VoxCeleb1 ID\tGender\nid10001\tx\nid10002\ty\n")
    cohort, said = imported("voxceleb1", root, tmp_path / "C")
    assert set(cohort.speakers["gender"]) == {"unknown"}
    assert "2 speakers have a gender that is not supported in vox1_meta.csv (x, y); set to unknown." in said


def test_an_invalid_locale_is_refused(tmp_path: Path) -> None:
    with pytest.raises(audit.CohortError, match="the locale 'my_folder' is not a language code"):
        audit.import_cohort("common_voice", common_voice(tmp_path / "cv", "my_folder"), tmp_path / "C")


def test_avspeech_gives_videos_and_face_positions(tmp_path: Path) -> None:
    cohort, said = imported("avspeech", avspeech(tmp_path / "av"), tmp_path / "C")
    table = cohort.table.set_index("clip_id")
    assert list(table["speaker_id"]) == ["-bcdefghijk", "-bcdefghijk", "a-_defghijk"]
    assert list(table["cluster"]) == list(table["speaker_id"])
    assert list(table.loc["-bcdefghijk_231.231000-234.467567", ["set", "face_x", "face_y"]]) == ["train", "0.5", "0.25"]
    assert list(table.loc["-bcdefghijk_1.5-9", ["set", "face_x"]]) == ["", ""]
    assert "1 audio files are not named <id>_<start>-<end>" in said
    assert "1 clips are in none of the lists" in said and "All clips of a video are assumed to have one speaker" in said


def test_custom_audio_by_folders(tmp_path: Path) -> None:
    cohort, said = imported("folder", own(tmp_path / "own"), tmp_path / "C")
    assert set(cohort.clips["clip_id"]) == {"-x/1.flac", "-x/1.wav", "Zoë Example/deep/er/-3", "Zoë Example/one two"}
    assert list(cohort.speakers["speaker_id"]) == ["-x", "Zoë Example"]
    assert "1 audio files are not in the folder of a speaker" in said
    assert "2 files differ from another in the extension only; each is a clip." in said
    assert all((cohort.root / path).is_file() for path in cohort.clips["audio"])


def test_custom_audio_by_a_table(tmp_path: Path) -> None:
    root = own(tmp_path / "own")
    (root / "labels.csv").write_text(
        "audio,speaker_id,group,group_source,age,language,language_source,room,cluster\n"
        "loose.wav,s1,asian,annotator,30,en,annotator,big,call 1\n"
        "-x/1.wav,s1,,,,,,small,\n"
        "Zoë Example/one two.wav,s2,white,self_reported,,zh-TW,self_reported,big,call 1\n"
        "gone.wav,s3,,,,,,,\n"
    )
    cohort, said = imported("folder", root, tmp_path / "C")
    table = cohort.table.set_index("clip_id")
    assert list(table.loc["loose", ["speaker_id", "group", "group_source", "age", "language", "room"]]) == [
        "s1", "asian", "annotator", 30, "en", "big",
    ]  # fmt: skip
    assert list(table.loc["-x/1", ["group", "language", "room", "cluster"]]) == ["asian", "und", "small", ""]
    assert list(table.loc[["loose", "Zoë Example/one two"], "cluster"]) == ["call 1", "call 1"]
    assert (
        "1 rows of labels.csv name an audio file that does not exist and were left out, the first: 'gone.wav'" in said
    )


def test_all_errors_of_a_table_are_reported_at_once(tmp_path: Path) -> None:
    root = own(tmp_path / "own")
    (root / "mine.csv").write_text(
        "audio,speaker_id,group,group_source,clip_id\n"
        "loose.wav,s1,asain,annotator,c\n"
        "../loose.wav,s1,white,,c\n"
        "loose.wav,,white,hearsay,d\n"
        "/etc/passwd,s1,asian,annotator,e\n"
    )
    with pytest.raises(audit.CohortError) as caught:
        audit.import_cohort("folder", root, tmp_path / "C", table="mine.csv")
    shown = "\n".join(caught.value.faults)
    for error in (
        "row 2: group 'asain'",
        "row 3: group 'white' has no group_source",
        "row 3: speaker 's1' has another group in an earlier row",
        "row 3: clip_id 'c' is also in row 2",
        "row 3: audio '../loose.wav' is outside",
        "row 4: group_source 'hearsay'",
        "row 4: speaker_id is empty",
        "row 5: audio '/etc/passwd' is outside",
    ):
        assert error in shown
    assert not (tmp_path / "C").exists()


def test_a_table_with_a_heading_only_is_refused(tmp_path: Path) -> None:
    (own(tmp_path / "own") / "labels.csv").write_text("audio,speaker_id,rendered\n")
    with pytest.raises(audit.CohortError, match="has no row below its heading"):
        audit.import_cohort("folder", tmp_path / "own", tmp_path / "C")


def test_lists_of_other_segments_do_not_change_clips(tmp_path: Path) -> None:
    root = avspeech(tmp_path / "av")
    (root / "avspeech_train.csv").write_text("zzzzzzzzzzz,1,2,0.1,0.1\n")
    cohort, said = imported("avspeech", root, tmp_path / "C")
    assert len(cohort.clips) == 3 and "2 clips are in none of the lists" in said


BUILDERS: dict[str, Callable[[Path], Path]] = {
    "avspeech": avspeech,
    "common_voice": common_voice,
    "cremad": crema,
    "folder": own,
    "mavceleb": mav,
    "voxceleb1": vox1,
    "voxceleb2": vox2,
    "accent_archive": archive,
    "casual_conversations_v2": conversations,
    "l2_arctic": arctic,
}
BY_FOLDER = ("candor", "edacc", "fair_speech", "nsc")
"""Data sets with a card and without an adapter."""


@pytest.mark.parametrize("name", BUILDERS)
def test_the_order_of_file_creation_does_not_matter(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = BUILDERS[name](tmp_path / "d")
    first, _ = audit.import_cohort(name, root, tmp_path / "A")
    listing = os.scandir

    class Backwards:
        def __init__(self, path: object) -> None:
            with listing(path) as entries:  # type: ignore[call-overload]  # a path of any kind
                self.entries = list(entries)[::-1]

        def __enter__(self) -> list[os.DirEntry[str]]:
            return self.entries

        def __exit__(self, *_: object) -> None: ...

        def __iter__(self):
            return iter(self.entries)

    monkeypatch.setattr(os, "scandir", Backwards)
    found = read_download(name, root, {})
    monkeypatch.undo()
    assert sorted(found.clips["clip_id"]) == list(first.clips["clip_id"])
    again, _ = audit.import_cohort(name, root, tmp_path / "B")
    assert again.digest == first.digest


@pytest.mark.parametrize("name", BUILDERS)
def test_a_folder_of_another_layout_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(audit.AuditError):
        audit.import_cohort(name, tmp_path / "empty", tmp_path / "C")
    assert not (tmp_path / "C").exists()


@pytest.mark.parametrize("name", [name for name in BUILDERS if name != "folder"])
def test_links_out_of_a_download_are_not_followed(name: str, tmp_path: Path) -> None:
    root = BUILDERS[name](tmp_path / "d")
    outside = tone(tmp_path / "secret" / "00009.wav").parent
    clip = next(path for path in sorted(root.rglob("*")) if path.suffix in (".wav", ".m4a", ".mp3", ".mp4"))
    before, _ = audit.import_cohort(name, root, tmp_path / "A")
    (clip.parent / f"00009{clip.suffix}").symlink_to(outside / "00009.wav")
    (clip.parent / "elsewhere").symlink_to(outside, target_is_directory=True)
    (clip.parent / "circle").symlink_to(clip.parent, target_is_directory=True)
    after, said = imported(name, root, tmp_path / "B")
    assert list(after.clips["clip_id"]) == list(before.clips["clip_id"])
    assert "3 links lead outside the download" in said


@pytest.mark.parametrize(
    ("name", "file", "text", "words"),
    [
        (
            "voxceleb1",
            "vox1_meta.csv",
            b"VoxCeleb1 ID\tGendre\nid10001\tf\n",
            "no column 'Gender' .did you mean 'Gendre'",
        ),
        ("voxceleb1", "vox1_meta.csv", b"", "vox1_meta.csv is not a CSV file"),
        ("voxceleb1", "vox1_meta.csv", b"\xff\xfe\x00", "vox1_meta.csv is not UTF-8"),
        (
            "voxceleb1",
            "vox1_meta.csv",
            VOX1_META.encode() + b"id10001\tAnn_Example\tm\tIreland\tdev\n",
            "two different rows of id10001",
        ),
        ("voxceleb2", "vox2_meta.csv", b"<html>not found</html>\n", "has no column 'VoxCeleb2 ID'"),
        ("mavceleb", "v2_meta.csv", b"name,gender\n", "has no column 'ids'"),
        ("cremad", "VideoDemographics.csv", b"ActorID,Age,Sex,Race\n", "has no column 'Ethnicity'"),
        ("common_voice", "en/validated.tsv", b"client_id\tsentence\n", "has no column 'path'"),
        ("avspeech", "avspeech_test.csv", b"a-_defghijk,0,6\n", "has 3 columns"),
        ("avspeech", "avspeech_test.csv", b"a-_defghijk,0,six,0.1,0.1\n", "row 1: 'a-_defghijk,0,six,0.1,0.1'"),
    ],
)
def test_invalid_metadata_are_refused(name: str, file: str, text: bytes, words: str, tmp_path: Path) -> None:
    root = BUILDERS[name](tmp_path / "d")
    (root / file).write_bytes(text)
    with pytest.raises(audit.CohortError, match=words):
        audit.import_cohort(name, root, tmp_path / "C")
    assert list(tmp_path.iterdir()) == [root]  # nothing half-made is left


def test_without_metadata_labels_are_unknown(tmp_path: Path) -> None:
    root = vox1(tmp_path / "vox")
    (root / "vox1_meta.csv").rename(tmp_path / "meta.csv")
    cohort, said = imported("voxceleb1", root, tmp_path / "C")
    assert set(cohort.speakers["gender"]) == {"unknown"} and "vox1_meta.csv was not found" in said
    with_it, _ = imported("voxceleb1", root, tmp_path / "D", meta=str(tmp_path / "meta.csv"))
    assert set(with_it.speakers["gender"]) == {"woman", "man"}


def test_invalid_file_names_are_counted(tmp_path: Path) -> None:
    root = own(tmp_path / "own")
    soundfile.write(root / "-x" / "line\nbreak.wav", np.zeros(8000), 8000)
    os.rename(os.fsencode(root / "-x" / "1.flac"), os.fsencode(root / "-x") + b"/\xff.flac")  # noqa: PTH104
    cohort, said = imported("folder", root, tmp_path / "C")
    assert "2 files or folders have names that are not UTF-8 text" in said
    assert "-x/1" in set(cohort.clips["clip_id"])


def test_the_new_folder_is_not_a_link_or_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = own(tmp_path / "own")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty", target_is_directory=True)
    monkeypatch.chdir(tmp_path / "empty")
    for out in (Path(), tmp_path / "link"):
        with pytest.raises(audit.AuditError, match="is a link or the current directory"):
            audit.import_cohort("folder", root, out)


def test_a_copy_skips_a_missing_portrait(tmp_path: Path) -> None:
    root = own(tmp_path / "own")
    (root / "there.png").write_bytes(b"")
    (root / "labels.csv").write_text("audio,speaker_id,portrait\nloose.wav,ann,gone.png\n-x/1.wav,bo,there.png\n")
    linked, said = imported("folder", root, tmp_path / "L")
    assert "1 of 2 files in the column portrait of the clips do not exist, the first: 'gone.png'" in said
    copied, _ = audit.import_cohort("folder", root, tmp_path / "C", copy=True)
    assert copied.digest == linked.digest and not (copied.root / "files" / "gone.png").exists()


def test_a_folder_with_the_download_as_name_prefix_is_outside(tmp_path: Path) -> None:
    vox1(tmp_path / "vox2")
    (tmp_path / "vox").mkdir()
    (tmp_path / "vox" / "wav").symlink_to(tmp_path / "vox2" / "wav", target_is_directory=True)
    with pytest.raises(audit.CohortError, match="Links to other places are not followed"):
        read_download("voxceleb1", tmp_path / "vox", {})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("json:__name__", "is a str. Allowed: something that can be called"),
        ("os:fspath", "returned a str. Allowed: an audit.cohorts.importing.Imported"),
        ("builtins:str", "has no signature"),
    ],
)
def test_an_invalid_adapter_is_refused(name: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(audit.AuditError, match=words):
        read_download(name, tmp_path, {})


def test_each_adapter_has_a_line_and_a_card() -> None:
    cards = ROOT / "datasets" / "cards"
    for name in BY_FOLDER:
        assert "There is no adapter" in (cards / f"{name}.md").read_text(encoding="utf-8").replace("\n", " ")
    for name in ADAPTERS.shipped:
        assert available()[name] and callable(adapter(name))
        text = (cards / f"{name}.md").read_text(encoding="utf-8")
        for heading in ("Licence", "Layout", "Label faults", "What it can and cannot answer"):
            assert f"## {heading}" in text, (name, heading)
    assert {path.stem for path in cards.glob("*.md")} == {*ADAPTERS.shipped, *BY_FOLDER}
    overview = (ROOT / "docs" / "guide" / "data-sets.md").read_text(encoding="utf-8")
    assert [name for name in (*ADAPTERS.shipped, *BY_FOLDER) if not re.search(rf"(?m)^\| \[?{name}\b", overview)] == []


def test_an_unknown_adapter_option_is_refused(tmp_path: Path) -> None:
    root = vox1(tmp_path / "vox")
    with pytest.raises(audit.AuditError, match="no option 'metta' .did you mean 'meta'.*Allowed: meta"):
        audit.import_cohort("voxceleb1", root, tmp_path / "C", metta="x")
    with pytest.raises(audit.AuditError, match="has no options"):
        audit.import_cohort("cremad", root, tmp_path / "C", variant="x")
    with pytest.raises(audit.AuditError, match="no table 'validate' .did you mean 'validated'"):
        audit.import_cohort("common_voice", root, tmp_path / "C", table="validate")
    done = command("cohort", "import", "voxceleb1", root, "-o", tmp_path / "C", "--option", "meta")
    assert done.returncode == 2 and "is not NAME=VALUE" in done.stderr


def test_a_users_adapter_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    point = EntryPoint("mine", "audit.cohorts.adapters.folder:read_folder", "audit.datasets")
    monkeypatch.setattr("audit.core.registry.entry_points", lambda group: [point] if group == "audit.datasets" else [])
    assert available()["mine"] == "from audit.cohorts.adapters.folder:read_folder"
    assert adapter("mine").__name__ == "read_folder"


@pytest.fixture(scope="module")
def labels(shared_data: Path) -> Path:
    return shared_data / "labels"


def test_the_real_voxceleb1_metadata(labels: Path, tmp_path: Path) -> None:
    for speaker in range(10001, 11252):
        path = tmp_path / "vox" / "wav" / f"id{speaker}" / "abcdefghijk" / "00001.wav"
        path.parent.mkdir(parents=True)
        path.touch()
    cohort, said = imported("voxceleb1", tmp_path / "vox", tmp_path / "C", meta=str(labels / "vox1_meta.csv"))
    assert len(cohort.speakers) == 1251 and set(cohort.speakers["gender"]) == {"woman", "man"}
    assert "20 speakers have the nationality Norway" in said and "have no clip in the download" not in said


def test_the_real_voxceleb2_metadata(labels: Path, tmp_path: Path) -> None:
    for speaker in ("id00012", "id00017"):
        (tmp_path / "vox" / "aac" / speaker / "abcdefghijk").mkdir(parents=True)
        (tmp_path / "vox" / "aac" / speaker / "abcdefghijk" / "00001.m4a").touch()
    cohort, said = imported("voxceleb2", tmp_path / "vox", tmp_path / "C", meta=str(labels / "vox2_meta.csv"))
    assert list(cohort.speakers["gender"]) == ["man", "man"] and list(cohort.speakers["set"]) == ["dev", "test"]
    assert "6112 speakers of vox2_meta.csv have no clip in the download" in said


def test_the_real_cremad_demographics(labels: Path, tmp_path: Path) -> None:
    root = tmp_path / "crema"
    (root / "AudioWAV").mkdir(parents=True)
    (root / "VideoDemographics.csv").write_bytes((labels / "VideoDemographics.csv").read_bytes())
    for actor in range(1001, 1092):
        (root / "AudioWAV" / f"{actor}_DFA_ANG_XX.wav").touch()
    cohort, _ = imported("cremad", root, tmp_path / "C")
    assert cohort.speakers["group"].value_counts().to_dict() == {
        "white": 53,
        "black": 21,
        "white|latino_hispanic": 8,
        "asian|indian": 7,
        "black|latino_hispanic": 1,
        "latino_hispanic": 1,
    }
    assert cohort.speakers["gender"].value_counts().to_dict() == {"man": 48, "woman": 43}
