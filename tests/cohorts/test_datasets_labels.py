"""What a data set does not say: labels with their sources, languages assumed, groups inferred, portraits drawn."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

import audit
from audit.cohorts.importing import check_labels, labels_template
from tests.cli.test_cli import command
from tests.cohorts.test_datasets_adapters import crema, imported, mav, vox1
from tests.fakes import fake_face

HEADER = (
    "speaker_id,group,group_source,gender,gender_source,age,native_language,split,language,language_source,n_clips\n"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """VoxCeleb1: id10001 with two clips, id10002 with one; id10003 is in the metadata only."""
    return vox1(tmp_path / "vox")


def test_a_template_has_every_speaker_with_known_labels(root: Path, tmp_path: Path) -> None:
    labels_template("voxceleb1", root, tmp_path / "labels.csv")
    assert (tmp_path / "labels.csv").read_text() == (
        HEADER + "id10001,,,woman,metadata,,,,,,2\nid10002,,,man,metadata,,,,,,1\n"
    )
    with pytest.raises(audit.AuditError, match="already exists"):
        labels_template("voxceleb1", root, tmp_path / "labels.csv")


def test_a_download_without_clips_has_no_template(tmp_path: Path) -> None:
    (tmp_path / "page" / "figures/voxceleb/Wav").mkdir(parents=True)
    with pytest.raises(audit.CohortError, match="has no clip in the layout of the adapter"):
        labels_template("speech2face_released", tmp_path / "page", tmp_path / "labels.csv")
    assert not (tmp_path / "labels.csv").exists()


def test_a_template_has_a_language_only_if_a_speaker_has_one(tmp_path: Path) -> None:
    table = labels_template("mavceleb", mav(tmp_path / "mav"), tmp_path / "labels.csv").set_index("speaker_id")
    assert list(table["language"]) == ["", "de"] and list(table["language_source"]) == ["", "metadata"]


def test_an_empty_template_changes_nothing_but_the_notes(tmp_path: Path) -> None:
    data = crema(tmp_path / "crema")
    labels_template("cremad", data, tmp_path / "labels.csv")
    plain, _ = audit.import_cohort("cremad", data, tmp_path / "A")
    filled, said = imported("cremad", data, tmp_path / "B", labels=tmp_path / "labels.csv")
    pd.testing.assert_frame_equal(plain.clips, filled.clips)
    pd.testing.assert_frame_equal(plain.speakers, filled.speakers[plain.speakers.columns])
    assert "say something else" not in said


def test_labels_are_used_with_their_source_and_counted(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(
        "\ufeffspeaker_id,group,group_source,gender,gender_source,language,language_source,hair\r\n"
        "id10001, indian ,annotator,,annotator,en,metadata,x\r\n"
        "id10002,white,self_reported,woman,annotator,,,x\r\n"
        "id10003,white,annotator,,,,,x\r\n",
        encoding="utf-8",
    )
    cohort, said = imported("voxceleb1", root, tmp_path / "C", labels=path)
    columns = ["group", "group_source", "gender", "gender_source"]
    assert cohort.speakers[columns].to_numpy().tolist() == [
        ["indian", "annotator", "woman", "metadata"],  # a source without a label says nothing
        ["white", "self_reported", "woman", "annotator"],
    ]
    assert list(cohort.clips["language"]) == ["en", "en", "und"]
    assert "The group of 2 speakers is taken from labels.csv (1 annotator, 1 self_reported)." in said
    assert "The gender of 1 speakers is taken from labels.csv (1 annotator); 1 of the data set's labels differ" in said
    assert "The language of 1 speakers is taken from labels.csv (1 metadata)" in said
    assert "1 rows of labels.csv are of speakers without a clip in the download" in said
    assert "The columns hair of labels.csv are not labels" in said


def test_a_labels_file_names_the_clusters_of_clips(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("clip_id,cluster\nid10001/-bcdefghijk/00002,talk\nid10002/a_cdef-hijk/00001,talk\n")
    cohort, said = imported("voxceleb1", root, tmp_path / "C", labels=path)
    assert list(cohort.clips["cluster"]) == ["-bcdefghijk", "talk", "talk"]
    assert (
        "The cluster of 2 clips is taken from labels.csv; 2 of the data set's labels differ and are replaced." in said
    )
    assert "are not labels" not in said


def test_training_splits_are_excluded_from_the_audit(root: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("speaker_id,split\nid10001,training\n")
    cohort, _ = audit.import_cohort("voxceleb1", root, tmp_path / "C", labels=tmp_path / "labels.csv")
    assert list(cohort.audited().speakers["speaker_id"]) == ["id10002"]


ILL = (
    "speaker_id,group,group_source,gender,gender_source,age,native_language,language,language_source\n"
    "id10001,Asain,annotator,,,,,,\n"
    "id10002,white,,female,annotator,x,English,klingon!,annotator\n"
    "id1002,white,guess,,,,,,\n"
    "id10001,white,unstated,,,,,,\n"
)
ERRORS = (
    "row 2: group 'Asain'; allowed: asian, indian",
    "did you mean 'asian'",
    "row 3: group 'white' has no group_source; allowed: self_reported, annotator",
    "row 3: gender 'female'; allowed: woman, man or unknown",
    "row 3: age 'x'",
    "row 3: native_language 'English'",
    "row 3: language 'klingon!'",
    "row 4: speaker_id 'id1002' is not in the data set (did you mean 'id10002'?)",
    "row 4: group_source 'guess'; allowed: self_reported, annotator, metadata, inferred, synthetic, assumed",
    "row 5: speaker_id 'id10001' is repeated",
    "row 5: group_source 'unstated'",
)


def test_all_errors_of_a_labels_file_are_reported_at_once(root: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(ILL)
    with pytest.raises(audit.CohortError) as caught:
        check_labels("voxceleb1", root, tmp_path / "labels.csv")
    shown = "\n".join(caught.value.faults)
    assert [error for error in ERRORS if error not in shown] == []
    assert len(caught.value.faults) == len(ERRORS) - 1  # the hint is a part of the first


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "labels.csv is not a CSV file"),
        ("speaker_id,group\nid10001,white\n", "has the column group without group_source"),
        ("speaker,age\nid10001,3\n", "has neither the column speaker_id nor clip_id .did you mean 'speaker'"),
        ("speaker_id,age\nid10001,30,40\n", "row 2: it has 3 cells and the heading has 2"),
        ("speaker_id,age,age\nid10001,30,40\n", "column 'age' occurs twice"),
        ("clip_id,group,group_source\nid10001/-bcdefghijk/00001,white,annotator\nid10001/-bcdefghijk/00002,black,annotator\n",
         "row 3: speaker 'id10001' has another group in an earlier row"),
    ],
)  # fmt: skip
def test_an_invalid_labels_file_is_refused(root: Path, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(audit.CohortError, match=words):
        check_labels("voxceleb1", root, tmp_path / "labels.csv")


def test_ten_thousand_errors_are_counted_and_fifty_shown(root: Path, tmp_path: Path) -> None:
    rows = "".join(f"id{i},asian|elf{i},annotator\n" for i in range(10_000))
    (tmp_path / "labels.csv").write_text("speaker_id,group,group_source\n" + rows)
    with pytest.raises(audit.CohortError) as caught:
        check_labels("voxceleb1", root, tmp_path / "labels.csv")
    assert len(caught.value.faults) == 51 and caught.value.faults[-1] == "... and 19950 more."


def test_a_check_counts_labels(root: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("speaker_id,group,group_source\nid10001,asian|indian,annotator\n")
    found = check_labels("voxceleb1", root, tmp_path / "labels.csv")
    assert found.coverage.to_numpy().tolist() == [
        ["group", "asian|indian", 1, 2],
        ["group", "unknown", 1, 1],
        ["gender", "woman", 1, 2],
        ["gender", "man", 1, 1],
        ["language", "unknown", 2, 3],
    ]


def test_the_command_writes_and_checks_labels(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    done = command("cohort", "labels", "voxceleb1", root, "-o", path)
    assert done.returncode == 0 and done.stdout.strip() == str(path)
    assert "2 speakers; empty: group 2, gender 0, language 2" in done.stderr
    found = json.loads(command("cohort", "labels", "voxceleb1", root, "--check", path, "--json").stdout)
    assert found["coverage"][0] == {"label": "group", "value": "unknown", "n_speakers": 2, "n_clips": 3}
    path.write_text(ILL)
    ill = command("cohort", "labels", "voxceleb1", root, "--check", path)
    assert ill.returncode == 2 and "row 4: group_source 'guess'" in ill.stderr and "Traceback" not in ill.stderr
    assert command("cohort", "labels", "voxceleb1", root).returncode == 2


def test_a_language_is_assumed_only_on_request_and_if_unknown(root: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("clip_id,language,language_source\nid10002/a_cdef-hijk/00001,fr,annotator\n")
    cohort, said = imported("voxceleb1", root, tmp_path / "C", labels=tmp_path / "labels.csv", language="en")
    assert list(cohort.clips["language"]) == ["en", "en", "fr"]
    assert list(cohort.clips["language_source"]) == ["assumed", "assumed", "annotator"]
    assert "The language of 2 of 3 clips is assumed to be en, because --language says so; no clip was checked." in said
    for code in ("English", "und"):
        with pytest.raises(audit.AuditError, match=f"'{code}' is not a language code"):
            audit.import_cohort("voxceleb1", root, tmp_path / "D", language=code)


def test_a_nationality_becomes_a_group_only_by_the_users_own_table(root: Path, tmp_path: Path) -> None:
    plain, _ = audit.import_cohort("voxceleb1", root, tmp_path / "A")
    assert set(plain.speakers["group"]) == {"unknown"}
    (tmp_path / "map.csv").write_text("nationality,group\nIreland,white\nNorway,white\n")
    (tmp_path / "labels.csv").write_text("speaker_id,group,group_source\nid10002,black,self_reported\n")
    cohort, said = imported(
        "voxceleb1", root, tmp_path / "B", labels=tmp_path / "labels.csv", group_from_nationality=tmp_path / "map.csv"
    )
    assert cohort.speakers[["group", "group_source"]].to_numpy().tolist() == [
        ["white", "inferred"],
        ["black", "self_reported"],  # self-reported labels take precedence over inferred ones
    ]
    assert "NATIONALITY IS NOT RACE: the group of 1 of 2 speakers was inferred" in said
    (tmp_path / "map.csv").write_text("nationality,group\nAtlantis,white\n")
    lost, said = imported("voxceleb1", root, tmp_path / "E", group_from_nationality=tmp_path / "map.csv")
    assert set(lost.speakers["group"]) == {"unknown"} and "the group of 0 of 2 speakers was inferred" in said
    (tmp_path / "map.csv").write_text("nationality,group\nNorway,white\n")
    _, said = imported("voxceleb1", root, tmp_path / "C", group_from_nationality=tmp_path / "map.csv")
    assert "1 speakers of unknown group have a nationality that map.csv does not map" in said


def test_an_invalid_or_unused_nationality_table_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "map.csv").write_text("nationality,group\nIreland,whtie\nIreland,white\n")
    with pytest.raises(audit.CohortError) as caught:
        audit.import_cohort("voxceleb1", root, tmp_path / "C", group_from_nationality=tmp_path / "map.csv")
    assert len(caught.value.faults) == 2
    with pytest.raises(audit.AuditError, match="states no nationality"):
        audit.import_cohort(
            "mavceleb", mav(tmp_path / "mav"), tmp_path / "C", group_from_nationality=tmp_path / "map.csv"
        )


def faces(folder: Path, name: str, count: int = 8) -> Path:
    (folder / name).mkdir(parents=True, exist_ok=True)
    for i in range(count):
        Image.fromarray(fake_face("white")).save(folder / name / f"{i:07d}.jpg")
    return folder


def test_portraits_are_found_by_name_and_drawn_by_the_seed(root: Path, tmp_path: Path) -> None:
    folder = faces(faces(tmp_path / "VGG_ALL_FRONTAL", "Ann_Example"), "Nobody_Else")
    (folder / "Ann_Example" / "note.txt").touch()
    chosen = {}
    for seed in range(8):
        cohort, said = imported("voxceleb1", root, tmp_path / f"C{seed}", portraits=folder, seed=seed)
        chosen[seed] = cohort.speakers["portrait"].tolist()
        assert chosen[seed][0].startswith("portraits/Ann_Example/") and chosen[seed][1] == ""
        assert (cohort.root / chosen[seed][0]).is_file()
        assert f"Portraits of 1 speakers were chosen by seed {seed} among 8 pictures" in said
        assert "1 speakers have no portrait" in said
    assert len({row[0] for row in chosen.values()}) > 2
    faces(folder, "Bo.B_Example")  # pictures of another speaker do not change the draw
    again, _ = audit.import_cohort("voxceleb1", root, tmp_path / "D", portraits=folder, seed=3)
    assert again.speakers["portrait"].iloc[0] == chosen[3][0] and again.speakers["portrait"].iloc[1] != ""


def test_an_id_takes_precedence_over_a_name_and_a_shared_folder_is_not_used(root: Path, tmp_path: Path) -> None:
    folder = faces(faces(tmp_path / "faces", "Ann_Example"), "id10001")
    cohort, _ = audit.import_cohort("voxceleb1", root, tmp_path / "C", portraits=folder)
    assert cohort.speakers["portrait"].iloc[0].startswith("portraits/id10001/")
    (root / "vox1_meta.csv").write_text(
        "VoxCeleb1 ID\tVGGFace1 ID\tGender\nid10001\tBoth_Example\tf\nid10002\tBoth_Example\tm\n"
    )
    shared = faces(faces(tmp_path / "shared", "Both_Example"), "x")
    with pytest.raises(audit.AuditError, match="No speaker of the data set has a picture"):
        audit.import_cohort("voxceleb1", root, tmp_path / "D", portraits=shared)


def test_mavceleb_has_portraits(tmp_path: Path) -> None:
    data = mav(tmp_path / "mav")
    faces(data / "faces", "id0001/English/v1")
    cohort, _ = imported("mavceleb", data, tmp_path / "C")
    assert cohort.speakers["portrait"].iloc[0].startswith("files/faces/id0001/English/v1/")
    assert cohort.speakers["portrait"].iloc[1] == ""


def test_a_data_set_whose_faces_are_missing_is_imported_without(tmp_path: Path) -> None:
    data = mav(tmp_path / "mav")
    (data / "faces" / "id0001").mkdir(parents=True)
    cohort, said = imported("mavceleb", data, tmp_path / "C")
    assert set(cohort.speakers["portrait"]) == {""} and "2 speakers have no portrait" in said


def test_copied_portraits_need_no_download(root: Path, tmp_path: Path) -> None:
    folder = faces(tmp_path / "faces", "id10001")
    linked, _ = audit.import_cohort("voxceleb1", root, tmp_path / "L", portraits=folder)
    copied, _ = audit.import_cohort("voxceleb1", root, tmp_path / "C", portraits=folder, copy=True)
    assert linked.digest == copied.digest
    shutil.rmtree(folder)
    shutil.rmtree(root)
    read = audit.Cohort.read(tmp_path / "C")
    assert all((read.root / path).is_file() for path in [*read.clips["audio"], read.speakers["portrait"].iloc[0]])


def test_a_link_among_portraits_is_not_followed_out(root: Path, tmp_path: Path) -> None:
    folder = faces(tmp_path / "faces", "id10001", count=1)
    secret = faces(tmp_path / "secret", "x", count=1)
    for i in range(20):
        (folder / "id10001" / f"9{i}.jpg").symlink_to(secret / "x" / "0000000.jpg")
    cohort, said = imported("voxceleb1", root, tmp_path / "C", portraits=folder)
    assert cohort.speakers["portrait"].iloc[0] == "portraits/id10001/0000000.jpg"
    assert "20 links, folders or names among the portraits were skipped" in said
