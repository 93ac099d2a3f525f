"""A cohort on disk: accepted input, and validation errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import audit
from audit.audits.cohort_check import check_cohort

SPEAKERS = "speaker_id,group,gender,age\ns1,asian,woman,30\ns2,white,man,\n"
CLIPS = "clip_id,speaker_id,audio,language\nc1,s1,a.wav,en\nc2,s1,b.wav,zh-TW\nc3,s2,c.wav,en\n"


def write(folder: Path, speakers: str = SPEAKERS, clips: str = CLIPS, encoding: str = "utf-8") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "speakers.csv").write_bytes(speakers.encode(encoding))
    (folder / "clips.csv").write_bytes(clips.encode(encoding))
    return folder


def errors(folder: Path) -> list[str]:
    with pytest.raises(audit.CohortError) as caught:
        audit.Cohort.read(folder)
    return caught.value.faults


def test_only_the_required_columns_are_required(tmp_path: Path) -> None:
    cohort = audit.Cohort.read(
        write(tmp_path, "speaker_id,group\ns1,unknown\n", "clip_id,speaker_id,audio,language\nc,s1,a.wav,en\n")
    )
    row = cohort.table.iloc[0]
    assert (row["gender"], row["portrait"], row["group_source"], row["language_source"]) == (
        "unknown",
        "",
        "unstated",
        "unstated",
    )
    assert pd.isna(row["age"])


def test_byte_order_mark_crlf_and_spaces_are_stripped(tmp_path: Path) -> None:
    plain = audit.Cohort.read(write(tmp_path / "plain"))
    marked = audit.Cohort.read(
        write(
            tmp_path / "marked",
            SPEAKERS.replace("\n", "\r\n").replace("asian", " asian "),
            CLIPS.replace("\n", "\r\n"),
            "utf-8-sig",
        )
    )
    pd.testing.assert_frame_equal(plain.table, marked.table)
    assert plain.digest == marked.digest


def test_the_digest_depends_on_content_not_order_or_format(tmp_path: Path) -> None:
    cohort = audit.Cohort.read(write(tmp_path / "one"))
    lines = CLIPS.strip().split("\n")
    reordered = audit.Cohort.read(write(tmp_path / "two", clips="\n".join([lines[0], *reversed(lines[1:])]) + "\n"))
    write(tmp_path / "three")
    pd.read_csv(tmp_path / "three" / "clips.csv").to_parquet(tmp_path / "three" / "clips.parquet")
    (tmp_path / "three" / "clips.csv").unlink()
    parquet = audit.Cohort.read(tmp_path / "three")
    changed = audit.Cohort.read(write(tmp_path / "four", SPEAKERS.replace("white", "black")))
    assert cohort.digest == reordered.digest == parquet.digest != changed.digest


def test_the_clusters_of_clips_are_kept_and_part_of_the_digest(tmp_path: Path) -> None:
    without = audit.Cohort.read(write(tmp_path / "without"))
    lines = CLIPS.strip().split("\n")
    clips = "\n".join(f"{line},{end}" for line, end in zip(lines, ["cluster", "v1", "", "v1"], strict=True)) + "\n"
    cohort = audit.Cohort.read(write(tmp_path / "with", clips=clips))
    assert cohort.table["cluster"].tolist() == ["v1", "", "v1"]
    assert "cluster" not in without.table
    assert cohort.digest != without.digest


@pytest.mark.parametrize(
    ("speakers", "clips", "error"),
    [
        (
            "speaker_id,group,cluster\ns1,asian,v\ns2,white,v\n",
            CLIPS,
            "speakers.csv: the column 'cluster' belongs to clips; allowed: only in clips.csv",
        ),
        (SPEAKERS, CLIPS + "c1,s2,d.wav,en\n", "clips.csv, row 5: clip_id 'c1' is also in row 2"),
        (
            SPEAKERS.replace("asian", "Asain"),
            CLIPS,
            "speakers.csv, row 2: group 'Asain'; allowed: .*did you mean 'asian'",
        ),
        (SPEAKERS.replace("asian", "asian|asian"), CLIPS, "group 'asian|asian'"),
        (SPEAKERS.replace("woman", "female"), CLIPS, "row 2: gender 'female'; allowed: woman, man or unknown"),
        (SPEAKERS.replace("30", "-3"), CLIPS, "row 2: age '-3'; allowed: years from 0 to 120"),
        (SPEAKERS.replace("30", "nan"), CLIPS, "row 2: age 'nan'"),
        (
            "speaker_id,group,split\ns1,asian,Train\ns2,white,\n",
            CLIPS,
            "row 2: split 'Train'; allowed: training, validation, audited, test, or empty .did you mean 'training'",
        ),
        (SPEAKERS, CLIPS.replace("zh-TW", "Chinese!"), "row 3: language 'Chinese!'; allowed: a BCP-47 code"),
        (
            SPEAKERS,
            CLIPS.replace("c3,s2", "c3,s9"),
            "row 4: speaker_id 's9'; allowed: a speaker_id of the speakers' table",
        ),
        (SPEAKERS, CLIPS.replace("b.wav", "../b.wav"), "row 3: audio '../b.wav' is outside the folder"),
        (SPEAKERS, CLIPS.replace("b.wav", "/etc/passwd"), "row 3: audio '/etc/passwd' is outside the folder"),
        (SPEAKERS, CLIPS.replace("b.wav", ""), "row 3: audio is empty"),
        (SPEAKERS, CLIPS.replace("language", "langage"), "the column 'language' is missing .did you mean 'langage'"),
        (SPEAKERS.replace("s2,", ","), CLIPS, "row 3: speaker_id is empty"),
        ("", CLIPS, "speakers.csv is not a CSV file"),
        (SPEAKERS + 's3,"white\n', CLIPS, "speakers.csv is not a CSV file"),
        (
            SPEAKERS + "s3,white,man,30,more\n",
            CLIPS,
            "speakers.csv, row 4: it has 5 cells and the heading has 4",
        ),  # not cut off in silence
        (SPEAKERS.replace("gender", "group"), CLIPS, "speakers.csv: the column 'group' occurs twice"),
        (SPEAKERS.replace("s2,white", "\n\ns2,whit"), CLIPS, "row 5: group 'whit'"),  # empty lines are lines
        (SPEAKERS.replace("30", "1_0"), CLIPS, "row 2: age '1_0'"),
        (
            SPEAKERS,
            CLIPS.replace("language", "language,group", 1).replace(",en\n", ",en,white\n"),
            "clips.csv: the column 'group' belongs to speakers; allowed: only in speakers.csv",
        ),
        (
            "speaker_id,group\ns1,asian\ns2,white\n",  # nor one that the speakers' table does without
            "clip_id,speaker_id,audio,language,split\nc1,s1,a.wav,en,training\n",
            "clips.csv: the column 'split' belongs to speakers; allowed: only in speakers.csv",
        ),
        (
            SPEAKERS.replace("age", "rendered"),
            CLIPS,
            "speakers.csv: the column 'rendered' belongs to clips; allowed: only in",
        ),
        (SPEAKERS.replace("age", "room"), CLIPS.replace("audio", "audio,room"), "'room' is also in speakers.csv"),
    ],
)
def test_an_error_is_reported_with_file_row_and_what_is_allowed(
    tmp_path: Path, speakers: str, clips: str, error: str
) -> None:
    with pytest.raises(AssertionError, match=error.replace("|", r"\|")):
        raise AssertionError("\n".join(errors(write(tmp_path, speakers, clips))))


@pytest.mark.parametrize(
    "name",
    [
        "rendered_race",
        "portrait_status",
        "ceiling_faces",
        "status",
        "seconds",
        "audio_sha256",
        "ceiling_similarity_dlib",
        "my_embedding_x",
        "nose_landmarks",
    ],
)
@pytest.mark.parametrize("table", ["speakers", "clips"])
def test_a_column_name_of_a_run_is_refused(tmp_path: Path, table: str, name: str) -> None:
    tables = {"speakers": SPEAKERS, "clips": CLIPS}
    tables[table] = tables[table].replace("\n", f",{name}\n", 1)
    assert errors(write(tmp_path, **tables)) == [
        f"{table}.csv: the column name {name!r} is reserved for runs; allowed: another name."
    ]


def test_all_errors_are_reported_at_once(tmp_path: Path) -> None:
    found = errors(
        write(tmp_path, SPEAKERS.replace("asian", "asain").replace("man,\n", "boy,\n"), CLIPS.replace("zh-TW", "?"))
    )
    assert len(found) == 3


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    assert "is not UTF-8" in errors(write(tmp_path, SPEAKERS.replace("s1", "sé"), encoding="latin-1"))[0]


def test_a_link_to_outside_the_cohort_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(b"")
    folder = write(tmp_path / "cohort")
    (folder / "a.wav").symlink_to(tmp_path / "secret.wav")
    assert "is outside the folder (through a link)" in errors(folder)[0]


def test_a_folder_link_to_outside_is_refused_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "a.wav").write_bytes(b"")
    folder = write(tmp_path / "cohort", clips=CLIPS.replace("a.wav", "x/y/a.wav").replace("b.wav", "x/own/b.wav"))
    (folder / "x").mkdir()
    (folder / "x" / "y").symlink_to(tmp_path / "secret", target_is_directory=True)
    (folder / "real").mkdir()
    (folder / "x" / "own").symlink_to(folder / "real", target_is_directory=True)
    assert [error.split(" is outside")[0] for error in errors(folder)] == ["clips.csv, row 2: audio 'x/y/a.wav'"]


@pytest.mark.parametrize("depth", [30, 5000])
def test_a_path_through_very_many_folders_is_accepted(tmp_path: Path, depth: int) -> None:
    cohort = audit.Cohort.read(write(tmp_path, clips=CLIPS.replace("a.wav", "d/" * depth + "a.wav")))
    assert len(cohort.clips) == 3


def test_very_many_errors_are_counted_only(tmp_path: Path) -> None:
    rows = "".join(f"s{i},asian|elf{i}\n" for i in range(20_000)) + "s0,white\n" * 20_000
    found = errors(write(tmp_path, "speaker_id,group\n" + rows, "clip_id,speaker_id,audio,language\nc,s1,a.wav,en\n"))
    assert len(found) == 51 and found[-1] == "... and 19951 more."


def test_an_unknown_key_of_cohort_toml_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "cohort.toml").write_text('name = "x"\nlicense = "y"\n')
    assert "license" in errors(folder)[0]


def test_training_speakers_are_excluded_and_counted(tmp_path: Path) -> None:
    cohort = audit.Cohort.read(write(tmp_path, "speaker_id,group,split\ns1,asian,training\ns2,white,audited\n"))
    audited = cohort.audited()
    assert list(audited.table["clip_id"]) == ["c3"]
    assert audited.set_aside == (
        "1 speakers with 2 clips are of the split training and were excluded: training speakers are not audited.",
    )


def test_the_portrait_of_a_clip_takes_precedence(tmp_path: Path) -> None:
    cohort = audit.Cohort.read(
        write(
            tmp_path,
            "speaker_id,group,portrait\ns1,asian,p.png\n",
            "clip_id,speaker_id,audio,language,portrait\nc1,s1,a.wav,en,own.png\nc2,s1,b.wav,en,\n",
        )
    )
    assert list(cohort.table["portrait"]) == ["own.png", "p.png"]


def test_the_check_counts_strata_sources_and_missing_files(make_cohort: Callable[..., Path]) -> None:
    folder = make_cohort(12)
    (folder / "audio" / "s3-en.wav").unlink()
    found = check_cohort(audit.Cohort.read(folder))
    strata = found.tables["Strata"]
    assert strata["n_clips"].sum() == 24
    assert list(strata["group"].unique()) == ["asian", "white"]
    files = found.tables["Files"].set_index("column")
    assert list(files.loc["audio", ["n_named", "n_missing", "first_missing"]]) == [24, 1, "audio/s3-en.wav"]
    assert found.tables["Label sources"].set_index("label").loc["group", "source"] == "synthetic"
    power = found.tables["Minimum detectable difference of a rate from a fixed value, by cell"]
    assert power[["group", "language", "n_speakers"]].to_numpy().tolist() == [
        ["asian", "en", 6],
        ["asian", "zh", 6],
        ["white", "en", 6],
        ["white", "zh", 6],
    ]


def declared(tmp_path: Path, categories: str, accents: str = "sco\nwel") -> Path:
    first, second = accents.split("\n")
    speakers = f"speaker_id,group,accent\ns1,asian,{first}\ns2,white,{second}\n"
    folder = write(tmp_path, speakers)
    (folder / "cohort.toml").write_text(categories)
    return folder


def test_declared_categories_give_words_and_their_order(tmp_path: Path) -> None:
    cohort = audit.Cohort.read(declared(tmp_path, '[categories.accent]\nwel = "welsh"\nsco = "scottish"\n'))
    assert list(cohort.speakers["accent"]) == ["scottish", "welsh"]
    assert cohort.notes.order == {"accent": ("welsh", "scottish")}


def test_a_value_that_is_not_declared_is_an_error(tmp_path: Path) -> None:
    found = errors(declared(tmp_path, '[categories]\naccent = ["sco", "irish"]\n'))
    allowed = "sco, irish, unknown or empty, by [categories.accent] of cohort.toml"
    assert found == [f"speakers.csv, row 3: accent 'wel'; allowed: {allowed}."]


def test_categories_of_a_column_that_no_table_has_are_an_error(tmp_path: Path) -> None:
    assert "categories of the column 'dialect'" in errors(declared(tmp_path, '[categories]\ndialect = ["a"]\n'))[0]


def test_two_values_cannot_have_the_same_words(tmp_path: Path) -> None:
    found = errors(declared(tmp_path, '[categories.accent]\nsco = "british"\nwel = "british"\n'))
    assert "must be different words" in found[0]


def test_declared_categories_are_part_of_the_digest(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    plain = audit.Cohort.read(declared(tmp_path / "a", 'name = "x"\n'))
    ordered = audit.Cohort.read(declared(tmp_path / "b", 'name = "x"\n[categories]\naccent = ["sco", "wel"]\n'))
    assert plain.digest != ordered.digest


def test_groups_that_are_no_race_labels_are_kept_and_reported(tmp_path: Path) -> None:
    cohort = audit.Cohort.read(write(tmp_path, "speaker_id,group\ns1,scottish\ns2,white\n"))
    assert list(cohort.speakers["group"]) == ["scottish", "white"]
    assert cohort.remarks[-1].startswith("The group of 1 speakers of speakers.csv is not a race label: scottish.")


def test_a_label_like_a_race_label_is_kept_if_it_is_declared(tmp_path: Path) -> None:
    folder = write(tmp_path, "speaker_id,group\ns1,caucasian\ns2,white\n")
    assert "did you mean 'white'?" in errors(folder)[0]
    (folder / "cohort.toml").write_text('[categories]\ngroup = ["caucasian", "white"]\n')
    assert list(audit.Cohort.read(folder).speakers["group"]) == ["caucasian", "white"]


def test_without_the_column_every_group_is_unknown(tmp_path: Path) -> None:
    cohort = audit.Cohort.read(write(tmp_path, "speaker_id\ns1\ns2\n"))
    assert set(cohort.speakers["group"]) == {"unknown"}
    assert cohort.remarks == ("speakers.csv has no column group: every group is unknown.",)
