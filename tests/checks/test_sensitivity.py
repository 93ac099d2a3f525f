"""How wrong would this have to be: planted errors that no interval covers are named by the tipping points.

The three scenarios have a true excess beyond the margin that the figure does not show.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import audit
from audit.audits.measure import evidence_of
from audit.audits.tables.sensitivity import TABLE, sensitivity
from audit.audits.tables.spec import Source
from audit.checks import sensitivities
from audit.checks.catalogue.erasure import CHECK as ERASURE
from audit.checks.catalogue.failure_gap import CHECK as FAILURE_GAP
from audit.checks.catalogue.language_flip import CHECK as LANGUAGE_FLIP
from audit.checks.catalogue.rendered_as_white import CHECK as RENDERED_AS_WHITE
from audit.checks.sensitivity import DOUBTS, Sensitivity
from audit.core.plan import MeasureSettings
from tests.sensitivity_fixture import missing_if_white, without_face

SMALL = {"groups": ["asian", "black", "white"], "speakers_per_group": 20, "languages": ["en", "zh"]}


def rows(run: audit.Run, check: str = "S2F001", figure: str = "excess_over_portrait") -> pd.DataFrame:
    """The rows about one figure, by kind of error."""
    settings = MeasureSettings()
    table = TABLE.of(sensitivity(Source(evidence_of(run, settings), settings, {}))).frame
    return table[(table["check"] == check) & (table["figure"] == figure)].set_index("doubt")


def excess(run: audit.Run) -> Sensitivity:
    return next(iter(RENDERED_AS_WHITE.sensitivity(evidence_of(run, MeasureSettings()))))


def test_faces_that_are_missing_because_they_would_be_read_as_white() -> None:
    """Truth .15, margin .10; the faces of 9 % of the clips are missing and the verdict is not shown."""
    row = rows(missing_if_white()).loc["missing_faces"]
    assert row["outcome"] == "not_shown"
    assert 55 <= row["n_available"] <= 95
    assert row["n_to_change"] < row["n_available"] / 2
    assert (row["changes_to"], row["outcome_if_all"]) == ("inconclusive", "shown")
    assert row["n_to_change"] < row["n_to_reverse"] <= row["n_available"]
    assert row["if_all"] == pytest.approx(0.15, abs=0.04)
    assert f"If {row['n_to_change']} of the {row['n_available']} missing faces" in row["sentence"]


def test_rendered_faces_that_are_read_as_the_own_group_instead_of_white() -> None:
    """Truth .15; 60 % of such faces are read as asian, so the rate is .06 and the verdict not shown."""
    truth = {
        "groups": ["asian", "white"],
        "speakers_per_group": 300,
        "clips_per_language": 2,
        "rendered": {"asian": {"en": {"white": 0.06}}},
    }
    row = rows(audit.simulate(truth)).loc["misclassified_faces"]
    assert row["outcome"] == "not_shown"
    assert 0 < row["rate_to_change"] <= 0.6 and row["changes_to"] == "inconclusive"
    assert row["rate_to_change"] < row["rate_to_reverse"] <= 0.75


def test_one_label_in_ten_is_wrong() -> None:
    """Of 300 speakers labelled asian 30 are white and read so at every stage; the others' excess is .125."""
    truth = {
        "groups": ["asian", "black", "white"],
        "speakers_per_group": 300,
        "rendered": {"asian": {"en": {"white": 0.125}}},
    }
    run = audit.simulate(truth)
    frame = run.observations
    wrong = sorted(frame.loc[frame["group"] == "white", "speaker_id"].unique())[:30]
    replaced = sorted(frame.loc[frame["group"] == "asian", "speaker_id"].unique())[:30]
    frame = frame[~frame["speaker_id"].isin(replaced)].reset_index(drop=True)
    frame.loc[frame["speaker_id"].isin(wrong), "group"] = "asian"
    found = rows(replace(run, held=frame)).loc[["wrong_labels"]]
    assert (found["n_available"] == 300).all()
    assert found["n_to_change"].min() <= 30 and found["rate_to_change"].min() <= 0.1


def test_a_shown_verdict_is_asked_how_few_would_be_enough() -> None:
    truth = SMALL | {
        "speakers_per_group": 60,
        "missing": 0.2,
        "rendered": {"asian": {"en": {"white": 0.7}}},
        "clips_per_language": 2,
    }
    found = rows(audit.simulate(truth))
    assert set(found["outcome"]) == {"shown"} and set(found["direction"]) == {"lower"}
    assert set(found.loc[["missing_faces", "misclassified_faces"], "would_be"]) == {"read as other than white"}
    misclassified = found.loc["misclassified_faces"]
    assert misclassified["n_to_change"] < misclassified["n_to_reverse"] <= misclassified["n_available"]


def test_no_missing_face_is_said_so() -> None:
    row = rows(audit.simulate(SMALL)).loc[["missing_faces"]].iloc[0]
    assert row["n_available"] == 0 and row["n_to_change"] is pd.NA
    assert row["sentence"] == "Every clip of asian speakers has a readable face."


@pytest.mark.parametrize(
    "check", [RENDERED_AS_WHITE, LANGUAGE_FLIP, ERASURE, FAILURE_GAP], ids=lambda check: check.code
)
def test_without_a_change_the_figure_is_that_of_the_finding(check: audit.checks.Check) -> None:
    run = audit.simulate(SMALL | {"clips_per_language": 3, "icc": 0.3, "rendered": {"asian": {"en": {"white": 0.3}}}})
    evidence = evidence_of(run, MeasureSettings())
    finding, found = check.measure(evidence), list(check.sensitivity(evidence))
    assert found
    for each in found:
        known = finding.select(each.figure.name, each.figure.group, each.figure.language)
        assert known is not None and known.verdict == each.figure.verdict
        assert replace(each.figure, n_smaller=None) == replace(known, n_smaller=None)
        again = each.changed("wrong_labels", True, 0)
        assert (again.value, again.verdict) == (each.figure.value, each.figure.verdict)


def test_the_changed_value_by_hand() -> None:
    """All four languages of reads by hand: 20 speakers with one English clip each, no portrait read as white."""
    run = audit.simulate(SMALL)
    found = excess(run)
    assert found.figure.value == 0
    assert found.changed("misclassified_faces", True, 5).value == pytest.approx(5 / 20)
    assert found.rate("misclassified_faces", True, 5) == 1.0  # none of the faces that should be read so is
    # the worst labels: white speakers, whose portraits and rendered faces are read as white, add no excess
    assert found.changed("wrong_labels", True, 4).value == 0
    frame = run.observations.copy()
    english = frame[(frame["group"] == "asian") & (frame["language"] == "en")].sort_values("clip_id").index
    lost = without_face(frame, english[:3])
    found = excess(replace(run, held=lost))
    assert found.n_missing == 3
    assert found.changed("missing_faces", True, 2).value == pytest.approx(2 / 20)
    assert found.changed("missing_faces", True, 3).value == pytest.approx(3 / 20)
    assert found.changed("missing_faces", True, 3).n_speakers == 20 and found.figure.n_speakers == 17


def test_a_clip_with_unusable_audio_or_without_portrait_is_no_missing_face() -> None:
    run = audit.simulate(SMALL)
    frame = run.observations.copy()
    english = frame[(frame["group"] == "asian") & (frame["language"] == "en")].sort_values("clip_id").index
    frame = without_face(frame, english[:4])
    frame.loc[english[0], "status"] = "audio_silent"
    frame.loc[english[1], ["status", "portrait_status"]] = ["portrait_missing", "missing"]
    frame.loc[english[1], "portrait_race"] = None
    assert excess(replace(run, held=frame)).n_missing == 2


def test_the_answer_depends_neither_on_the_order_of_rows_nor_on_names() -> None:
    truth = SMALL | {
        "missing": 0.15,
        "icc": 0.4,
        "clips_per_language": 3,
        "rendered": {"asian": {"en": {"white": 0.1}}},
    }
    run = audit.simulate(truth)
    names = {name: f"s{i * 7 % 61}" for i, name in enumerate(sorted(run.observations["speaker_id"].unique()))}
    other = run.observations.sample(frac=1, random_state=1).reset_index(drop=True)
    other["speaker_id"] = other["speaker_id"].map(names)
    for one, two in zip(
        RENDERED_AS_WHITE.sensitivity(evidence_of(run, MeasureSettings())),
        RENDERED_AS_WHITE.sensitivity(evidence_of(replace(run, held=other), MeasureSettings())),
        strict=True,
    ):
        for doubt in DOUBTS:
            for number in (1, 3, 7):
                assert one.changed(doubt, True, number) == two.changed(doubt, True, number), (doubt, number)


def test_small_cells_are_suppressed() -> None:
    run = missing_if_white(speakers=30)
    frame = run.observations
    kept = frame["speaker_id"].isin(sorted(frame.loc[frame["group"] == "asian", "speaker_id"].unique())[:6])
    few = replace(run, held=frame[kept | (frame["group"] != "asian")].reset_index(drop=True))
    table = audit.measure(few, settings=MeasureSettings(suppress_below=10)).tables["sensitivity"].frame
    hidden = table[table["group"] == "asian"]
    assert len(hidden)
    assert hidden[["n_available", "n_to_change", "rate_to_change", "if_all", "n_speakers"]].isna().all().all()
    assert hidden["sentence"].str.startswith("suppressed").all()


def test_a_group_with_other_numbers_of_clips_is_filled_as_a_whole() -> None:
    """Every missing face is filled, one way or the other: the counts do not depend on the number."""
    found = excess(missing_if_white(speakers=40))
    least, most = (found.changed("missing_faces", True, number) for number in (0, found.n_missing))
    assert least.n_clips == most.n_clips == found.figure.n_clips + found.n_missing
    assert np.isclose(most.value - least.value, found.n_missing / most.n_clips)


def test_a_third_party_check_that_fails_is_named() -> None:
    class Broken(type(ERASURE)):
        code = "LAB009"

        def sensitivity(self, evidence: audit.checks.Evidence) -> None:
            raise ZeroDivisionError("by zero")

    evidence = evidence_of(audit.simulate(SMALL), MeasureSettings())
    with pytest.raises(audit.AuditError, match="The sensitivity of LAB009 failed: ZeroDivisionError: by zero"):
        list(sensitivities(Broken(), evidence))
