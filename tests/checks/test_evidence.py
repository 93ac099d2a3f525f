"""Many cells in one go say what each of them says alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest

import audit
from audit.checks.evidence import Evidence
from audit.checks.metrics.metric_frame import metric_frame, metrics_of
from audit.stats import Estimate, Pairs, Settings
from audit.stats.pairs import PairSums

LANGUAGES = ["en", "en-GB", "zh"]


def evidence_of(run: audit.Run) -> Evidence:
    metrics = {metric.name: metric for metric in metrics_of(())}
    return Evidence(metric_frame(run), metrics, Settings(resamples=200), {}, "an instrument", ())


@pytest.fixture(scope="module", params=["one group each", "somebody in two groups"])
def evidence(request: pytest.FixtureRequest) -> Evidence:
    """Uneven clips, missing faces, ages that are no whole numbers, two kinds of English, labels that are missing."""
    truth = {
        "groups": ["asian", "asian|indian", "white", "unknown"],
        "speakers_per_group": 36,
        "clips_per_language": 3,
        "languages": LANGUAGES,
        "icc": 0.3,
        "missing": {"asian": 0.3, "white": 0.05},
        "gender_right": 0.8,
        "ceiling": {"unknown": {language: {"white": 1.0} for language in LANGUAGES}},
        "portrait": {"unknown": {"white": 1.0}},
        "rendered": {
            "asian": {"en": {"white": 0.5}},
            "unknown": {language: {"white": 0.5, "black": 0.5} for language in LANGUAGES},
        },
    }
    run = audit.simulate(truth, seed=1)
    rng = np.random.default_rng(0)
    seen = run.observations
    seen = seen.assign(
        rendered_age=seen["rendered_age"] + rng.normal(0, 4, len(seen)),
        dialect=pd.Series(rng.choice(np.array(["north", "south", None], object), len(seen)), dtype="str"),
    )
    if request.param == "somebody in two groups":
        seen.loc[seen.index[seen["speaker_id"] == "asian-01"][:4], "group"] = "white"
    seen = seen[rng.random(len(seen)) < 0.7].reset_index(drop=True)
    return evidence_of(dataclasses.replace(run, held=seen))


def assert_alike(found: Iterable[Estimate], alone: Iterable[Estimate]) -> None:
    for one, other in zip(found, alone, strict=True):
        for this, that in zip(astuple(one), astuple(other), strict=True):
            assert this == (pytest.approx(that, abs=1e-10) if isinstance(that, float) else that)


@pytest.mark.parametrize("columns", [(), ("group",), ("language",), ("group", "language"), ("group", "dialect")])
@pytest.mark.parametrize("metric", ["read_white", "gender_right", "age_error", "no_face"])
def test_cells_equal_separate_estimates(evidence: Evidence, columns: tuple[str, ...], metric: str) -> None:
    cells = evidence.cells(*columns)
    masks = [np.all([_has(evidence, *pair) for pair in zip(columns, key, strict=True)], axis=0) for key in cells.keys]
    masks = masks if columns else [evidence.where()]
    assert np.array(masks).sum(axis=0).tolist() == [1] * len(evidence.frame)
    for confidence in (None, 0.99):
        at = confidence or evidence.settings.confidence
        found = evidence.figures(metric, "rendered", cells, confidence)
        assert_alike(found, [evidence.figure_curve(metric, "rendered", mask).at(at) for mask in masks])
        rest = [curve.at(at) for curve in evidence.curves_of_complement(metric, "rendered", cells)]
        assert_alike(rest, [evidence.figure_curve(metric, "rendered", ~mask).at(at) for mask in masks])
        if metric != "no_face":
            changes = evidence.changes(metric, "portrait", "rendered", cells)
            found = [_one(evidence, changes, i, metric, "portrait>rendered").curve().at(at) for i in range(len(masks))]
            alone = [evidence.changed(metric, "portrait", "rendered", mask) for mask in masks]
            assert_alike(found, [pairs.curve().at(at) for pairs in alone])
            tests = [_one(evidence, changes, i, metric, "portrait>rendered").permutation() for i in range(len(masks))]
            assert tests == [pairs.permutation() for pairs in alone]
    english, other = evidence.where(english=True), evidence.where(language="zh")
    if "language" not in columns:
        contrasts = evidence.contrasts(metric, "rendered", other, english, cells)
        found = [_one(evidence, contrasts, i, metric, "rendered").difference() for i in range(len(masks))]
        alone = [evidence.contrasted(metric, "rendered", mask & other, mask & english) for mask in masks]
        assert_alike(found, [pairs.difference() for pairs in alone])


def _one(evidence: Evidence, pairs: PairSums, i: int, metric: str, name: str) -> Pairs:
    of = f"{name}.{metric}" if ">" in name else f"{name}.{metric} by language"
    return pairs.one(i, evidence.metrics[metric].kind, evidence.settings, of)


def _has(evidence: Evidence, column: str, value: object) -> np.ndarray:
    labels = evidence.frame[column]
    return (labels.isna() if value != value else labels == value).to_numpy(bool)


def test_a_category_is_named_as_it_is(evidence: Evidence) -> None:
    assert evidence.languages == LANGUAGES
    assert evidence.every_group == ["asian", "asian|indian", "white", "unknown"]
    assert evidence.groups == ["asian", "asian|indian", "white"]
    assert [key[0] for key in evidence.cells("dialect").keys[:2]] == ["north", "south"]
    assert evidence.cells("dialect").keys[2][0] != evidence.cells("dialect").keys[2][0]  # the missing one, last
