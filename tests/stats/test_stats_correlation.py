"""Correlation across speakers: by hand, against all pairings, and what must not matter."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from audit.stats import Settings, correlation, correlations

TWELVE = [float(x) for x in (3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8)]
OTHER = [float(x) for x in (2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5)]
WHO = [*"abcdefghijkl"]


def in_cells(first, second, who, cells, strata=None, settings=None):
    cells = np.asarray(cells)
    return correlations(
        np.asarray(first, float),
        np.asarray(second, float),
        np.asarray(who),
        cells,
        int(cells.max()) + 1,
        cells if strata is None else np.asarray(strata),
        settings or Settings(),
    )


def test_the_value_is_pearsons():
    found = correlation(TWELVE, OTHER, WHO)
    assert found.value == pytest.approx(stats.pearsonr(TWELVE, OTHER).statistic, abs=1e-11)
    assert (found.n_speakers, found.n_clips, found.n_missing) == (12, 12, 0)


def test_the_interval_by_hand():
    """Jackknife over speakers, written out."""
    found = correlation(TWELVE, OTHER, WHO)
    x, y = np.array(TWELVE), np.array(OTHER)
    z = [np.arctanh(np.corrcoef(np.delete(x, i), np.delete(y, i))[0, 1]) for i in range(12)]
    jackknife = np.sqrt(11 / 12 * np.sum((z - np.mean(z)) ** 2))
    half = stats.t.ppf(0.975, 10) * max(jackknife, 1 / 3)
    middle = np.arctanh(np.corrcoef(x, y)[0, 1])
    assert found.interval == pytest.approx((np.tanh(middle - half), np.tanh(middle + half)), abs=1e-9)


def test_a_speaker_counts_once_with_the_mean_of_their_clips():
    twice = correlation(
        [x + d for x in TWELVE for d in (-1, 1)], [y for y in OTHER for _ in range(2)], [w for w in WHO for _ in "12"]
    )
    once = correlation(TWELVE, OTHER, WHO)
    assert (twice.value, twice.low, twice.high) == pytest.approx((once.value, once.low, once.high), abs=1e-11)
    assert (twice.n_speakers, twice.n_clips) == (12, 24)


def test_a_clip_with_one_reading_counts_as_missing():
    found = correlation([*TWELVE, 99.0, None], [*OTHER, None, -99.0], [*WHO, "a", "m"])
    assert found.value == correlation(TWELVE, OTHER, WHO).value
    assert (found.n_speakers, found.n_clips, found.n_missing) == (12, 12, 2)


@pytest.mark.parametrize(
    ("first", "second", "method"),
    [
        ([], [], "not estimable: no speaker was read twice"),
        ([1, 2], [1, 2], "not estimable: 2 speakers, at least 3 needed"),
        ([7] * 12, OTHER, "not estimable: all 12 speakers have the same first value"),
        (TWELVE, [0.1] * 12, "not estimable: all 12 speakers have the same second value"),
        (TWELVE[:9], OTHER[:9], "no interval: 9 speakers, at least 10 needed"),
        (TWELVE, [3 - 2 * x for x in TWELVE], "no interval: all 12 speakers lie on one line"),
        ([0] * 11 + [1], OTHER, "no interval: one of 12 speakers contributes all the variance"),
    ],
)
def test_too_little_data_is_not_estimable_and_the_method_says_why(first, second, method):
    found = correlation(first, second, list(range(len(first))))
    assert found.method == method
    assert found.interval is None
    assert (found.value is None) == method.startswith("not estimable")


def test_min_speakers_raises_the_minimum():
    found = correlation(TWELVE, OTHER, WHO, Settings(min_speakers=13))
    assert found.method == "no interval: 12 speakers, at least 13 needed"


def test_readings_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="2 first values but 1 second"):
        correlation([1, 2], [1], ["a", "b"])
    with pytest.raises(ValueError, match="infinite"):
        correlation([1, np.inf], [1, 2], ["a", "b"])
    with pytest.raises(ValueError, match="speaker id is missing"):
        correlation([1, 2], [1, 2], ["a", None])


def test_others_is_the_mean_over_all_pairings():
    x, y, strata = np.array([1.0, 2, 4, 7, 3]), np.array([2.0, 1, 5, 6, 9]), np.array([0, 0, 1, 1, 1])
    expected = [
        np.corrcoef(x, y[list(to)])[0, 1]
        for to in permutations(range(5))
        if all(i != j and strata[i] == strata[j] for i, j in enumerate(to))
    ]
    found = in_cells(x, y, range(5), [0] * 5, strata)[0]
    assert len(expected) == 2
    assert found.others == pytest.approx(np.mean(expected), abs=1e-11)


def test_others_of_one_stratum_are_uncorrelated():
    found = in_cells(TWELVE, OTHER, range(12), [0] * 12)[0]
    assert found.others == pytest.approx(-found.estimate.value / 11, abs=1e-11)


def test_a_speaker_alone_in_a_stratum_is_left_out_of_others_only():
    strata = [0] * 11 + [1]
    found = in_cells(TWELVE, OTHER, range(12), [0] * 12, strata)[0]
    without = in_cells(TWELVE[:11], OTHER[:11], range(11), [0] * 11)[0]
    assert found.others == without.others
    assert in_cells(TWELVE, OTHER, range(12), [0] * 12, range(12))[0].others is None


def test_two_distant_groups_correlate_by_group_only():
    """No correlation within a group: readings of others correlate equally."""
    rng = np.random.default_rng(4)
    group = np.repeat([0, 1], 2000)
    x, y = rng.normal(size=4000) + 3 * group, rng.normal(size=4000) + 3 * group
    found = in_cells(x, y, range(4000), np.zeros(4000, int), group)[0]
    assert found.estimate.value == pytest.approx(2.25 / 3.25, abs=0.03)
    assert found.others == pytest.approx(found.estimate.value, abs=0.03)
    for each in in_cells(x, y, range(4000), group):
        assert each.estimate.low < 0 < each.estimate.high


def test_a_cell_does_not_depend_on_the_others_and_may_be_empty():
    cells = [0] * 12 + [2] * 12
    together = in_cells(TWELVE + OTHER, OTHER + TWELVE[::-1], range(24), cells)
    assert together[0].estimate == correlation(TWELVE, OTHER, WHO)
    assert together[1].estimate.method == "not estimable: no speaker was read twice"
    assert together[2].estimate == correlation(OTHER, TWELVE[::-1], WHO)


values = st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5), st.integers(0, 15)), min_size=12, max_size=60)


@given(values, st.randoms(use_true_random=False))
def test_neither_rows_nor_names_nor_direction_matter(clips, random):
    x, y, who = zip(*clips, strict=True)
    found = correlation(x, y, who)
    order = random.sample(range(len(clips)), len(clips))
    assert correlation([x[i] for i in order], [y[i] for i in order], [f"s{-who[i]}" for i in order]) == found
    if found.value is not None:
        assert -1 <= found.value <= 1
        turned = correlation([-each for each in x], y, who)
        assert turned.value == pytest.approx(-found.value, abs=1e-9)
        assert correlation(y, x, who).value == pytest.approx(found.value, abs=1e-9)
    if found.interval is not None:
        assert -1 <= found.low <= found.value <= found.high <= 1
        assert found.high - found.low > 1e-6


def test_a_duplicated_cohort_has_the_same_value_and_a_narrower_interval():
    once = correlation(TWELVE, OTHER, WHO)
    twice = correlation(TWELVE * 2, OTHER * 2, [*WHO, *(w.upper() for w in WHO)])
    assert twice.value == pytest.approx(once.value, abs=1e-11)
    assert twice.high - twice.low < once.high - once.low


def test_planted_correlations_lie_in_their_intervals():
    """400 audits of 25 speakers; 95 % intervals contain a true r of .5 about as often."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(400, 25))
    y = 0.5 * x + np.sqrt(0.75) * rng.normal(size=(400, 25))
    cells = np.repeat(np.arange(400), 25)
    found = in_cells(x.ravel(), y.ravel(), np.arange(10_000), cells)
    covered = np.mean([each.estimate.low <= 0.5 <= each.estimate.high for each in found])
    assert 0.93 < covered < 0.995
