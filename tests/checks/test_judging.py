"""Judging: what could not be measured, or whose group is not known, does not decide a verdict."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

import audit
from audit.audits.measure import evidence_of
from audit.checks import Check, Evidence, Finding, GroupFigure, Judged, judge_groups
from audit.core.plan import MeasureSettings
from audit.stats import Curve, Estimate
from tests.release_fixture import by_group, decided, made, policy

GAP = '[[rule]]\nid = "gap"\ncheck = "S2F005"\nlimit = 0.1\ngroups = ["asian"]\n'


def measured(truth: dict[str, Any]) -> audit.Audit:
    return audit.measure(audit.simulate(truth), with_tables=False)


def test_a_group_that_was_not_measured_is_not_taken_for_one_without_a_gap() -> None:
    finding = measured(
        {"groups": ["asian", "black", "white"], "speakers_per_group": 400, "missing": {"black": 1.0}}
    ).finding("S2F004")
    assert finding.outcome == "inconclusive"
    assert "not evaluable for black" in finding.reason
    assert finding.estimates["black"].value is None


def test_speakers_of_unknown_group_are_in_no_complement() -> None:
    truth = {
        "groups": ["asian", "white", "unknown"],
        "speakers_per_group": 1500,
        "gender_right": {"asian": 0.85, "white": 1.0, "unknown": 0.85},
        "portrait": {"unknown": {"white": 1.0}},
        "rendered": {"unknown": {"en": {"white": 1.0}}},
        "ceiling": {"unknown": {"en": {"white": 1.0}}},
    }
    finding = measured(truth).finding("S2F004")
    assert (finding.outcome, finding.group) == ("shown", "asian")
    assert finding.estimates["asian.others"].value == 1.0
    assert finding.estimates["asian.others"].n_speakers == 1500


def test_would_change_is_about_the_deciding_group() -> None:
    truth = {"groups": ["asian", "white"], "speakers_per_group": 300, "rendered": {"asian": {"en": {"white": 0.02}}}}
    run = audit.simulate(truth)
    few = run.observations.groupby("group", observed=True).cumcount().lt(8) | (run.observations["group"] == "asian")
    finding = audit.measure(dataclasses.replace(run, held=run.observations[few]), with_tables=False).finding("S2F003")
    assert (finding.outcome, finding.group) == ("inconclusive", "asian")
    assert "more speakers would make it not shown if the value stayed at " in finding.would_change
    assert finding.would_change.count(" points") == 1 and "0." not in finding.would_change


def test_no_margin_is_asked_for_where_none_would_change_the_verdict() -> None:
    """All asian speakers' portraits are read as white, no rendered face is: the excess lies wholly below zero."""
    truth = {"groups": ["asian", "white"], "speakers_per_group": 100, "portrait": {"asian": {"white": 1.0}}}
    finding = measured(truth).finding("S2F001")
    assert finding.outcome == "not_shown"
    assert finding.would_change == "Instrument errors that hide the difference, or different speakers."


def test_a_label_that_allows_white_is_not_read_wrongly_as_white() -> None:
    truth = {"groups": ["asian|white", "black"], "rendered": {"asian|white": {"en": {"white": 1.0}}}}
    finding = measured(truth | {"speakers_per_group": 60}).finding("S2F001")
    assert finding.outcome == "not_evaluable"
    assert "labelled asian or white are excluded" in finding.reason


def test_an_unlabelled_gender_has_no_impostors() -> None:
    """Impostors of any gender would be less alike, and the speaker would seem to be more like the own portrait."""
    rng = np.random.default_rng(0)
    run = audit.simulate({"groups": ["asian"], "speakers_per_group": 8})
    unknown = run.observations["speaker_id"].isin(sorted(set(run.observations["speaker_id"]))[:2])
    features = rng.normal(size=(len(run.observations), 4)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    seen = run.observations.assign(
        gender=run.observations["gender"].where(~unknown, "unknown"),
        rendered_similarity=0.5,
        ceiling_similarity=0.5,
    )
    manifest = {**run.manifest, "instrument": {**run.manifest["instrument"], "similarity_models": ["FaceRes"]}}
    held = audit.Run(seen, manifest, features={(s, "FaceRes"): features for s in ("portrait", "ceiling", "rendered")})
    from audit.checks.metrics.metric_frame import metric_frame

    over = metric_frame(held)["rendered.similarity_over_impostor_faceres"]
    pd.testing.assert_series_equal(over.isna(), unknown, check_names=False)


@pytest.mark.parametrize(("own", "code"), [(20, 0), (9, 11)])
def test_a_gap_rests_on_its_smaller_side(own: int, code: int) -> None:
    gap = by_group("S2F005", {"asian": (-0.01, 0.01), "white": (-0.01, 0.01)})
    asian = dataclasses.replace(gap.estimates["asian"], n_smaller=own)
    finding = dataclasses.replace(gap, estimates={**gap.estimates, "asian": asian})
    assert decided(policy(GAP), made(finding)).exit_code == code


class Two(Check):
    """Judges a share and an age for each group, from given intervals."""

    code, title, question = "TWO001", "Two figures", "Which?"
    judged = (
        Judged("rate", "a rate", "share", 0.1, "high", per_group=True),
        Judged("years", "an age", "years", 2.0, "high", per_group=True),
    )

    def measure(self, evidence: Evidence) -> Finding:
        raise NotImplementedError


EVIDENCE = evidence_of(audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 5}), MeasureSettings())


def found_for(**figures: dict[str, tuple[float, float] | None]) -> Finding:
    """The finding of given intervals by group and figure; ``None`` is a figure without one."""
    check = Two()

    def curve(ends: tuple[float, float] | None) -> Curve:
        low, high = ends or (None, None)
        value = None if ends is None else sum(ends) / 2
        return Curve(lambda confidence: Estimate(value, low, high, 40, 40, 0, "by hand"))

    made = [
        GroupFigure(group, check.figure(EVIDENCE, name, curve(ends), group=group))
        for group, of in figures.items()
        for name, ends in of.items()
    ]
    return judge_groups(check, EVIDENCE, made, ", ".join)


NOT, SHOWN, OPEN = (0.0, 0.05), (0.2, 0.4), (0.0, 0.3)


@pytest.mark.parametrize(
    ("rate", "years", "outcome"),
    [
        (NOT, (0.0, 1.0), "not_shown"),
        (NOT, (3.0, 5.0), "shown"),
        (SHOWN, (0.0, 1.0), "shown"),
        (SHOWN, None, "shown"),
        (NOT, (0.0, 3.0), "inconclusive"),
        (NOT, None, "inconclusive"),
        (None, None, "not_evaluable"),
    ],
)
def test_a_group_is_shown_if_any_of_its_figures_is_and_not_shown_only_if_all_are(
    rate: tuple[float, float] | None, years: tuple[float, float] | None, outcome: str
) -> None:
    found = found_for(asian={"rate": rate, "years": years}, white={"rate": rate, "years": years})
    assert found.outcome == outcome and set(found.by_group.values()) == {outcome}


def test_the_first_declared_figure_has_the_group_as_its_key() -> None:
    found = found_for(asian={"years": (0.0, 1.0), "rate": NOT}, white={"years": (0.0, 1.0), "rate": NOT})
    assert {key: figure.name for key, figure in found.estimates.items()} == {
        "asian": "rate",
        "asian.years": "years",
        "white": "rate",
        "white.years": "years",
    }
    assert list(found_for(asian={"years": (0.0, 1.0)}, white={"years": (0.0, 1.0)}).estimates) == ["asian", "white"]


def test_figures_of_different_units_are_ordered_by_their_margins() -> None:
    """A rate of three margins is larger than an age of two, whatever the numbers."""
    found = found_for(asian={"rate": NOT, "years": (3.0, 5.0)}, white={"rate": SHOWN, "years": (0.0, 1.0)})
    assert found.estimate == found.estimates["white"] and found.threshold == 0.1
    assert found.sentence == "white, asian"
    assert found.would_change == (
        "For white speakers (a rate): a margin of at least 20 points, instrument errors that explain the difference, "
        "or different speakers. At that margin it would still be shown for asian."
    )


def test_what_would_change_is_about_the_headline_in_its_unit() -> None:
    found = found_for(asian={"rate": NOT, "years": (0.0, 1.0)}, white={"rate": NOT, "years": (0.0, 1.5)})
    assert found.estimate == found.estimates["white.years"]
    start = "For white speakers (an age): a margin of at most 1.4 years, instrument errors that hide the difference"
    assert found.would_change.startswith(start), "a margin of 1.5 years would still contain the interval"
    wide, narrow = (-0.30, 0.90), (-0.10, 0.14)
    open_ = found_for(asian={"rate": wide}, white={"rate": narrow}, black={"rate": NOT})
    assert open_.estimate == open_.estimates["asian"]
    assert open_.would_change.startswith("For asian speakers: about ")
    assert open_.would_change.endswith(
        "would make it shown if the value stayed at +30 points. 1 other figure is undecided too."
    )


def test_where_the_headline_is_decided_the_undecided_figure_is_named() -> None:
    """The largest figure is asian and not shown; what keeps the check undecided is white."""
    found = found_for(asian={"rate": (0.05, 0.09)}, white={"rate": (-0.2, 0.2)})
    assert (found.outcome, found.group) == ("inconclusive", "asian")
    assert found.would_change.startswith(
        "The headline figure, of asian speakers, is not shown by itself. For white speakers: about "
    )
    assert found.would_change.endswith("more speakers would make it not shown if the value stayed at 0 points.")


def test_the_headline_is_a_figure_that_decides_its_group() -> None:
    """The rate is larger in units of its margin, but only the age is inconclusive."""
    found = found_for(asian={"rate": (0.07, 0.09), "years": (-1.0, 2.5)}, white={"rate": NOT, "years": (0.0, 0.5)})
    assert found.estimate == found.estimates["asian.years"] and found.by_group["white"] == "not_shown"
    assert found.reason.startswith("an age, asian: ")


def test_the_reason_names_the_figures_without_an_interval() -> None:
    found = found_for(asian={"rate": NOT, "years": None}, white={"rate": NOT, "years": (0.0, 1.0)})
    assert found.reason.endswith(
        "By group: not shown for white; inconclusive for asian. An age: not evaluable for asian."
    )


def test_with_a_margin_of_zero_any_excess_is_the_largest() -> None:
    evidence = dataclasses.replace(EVIDENCE, margins={**EVIDENCE.margins, "TWO001": 0.0, "TWO001.years": 2.0})
    check, ends = Two(), {"rate": (0.01, 0.03), "years": (30.0, 40.0)}
    made = [
        GroupFigure(
            group,
            check.figure(evidence, name, Curve(lambda _, e=of: Estimate(sum(e) / 2, *e, 40, 40, 0, "x")), group=group),
        )
        for group in ("asian", "white")
        for name, of in ends.items()
    ]
    head = judge_groups(check, evidence, made, lambda named: "").estimate
    assert head is not None and head.name == "rate"
