"""Judging: what could not be measured, or whose group is not known, does not decide a verdict."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

import audit
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
    finding = audit.measure(dataclasses.replace(run, held=run.observations[few])).finding("S2F003")
    assert (finding.outcome, finding.group) == ("inconclusive", "asian")
    assert "more speakers would make it not shown" in finding.would_change.replace("_", " ")


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
