"""Verdicts, how many speakers they need, power, and many tests at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from audit.stats import (
    Estimate,
    benjamini_hochberg,
    holm,
    rate,
    smallest_detectable,
    speakers_needed,
    verdict,
)


def interval(low, high, n=20):
    return Estimate((low + high) / 2, low, high, n, n, 0, "exact")


@pytest.mark.parametrize(
    ("low", "high", "direction", "outcome"),
    [
        (0.11, 0.3, "greater", "shown"),
        (0.10, 0.3, "greater", "inconclusive"),
        (-0.5, 0.10, "greater", "not_shown"),
        (-0.9, -0.8, "greater", "not_shown"),
        (-0.3, -0.11, "less", "shown"),
        (-0.3, -0.10, "less", "inconclusive"),
        (-0.10, 0.5, "less", "not_shown"),
        (0.11, 0.3, "two_sided", "shown"),
        (-0.3, -0.11, "two_sided", "shown"),
        (-0.10, 0.10, "two_sided", "not_shown"),
        (-0.11, 0.10, "two_sided", "inconclusive"),
        (0.05, 0.3, "two_sided", "inconclusive"),
    ],
)
def test_verdicts_against_a_margin_of_a_tenth(low, high, direction, outcome):
    found = verdict(interval(low, high), 0.1, direction)
    assert found.outcome == outcome
    assert f"{low:.3f}" in found.reason and f"{high:.3f}" in found.reason


def test_without_an_interval_the_verdict_is_not_evaluable():
    found = verdict(rate([1, 1], ["a", "b"]))
    assert (found.outcome, found.reason) == ("not_evaluable", "not estimable: 2 speakers, at least 5 needed")


@pytest.mark.parametrize(("margin", "direction"), [(-0.1, "two_sided"), (float("nan"), "greater"), (0.1, "up")])
def test_an_invalid_margin_is_refused(margin, direction):
    with pytest.raises(ValueError):
        verdict(interval(0, 1), margin, direction)


def test_speakers_needed_by_hand():
    """Value .3, margin .1, arm .3: the arm must shrink by 1.5, so 20 * 1.5**2 = 45, and one more to be beyond."""
    assert speakers_needed(interval(0.0, 0.6), 0.1, "greater").more == 26
    assert speakers_needed(interval(-0.6, 0.0), 0.1, "less").more == 26
    assert speakers_needed(interval(-0.2, 0.2), 0.1, "two_sided").more == 61
    assert speakers_needed(interval(0.2, 0.6), 0.1, "greater").more == 0
    assert speakers_needed(interval(0.0, 0.2), 0.1, "greater").more is None
    assert speakers_needed(rate([1, 1], ["a", "b"])).more == 3
    assert "about 26 more" in speakers_needed(interval(0.0, 0.6), 0.1, "greater").reason


@given(st.floats(-1, 1), st.floats(0.01, 0.5), st.floats(0, 0.3), st.sampled_from(["greater", "less", "two_sided"]))
def test_the_number_of_speakers_needed_settles_the_verdict(value, arm, margin, direction):
    found = Estimate(value, value - arm, value + arm, 20, 20, 0, "exact")
    needed = speakers_needed(found, margin, direction)
    if needed.more is None or needed.more > 10**6:
        return
    shrunk = arm * (20 / (20 + needed.more)) ** 0.5
    later = Estimate(value, value - shrunk, value + shrunk, 20 + needed.more, 0, 0, "exact")
    assert verdict(later, margin, direction).outcome in ("shown", "not_shown")


def test_detectable_differences_fall_with_speakers_and_rise_with_clustering():
    sizes = [smallest_detectable(n, rate=0.2, clips=2).size for n in (5, 10, 30, 100, 1000)]
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] < 0.05
    assert smallest_detectable(50, clips=5, icc=0.6).size > smallest_detectable(50, clips=5, icc=0.1).size
    assert smallest_detectable(50, design="unpaired").size > smallest_detectable(50).size
    paired = [smallest_detectable(50, design="paired", correlation=r).size for r in (0, 0.3, 0.6)]
    assert paired == sorted(paired, reverse=True)
    with_margin = smallest_detectable(50, margin=0.1)
    assert with_margin.size > 0.1 + 0.9 * smallest_detectable(50).size
    assert smallest_detectable(50, rate=0.9).size == smallest_detectable(50, rate=0.1).size


def test_one_rate_has_the_requested_power():
    """50 speakers, one clip, against .1: the exact binomial power at the detectable rate, and just below .8 before
    it."""
    size = smallest_detectable(50, rate=0.1).size
    needed = next(k for k in range(51) if rate([1] * k + [0] * (50 - k), range(50)).low > 0.1)
    assert scipy_stats.binom(50, 0.1 + size).sf(needed - 1) == pytest.approx(0.8, abs=0.05)


def test_an_undetectable_difference_is_reported():
    assert smallest_detectable(4).method == "not estimable: 4 speakers, at least 5 needed"
    assert smallest_detectable(40, design="unpaired", other_speakers=3).size is None
    assert smallest_detectable(5, margin=0.1).size is None  # even 5 of 5 leaves 0.53 possible
    assert smallest_detectable(5, margin=0.1).method.startswith("no possible difference")
    for wrong in ({"icc": 2}, {"rate": -1}, {"power": 1}, {"clips": 0}, {"design": "crossed"}, {"correlation": 2}):
        with pytest.raises(ValueError):
            smallest_detectable(50, **wrong)


def test_adjusted_p_values_by_hand():
    """Holm: 4 * .005, 3 * .01, 2 * .03, 1 * .04 raised to .06. BH: .02, .02, min(.04, .04), .04."""
    p = [0.01, 0.04, 0.03, 0.005]
    assert holm(p) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert benjamini_hochberg(p) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert benjamini_hochberg(p) == pytest.approx(scipy_stats.false_discovery_control(p))


def test_nan_does_not_count_as_a_test():
    assert holm([0.01, np.nan, 0.04]).tolist()[0] == 0.02
    assert np.isnan(holm([0.01, np.nan, 0.04])[1])
    assert len(holm([])) == len(benjamini_hochberg([])) == 0
    with pytest.raises(ValueError):
        holm([1.5])
