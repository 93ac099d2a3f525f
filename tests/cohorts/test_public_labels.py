"""Labels of speakers from published files, lists of clips by language, and pairs of languages."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

import audit
from audit.cohorts import CohortNotes
from audit.cohorts.adapters.voxceleb2 import META
from audit.cohorts.importing.adapter import Imported
from audit.cohorts.importing.labels import with_labels
from audit.cohorts.importing.language_lists import read_clip_list, with_language_lists
from audit.cohorts.importing.pairs import PairSelection, pair_table, with_pairs
from audit.cohorts.importing.public_labels import with_public_labels
from audit.core.errors import AuditError, CohortError
from tests.cohorts.test_datasets_adapters import tone

VGG1200 = ''',Class_ID,Name,Sample_Num,Flag,Gender,Race
14,n000101," ""An_Example""",248,1,m,Asian
33,n000102," ""Another_Example""",306,1,f,Indian
35,n000103," ""Third_Example""",306,1,m,African
36,n000104," ""Fourth_Example""",306,1,f,Caucasian
99,n009999," ""Not_Here""",306,1,f,Caucasian
'''
"""The form of VGGFace2_1200_Train_Subjects_Metadata.csv; the people are invented, as everywhere in this file."""
BOB = """path,reference_id,gender,race,leye_x
train/n000101/0001_01,n000101,m,A,1
train/n000101/0002_01,n000101,m,A,1
train/n000102/0001_01,n000102,f,W,1
train/n000104/0001_01,n000104,f,W,1
train/n000105/0001_01,n000105,m,W,1
train/n000106/0001_01,n000106,m,U,1
train/n000107/0001_01,n000107,m,A,1
train/n000107/0002_01,n000107,m,B,1
"""
VMER = "n000101,2\nn000103,3\nn000106,4\n"
META_TEXT = "Name \tVoxCeleb2 ID \tVGGFace2 ID \tGender \tSet \n" + "".join(
    f"Person_{i} \tid0000{i} \tn00010{i} \t{'mfmfmmm'[i - 1]} \tdev \n" for i in range(1, 8)
)


def speakers_of_seven(tmp_path: Path, clips: pd.DataFrame | None = None) -> Imported:
    """Seven speakers whose VoxCeleb2 and VGGFace2 numbers differ, each with a clip of undetermined language."""
    (tmp_path / "vox2_meta.csv").write_text(META_TEXT)
    names = [f"id0000{i}" for i in range(1, 8)]
    if clips is None:
        clips = pd.DataFrame({"speaker_id": names, "clip_id": [f"{name}/v/00001" for name in names], "language": "und"})
    found = META.imported(tmp_path, clips.assign(language_source=""), CohortNotes(name="x"))
    return Imported(
        found.speakers.assign(group="unknown", group_source=""),
        found.clips,
        found.notes,
        (),
        found.folders,
        ids=found.ids,
    )


def written(tmp_path: Path, **texts: str) -> list[tuple[str, Path]]:
    files = []
    for name, text in texts.items():
        path = tmp_path / f"{name}.csv"
        path.write_text(text)
        files.append((name, path))
    return files


def test_labels_are_joined_on_the_vggface2_id_with_source_and_maker(tmp_path: Path) -> None:
    found = with_public_labels(speakers_of_seven(tmp_path), written(tmp_path, vgg1200=VGG1200))
    speakers = found.speakers.set_index("speaker_id")
    assert speakers["group"].to_dict() == {
        "id00001": "asian",
        "id00002": "indian",
        "id00003": "black",
        "id00004": "white",
        "id00005": "unknown",
        "id00006": "unknown",
        "id00007": "unknown",
    }
    assert set(speakers.loc[speakers["group"] != "unknown", "group_source"]) == {"annotator"}
    assert list(speakers["group_maker"])[:5] == ["vgg1200"] * 4 + [""]
    said = "\n".join(found.remarks)
    assert "4 of 7 speakers (asian 1, indian 1, black 1, white 1), joined on the vggface2 id" in said
    assert "source annotator: annotators of Durham University" in said
    assert "1 identities of vgg1200.csv have no speaker in the download" in said


def test_a_label_is_what_all_sources_allow_and_unknown_where_they_disagree(tmp_path: Path) -> None:
    found = with_public_labels(speakers_of_seven(tmp_path), written(tmp_path, vgg1200=VGG1200, bob=BOB, vmer=VMER))
    speakers = found.speakers.set_index("speaker_id")
    assert speakers["group"].to_dict() == {
        "id00001": "asian",  # all three
        "id00002": "unknown",  # indian and W
        "id00003": "unknown",  # African and class 3
        "id00004": "white",  # Caucasian, and W, which is white or Hispanic
        "id00005": "white|latino_hispanic",  # W alone
        "id00006": "indian",  # U counts as missing
        "id00007": "unknown",  # bob's pictures disagree
    }
    assert speakers["group_maker"].to_dict() == {
        "id00001": "vgg1200 bob vmer",
        "id00002": "",
        "id00003": "",
        "id00004": "vgg1200 bob",
        "id00005": "bob",
        "id00006": "vmer",
        "id00007": "",
    }
    assert speakers["group_votes"].to_dict() == {
        **dict.fromkeys(speakers.index, ""),
        "id00002": "indian:1 white|latino_hispanic:1",
        "id00003": "black:1 white|latino_hispanic:1",
    }
    said = "\n".join(found.remarks)
    assert "4 speakers are labelled by several sources, 2 consistently." in said
    assert (
        "In 2 speakers sources disagree, so that the group is unknown "
        "(black and white or latino hispanic: 1; indian and white or latino hispanic: 1)." in said
    )
    assert "1 identities have several groups in bob.csv: unknown." in said


def test_genders_that_contradict_the_data_set_are_reported_since_the_file_may_be_wrong(tmp_path: Path) -> None:
    text = VGG1200.replace("306,1,f,Indian", "306,1,m,Indian")
    found = with_public_labels(speakers_of_seven(tmp_path), written(tmp_path, vgg1200=text))
    assert "1 speakers have another gender in vgg1200.csv than in the data set: is it the right file?" in found.remarks


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("vgg1200", VGG1200.replace("African", "Martian"), "has the group 'Martian'"),
        ("vgg1200", "a,b\n1,2\n", "has no column 'Class_ID'"),
        ("bob", "path,gender\nx,m\n", "has no column 'race'"),
        ("bob", "path,race\nx,A\n", "names no identity of VGGFace2"),
        ("vmer", "n000101,7\n", "has the group '7'"),
        ("nobody", "", "no label source 'nobody'"),
    ],
)
def test_a_file_in_another_form_is_refused_by_name(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(AuditError, match=message):
        with_public_labels(speakers_of_seven(tmp_path), written(tmp_path, **{name: text}))


def test_a_label_of_the_user_replaces_published_ones_with_their_makers_and_votes(tmp_path: Path) -> None:
    found = with_public_labels(speakers_of_seven(tmp_path), written(tmp_path, vgg1200=VGG1200, bob=BOB))
    (tmp_path / "own.csv").write_text(
        "speaker_id,group,group_source\nid00001,white,self_reported\nid00002,asian,metadata\n"
    )
    speakers = with_labels(found, tmp_path / "own.csv").speakers.set_index("speaker_id")
    columns = ["group", "group_source", "group_maker", "group_votes"]
    assert list(speakers.loc["id00001", columns]) == ["white", "self_reported", "", ""]
    assert list(speakers.loc["id00002", columns]) == ["asian", "metadata", "", ""]
    assert list(speakers.loc["id00004", columns]) == ["white", "annotator", "vgg1200 bob", ""]


def test_a_data_set_without_vggface2_ids_cannot_be_joined(tmp_path: Path) -> None:
    found = speakers_of_seven(tmp_path)
    without = Imported(found.speakers, found.clips, found.notes)
    with pytest.raises(AuditError, match="states no vggface2 ids"):
        with_public_labels(without, written(tmp_path, vgg1200=VGG1200))


def test_a_list_names_clips_by_the_end_of_their_path_plain_or_compressed(tmp_path: Path) -> None:
    lines = "dev/mp4/id00001/v/00001\ntest/mp4/id00002/v/00001.mp4\thello there\n\nid00001/v/00001\n"
    (tmp_path / "plain.txt").write_text(lines)
    (tmp_path / "list.gz").write_bytes(gzip.compress(lines.encode()))
    expected = ["id00001/v/00001", "id00002/v/00001"]
    assert read_clip_list(tmp_path / "plain.txt", 3) == read_clip_list(tmp_path / "list.gz", 3) == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "names no clip"), (b"a/b/c\nb/c\nc\n", "line 2: 'b/c' .* 1 other"), (b"\x1f\x8bxx", "cannot be read")],
)
def test_a_list_that_is_none_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "list").write_bytes(data)
    with pytest.raises(CohortError, match=message):
        read_clip_list(tmp_path / "list", 3)


def test_a_clip_in_no_list_or_in_two_stays_undetermined(tmp_path: Path) -> None:
    (tmp_path / "english").write_text("".join(f"dev/id0000{i}/v/00001\n" for i in (1, 2)) + "dev/id00099/v/00001\n")
    (tmp_path / "italian").write_text("".join(f"dev/id0000{i}/v/00001.mp4\n" for i in (2, 3)))
    lists = [("eng", tmp_path / "english"), ("it", tmp_path / "italian")]
    found = with_language_lists(speakers_of_seven(tmp_path), lists)
    assert list(found.clips["language"]) == ["en", "und", "it", "und", "und", "und", "und"]
    assert list(found.clips["language_source"])[:3] == ["inferred", "", "inferred"]
    assert list(found.clips["language_maker"])[:3] == ["english", "", "italian"]
    said = "\n".join(found.remarks)
    assert "1 clips of english are not in the download." in said
    assert "1 clips are in lists of several languages: und." in said
    assert "4 clips are in no list: und." in said


def test_a_list_replaces_no_language_that_the_data_set_states(tmp_path: Path) -> None:
    found = speakers_of_seven(tmp_path)
    stated = Imported(found.speakers, found.clips.assign(language="fr", language_source="metadata"), found.notes)
    (tmp_path / "english").write_text("id00001/v/00001\n")
    kept = with_language_lists(stated, [("en", tmp_path / "english")])
    assert set(kept.clips["language"]) == {"fr"} and set(kept.clips["language_source"]) == {"metadata"}
    assert "1 clips have another language in the data set, which is kept." in kept.remarks
    with pytest.raises(AuditError, match="'english' is not a language code"):
        with_language_lists(stated, [("english", tmp_path / "english")])


def videos(speaker: str, **n: int) -> pd.DataFrame:
    """Two clips in each of some videos by language, and in each English video a third clip that is undetermined."""
    rows = [
        (speaker, f"{language}{video}", code)
        for language, count in n.items()
        for video in range(count)
        for code in ([language, language, "und"] if language == "en" else [language] * 2)
    ]
    table = pd.DataFrame(rows, columns=["speaker_id", "cluster", "language"])
    return table.assign(clip_id=[f"{speaker}/{cluster}/{i}" for i, cluster in enumerate(table["cluster"])])


def with_videos(tmp_path: Path) -> Imported:
    clips = [videos("id00001", en=2, zh=2), videos("id00002", en=2, und=2), videos("id00003", en=2, zh=1, und=1)]
    clips += [
        videos("id00004", en=1, zh=5),
        videos("id00005", en=4),
        videos("id00006", zh=2),
        videos("id00007", en=2, zh=9),
    ]
    found = speakers_of_seven(tmp_path, pd.concat(clips, ignore_index=True))
    groups = ["asian", "asian", "asian", "white", "white", "white", "unknown"]
    return Imported(found.speakers.assign(group=groups), found.clips, found.notes)


def test_pairs_are_counted_by_group_and_undetermined_videos_apart(tmp_path: Path) -> None:
    table = pair_table(with_videos(tmp_path)).set_index("group")
    assert table.loc["asian"].to_dict() == {"n_speakers": 3, "n_english": 3, "n_pairs": 1, "n_possible": 3}
    assert table.loc["white"].to_dict() == {"n_speakers": 3, "n_english": 2, "n_pairs": 0, "n_possible": 0}
    assert table.loc["unknown"].to_dict() == {"n_speakers": 1, "n_english": 1, "n_pairs": 1, "n_possible": 1}


@pytest.mark.parametrize(
    ("undetermined", "kept"), [(False, ["id00001", "id00007"]), (True, ["id00001", "id00002", "id00003", "id00007"])]
)
def test_pairs_only_counts_undetermined_languages_only_if_asked(
    tmp_path: Path, undetermined: bool, kept: list[str]
) -> None:
    found = with_pairs(with_videos(tmp_path), PairSelection(pairs_only=True, undetermined=undetermined))
    assert list(found.speakers["speaker_id"]) == kept and set(found.clips["speaker_id"]) == set(kept)
    assert "asian 1 (3), white 0 (0), unknown 1 (1)" in found.remarks[0]


def test_speakers_are_drawn_by_group_balanced_by_gender_and_by_seed(tmp_path: Path) -> None:
    people = pd.DataFrame(
        {
            "speaker_id": [f"s{i:03d}" for i in range(100)],
            "group": ["asian"] * 40 + ["white"] * 50 + ["unknown"] * 10,
            "gender": (["woman"] * 10 + ["man"] * 30) + ["woman", "man"] * 25 + ["man"] * 10,
        }
    )
    clips = people[["speaker_id"]].assign(clip_id=people["speaker_id"], language="en")
    found = Imported(people, clips, CohortNotes(name="x"))
    draw = with_pairs(found, PairSelection(per_group=16, seed=1))
    counts = draw.speakers.groupby(["group", "gender"]).size().to_dict()
    assert counts == {("asian", "woman"): 8, ("asian", "man"): 8, ("white", "woman"): 8, ("white", "man"): 8}
    few = with_pairs(found, PairSelection(per_group=30, seed=1)).speakers
    assert few.groupby(["group", "gender"]).size()["asian"].to_dict() == {"woman": 10, "man": 20}
    again = Imported(people[::-1], clips[::-1], CohortNotes(name="x"))
    assert set(with_pairs(again, PairSelection(per_group=16, seed=1)).speakers["speaker_id"]) == set(
        draw.speakers["speaker_id"]
    )
    other = with_pairs(found, PairSelection(per_group=16, seed=2)).speakers["speaker_id"]
    assert set(other) != set(draw.speakers["speaker_id"])


def test_without_any_pair_the_error_says_why(tmp_path: Path) -> None:
    found = speakers_of_seven(tmp_path)
    with pytest.raises(CohortError, match=r"No speaker is left\. Speakers with .* unknown 0 \(0\).*7 speakers without"):
        with_pairs(found, PairSelection(pairs_only=True))


def test_a_selection_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(AuditError, match="0 speakers per group"):
        PairSelection(per_group=0)
    with pytest.raises(AuditError, match="for pairs only"):
        PairSelection(undetermined=True)


def test_the_real_label_files_hold_the_pairs_of_the_case(shared_data: Path, tmp_path: Path) -> None:
    """At least two videos with a clip listed as English, and two without: 75, 230, 111 and 122 labelled speakers.

    The clips are those of the list of English clips, and one clip that is in no list for every video.
    """
    labels = shared_data / "labels"
    listed = pd.Series(read_clip_list(labels / "vox-en.id.gz", 3))
    assert len(listed) == 628_418
    every = json.loads((labels / "voxceleb2_person_videos.json").read_text())
    unlisted = pd.Series([f"{speaker}/{video}/unlisted" for speaker in every for video in every[speaker]])
    clips = pd.DataFrame({"clip_id": pd.concat([listed, unlisted], ignore_index=True), "language": "und"})
    parts = clips["clip_id"].str.split("/", expand=True)
    clips = clips.assign(speaker_id=parts[0], cluster=parts[1], language_source="")
    found = META.imported(labels, clips, CohortNotes(name="VoxCeleb2"))
    found = Imported(found.speakers.assign(group="unknown", group_source=""), clips, found.notes, ids=found.ids)
    found = with_public_labels(found, [("vgg1200", labels / "vgg1200_races.csv")])
    table = pair_table(with_language_lists(found, [("en", labels / "vox-en.id.gz")])).set_index("group")
    known = table.drop(index="unknown")
    assert known["n_speakers"].to_dict() == {"asian": 104, "indian": 252, "black": 227, "white": 245}
    assert known["n_english"].to_dict() == {"asian": 100, "indian": 252, "black": 223, "white": 234}
    assert known["n_possible"].to_dict() == {"asian": 75, "indian": 230, "black": 111, "white": 122}
    assert known["n_pairs"].sum() == 0  # no list of another language was given: nothing is known of the other videos


def test_the_clips_of_an_identified_cohort_are_a_labels_file(tmp_path: Path) -> None:
    root = tmp_path / "vox"
    for i in (1, 2):
        for video in range(4):
            tone(root / "wav" / f"id0000{i}" / f"aaaaaaaaa{video}{i}" / "00001.wav")
    (root / "vox2_meta.csv").write_text(META_TEXT)
    cohort, _ = audit.import_cohort("voxceleb2", root, tmp_path / "possible")
    language = ["en", "en", "zh", "zh", "en", "en", "zh", "und"]
    source = ["inferred" if code != "und" else "" for code in language]
    clips = cohort.clips.assign(language=language, language_source=source, identification="accepted")
    clips.to_csv(tmp_path / "clips.csv", index=False)
    kept, _ = audit.import_cohort(
        "voxceleb2", root, tmp_path / "pairs", labels=tmp_path / "clips.csv", pairs_only=True, speakers_per_group=None
    )
    assert list(kept.clips["language"]) == ["en", "en", "zh", "zh"] and set(kept.speakers["speaker_id"]) == {"id00001"}


def test_import_takes_labels_lists_and_pairs_in_one_command(tmp_path: Path) -> None:
    root = tmp_path / "vox"
    for i in (1, 2, 3):
        for video in ("aaaaaaaaaa1", "aaaaaaaaaa2", "bbbbbbbbbb1", "bbbbbbbbbb2"):
            tone(root / "wav" / f"id0000{i}" / f"{video[:-1]}{i}" / f"0000{video[-1]}.wav")
    (root / "vox2_meta.csv").write_text(META_TEXT)
    (tmp_path / "en.txt").write_text("\n".join(f"dev/mp4/id0000{i}/aaaaaaaaaa{i}/00001" for i in (1, 2, 3)))
    cohort, said = audit.import_cohort(
        "voxceleb2",
        root,
        tmp_path / "C",
        labels_from=written(tmp_path, vgg1200=VGG1200),
        language_lists=[("en", tmp_path / "en.txt")],
        speakers_per_group=1,
    )
    assert list(cohort.speakers["group"]) == ["asian", "indian", "black"]
    assert cohort.clips["language"].value_counts().to_dict() == {"und": 9, "en": 3}
    assert any("asian 0 (0)" in remark for remark in said)  # one video in each: not enough for a pair
