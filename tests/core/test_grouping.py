"""Groupings of clips by any columns, and the labels that groups may have."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import audit
from audit.checks.strata import Strata
from audit.core.errors import PlanError
from audit.core.group_labels import fault, meant
from audit.core.grouping import GROUP, Grouping
from audit.core.plan import MeasureSettings, Plan
from audit.core.vocabulary import group_members, ordered_groups


def clips(**columns: list[object]) -> Strata:
    number = len(next(iter(columns.values())))
    given = {"speaker_id": [f"s{i}" for i in range(number)], "group": "asian", "gender": "man", "language": "en"}
    return Strata(pd.DataFrame(given | columns))


@pytest.mark.parametrize("text", ["accent", "accent x gender", "group x gender x language"])
def test_a_grouping_is_written_as_it_is_read(text: str) -> None:
    assert Grouping.parse(text).name == text


@pytest.mark.parametrize("text", ["", "accent x ", "accent x accent"])
def test_a_grouping_needs_different_columns(text: str) -> None:
    with pytest.raises(ValueError, match="needs different columns"):
        Grouping.parse(text)


def test_a_plan_names_groupings() -> None:
    plan = Plan.parse('[measure]\ngroup_by = ["accent", "accent x gender", "group"]\n')
    assert [grouping.name for grouping in plan.measure.groupings] == ["group", "accent", "accent x gender"]
    with pytest.raises(PlanError, match="needs different columns"):
        Plan.parse('[measure]\ngroup_by = ["accent x accent"]\n')


def test_the_default_grouping_is_that_by_group() -> None:
    strata = clips(group=["white", "asian"])
    assert strata.by(GROUP) is strata
    assert strata.cell_of("asian") == {}
    assert MeasureSettings().groupings == (GROUP,)


def test_a_clip_with_an_unknown_value_is_in_no_group() -> None:
    strata = clips(accent=["welsh", "", "unknown", None, "welsh"], gender=["man", "man", "man", "man", "unknown"])
    of = strata.by(Grouping(("accent", "gender")))
    assert of.groups == ["welsh, man"]
    assert of.known.tolist() == [True, False, False, False, False]
    assert of.cell_of("welsh, man") == {"accent": "welsh", "gender": "man"}


def test_an_undetermined_language_is_unknown() -> None:
    assert clips(language=["en", "und"]).by(Grouping(("group", "language"))).groups == ["asian, en"]


def test_crossings_are_in_the_order_of_their_columns() -> None:
    strata = clips(group=["white", "asian", "asian", "white"], gender=["woman", "woman", "man", "man"])
    found = strata.by(Grouping(("group", "gender"))).groups
    assert found == ["asian, man", "asian, woman", "white, man", "white, woman"]


def test_a_declared_order_precedes_the_alphabet() -> None:
    frame = clips(accent=["scottish", "welsh", "irish"]).frame
    strata = Strata(frame, order={"accent": ("welsh", "scottish")})
    assert strata.by(Grouping(("accent",))).groups == ["welsh", "scottish", "irish"]


def test_race_labels_are_known_in_every_crossing_with_group() -> None:
    strata = clips(group=["asian|indian", "scottish"])
    assert strata.races_of("asian|indian") == {"asian", "indian"}
    assert strata.by(Grouping(("group", "gender"))).races_of("asian|indian, man") == {"asian", "indian"}
    assert strata.by(Grouping(("gender",))).races_of("man") == frozenset()
    assert strata.races_of("scottish") == frozenset()


def test_race_labels_are_found_whatever_the_grouping() -> None:
    strata = clips(group=["asian", "white"], gender=["woman", "man"]).by(Grouping(("gender",)))
    assert strata.where(race="asian").tolist() == [True, False]
    assert strata.where(group="man").tolist() == [False, True]


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("speaker_id", ["a", "b", "c"], "columns of the run"),
        ("dialect", None, "columns of the run: .*gender"),
        ("age", [20.0, 30.0, 40.0], "'age' cannot be divided into two bands"),
    ],
)
def test_some_columns_are_no_grouping(column: str, values: list[object] | None, words: str) -> None:
    strata = clips(gender=["man"] * 3) if values is None else clips(**{column: values})
    with pytest.raises(PlanError, match=words):
        strata.by(Grouping((column,)))


def test_numbers_are_divided_into_bands() -> None:
    ages = [float(age) for age in range(18, 66)]
    of = clips(age=[*ages, float("nan")]).by(Grouping(("age",)))
    assert of.every_group == ["up to 29", "30 to 39", "40 to 49", "50 and over", "unknown"]
    assert of.where(group="30 to 39").tolist()[:13] == [False] * 12 + [True]
    assert of.cell_of("50 and over") == {"age": "50 and over"}
    assert of.frame["age"].tolist()[:48] == ages, "the numbers stay"


def test_bands_do_not_depend_on_the_clips_that_are_left_out() -> None:
    """A band has the same edges whichever clips an audit can use."""
    run = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 40}, seed=2)
    frame = run.observations.copy()
    lost = frame.index[frame["age"] > 50]
    whole = audit.measure(audit.Run(frame, run.manifest), group_by=["age"], tables=())
    frame.loc[lost, "status"] = "audio_unreadable"
    part = audit.measure(audit.Run(frame, run.manifest), group_by=["age"], tables=())
    bands = list(whole.finding("S2F006", by="age").by_group)
    assert set(part.finding("S2F006", by="age").by_group) <= set(bands)


def test_too_many_groups_are_refused() -> None:
    with pytest.raises(PlanError, match="has 2,001 groups"):
        clips(name=[f"n{i}" for i in range(2001)]).by(Grouping(("name",)))


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Asian", "asian"),
        ("asain", "asian"),
        ("Caucasian", "white"),
        ("African-American", "black"),
        ("Latino/Hispanic", "latino_hispanic"),
        ("N/A", "unknown"),
        ("Unknown", "unknown"),
        ("scottish", ""),
        ("nigerian english", ""),
        ("Austrian", ""),
        ("indian english", ""),
        ("asian|indian", ""),
    ],
)
def test_misspelled_race_labels_are_not_taken_for_other_groups(label: str, expected: str) -> None:
    assert meant(label) == expected
    assert bool(fault(label)) == bool(expected)


def test_only_race_labels_are_joined() -> None:
    assert "only race labels are joined" in fault("scottish|welsh")
    assert group_members("scottish|welsh") == frozenset()


def test_numbers_in_labels_sort_as_numbers() -> None:
    assert ordered_groups(["age 100", "age 9", "age 20.5"]) == ["age 9", "age 20.5", "age 100"]


def test_findings_of_a_grouping_equal_those_of_the_same_labels_as_groups() -> None:
    """A column with the labels of ``group`` gives the same figures, whatever it is called."""
    truth = {
        "groups": ["asian", "white", "black"],
        "speakers_per_group": 12,
        "missing": {"asian": 0.4},
        "gender_right": {"white": 0.5},
    }
    run = audit.simulate(truth, seed=3)
    frame = run.observations.assign(accent=run.observations["group"])
    made = audit.measure(audit.Run(frame, run.manifest), group_by=["accent"], tables=())
    for code in ("S2F002", "S2F004", "S2F006"):
        first, second = made.finding(code), made.finding(code, by="accent")
        assert second.by_group == first.by_group
        for key, figure in second.estimates.items():
            one = first.estimates[key]
            assert (figure.value, figure.low, figure.high) == (one.value, one.low, one.high), key
            assert figure.cell == ({"accent": figure.group} if figure.group != "all" else {})


def test_the_worst_cell_is_the_planted_one_and_its_interval_is_simultaneous() -> None:
    truth = {"groups": ["asian", "white"], "speakers_per_group": 60, "languages": ["en", "zh"], "icc": 0.3}
    run = audit.simulate(truth, seed=1)
    frame = run.observations.copy()
    planted = (frame["group"] == "white") & (frame["gender"] == "woman") & (frame["language"] == "zh")
    hit = planted & (np.arange(len(frame)) % 5 < 4)
    frame.loc[hit, ["status", "rendered_status"]] = "no_face"
    for column in [name for name in frame if name.startswith("rendered_") and name != "rendered_status"]:
        frame[column] = frame[column].where(~hit)
    finding = audit.measure(audit.Run(frame, run.manifest), with_tables=False).finding("S2F006")
    worst = finding.worst_cell
    assert worst is not None
    assert worst.figure.cell == {"group": "white", "gender": "woman", "language": "zh"}
    assert (worst.n_cells, worst.n_small, len(worst.others)) == (8, 0, 3)
    assert worst.figure.low is not None and worst.figure.alone_low is not None
    assert worst.figure.low < worst.figure.alone_low
    assert worst.shrunk is not None and worst.figure.value is not None and worst.shrunk < worst.figure.value


def test_a_cell_with_few_speakers_is_counted_and_not_judged() -> None:
    run = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 12}, seed=1)
    frame = run.observations.copy()
    lone = sorted(frame["speaker_id"][frame["group"] == "white"].unique())[:3]
    frame["gender"] = np.where(frame["speaker_id"].isin(lone), "woman", "man")
    worst = audit.measure(audit.Run(frame, run.manifest), with_tables=False).finding("S2F006").worst_cell
    assert worst is not None and (worst.n_cells, worst.n_small) == (2, 1)
