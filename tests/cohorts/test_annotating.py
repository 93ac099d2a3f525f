"""A round of labelling: a blind sheet, answers that must fit it, and labels, alpha and bounds computed by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

import audit
from audit.cli import app
from audit.cohorts.annotating import AnnotationSheet, annotation_round, annotation_sheet, read_answers
from audit.cohorts.annotating.sheet import ANSWER_COLUMNS
from tests.fakes import ColourInstrument, LoudnessModel, fake_face

MakeCohort = Callable[..., Path]
SWAPPED = {"asian": "white", "white": "asian"}


@pytest.fixture
def cohort(make_cohort: MakeCohort) -> audit.Cohort:
    """Twenty speakers s0 to s19, even ones asian, the others white."""
    return audit.Cohort.read(make_cohort(20))


@pytest.fixture
def sheet(cohort: audit.Cohort, tmp_path: Path) -> AnnotationSheet:
    return annotation_sheet(cohort, tmp_path / "sheet")


def filled(sheet: AnnotationSheet, annotator: str, wrong: str = "", unsure: str = "") -> Path:
    """The table that an annotator saves, who takes the group of some speakers for the other and cannot tell others."""
    rows = []
    for picture, speaker in sheet.speaker_of.items():
        group = ("asian", "white")[int(speaker[1:]) % 2]
        group = "cannot tell" if speaker in unsure.split() else SWAPPED[group] if speaker in wrong.split() else group
        gender = ("woman", "man")[int(speaker[1:]) // 2 % 2]
        rows.append((picture, annotator, group, gender, "30_to_39", f"about {annotator}", 0))
    path = sheet.page.parent / f"{annotator}.csv"
    pd.DataFrame(rows, columns=ANSWER_COLUMNS).to_csv(path, index=False)
    return path


def test_nothing_in_a_sheet_gives_a_speaker_or_a_label_away(cohort: audit.Cohort, tmp_path: Path) -> None:
    noted = Image.fromarray(fake_face("asian"))
    exif = noted.getexif()
    exif[0x010E] = "Ada Imaginary"
    noted.save(cohort.root / "portraits" / "s0.png", exif=exif)
    (cohort.root / "portraits" / "s1.png").write_bytes(b"no picture")
    (cohort.root / "portraits" / "s2.png").unlink()
    sheet = annotation_sheet(cohort, tmp_path / "sheet", seed=3)
    assert (len(sheet.speaker_of), sheet.n_without, sheet.n_unreadable) == (18, 1, 1)
    names = [*sheet.speaker_of]
    assert names == sorted(names) and all(re.fullmatch("[0-9a-f]{16}", name) for name in names)
    pictures = sheet.page.parent / "pictures"
    assert {path.stem for path in pictures.iterdir()} == {*names}
    assert not any(b"Imaginary" in path.read_bytes() for path in pictures.iterdir())
    page = sheet.page.read_text()
    assert json.loads(re.search(r'id="sheet">(.*?)</script>', page, re.DOTALL)[1])["pictures"] == names
    assert not re.search(r"\bs[0-9]+\b|portraits/|synthetic|unsafe|https?:", page)
    # a smaller sheet is the beginning of a larger one, and another seed gives other names
    few = [*annotation_sheet(cohort, tmp_path / "few", speakers=5, seed=3).speaker_of]
    assert few == names[: len(few)] and len(few) in (4, 5)
    assert {*annotation_sheet(cohort, tmp_path / "other", seed=4).speaker_of}.isdisjoint(names)
    with pytest.raises(audit.CohortError, match="exists and is not empty"):
        annotation_sheet(cohort, tmp_path / "sheet")
    with pytest.raises(audit.CohortError, match="cannot have 0 speakers"):
        annotation_sheet(cohort, tmp_path / "new", speakers=0)


def test_two_annotators_by_hand(cohort: audit.Cohort, sheet: AnnotationSheet) -> None:
    """Ben takes one asian and one white speaker of twenty for the other group.

    Coincidences of group: 4 of 40 are mixed, and there are 20 labels of each. D_o = 4 / 40,
    D_e = 2 * 20 * 20 / (40 * 39), alpha = 1 - 0.1 / (800 / 1560) = 0.805.
    """
    made = annotation_round(cohort, [filled(sheet, "ann"), filled(sheet, "ben", wrong="s0 s1")])
    group = made.agreement["group"]
    assert (group.alpha, group.n_units, group.n_labels) == (pytest.approx(0.805), 20, 40)
    assert group.low < 0.805 < group.high == 1
    assert made.agreement["gender"].alpha == 1
    assert "only one label occurs" in made.agreement["age_band"].method
    labels = made.labels.set_index("speaker_id")
    columns = ["group", "group_source", "gender", "group_votes"]
    assert labels.loc["s0", columns].tolist() == ["unknown", "annotator", "woman", "asian:1 white:1"]
    assert labels.loc["s2", columns].tolist() == ["asian", "annotator", "man", "asian:2"]
    assert set(labels["age_band"]) == {"30_to_39"} and "age" not in labels
    assert len(made.annotations) == 40 and set(made.annotations["background"]) == {"about ann", "about ben"}


def test_three_annotators_by_hand(cohort: audit.Cohort, sheet: AnnotationSheet) -> None:
    """Each errs on one speaker, and the third cannot tell s3, who is white: 59 labels.

    Of s0, s1 and s2 one label differs: 2 mixed coincidences each way, 12 / 2 in all. There are 30 - 2 + 1 = 29 labels
    asian and 30 white: D_o = 6 / 59, D_e = 2 * 29 * 30 / (59 * 58), alpha = 1 - 6 * 58 / (2 * 29 * 30) = 0.8.
    """
    third = filled(sheet, "cat", wrong="s2", unsure="s3")
    made = annotation_round(
        cohort, [filled(sheet, "ann", wrong="s0"), filled(sheet, "ben", wrong="s1"), third], age=True
    )
    assert (made.agreement["group"].alpha, made.agreement["group"].n_labels) == (pytest.approx(0.8), 59)
    labels = made.labels.set_index("speaker_id")
    assert labels["group"].tolist() == [("asian", "white")[int(speaker[1:]) % 2] for speaker in labels.index]
    assert labels["group_votes"][["s0", "s3"]].tolist() == ["asian:2 white:1", "white:2 unknown:1"]
    assert set(labels["age"]) == {"35"}


def test_the_labels_are_imported_and_their_disputes_bound_the_audit(
    cohort: audit.Cohort, sheet: AnnotationSheet, tmp_path: Path
) -> None:
    answers = [filled(sheet, "ann"), filled(sheet, "ben"), filled(sheet, "cat", wrong="s0 s1 s3")]
    labels = tmp_path / "labels.csv"
    assert len(pd.read_csv(annotation_round(cohort, answers).write(labels))) == 60
    with pytest.raises(audit.CohortError, match="already exists"):
        annotation_round(cohort, answers).write(labels)
    rows = cohort.clips[["speaker_id", "audio", "language", "language_source"]].merge(
        cohort.speakers[["speaker_id", "portrait"]]
    )
    rows.to_csv(cohort.root / "labels.csv", index=False)
    made, remarks = audit.import_cohort("folder", cohort.root, tmp_path / "made", labels=labels)
    assert "The group_votes of 20 speakers is taken from labels.csv." in remarks
    assert set(made.speakers["group_source"]) == {"annotator"}
    run = audit.run(made, model=LoudnessModel(), instrument=ColourInstrument(), out=tmp_path / "run")
    tables = audit.measure(run).tables
    rows = tables["bounds"].frame.set_index(["metric", "group", "language", "not_known"])
    # all English clips are rendered as white
    assert rows.loc[("read_white", "asian", "en", "disputed labels"), ["least", "most"]].tolist() == [1, 1]
    assert rows.loc[("read_own_group", "asian", "all", "disputed labels"), "n_unknown"] == 3
    # the portraits of s1 and s3 are read as white: the excess is 9 / 11 if they are asian and s0 is not
    row = tables["sensitivity"].frame.set_index(["check", "doubt"]).loc[("S2F001", "disputed_labels")]
    assert row["if_all"] == pytest.approx(9 / 11)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("picture", "abc", r"ann.csv, row 2: the picture 'abc' is not a portrait of this cohort"),
        ("group", "caucasian", r"row 2: group 'caucasian'; allowed: asian, .*joined with \|, cannot_tell, or empty"),
        ("group", "asian|cannot tell", r"row 2: group 'asian\|cannot tell'"),
        ("gender", "nonbinary", r"row 2: gender 'nonbinary'; allowed: woman, man, cannot_tell"),
        ("age_band", "35", r"row 2: age_band '35'; allowed: 0_to_9, .*70_or_more"),
        ("annotator", "", r"row 2: an answer without annotator"),
        ("annotator", "ben", r"the annotator 'ben' labels '[0-9a-f]{16}' also in ann.csv, row 2"),
        ("seed", "1", r"ann.csv does not identify its sheet: the column seed has 2 values"),
    ],
)
def test_what_does_not_fit_is_refused(
    cohort: audit.Cohort, sheet: AnnotationSheet, column: str, value: str, message: str
) -> None:
    ann, ben = filled(sheet, "ann"), filled(sheet, "ben")
    rows = pd.read_csv(ann, dtype=str)
    rows.loc[0, column] = value
    rows.to_csv(ann, index=False)
    with pytest.raises(audit.CohortError, match=message):
        read_answers([ann, ben], cohort)


def test_a_sheet_of_another_cohort_and_a_single_annotator_are_refused(
    cohort: audit.Cohort, sheet: AnnotationSheet, make_cohort: MakeCohort
) -> None:
    ann = filled(sheet, "ann")
    with pytest.raises(audit.CohortError, match="is not a portrait of this cohort"):
        read_answers([ann], audit.Cohort.read(make_cohort(20, name="other", faces=20)))
    with pytest.raises(audit.CohortError, match="the annotator 'ann' labels .* also in ann.csv, row 2"):
        annotation_round(cohort, [ann, ann])
    with pytest.raises(audit.CohortError, match="The answers are of 1 annotators: ann"):
        annotation_round(cohort, [ann])
    ann.write_text("picture,annotator\n")
    with pytest.raises(audit.CohortError, match="lacks the columns seed"):
        annotation_round(cohort, [ann])


def test_votes_of_another_form_are_refused_in_a_cohort(make_cohort: MakeCohort) -> None:
    folder = make_cohort(4)
    speakers = pd.read_csv(folder / "speakers.csv").assign(group_votes=["asian:2", "", "asian", "white:1 white:1"])
    speakers.to_csv(folder / "speakers.csv", index=False)
    with pytest.raises(audit.CohortError, match=r"row 4: group_votes 'asian'; allowed: LABEL:NUMBER of race labels"):
        audit.Cohort.read(folder)


def test_the_command_writes_sheet_and_labels(cohort: audit.Cohort, sheet: AnnotationSheet, tmp_path: Path) -> None:
    def annotate(*words: object) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["cohort", "annotate", str(cohort.root), *map(str, words)])
        return done.exit_code, done.stdout if done.exception is None else str(done.exception)

    assert annotate("-o", tmp_path / "new") == (0, f"{tmp_path / 'new' / 'index.html'}\n")
    answers = [
        word for name in ("ann", "ben") for word in ("--answers", filled(sheet, name, wrong="s0" * (name == "ben")))
    ]
    code, text = annotate(*answers, "-o", tmp_path / "labels.csv", "--json")
    document = json.loads(text)
    assert (code, document["n_speakers"], document["n_annotators"]) == (0, 20, 2)
    assert document["n_unknown"] == {"group": 1, "gender": 0} and 0.8 < document["agreement"]["group"]["alpha"] < 1
    assert "--speakers is about a new sheet" in annotate(*answers, "-o", tmp_path / "x", "--speakers", 2)[1]
    assert "--age is about answers" in annotate("-o", tmp_path / "x", "--age")[1]
