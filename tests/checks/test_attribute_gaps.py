"""S2F004 by planted reads: the change from the portrait, of gender and age, at the ceiling and rendered."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import audit
from audit.checks import margins_of, shipped
from audit.checks.catalogue.attribute_gaps import CHECK, GAPS
from audit.comparisons import paired_changes
from audit.core.plan import MeasureSettings
from audit.release import Policy
from audit.stats.intervals import FAR
from tests.release_fixture import ALLOW

STAGES = ("portrait", "ceiling", "rendered")
NAMES = ("gender_gap", "gender_gap_ceiling", "age_gap", "age_gap_ceiling")
WRONG = {"woman": "man", "man": "woman"}


@functools.cache
def honest(speakers: int = 100) -> audit.Run:
    """Two groups with one clip each; gender is read as labelled, age off by about 3 years, the same at every stage."""
    run = audit.simulate(
        {"groups": ["asian", "white"], "speakers_per_group": speakers, "languages": ["en"], "clips_per_language": 1}
    )
    rng, seen = np.random.default_rng(1), run.observations
    off = rng.normal(0, 3, len(seen))
    ages = {f"{stage}_age": seen["age"] + off + rng.normal(0, 1, len(seen)) for stage in STAGES}
    return replace(run, held=seen.assign(**ages))


def misread(run: audit.Run, share: float, *stages: str, group: str = "asian") -> audit.Run:
    """The run with the gender of the first speakers of a group misread at some stages."""
    seen = run.observations.copy()
    rows = seen.index[seen["group"] == group]
    rows = rows[: round(share * len(rows))]
    for stage in stages:
        seen.loc[rows, f"{stage}_gender"] = seen.loc[rows, "gender"].map(WRONG)
    return replace(run, held=seen)


def aged(run: audit.Run, years: float, *stages: str) -> audit.Run:
    """The run with asian speakers read older at some stages."""
    seen = run.observations.copy()
    for stage in stages:
        error = (seen[f"{stage}_age"] - seen["age"]).abs()
        seen[f"{stage}_age"] = seen["age"] + error + np.where(seen["group"] == "asian", years, 0)
    return replace(run, held=seen)


def without(run: audit.Run, stage: str) -> audit.Run:
    """The run without the reads of a stage."""
    lost: dict[str, Any] = {
        name: None if run.observations[name].dtype.kind == "O" else np.nan
        for name in run.observations
        if name.startswith(f"{stage}_") and not name.endswith("_status")
    }
    return replace(run, held=run.observations.assign(**lost, **{f"{stage}_status": "picture_missing"}))


def finding(run: audit.Run, **settings: Any) -> Any:
    return audit.measure(run, with_tables=False, **settings).finding("S2F004")


def test_four_figures_are_judged_for_each_group() -> None:
    found = finding(honest(200))
    assert found.outcome == "not_shown" and found.by_group == {"asian": "not_shown", "white": "not_shown"}
    for group in ("asian", "white"):
        judged = [found.estimates[group], *(found.estimates[f"{group}.{name}"] for name in NAMES[1:])]
        assert [figure.name for figure in judged] == list(NAMES) == [gap.judged.name for gap in GAPS]
        assert [(figure.unit, figure.margin) for figure in judged] == [("share", 0.1)] * 2 + [("years", 2.0)] * 2
        assert all(figure.n_smaller == 200 and figure.group == group for figure in judged)


def test_the_instruments_own_errors_cancel() -> None:
    found = finding(misread(honest(200), 0.3, *STAGES))
    assert found.outcome == "not_shown"
    assert found.estimates["asian"].value == 0
    assert found.estimates["gender_right.asian"].value == pytest.approx(-0.3)
    assert found.estimates["gender_right.asian"].harm is None
    assert [found.estimates[f"asian.{name}"].value for name in ("portrait", "ceiling", "own")] == [0.7] * 3
    assert found.estimates["asian.others"].value == 1


def test_a_failure_of_the_ceiling_alone_is_shown() -> None:
    found = finding(misread(honest(), 0.4, "ceiling"))
    assert (found.outcome, found.group) == ("shown", "asian")
    assert found.estimate == found.estimates["asian.gender_gap_ceiling"] and found.estimate.value == -0.4
    assert found.by_group["asian"] == "shown" and found.estimates["asian"].verdict.outcome == "not_shown"
    first = found.sentence.partition(". ")[0]
    assert "60% [" in first and "asian speakers' ceiling faces" in first and "−40 points" in first
    assert "of their portraits" in first and found.p_value < 0.05


def test_a_failure_of_the_rendered_faces_is_the_figure_of_the_group_itself() -> None:
    found = finding(misread(misread(honest(), 0.5, "rendered"), 0.3, "ceiling"))
    assert found.estimate == found.estimates["asian"] and found.estimate.name == "gender_gap"
    assert "Also shown: gender (rendered) for white; gender (ceiling) for asian and white." in found.sentence


def test_a_failure_in_age_is_shown_in_years() -> None:
    run = aged(honest(), 6, "rendered")
    found = finding(run)
    assert found.estimate == found.estimates["asian.age_gap"]
    assert (found.outcome, found.threshold, found.estimate.unit) == ("shown", 2.0, "years")
    assert found.estimate.value == pytest.approx(6, abs=0.3)
    assert "The age error is 8" in found.sentence and "+6.0 years" in found.sentence.replace("+5.9", "+6.0")
    label = "age error, rendered minus portrait, minus all other groups"
    assert re.match(rf"For asian speakers \({label}\): a margin of at least [45]\.\d years, ", found.would_change)
    wide = finding(run, settings=MeasureSettings(margins={"S2F004.age_gap": 20}))
    assert wide.outcome == "not_shown"
    assert wide.estimates["asian.age_gap_ceiling"].margin == wide.estimates["asian.age_gap"].margin == 20
    assert wide.estimates["asian"].margin == 0.1


def test_the_plan_has_one_margin_for_each_unit() -> None:
    keys = [key for key in margins_of(shipped()) if key.startswith("S2F004")]
    assert keys == ["S2F004.age_gap", "S2F004"] or keys == ["S2F004", "S2F004.age_gap"]
    assert CHECK.margins() == {"S2F004": 0.1, "S2F004.age_gap": 2.0}


def test_the_headline_is_the_largest_figure_in_units_of_its_margin() -> None:
    """Three margins of age are more than two of gender, although 6 years are a larger number than either."""
    for years, name in ((3.5, "gender_gap"), (9.0, "age_gap")):
        assert finding(aged(misread(honest(), 0.3, "rendered"), years, "rendered")).estimate.name == name


def test_without_portraits_the_rates_are_compared() -> None:
    found = finding(without(misread(honest(), 0.3, *STAGES), "portrait"))
    assert (found.outcome, found.estimates["asian"].value) == ("shown", pytest.approx(-0.3))
    assert found.estimates["asian"].value == found.estimates["gender_right.asian"].value
    assert "There are no portraits" in found.reason and "no portraits" in found.estimate.label
    assert "portraits" not in found.sentence
    assert len([figure for figure in found.estimates.values() if figure.harm]) == 8


def test_without_ceilings_and_ages_only_gender_is_judged() -> None:
    run = without(honest(), "ceiling")
    found = finding(run)
    assert [figure.name for figure in found.estimates.values() if figure.harm] == ["gender_gap"] * 2 + ["age_gap"] * 2
    found = finding(replace(run, held=run.observations.assign(age=np.nan)))
    assert [figure.name for figure in found.estimates.values() if figure.harm] == ["gender_gap"] * 2
    assert (
        "Not judged, because it was measured in fewer than two groups: gender (ceiling), age (rendered)" in found.reason
    )


def test_intervals_are_simultaneous_over_groups_and_figures() -> None:
    run = misread(honest(), 0.2, "rendered")
    four, one = (
        finding(run),
        finding(replace(without(run, "ceiling"), held=without(run, "ceiling").observations.assign(age=np.nan))),
    )
    wide, narrow = four.estimates["asian"], one.estimates["asian"]
    assert wide.value == narrow.value and wide.low < narrow.low < narrow.high < wide.high
    alone = finding(run, confidence=1 - 0.05 / 4)
    assert one.estimates["asian"].curve.at(1 - 0.05 / 4).low == pytest.approx(wide.low)
    assert alone.estimates["asian"].low < wide.low


def test_a_group_without_ages_is_inconclusive() -> None:
    run = audit.simulate({"groups": ["asian", "black", "white"], "speakers_per_group": 300, "clips_per_language": 1})
    seen = run.observations
    run = replace(run, held=seen.assign(age=seen["age"].where(seen["group"] != "black")))
    found = finding(run)
    assert found.by_group == {"asian": "not_shown", "black": "inconclusive", "white": "not_shown"}
    assert found.outcome == "inconclusive" and "Age error, rendered minus portrait" in found.reason
    assert "not evaluable for black" in found.reason


def test_ages_that_never_change_are_not_shown_only_with_enough_speakers() -> None:
    """Of 20 speakers without a change, one in six may still change: by as much as the ages that were read allow."""
    for speakers, outcome in ((20, "inconclusive"), (300, "not_shown")):
        run = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": speakers, "clips_per_language": 1})
        gap = finding(run).estimates["asian.age_gap"]
        assert gap.value == 0 and gap.low == -gap.high
        assert gap.verdict.outcome == outcome
    ages = run.observations["age"]  # read without an error
    largest = np.maximum(ages.max() - ages, ages - ages.min()).mean()
    expected = largest * np.hypot(*[1 - (0.025 / 8 / FAR) ** (1 / 300)] * 2)
    assert gap.high == pytest.approx(expected, rel=1e-6)


def test_a_single_age_says_nothing_about_a_change() -> None:
    """Everybody is 40 and read as 40: an interval of zero width would be a pass."""
    run = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 300, "clips_per_language": 1})
    one = dict.fromkeys(("age", *(f"{stage}_age" for stage in STAGES)), 40.0)
    found = finding(replace(run, held=run.observations.assign(**one)))
    assert found.estimates["asian.age_gap"].interval is None and found.outcome == "inconclusive"


def test_one_group_whose_ages_change_and_one_whose_do_not() -> None:
    run = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 300, "clips_per_language": 1})
    seen = run.observations
    off = np.where(seen["group"] == "asian", 12 + np.random.default_rng(0).normal(size=len(seen)), 0)
    found = finding(replace(run, held=seen.assign(rendered_age=seen["age"] + off)))
    assert found.estimate == found.estimates["asian.age_gap"] and found.outcome == "shown"


def test_a_rule_without_figure_is_about_gender_in_the_rendered_faces() -> None:
    text = f'schema = 1\nname = "p"\n{ALLOW}[[rule]]\nid = "it"\ncheck = "S2F004"\nlimit = {{}}\n{{}}'

    def ruling(run: audit.Run, limit: float, figure: str = "") -> Any:
        more = f'figure = "{figure}"\n' if figure else ""
        decision = audit.gate(run, policy=Policy.parse(text.format(limit, more)))
        return next(ruling for ruling in decision.rulings if ruling.id == "it")

    run = misread(honest(), 0.4, "ceiling")
    assert [item.estimate.name for item in ruling(run, 0.1).held] == ["gender_gap"] * 2
    breach = ruling(run, 0.1, "gender_gap_ceiling")
    assert (breach.outcome, breach.side, len(breach.held)) == ("breach", "within", 2)
    assert ruling(aged(honest(), 6, "rendered"), 2, "age_gap").outcome == "breach"


def test_the_change_between_two_runs_is_one_of_the_rendered_faces() -> None:
    before, after = misread(honest(), 0.3, "portrait"), misread(honest(), 0.3, "portrait", "rendered")
    found = paired_changes(before, after, MeasureSettings())
    assert found["S2F004.asian"].at(0.95).value == pytest.approx(-0.3)
    values = [finding(run).estimates["asian"].value for run in (before, after)]
    assert values == pytest.approx([0.3, 0.0])
    no_portrait = [without(run, "portrait") for run in (before, after)]
    assert paired_changes(*no_portrait, MeasureSettings())["S2F004.asian"].at(0.95).value == pytest.approx(-0.3)


def test_a_change_is_over_the_clips_with_a_portrait() -> None:
    """Half of the asian speakers have no portrait: their gender is misread, which no change from it can show."""
    run, seen = honest(), honest().observations
    asian = seen.index[seen["group"] == "asian"]
    lost = without(run, "portrait").observations.loc[asian[:50]]
    seen = pd.concat([seen.drop(asian[:50]), lost.astype(seen.dtypes)]).sort_index()
    before = replace(run, held=seen)
    found = paired_changes(before, misread(before, 0.5, "rendered"), MeasureSettings())
    assert found["S2F004.asian"].at(0.95).value == 0
    assert found["S2F004.asian"].at(0.95).n_speakers == 150


def test_an_age_error_of_a_few_speakers_who_were_not_drawn_is_not_excluded() -> None:
    """Ages change by a year or so; Student's t alone would exclude that one speaker in thirty is misread by decades."""
    rng = np.random.default_rng(0)
    run = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 40, "clips_per_language": 4})
    jitter = run.observations["rendered_age"] + rng.normal(0, 1, len(run.observations))
    gap = finding(replace(run, held=run.observations.assign(rendered_age=jitter))).estimates["asian.age_gap"]
    assert -1 < gap.low < gap.high < 1
    assert gap.alone_high > 2 and gap.verdict.outcome == "inconclusive"
