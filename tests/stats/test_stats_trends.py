"""Bands of a number, and trends with their bands and tests."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.stats import Settings
from audit.stats.bands import bands, weighted_quantiles
from audit.stats.trend import POINTS, trend

SETTINGS = Settings()


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=120), st.integers(1, 6))
def test_bands_are_ordered_and_never_split_equal_values(numbers: list[int], clips: int) -> None:
    values, speakers = np.array(numbers, float) / 4, np.arange(len(numbers)) // clips
    found = bands(values, speakers)
    for value in np.unique(values):
        assert len(np.unique(found.number[values == value])) == 1
    assert (np.diff(found.number[np.argsort(values, kind="stable")]) >= 0).all()
    sizes = [len(np.unique(speakers[found.number == i])) for i in range(len(found.labels))]
    assert len(found.labels) == 1 or min(sizes) >= 5
    assert len(found.labels) <= 4


def test_labels_are_readable() -> None:
    ages = np.arange(18.0, 66.0)
    assert bands(ages, np.arange(48)).labels == ("up to 29", "30 to 39", "40 to 49", "50 and over")
    loudness = bands(np.linspace(-30, -20, 101), np.arange(101))
    assert loudness.labels == ("below −28", "−28 to below −24", "−24 to below −22", "−22 and over")
    assert loudness.edges == (-28.0, -24.0, -22.0)


def test_few_speakers_give_few_bands_and_missing_values_none() -> None:
    values = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, np.nan])
    assert bands(values, np.arange(10)).labels == ("all",)
    assert bands(values, np.arange(10)).number.tolist() == [0] * 9 + [-1]
    many = bands(np.append(np.zeros(90), np.arange(1.0, 11)), np.arange(100))
    assert many.labels == ("all",)  # no two bands have 30 speakers each
    some = bands(np.append(np.zeros(50), np.linspace(0.1, 0.3, 50)), np.arange(100), most=2)
    assert (some.labels, some.number.sum()) == (("0", "above 0"), 50)
    assert bands(np.full(3, np.nan), np.arange(3)).labels == ()


def test_every_speaker_has_the_same_weight_in_quantiles() -> None:
    values, speakers = np.array([*[1.0] * 98, 2.0, 3.0]), np.array([*[0] * 98, 1, 2])
    assert weighted_quantiles(values, speakers, np.array([0.3, 0.5, 0.9])).tolist() == [1.0, 2.0, 3.0]


def test_a_line_is_found_again() -> None:
    x, speakers = np.linspace(0, 10, 61), np.arange(61)
    noise = np.tile([0.1, -0.1, 0.0], 21)[:61]
    found = trend(2 + 3 * x + noise, x, speakers, SETTINGS, "mean")
    assert len(found.points) == POINTS
    for point in found.points:
        assert point.value == pytest.approx(2 + 3 * point.at, abs=0.1)
        assert point.band_low <= point.low < point.value < point.high <= point.band_high
    assert found.p is not None
    assert found.p < 1e-6


def test_the_test_for_trend_is_students_t_for_one_clip_a_speaker() -> None:
    """Slope over its jackknife standard error, with the degrees of freedom of Satterthwaite, by hand."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=12)
    y = 0.3 * x + rng.normal(size=12)
    design = np.column_stack([np.ones(12), x])
    slope = np.linalg.lstsq(design, y, rcond=None)[0][1]
    left_out = [np.linalg.lstsq(np.delete(design, i, 0), np.delete(y, i), rcond=None)[0][1] for i in range(12)]
    error = np.sqrt(np.sum((np.array(left_out) - slope) ** 2))
    from scipy import stats

    share = (x - x.mean()) ** 2  # of each speaker in the variance of the slope
    freedom = share.sum() ** 2 / (share**2).sum() * 10 / 12
    found = trend(y, x, np.arange(12), SETTINGS, "mean")
    assert found.p == pytest.approx(2 * stats.t.sf(abs(slope / error), freedom), rel=1e-4)
    assert "line on 12 speakers" in found.method


@pytest.mark.parametrize(
    ("values", "numbers", "reason"),
    [
        ([0.0] * 40, range(40), "all outcomes are equal"),
        ([0.0, 1.0] * 20, [3] * 40, "does not vary"),
        ([1.0, 1.0] + [0.0] * 38, range(40), "speakers with an outcome above 0: 2, fewer than 5"),
        ([0.0, 1.0] * 4, range(8), "8 independent speakers, fewer than 10"),
        ([0.0] * 20 + [1.0] * 20, range(40), "separated"),
    ],
)
def test_a_trend_that_cannot_be_fitted_has_a_reason(values: list[float], numbers: range, reason: str) -> None:
    found = trend(np.array(values), np.array(numbers, float), np.arange(len(values)), SETTINGS, "rate")
    assert (found.points, found.p) == ((), None)
    assert reason in found.method


def test_missing_outcomes_and_numbers_are_counted() -> None:
    x, y = np.arange(40.0), np.tile([0.0, 1.0, 1.0, 0.0], 10)
    x[0], y[1] = np.nan, np.nan
    found = trend(y, x, np.arange(40), SETTINGS, "rate")
    assert (found.n_speakers, found.n_clips, found.n_missing) == (38, 38, 1)


def test_a_curve_bends() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 400)
    made = trend(x**2 + 0.1 * rng.normal(size=400), x, np.arange(400), SETTINGS, "mean")
    curve = [point.value for point in made.points]
    assert curve[0] > curve[4] + 0.5 < curve[8]


def test_simultaneous_bands_cover() -> None:
    """Of 300 samples at least 93 % of the bands contain the truth at all points, and about 5 % find a trend."""
    covered = found_trend = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        speakers = np.repeat(np.arange(40), 3)
        x = rng.normal(size=40)[speakers] + 0.3 * rng.normal(size=120)
        y = rng.normal(size=40)[speakers] + rng.normal(size=120)
        null = trend(y, x, speakers, SETTINGS, "mean", name=str(seed))
        covered += all(point.band_low <= 0 <= point.band_high for point in null.points)
        found_trend += null.p is not None and null.p < 0.05
    assert covered >= 0.93 * 300
    assert found_trend <= 0.08 * 300
