"""Readings by people: a sheet that gives nothing away, and a filled one that is believed only where it fits."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import audit
from audit.audits.human_readings import draw, read_human_readings
from audit.audits.human_readings.sheet import FACES_ASKED
from audit.core.plan import RunSettings
from audit.core.vocabulary import RACES
from tests.fakes import NOT_A_FACE, ColourInstrument, LoudnessModel

MakeCohort = Callable[..., Path]


class Fainthearted(LoudnessModel):
    """Shows no face to the softest voices."""

    def _render(self, waveform):
        return NOT_A_FACE if (waveform**2).mean() ** 0.5 < 0.1025 else super()._render(waveform)


@pytest.fixture
def run(make_cohort: MakeCohort, tmp_path: Path) -> audit.Run:
    """Twelve asian, twelve white speakers in en and zh; the first three have no rendered face in zh."""
    return audit.run(
        audit.Cohort.read(make_cohort(24)), model=Fainthearted(), instrument=ColourInstrument(), out=tmp_path / "run"
    )


def filled(
    sheet: audit.audits.human_readings.LabellingSheet, path: Path, reader: str, say: Callable[[str], str]
) -> Path:
    """The sheet as a reader sends it back; ``say`` gives the answer of a clip."""
    clips = sheet.drawn.set_index("picture")["clip_id"]
    rows = list(csv.DictReader((sheet.folder / "sheet.csv").read_text().splitlines()))
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        if new:
            writer.writeheader()
        for row in rows:
            writer.writerow(row | {"reader": reader, "race": say(clips[row["picture"]])})
    return path


def test_a_sheet_draws_speakers_evenly_and_one_clip_of_each(run: audit.Run, tmp_path: Path) -> None:
    sheet = audit.labelling_sheet(run, tmp_path / "sheet", faces=19, seed=4)
    assert len(sheet.drawn) == 19
    assert sorted(sheet.strata["drawn"]) == [4, 5, 5, 5]
    assert not sheet.drawn.duplicated(["speaker_id", "language"]).any()
    # two of the three speakers without a face in zh are asian, one is white
    able = sheet.strata.set_index(["group", "language"])["speakers"].to_dict()
    assert able == {("asian", "en"): 12, ("asian", "zh"): 10, ("white", "en"): 12, ("white", "zh"): 11}
    read = run.observations.set_index("clip_id").loc[sheet.drawn["clip_id"], "rendered_status"]
    assert set(read) == {"ok"}


def test_every_speaker_has_the_same_chance(run: audit.Run) -> None:
    """Of ten speakers four are drawn, 200 times: each 80 times, within four standard errors (28)."""
    drawn = pd.concat([draw(run, 16, seed) for seed in range(200)])
    times = drawn[(drawn["group"] == "asian") & (drawn["language"] == "zh")]["speaker_id"].value_counts()
    assert len(times) == 10 and times.sum() == 800
    assert ((times - 80).abs() < 28).all()


def test_the_same_run_seed_and_number_give_the_same_sheet(run: audit.Run, tmp_path: Path) -> None:
    def files(name: str, **how: int) -> dict[str, bytes]:
        folder = audit.labelling_sheet(run, tmp_path / name, **how).folder
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    first = files("a", faces=12, seed=1)
    assert files("b", faces=12, seed=1) == first
    assert set(files("c", faces=12, seed=2)).isdisjoint(name for name in first if name.startswith("pictures"))


def test_nothing_in_a_sheet_gives_a_speaker_away(run: audit.Run, tmp_path: Path) -> None:
    sheet = audit.labelling_sheet(run, tmp_path / "sheet", faces=40)
    rows = list(csv.DictReader((sheet.folder / "sheet.csv").read_text().splitlines()))
    names = [row["picture"] for row in rows]
    assert names == sorted(names)  # an order that hangs on the names alone
    assert all(re.fullmatch("[0-9a-f]{16}", name) for name in names)
    assert {path.name for path in (sheet.folder / "pictures").iterdir()} == {f"{name}.png" for name in names}
    assert all(not row[column] for row in rows for column in ("reader", "race", "gender", "age", "remark"))
    page = (sheet.folder / "index.html").read_text()
    listed = json.loads(re.search(r'id="sheet">(.*?)</script>', page, re.DOTALL)[1])
    assert listed["pictures"] == names
    clips = run.observations[["clip_id", "speaker_id", "rendered_face"]].to_numpy().ravel()
    for path in ("sheet.csv", "index.html", "README.txt"):
        text = (sheet.folder / path).read_text()
        assert not [name for name in clips if isinstance(name, str) and re.search(rf"\b{re.escape(name)}\b", text)]


def test_the_page_asks_for_every_label_and_needs_no_network(run: audit.Run, tmp_path: Path) -> None:
    page = (audit.labelling_sheet(run, tmp_path / "sheet", faces=4).folder / "index.html").read_text()
    assert re.findall(r'data-answer="(\w+)"', page) == [*RACES, "cannot_tell", "no_face"]
    assert "A rendered face has no race" in page
    assert "http" not in page.replace("http-equiv", "")
    assert "default-src 'none'" in page


def test_a_sheet_is_refused_where_it_cannot_be_made(run: audit.Run, make_cohort: MakeCohort, tmp_path: Path) -> None:
    faceless = audit.run(
        audit.Cohort.read(make_cohort(8, name="other")),
        model=LoudnessModel(),
        instrument=ColourInstrument(),
        out=tmp_path / "faceless",
        settings=RunSettings(keep_faces=False),
    )
    with pytest.raises(audit.RunError, match=r"did not keep its faces.*keep_faces = true"):
        audit.labelling_sheet(faceless, tmp_path / "sheet")
    assert not (tmp_path / "sheet").exists()
    with pytest.raises(audit.RunError, match="exists and is not empty"):
        audit.labelling_sheet(run, tmp_path)
    with pytest.raises(audit.RunError, match="The sheet cannot have 0 faces"):
        audit.labelling_sheet(run, tmp_path / "sheet", faces=0)
    with pytest.raises(audit.RunError, match="incomplete"):
        audit.labelling_sheet(audit.Run(run.observations, dict(run.manifest, status="running")), tmp_path / "sheet")


def test_more_faces_than_there_are_draw_everyone(run: audit.Run, tmp_path: Path) -> None:
    sheet = audit.labelling_sheet(run, tmp_path / "sheet", faces=FACES_ASKED)
    assert (sheet.strata["drawn"] == sheet.strata["speakers"]).all()
    assert len(sheet.drawn) == 45


def test_readers_are_averaged(run: audit.Run, tmp_path: Path) -> None:
    """The instrument reads en as white, zh as asian. Ann agrees with it, Ben cannot tell en and skips zh."""
    sheet = audit.labelling_sheet(run, tmp_path / "sheet", faces=12)
    path = filled(sheet, tmp_path / "f.csv", "ann", lambda clip: "White" if clip.endswith("en") else "asian")
    filled(sheet, path, "ben", lambda clip: "cannot tell" if clip.endswith("en") else "")
    human = read_human_readings(path, run)
    english = human.frame[human.frame.index.str.endswith("en")]
    assert set(english["read_white"]) == {0.5} and set(english["read_cannot_tell"]) == {0.5}
    assert set(english["alike"]) == {0.5}
    other = human.frame[~human.frame.index.str.endswith("en")]
    assert set(other["read_asian"]) == {1.0} and set(other["alike"]) == {1.0}
    group = run.observations.set_index("clip_id")["group"]
    assert dict(other["read_own_group"]) == {clip: float(group[clip] == "asian") for clip in other.index}
    facts = human.facts
    assert (facts["n_pictures"], facts["n_readers"], facts["n_readings"], facts["n_not_read"]) == (12, 2, 18, 6)
    assert facts["sampling"]["seed"] == 0 and facts["sampling"]["faces"] == 12
    assert sum(row["drawn"] for row in facts["sampling"]["strata"]) == 12


def test_clips_may_be_named_themselves(run: audit.Run, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("clip_id,race\ns0-en,white\ns5-zh,no_face\ns7-en,\n")
    human = read_human_readings(path, run)
    assert human.frame.index.tolist() == ["s0-en", "s5-zh"]
    assert human.frame["read_no_face"].tolist() == [0.0, 1.0]
    assert human.facts["sampling"] is None and human.facts["n_not_read"] == 1
    notice = audit.measure(run, human_readings=path).run["notices"][-1]
    assert (
        "2 readings of 2 faces by 1 reader." in notice and "not known whether the faces are a random sample" in notice
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clip_id,race\ns0-en,caucasian\n", r"row 2: race 'caucasian'.*Allowed: asian, .*no_face, or empty"),
        ("clip_id,race\nnobody,white\n", r"row 2: clip_id 'nobody' has no rendered face"),
        ("clip_id,race\ns0-zh,white\n", r"row 2: clip_id 's0-zh' has no rendered face that the instrument read"),
        ("clip_id,race\ns0-en,white\ns0-en,asian\n", r"row 3: a reader without a name reads s0-en twice"),
        ("clip_id,reader,race\ns0-en,ann,white\ns0-en,ann,\n", r"row 3: reader 'ann' reads s0-en twice"),
        ("clip_id,read\ns0-en,white\n", r"lacks the column race"),
        ("picture,race\nabc,white\n", r"seed and faces have"),
        ("picture,race,seed,faces\nabc,white,0,10\n", r"picture 'abc' is not among the faces of this run's sheet"),
        ("picture,race,seed,faces\nabc,white,0,10\nabd,white,1,10\n", r"seed and faces have 2 pairs"),
        ("", r"has no row"),
    ],
)
def test_what_does_not_fit_is_refused(run: audit.Run, tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(text)
    with pytest.raises(audit.AuditError, match=message):
        read_human_readings(path, run)
    with pytest.raises(audit.AuditError, match="cannot be read"):
        read_human_readings(tmp_path / "absent.csv", run)


def test_a_sheet_of_another_run_or_seed_is_refused(run: audit.Run, make_cohort: MakeCohort, tmp_path: Path) -> None:
    sheet = audit.labelling_sheet(run, tmp_path / "sheet", faces=12, seed=1)
    path = filled(sheet, tmp_path / "f.csv", "ann", lambda _: "white")
    other = audit.run(
        audit.Cohort.read(make_cohort(24, name="other")),
        model=LoudnessModel(),
        instrument=ColourInstrument(),
        out=tmp_path / "other",
    )
    with pytest.raises(audit.AuditError, match="not among the faces of this run's sheet"):
        audit.measure(other, human_readings=path)
    path.write_text(path.read_text().replace(",1,12", ",2,12"))
    with pytest.raises(audit.AuditError, match="not among the faces of this run's sheet"):
        audit.measure(run, human_readings=path)


def test_people_correct_the_instrument_in_the_audit(run: audit.Run, tmp_path: Path) -> None:
    """People read every face as asian; the instrument reads those in English as white."""
    sheet = audit.labelling_sheet(run, tmp_path / "sheet", faces=36)
    path = filled(sheet, tmp_path / "f.csv", "ann", lambda _: "asian")
    plain, result = audit.measure(run), audit.measure(run, human_readings=path)
    estimates = result.finding("S2F001").estimates
    assert estimates["rendered"].value == 1.0
    assert estimates["rendered_prediction_powered"].value == 0.0
    assert estimates["rendered_prediction_powered"].high < 0.6
    assert "faces of 9 speakers read by 1 person" in estimates["rendered_prediction_powered"].method
    excess, finding = estimates["excess_over_portrait"], result.finding("S2F001")
    assert excess.value == 1.0
    assert finding.prediction_powered(excess) == estimates["excess_over_portrait_prediction_powered"]
    assert finding.prediction_powered(excess).text.startswith("0 points [")
    table = (
        result.tables["human_readings"]
        .frame.set_index(["metric", "group", "language", "read_by"])["value"]
        .sort_index()
    )
    assert table["read_white", "asian", "en"].to_dict() == {"instrument": 1, "people": 0, "prediction_powered": 0}
    assert table["read_own_group", "all", "all", "people"] == pytest.approx(0.5, abs=0.1)
    assert table["read_asian", "all", "all", "prediction_powered"] == pytest.approx(1)
    assert table["alike", "all", "en", "people"] == 0 and table["alike", "all", "zh", "people"] == 1
    # only added keys: all else is as without readings
    assert "human_readings" not in plain.run and "human_readings" not in plain.tables
    assert result.run["notices"][:-1] == plain.run["notices"]
    assert result.settings == plain.settings
    powered = {"rendered_prediction_powered", "excess_over_portrait_prediction_powered"}
    others = {name: f for name, f in estimates.items() if name not in powered}
    assert others == plain.finding("S2F001").estimates
    pd.testing.assert_frame_equal(result.frame(), plain.frame())
    assert audit.Audit.from_json(result.to_json()).to_json() == result.to_json()


def test_rows_of_the_file_in_another_order_give_the_same_audit(run: audit.Run, tmp_path: Path) -> None:
    sheet = audit.labelling_sheet(run, tmp_path / "sheet", faces=30)
    path = filled(sheet, tmp_path / "f.csv", "ann", lambda clip: RACES[len(clip) % 6])
    filled(sheet, path, "ben", lambda clip: RACES[int(clip[1]) % 6])
    head, *rows = path.read_text().splitlines()
    turned = tmp_path / "turned.csv"
    turned.write_text("\n".join([head, *rows[::-1]]) + "\n")
    first, second = (audit.measure(run, human_readings=file) for file in (path, turned))
    pd.testing.assert_frame_equal(first.tables["human_readings"].frame, second.tables["human_readings"].frame)


def test_the_table_says_what_the_single_estimate_says(run: audit.Run, tmp_path: Path) -> None:
    """The vectorised table and the estimate of one check agree, digit by digit."""
    sheet = audit.labelling_sheet(run, tmp_path / "sheet", faces=30)
    path = filled(sheet, tmp_path / "f.csv", "ann", lambda clip: ("white", "asian", "cannot_tell")[int(clip[1]) % 3])
    result = audit.measure(run, human_readings=path)
    frame = result.tables["human_readings"].frame.set_index(["metric", "group", "language", "read_by"])
    row = frame.loc["read_white", "asian", "en", "prediction_powered"]
    single = result.finding("S2F001").estimates["rendered_prediction_powered"]
    assert (row["value"], row["low"], row["high"], row["method"]) == (
        single.value,
        single.low,
        single.high,
        single.method,
    )


def test_a_plan_may_name_the_readings(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text('[measure]\nhuman_readings = "readings/filled.csv"\n')
    plan = audit.Plan.read(tmp_path / "plan.toml")
    assert plan.measure.human_readings == str((tmp_path / "readings/filled.csv").resolve())
    assert audit.Plan.parse("").measure.human_readings is None
