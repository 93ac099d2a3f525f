"""By what the instrument's errors are known: portraits or a file; and the tables that come of it."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest

import audit
from audit.checks.calibration import read_calibration
from audit.core.errors import AuditError
from audit.core.plan import MeasureSettings
from audit.core.vocabulary import RACES

HEAD = "truth,read,subject\n"
TWENTY = "".join(f"{truth},{truth if i else 'white'},\n" for truth in ("asian", "white") for i in range(10))


@pytest.fixture
def write(tmp_path):
    def written(text, name="people.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return written


def truth(**given):
    return {
        "groups": ["asian", "white"],
        "speakers_per_group": 20,
        "clips_per_language": 2,
        "languages": ["en", "zh"],
        "portrait": {"asian": {"white": 0.2}},
        "rendered": {"asian": {"en": {"white": 0.6}}},
    } | given


def test_a_file_is_read(write):
    path = write(HEAD + "asian,white,p1\nasian,asian,p1\nwhite,white,\nwhite,black,\n")
    found = read_calibration(path)
    assert [RACES[i] for i in found.truth] == ["asian", "asian", "white", "white"]
    assert [RACES[i] for i in found.read] == ["white", "asian", "white", "black"]
    assert found.subject[0] == found.subject[1] and len(set(found.subject)) == 3
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_without_subjects_every_picture_is_its_own(write):
    assert len(set(read_calibration(write("read,truth\nasian,asian\nasian,asian\n")).subject)) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read"),
        (HEAD, "has no rows"),
        ("truth\nasian\n", "has no column read"),
        (HEAD + "asian,Asian,\n", "row 2: read 'Asian' is not a known label"),
        (HEAD + "asian,asian,\nunknown,asian,\n", "row 3: truth 'unknown' is not a known label"),
        (HEAD + "asian,asian,x\nwhite,asian,x\n", "subject 'x' has two truths"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(write, text, message):
    with pytest.raises(AuditError, match=message):
        read_calibration(write(text))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(AuditError, match="cannot be read.*Allowed: .portraits. or a CSV file.*measure"):
        read_calibration(tmp_path / "none.csv")


def test_its_path_is_taken_from_the_plans_own_folder(write, tmp_path):
    write(HEAD + TWENTY)
    plan = audit.Plan.read(write('[measure]\ncalibration = "people.csv"\n', "plan.toml"))
    assert plan.measure.calibration == str(tmp_path / "people.csv")
    assert audit.Plan.parse("").measure.calibration == "portraits"


def test_portraits_calibrate_unless_a_file_does(write):
    """Of 20 Asian speakers' portraits 4 or so are read as white; in the file it is 1 of 10."""
    run = audit.simulate(truth())
    path = write(HEAD + TWENTY)
    own = audit.measure(run)
    other = audit.measure(run, settings=MeasureSettings(calibration=str(path)))
    tables = [found.tables["confusion"].frame.set_index(["truth", "read"]) for found in (own, other)]
    read_white = run.observations.query("group == 'asian'").drop_duplicates("speaker_id")["portrait_race"].eq("white")
    assert tables[0].loc[("asian", "white"), "value"] == pytest.approx(read_white.mean())
    assert tables[1].loc[("asian", "white"), ["value", "n_speakers"]].tolist() == [0.1, 10]
    assert other.settings["calibration_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert "calibration_sha256" not in own.settings


def test_the_corrected_rate_is_the_binary_one_by_hand():
    """Two groups and two reads: (q + sp - 1) / (se + sp - 1), with white read right in all portraits of white."""
    run = audit.simulate(truth())
    found = audit.measure(run)
    table = found.tables["corrected"].frame.set_index(["stage", "group", "language", "read"])
    confusion = found.tables["confusion"].frame.set_index(["truth", "read"])["value"]
    row = table.loc[("rendered", "asian", "en", "asian")]
    expected = row["raw"] / confusion["asian", "asian"]
    assert row["value"] == pytest.approx(min(expected, 1))
    estimates = found.finding("S2F001").estimates
    assert estimates["rendered_corrected"].value == table.loc[("rendered", "asian", "en", "white"), "value"]
    assert estimates["rendered_corrected"].low == table.loc[("rendered", "asian", "en", "white"), "low"]
    assert (
        estimates["rendered_other_language_corrected"].value == table.loc[("rendered", "asian", "zh", "white"), "value"]
    )
    assert "makes the same errors on the corrected data as on the calibration" in found.tables["corrected"].note
    assert 1 < row["condition_number"] < 3 and 0 < row["effective_speakers"] < 20


def test_one_group_cannot_be_corrected_and_the_finding_says_so():
    run = audit.simulate(truth(groups=["asian"]))
    estimate = audit.measure(run, with_tables=False).finding("S2F001").estimates["rendered_corrected"]
    assert (estimate.value, estimate.n_speakers, estimate.n_clips) == (None, 20, 40)
    assert estimate.method == "not corrected: no calibration units of white; some would help"


def test_a_mixed_label_calibrates_nothing_and_is_corrected():
    run = audit.simulate(truth(groups=["asian|indian", "asian", "white"]))
    tables = audit.measure(run).tables
    assert set(tables["confusion"].frame["truth"]) == {"asian", "white"}
    assert "asian|indian" in set(tables["corrected"].frame["group"])


def test_the_same_run_gives_the_same_bytes_in_any_order_of_rows():
    run = audit.simulate(truth(missing=0.1))
    first = audit.measure(run)
    rows = np.random.default_rng(0).permutation(len(run.observations))
    shuffled = audit.Run(run.observations.iloc[rows].reset_index(drop=True), run.manifest)
    again = audit.measure(shuffled)
    for name in ("confusion", "corrected", "bounds"):
        pd.testing.assert_frame_equal(first.tables[name].frame, again.tables[name].frame, check_exact=True)


def test_the_bounds_of_missing_faces_and_of_unknown_groups():
    """White speakers always read as white; of the unknown, half are read as white, half as asian."""
    half = {"white": 0.5, "asian": 0.5}
    dial = {"unknown": {"en": half, "zh": half}}
    given = truth(groups=["white", "unknown"], portrait={"unknown": half}, ceiling=dial, rendered=dial, missing=0.2)
    run = audit.simulate(given)
    table = audit.measure(run).tables["bounds"].frame
    table = table[(table["metric"] == "read_own_group") & (table["language"] == "all")].set_index("not_known")
    clips = run.observations.query("group == 'white'")
    missing = clips["rendered_race"].isna().groupby(clips["speaker_id"]).mean()
    first = table.loc["missing faces"]
    assert (first["least"], first["most"]) == pytest.approx((1 - missing.mean(), 1.0))
    assert first["low"] < first["least"] and first["n_missing"] == clips["rendered_race"].isna().sum()
    second, others = table.loc["unknown groups"], run.observations.query("group == 'unknown'")
    shares = others["rendered_race"].dropna().eq("white").groupby(others["speaker_id"]).mean().sort_values()
    group = clips.dropna(subset=["rendered_race"])["speaker_id"].nunique()
    rates = [(group + shares.iloc[:n].sum()) / (group + n) for n in range(len(shares) + 1)]
    assert (second["least"], second["most"]) == pytest.approx((min(rates), 1.0))
    assert second["n_unknown"] == len(shares)


def test_where_nobody_is_unknown_no_bound_is_made_of_it():
    table = audit.measure(audit.simulate(truth())).tables["bounds"].frame
    assert set(table["not_known"]) == {"missing faces"}
