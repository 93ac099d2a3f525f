"""Tables that users bring: read as they are meant and reported, or refused with what was found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

import audit
from audit.core.attributes.attribute import Reads
from audit.core.attributes.gender import ATTRIBUTE
from tests.cli.test_cli import command
from tests.cohorts.test_datasets_adapters import imported
from tests.field.messy_tables import Mess, download, messes, outcome, rows

HEADING = "audio,speaker_id,language,language_source,group,group_source,gender,gender_source,age,portrait,rendered"
SPEAKERS = (("s005", "asian", "woman"), ("s008", "asian", "woman"), ("s012", "white", "man"), ("s014", "white", "man"))


def table() -> str:
    """Four speakers with two clips each, in the layout of the field cases."""
    lines = [HEADING]
    for i, (speaker, group, gender) in enumerate(SPEAKERS):
        for n, language in ((2 * i, "en"), (2 * i + 1, "zh")):
            labels = f"{speaker},{language},synthetic,{group},synthetic,{gender},synthetic,34"
            lines.append(f"calls/{n:04}.ogg,{labels},pics/{speaker}.jpg,pics/{speaker}.jpg")
    return "\n".join(lines) + "\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with the files of the table, which are empty, and without the table."""
    (tmp_path / "root" / "calls").mkdir(parents=True)
    (tmp_path / "root" / "pics").mkdir()
    for n in range(8):
        (tmp_path / "root" / "calls" / f"{n:04}.ogg").write_bytes(b"")
    for speaker, _, _ in SPEAKERS:
        (tmp_path / "root" / "pics" / f"{speaker}.jpg").write_bytes(b"")
    return tmp_path / "root"


@pytest.fixture
def clean(root: Path, tmp_path: Path) -> audit.Cohort:
    """The cohort of the plain table."""
    (root / "labels.csv").write_text(table())
    cohort, remarks = audit.import_cohort("folder", root, tmp_path / "clean")
    (root / "labels.csv").unlink()
    assert not remarks and len(cohort.speakers) == 4 and len(cohort.clips) == 8
    return cohort


def same(one: audit.Cohort, other: audit.Cohort) -> bool:
    return one.clips.equals(other.clips) and one.speakers.equals(other.speakers)


CASES = {
    "semicolon": (table().replace(",", ";"), "The cells of labels.csv are separated by semicolons."),
    "audio-column-named-path": (
        table().replace("audio", "path", 1),
        "The column 'path' of labels.csv was read as audio.",
    ),
    "excel-trailing-commas": (
        table().replace("\n", ",,,\r\n") + "," * 13 + "\r\n",
        "3 empty columns of labels.csv without a heading were left out.",
    ),
    "excel-separator-line": ("sep=;\r\n" + table().replace(",", ";"), "separated by semicolons"),
    "excel-utf-16": (
        "\ufeff" + table().replace(",", "\t"),
        "labels.csv is in UTF-16.\nThe cells of labels.csv are separated by tabs.",
    ),
    "heading-with-capitals-and-spaces": (
        table().replace("speaker_id", "Speaker ID").replace("group_source", "Group Source"),
        "The column 'Speaker ID' of labels.csv was read as speaker_id.",
    ),
    "backslash-audio": (
        table().replace("calls/", "calls\\"),
        "labels.csv: 8 paths in the column audio separate folders with \\, which was read as /.",
    ),
    "backslash-pictures": (
        table().replace("pics/", "pics\\"),
        "labels.csv: 8 paths in the column rendered separate folders with \\, which was read as /.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_table_in_the_habits_of_another_program_makes_the_same_cohort(
    root: Path, clean: audit.Cohort, tmp_path: Path, case: str
) -> None:
    text, remark = CASES[case]
    (root / "labels.csv").write_bytes(text.encode("utf-16-le" if case == "excel-utf-16" else "utf-8"))
    cohort, said = imported("folder", root, tmp_path / "C")
    assert same(cohort, clean) and remark in said


def test_absolute_paths_inside_the_folder_are_made_relative(root: Path, clean: audit.Cohort, tmp_path: Path) -> None:
    (root / "labels.csv").write_text(table().replace("calls/", f"{root}/calls/"))
    cohort, said = imported("folder", root, tmp_path / "C")
    assert same(cohort, clean) and "8 paths in the column audio are absolute and inside the folder" in said


def test_a_name_is_the_same_in_other_unicode_characters(root: Path, tmp_path: Path) -> None:
    (root / "calls/0000.ogg").rename(root / "calls" / "Jose\u0301.ogg")
    (root / "labels.csv").write_text(table().replace("0000", "Jos\u00e9"))
    cohort, said = imported("folder", root, tmp_path / "C")
    assert len(cohort.clips) == 8 and (cohort.root / "files/calls/Jose\u0301.ogg").exists()
    assert "1 paths in the column audio are composed of other Unicode characters" in said


def test_semicolons_are_recognised_in_a_given_table_and_in_labels(
    root: Path, clean: audit.Cohort, tmp_path: Path
) -> None:
    (root / "mine.csv").write_text(table().replace(",", ";"))
    cohort, said = imported("folder", root, tmp_path / "C", table="mine.csv")
    assert same(cohort, clean) and "The cells of mine.csv are separated by semicolons." in said
    (root / "mine.csv").write_text("speaker_id;age\ncalls;40\n")
    cohort, said = imported("folder", root, tmp_path / "D", labels=root / "mine.csv")
    assert list(cohort.speakers["age"]) == ["40"] or list(cohort.speakers["age"]) == [40]
    assert "The cells of mine.csv are separated by semicolons." in said


def test_pictures_that_do_not_exist_are_refused_or_counted(root: Path, tmp_path: Path) -> None:
    (root / "labels.csv").write_text(table().replace("jpg,pics/", "jpg,pix/"))
    with pytest.raises(
        audit.CohortError, match="None of the 8 files in the column rendered of the clips exists"
    ) as caught:
        audit.import_cohort("folder", root, tmp_path / "C")
    assert "the first: 'pix/s005.jpg'. Folders that do not exist: 'pix' in 8 rows (there is calls, pics)" in str(
        caught.value
    )
    (root / "labels.csv").write_text(table().replace("jpg,pics/s005", "jpg,pitcs/s005"))
    _, said = imported("folder", root, tmp_path / "C")
    assert "2 of 8 files in the column rendered of the clips do not exist, the first: 'pitcs/s005.jpg'." in said
    assert "'pitcs' in 2 rows (did you mean 'pics'?)" in said


def test_rows_with_a_picture_only_are_taken(root: Path, tmp_path: Path) -> None:
    lines = table().splitlines()
    (root / "labels.csv").write_text("\n".join([lines[0], *(line[line.index(",") :] for line in lines[1:])]))
    cohort, said = imported("folder", root, tmp_path / "C")
    assert list(cohort.clips["clip_id"][:2]) == ["pics/s005:en", "pics/s005:zh"]
    assert "8 rows of labels.csv have no audio: their clip_id is made from the picture." in said
    (root / "labels.csv").write_text("audio,speaker_id,rendered\n,s005,pics/s005.jpg\n,s008,pics/s005.jpg\n")
    with pytest.raises(
        audit.CohortError, match="row 3: there is no column clip_id, and .*'pics/s005' is also in an earlier row"
    ):
        audit.import_cohort("folder", root, tmp_path / "D")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (table().replace(",", ":"), "neither the column speaker_id nor clip_id.*headings are audio:speaker_id:lang"),
        (table().replace("speaker_id", "who"), "neither the column speaker_id nor clip_id.*headings are audio, who"),
        ("path,file,speaker_id\na,b,s1\n", "the columns 'path' and 'file' can both mean audio"),
        ("Audio,AUDIO,speaker_id\na,b,s1\n", "the columns 'Audio' and 'AUDIO' can both mean audio"),
        ("audio,x;speaker_id\na,b;s1\n", "can be split by commas .* and by semicolons"),
        ("audio,speaker_id\na,b,s1\n", "row 2: it has 3 cells and the heading has 2; cells are separated by commas"),
        ("audio,speaker_id,room,age\na,s1,big\nroom,30\n", "rows 2 to 3: they have together the cells of one row"),
        ("audio,speaker_id,room,age\ra,s1,big\rroom,30\r", "rows 2 to 3: they have together the cells of one row"),
        ("audio,speaker_id,room\na,s1,two\nlines\n", "row 3: it has one cell and the heading has 3"),
        ("audio,speaker_id,\na,s1,x\n", "column 3 has values and no heading, the first 'x' in row 2"),
        ('audio,speaker_id\na,"s\\"1"\n', "a backslash before a quotation mark"),
        ("'audio','speaker_id'\n'a','s1'\n", "has neither the column speaker_id|single quotation marks"),
        ("sep=x\naudioxspeaker_id\n", "begins with sep='x'. Allowed: cells separated by commas, semicolons"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_refused_with_what_was_found(root: Path, tmp_path: Path, text: str, words: str) -> None:
    (root / "labels.csv").write_text(text)
    with pytest.raises(audit.CohortError, match=words):
        audit.import_cohort("folder", root, tmp_path / "C")


def test_a_table_that_is_present_is_never_ignored(root: Path, tmp_path: Path) -> None:
    (root / "metadata.csv").write_text("file_name,speaker\ncalls/0000.ogg,s1\n")
    _, said = imported("folder", root, tmp_path / "A")
    assert "The adapter did not read metadata.csv: a table with a row per clip is named labels.csv" in said
    (root / "LABELS.TSV").write_text("speaker_id\tage\ncalls\t40\n")  # names no file: labels of the speakers
    cohort, said = imported("folder", root, tmp_path / "B")
    assert (
        list(cohort.speakers["age"].astype(float)) == [40] and "The age of 1 speakers is taken from LABELS.TSV" in said
    )
    (root / "labels.csv").write_text(table())
    with pytest.raises(audit.CohortError, match="has the tables LABELS.TSV, labels.csv"):
        audit.import_cohort("folder", root, tmp_path / "C")
    (root / "LABELS.TSV").unlink()
    (root / "labels.csv").rename(root / "labels.xlsx")
    with pytest.raises(audit.CohortError, match=r"has the table labels\.xlsx, a format that is not read"):
        audit.import_cohort("folder", root, tmp_path / "C")


@pytest.mark.parametrize(
    ("room", "encoding", "found"),
    [
        ("Café", "cp1252", "Windows-1252, Western European"),
        ("Café", "mac_roman", "Mac Roman"),
        ("Café", "cp850", "DOS 850"),
        ("Łódź", "cp1250", ""),  # half of the letters are foreign
        ("voilà", "cp1252", "it may be Windows-1252, Western European .voilà.; Windows-1250, Central European .voilŕ."),
        ("Иван", "cp1251", ""),
        ("日本語", "shift_jis", ""),
    ],
)
def test_an_encoding_is_recognised_only_if_it_is_certain(
    root: Path, tmp_path: Path, room: str, encoding: str, found: str
) -> None:
    (root / "labels.csv").write_bytes(f"audio,speaker_id,room\ncalls/0000.ogg,s1,{room}\n".encode(encoding))
    if not found or found.startswith("it may be"):
        with pytest.raises(audit.CohortError, match=f"labels.csv is not UTF-8.*{found}"):
            audit.import_cohort("folder", root, tmp_path / "C")
    else:
        cohort, said = imported("folder", root, tmp_path / "C")
        assert list(cohort.clips["room"]) == [room] and f"labels.csv is in {found}." in said


def test_the_tables_of_a_cohort_are_read_alike_and_its_digest_is_the_same(tmp_path: Path) -> None:
    speakers, clips = "speaker_id,group\ns1,asian\n", "clip_id,speaker_id,audio,language\nc1,s1,a/b.wav,en\n"
    cohorts = []
    for name in ("plain", "messy"):
        (tmp_path / name / "a").mkdir(parents=True)
        (tmp_path / name / "a" / "b.wav").write_bytes(b"")
        (tmp_path / name / "speakers.csv").write_text(speakers)
        (tmp_path / name / "clips.csv").write_text(clips)
    (tmp_path / "messy/speakers.csv").write_text(speakers.replace(",", ";").replace("group", "Group"))
    (tmp_path / "messy/clips.csv").write_text(clips.replace("/", "\\").replace("audio", "File"))
    for name in ("plain", "messy"):
        cohorts.append(audit.Cohort.read(tmp_path / name))
    assert same(*cohorts) and cohorts[0].digest == cohorts[1].digest and not cohorts[0].remarks
    assert cohorts[1].remarks == (
        "The cells of speakers.csv are separated by semicolons.",
        "The column 'Group' of speakers.csv was read as group.",
        "The column 'File' of clips.csv was read as audio.",
        "clips.csv: 1 paths in the column audio separate folders with \\, which was read as /.",
    )
    shown = command("cohort", "check", str(tmp_path / "messy"))
    assert "The cells of speakers.csv are separated by semicolons." in shown.stdout


def test_an_error_of_many_rows_is_reported_once_with_what_is_meant(root: Path, tmp_path: Path) -> None:
    (root / "labels.csv").write_text(
        table().replace("asian", "Southeast Asian").replace("woman", "Female").replace("white", "Latino_Hispanic|White")
    )
    with pytest.raises(audit.CohortError) as caught:
        audit.import_cohort("folder", root, tmp_path / "C")
    races = (
        "asian, indian, black, white, middle_eastern, latino_hispanic, several of them joined with |, unknown, or a "
        "label of your own"
    )
    declare = "A label that resembles one of these is accepted if cohort.toml declares it under [categories.group]."
    genders = "woman, man or unknown, or nonbinary, which is kept and not judged"
    first, second = "Also in rows 3, 4, 5.", "Also in rows 7, 8, 9."
    assert caught.value.faults == [
        f"labels.csv, row 2: group 'Southeast Asian'; allowed: {races} (did you mean 'asian'?). {declare} {first}",
        f"labels.csv, row 6: group 'Latino_Hispanic|White'; allowed: {races} "
        f"(did you mean 'latino_hispanic|white'?). {declare} {second}",
        f"labels.csv, row 2: gender 'Female'; allowed: {genders} (did you mean 'woman'?). {first}",
    ]


@pytest.mark.parametrize(
    ("column", "said", "meant"),
    [
        ("group", "East Asian", "asian"),
        ("group", "Southeast Asian", "asian"),
        ("group", "Middle Eastern", "middle_eastern"),
        ("group", "Latino_Hispanic", "latino_hispanic"),
        ("group", "Black", "black"),
        ("group", "Indian", "indian"),
        ("gender", "Male", "man"),
        ("gender", "F", "woman"),
        ("gender", "Non Binary", "nonbinary"),
    ],
)
def test_labels_of_other_data_sets_are_suggested(tmp_path: Path, column: str, said: str, meant: str) -> None:
    labels = {"group": "white", "gender": "man", column: said}
    (tmp_path / "speakers.csv").write_text(f"speaker_id,group,gender\ns1,{labels['group']},{labels['gender']}\n")
    (tmp_path / "clips.csv").write_text("clip_id,speaker_id,audio,language\nc1,s1,a.wav,en\n")
    with pytest.raises(audit.CohortError, match=f"{column} '{said}'; allowed: .*did you mean '{meant}'"):
        audit.Cohort.read(tmp_path)


def test_nonbinary_speakers_are_kept_counted_and_not_judged(root: Path, tmp_path: Path) -> None:
    text = table().replace("s005,en,synthetic,asian,synthetic,woman", "s005,en,synthetic,asian,synthetic,nonbinary")
    text = text.replace("s005,zh,synthetic,asian,synthetic,woman", "s005,zh,synthetic,asian,synthetic,nonbinary")
    (root / "labels.csv").write_text(text)
    cohort, _ = audit.import_cohort("folder", root, tmp_path / "C")
    assert list(cohort.speakers["gender"]) == ["nonbinary", "woman", "man", "man"]
    assert list(cohort.strata(("gender",))["gender"]) == ["man", "nonbinary", "woman"]
    (tmp_path / "C/speakers.csv").write_text((tmp_path / "C/speakers.csv").read_text().replace("nonb", "non-b"))
    again = audit.Cohort.read(tmp_path / "C")
    assert again.speakers.equals(cohort.speakers)
    assert again.remarks == ("1 labels in the column gender of speakers.csv are spelled nonbinary.",)
    frame = pd.DataFrame({"gender": ["woman", "woman", "nonbinary", "unknown"]})
    frame = frame.assign(read=["woman", "man", "woman", "woman"])
    assert ATTRIBUTE.score is not None
    scores = ATTRIBUTE.score(Reads(ATTRIBUTE, frame, np.ones(4, bool), {"label": "read"}))
    np.testing.assert_array_equal(scores["gender_right"], [1.0, 0.0, np.nan, np.nan])


@pytest.fixture(scope="module")
def messy_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return download(tmp_path_factory.mktemp("messy") / "root")


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(rows(), messes())
def test_a_messy_table_makes_the_right_cohort_or_is_refused(
    messy_root: Path, table: list[dict[str, str]], mess: Mess
) -> None:
    assert outcome(table, mess, messy_root, messy_root.parent) in ("equal", "refused")
