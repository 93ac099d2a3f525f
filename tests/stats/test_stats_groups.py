"""Several groups at once, and one figure at every confidence."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from audit.stats import (
    Estimate,
    Settings,
    difference,
    difference_curve,
    figure_curve,
    mean,
    p_value,
    paired,
    rate,
    verdict,
)
from audit.stats.curves import Curve
from audit.stats.intervals import FAR
from tests.single_statistics import between_groups, group_ratios, mcnemar, omnibus, permutation


def speakers_of(*groups):
    """One clip per speaker: values, speakers and groups."""
    values = [x for group in groups for x in group]
    return values, range(len(values)), [k for k, group in enumerate(groups) for _ in group]


def parted(values, sizes):
    """The variance between groups over their mean sampling variance."""
    parts = np.split(np.asarray(values, float), np.cumsum(sizes)[:-1])
    noise = np.mean([part.var(ddof=1) / len(part) for part in parts])
    between = np.var([part.mean() for part in parts], ddof=1)
    return between / noise if noise else np.inf if between else 0.0


@pytest.mark.parametrize(
    ("values", "sizes", "kind"),
    [([0, 1, 1, 1, 0, 0, 0], (3, 4), "rate"), ([5.0, 1.0, 2.5, 7.0, 9.0, 8.0], (2, 2, 2), "mean")],
)
def test_the_omnibus_test_counts_permutations_that_are_as_extreme(values, sizes, kind):
    seen = parted(values, sizes)
    exact = np.mean([parted(order, sizes) >= seen - 1e-9 for order in itertools.permutations(values)])
    found = omnibus(
        values, range(len(values)), np.repeat(range(len(sizes)), sizes),
        Settings(resamples=20_000, min_speakers=2), kind=kind,
    )  # fmt: skip
    assert found.p == pytest.approx(exact, abs=0.012)
    assert (found.n_groups, found.n_speakers) == (len(sizes), len(values))


def test_unanimous_groups_that_disagree_are_the_most_extreme():
    """5 against 5: two of 252 permutations are as extreme, and the variance of zero causes no division by zero."""
    found = omnibus(*speakers_of([0] * 5, [1] * 5), Settings(resamples=50_000))
    assert found.p == pytest.approx(2 / 252, abs=0.002)
    assert omnibus(*speakers_of([1] * 5, [1] * 9)).p == 1


def test_permutation_by_tables_and_by_index_agree():
    """The same integers, as few levels and as slightly different values."""
    rng = np.random.default_rng(0)
    values = rng.integers(0, 3, 300) + 0.25 * (np.arange(300) < 100)
    groups = np.repeat([0, 1, 2], 100)
    few = omnibus(values, range(300), groups, Settings(resamples=5000), kind="mean")
    many = omnibus(values + 1e-7 * rng.random(300), range(300), groups, Settings(resamples=5000), kind="mean")
    assert few.p == pytest.approx(many.p, abs=0.02)
    assert few.p == pytest.approx(scipy_stats.f_oneway(*np.split(values, 3)).pvalue, abs=0.02)


def test_the_limit_agrees_with_the_permutations():
    rng = np.random.default_rng(3)
    below, above = (
        omnibus((rng.random(3 * n) < 0.3).astype(float), range(3 * n), np.repeat([0, 1, 2], n), name="x")
        for n in (499, 500)
    )
    assert "permutations of 1497 speakers" in below.method
    assert "draws of the permutations' limit" in above.method
    values = (rng.random(1500) < np.repeat([0.3, 0.3, 0.36], 500)).astype(float)
    found = omnibus(values, range(1500), np.repeat([0, 1, 2], 500), Settings(resamples=20_000))
    assert found.p == pytest.approx(scipy_stats.f_oneway(*np.split(values, 3)).pvalue, abs=0.01)


def test_equal_groups_are_not_significant_and_a_planted_difference_is():
    rng = np.random.default_rng(1)
    groups = np.repeat(range(8), 20)
    null = [omnibus((rng.random(160) < 0.3).astype(float), range(160), groups, Settings(resamples=199), name=str(i)).p
            for i in range(200)]  # fmt: skip
    assert np.mean(np.array(null) <= 0.05) < 0.05 + 3 * (0.0475 / 200) ** 0.5
    assert omnibus((rng.random(160) < np.where(groups == 3, 0.9, 0.3)).astype(float), range(160), groups).p < 0.01


def test_too_few_groups_or_speakers_are_not_tested():
    alone = omnibus(*speakers_of([0, 1, 1, 0, 1], [1, 0]))
    assert (alone.p, alone.n_groups, alone.n_speakers) == (None, 1, 5)
    assert alone.method == (
        "not estimable: 1 group with enough speakers, 2 needed; groups of fewer than 5 speakers, left out: 1"
    )
    assert omnibus([], [], []).p is None
    assert between_groups([], [], []).value is None
    assert group_ratios([], [], []) == {}
    small = omnibus(*speakers_of([0, 1, 1, 0, 1], [1, 0, 1, 1, 1], [0]))
    assert (small.n_groups, small.method[-1]) == (2, "1")


def test_the_between_group_deviation_by_hand():
    """Rates .2, .6 and 1 of 5: variance .16, sampling variances .16/4, .24/4 and 0."""
    found = between_groups(*speakers_of([1, 0, 0, 0, 0], [1, 1, 1, 0, 0], [1] * 5))
    assert found.value**2 == pytest.approx(0.16 - (0.04 + 0.06 + 0) / 3)
    assert 0 <= found.low < found.value < found.high
    assert (found.n_speakers, found.n_clips, found.n_missing) == (15, 15, 0)


def test_the_between_group_deviation_of_identical_groups_is_unbiased_and_max_minus_min_is_not():
    rng = np.random.default_rng(2)
    corrected, gaps = [], []
    for _ in range(300):
        values = rng.binomial(1, 0.3, size=(40, 10)).astype(float)
        noise = values.var(axis=1, ddof=1).mean() / 10
        corrected.append(values.mean(axis=1).var(ddof=1) - noise)
        gaps.append(np.ptp(values.mean(axis=1)))
    found = between_groups(values.ravel(), range(400), np.repeat(range(40), 10))
    assert found.value == pytest.approx(max(corrected[-1], 0) ** 0.5)
    assert abs(np.mean(corrected)) < 3 * np.std(corrected) / 300**0.5
    assert np.mean(gaps) > 0.5


def test_a_negative_variance_is_shown_as_zero_with_a_note():
    found = between_groups(*speakers_of([0, 1, 0, 1, 1, 0], [1, 0, 1, 0, 0, 1]))
    assert (found.value, found.low) == (0, 0)
    assert found.high > 0.1
    assert "variance below 0, shown as 0" in found.method


@pytest.mark.parametrize("rates", [(0, 0), (1, 1), (0, 1), (0, 0, 1)])
def test_unanimous_groups_never_get_zero_width(rates):
    found = between_groups(*speakers_of(*([rate] * 10 for rate in rates)))
    assert found.value == pytest.approx(np.std(rates, ddof=1))
    assert found.high - found.low > 0.02


def test_real_values_without_variance_within_a_group_get_no_interval():
    found = between_groups(*speakers_of([2.0] * 6, [1.0, 2.0, 4.0, 3.0, 5.0]), kind="mean")
    assert found.interval is None
    assert found.method == "no interval: all speakers of a group have the same value"


def test_the_between_group_deviation_of_real_values_is_recovered():
    rng = np.random.default_rng(0)
    truth = np.arange(10.0)
    values = (truth[:, None] + rng.normal(0, 5, size=(10, 400))).ravel()
    found = between_groups(values, range(4000), np.repeat(range(10), 400), kind="mean")
    assert found.low < truth.std(ddof=1) < found.high
    assert found.high - found.low < 0.7


def test_ratios_by_hand():
    """.25 and .5 about sqrt(.125): logarithms -/+ log(2)/2, arms half of those of both groups, combined as squares."""
    low, high = [1] * 10 + [0] * 30, [1] * 20 + [0] * 20
    found = group_ratios(*speakers_of(low, high))
    own = [rate(x, range(40), Settings(confidence=0.975)) for x in (low, high)]
    arms = np.log(own[0].value / own[0].low) / 2, np.log(own[1].high / own[1].value) / 2
    assert found[0].value == pytest.approx(0.5**0.5)
    assert found[0].low == pytest.approx(found[0].value * np.exp(-np.hypot(*arms)))
    assert found[1].value * found[0].value == pytest.approx(1)
    assert found[1].low == pytest.approx(1 / found[0].high)


def test_a_ratio_to_zero_is_not_estimable():
    found = group_ratios(*speakers_of([0] * 8, [1] * 8, [1, 0]))
    assert [found[k].value for k in range(3)] == [None, None, None]
    assert found[1].method == "not estimable: the rate of a group is 0"
    assert found[2].method == "not estimable: 2 speakers, at least 5 needed"


CLIPS = st.lists(st.tuples(st.integers(0, 40), st.sampled_from([0, 1, None])), min_size=1, max_size=120)


def everything(rows, name_of=lambda group: group, estimand="speaker"):
    who, values = zip(*rows, strict=True)
    groups = [name_of(speaker % 4) for speaker in who]
    chosen = Settings(resamples=200, estimand=estimand)
    ratios = group_ratios(values, who, groups, chosen)
    return (
        omnibus(values, who, groups, chosen),
        between_groups(values, who, groups, chosen),
        {name_of(k): ratios.get(name_of(k)) for k in range(4)},
    )


@settings(max_examples=60, deadline=None)
@given(CLIPS, st.randoms(use_true_random=False), st.sampled_from(["speaker", "clip"]))
def test_groups_obey_their_invariances(clips, random, estimand):
    test, spread, ratios = everything(clips, estimand=estimand)
    assert everything(random.sample(clips, len(clips)), estimand=estimand) == (test, spread, ratios)
    again, same, renamed = everything(clips, lambda group: f"z{9 - group}", estimand)
    assert (again, same) == (test, spread)
    assert renamed == {f"z{9 - k}": ratio for k, ratio in ratios.items()}
    if test.p is not None:
        assert 1 / 201 <= test.p <= 1
        assert 0 <= spread.low <= spread.value <= spread.high <= 0.5**0.5 + 1e-9
        assert spread.low < spread.high


def test_a_duplicated_cohort_has_the_same_point_and_a_smaller_p_value():
    values, who, groups = speakers_of([1] * 4 + [0] * 16, [1] * 14 + [0] * 6)
    once = omnibus(values, who, groups), between_groups(values, who, groups)
    twice = [each(values * 4, range(160), groups * 4) for each in (omnibus, between_groups)]
    assert twice[0].p <= once[0].p
    assert twice[1].high - twice[1].low < once[1].high - once[1].low


def test_a_speaker_with_very_many_clips_counts_once():
    values, who, groups = speakers_of([1, 0, 1, 0, 0, 1], [0, 0, 1, 0, 0, 0])
    many = [1] * 10_000 + values[1:], [0] * 10_000 + list(who)[1:], [0] * 10_000 + groups[1:]
    assert omnibus(*many).p == omnibus(values, who, groups).p
    assert between_groups(*many).value == between_groups(values, who, groups).value


def test_sixty_thousand_speakers_in_forty_groups_use_the_limit():
    rng = np.random.default_rng(0)
    values = rng.random(60_000)
    found = omnibus(values, range(60_000), np.arange(60_000) % 40, kind="mean")
    assert found.p > 0.001
    assert "limit" in found.method
    lopsided = np.where(np.arange(60_000) < 20, 0, 1)
    seen = omnibus(values + (lopsided == 0), range(60_000), lopsided, Settings(resamples=300), kind="mean")
    assert seen.p == pytest.approx(1 / 301)


# One figure at every confidence


def test_a_curve_gives_the_estimate_at_its_confidence():
    values, who = [0, 1, 1, 0, 1, 1, 1, 0], [*"abcdefgg"]
    curve = figure_curve(values, who, Settings())
    assert curve.at(0.95) == rate(values, who)
    assert curve.at(0.8) == rate(values, who, Settings(confidence=0.8))
    assert curve.together(5).at(0.95) == rate(values, who, Settings(confidence=0.99))
    real = np.random.default_rng(0).normal(size=50)
    sampled = figure_curve(real, range(50), Settings(), kind="mean")
    assert sampled.at(0.9) == mean(real, range(50), Settings(confidence=0.9))
    assert sampled.least == 1 / 2001


def test_the_p_value_of_a_rate_is_the_binomial_one_by_hand():
    """9 of 10 against .5: shown until half of alpha is FAR P(9 or more of 10 | .5) + (1 - FAR) P(10 of 10 | .5)."""
    half = (FAR * 11 + (1 - FAR) * 1) / 1024
    curve = figure_curve([1] * 9 + [0], range(10), Settings())
    assert p_value(curve, 0.5, "greater", 0.95) == pytest.approx(2 * half, rel=2e-3)
    assert p_value(curve.together(3), 0.5, "greater", 0.95) == pytest.approx(6 * half, rel=2e-3)
    assert p_value(curve, 0.95, "greater", 0.95) == 1
    assert p_value(curve, 0.5, "greater", 0.95, beat=0.01) == 0.01


def test_without_an_interval_the_p_value_is_one():
    assert p_value(figure_curve([1, 1], [*"ab"], Settings()), 0.1, "greater", 0.95) == 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0, 1]), st.sampled_from([0, 1])), min_size=5, max_size=60),
    st.sampled_from([0.0, 0.05, 0.2]),
    st.sampled_from(["greater", "less", "two_sided"]),
    st.sampled_from([0.8, 0.95]),
)
def test_a_check_is_shown_where_its_p_value_is_small_enough(pairs, margin, direction, confidence):
    before, after = zip(*pairs, strict=True)
    curve = paired(before, after, range(len(pairs))).curve()
    p = p_value(curve, margin, direction, confidence)
    assert (p <= 1 - confidence) == (verdict(curve.at(confidence), margin, direction).outcome == "shown")
    if p < 0.99:
        assert verdict(curve.at(1 - p), margin, direction).outcome == "shown"
        assert verdict(curve.at(1 - min(0.998, p * 1.01)), margin, direction).outcome == "shown"
        if p > 2 * curve.least:
            assert verdict(curve.at(1 - p * 0.99), margin, direction).outcome != "shown"


def test_the_smallest_bootstrap_p_value_depends_on_the_resamples():
    values = np.random.default_rng(0).normal(9, 1, size=60)
    assert p_value(figure_curve(values, range(60), Settings(), kind="mean"), 0.1, "greater", 0.95) == 1 / 2001
    many = figure_curve([1] * 400, range(400), Settings())
    assert p_value(many, 0.1, "greater", 0.95) == 1e-9


def test_a_curve_of_a_difference():
    first, second = ([0] * 8 + [1] * 4, range(12)), ([1] * 9 + [0] * 3, range(12))
    curve = difference_curve(*(figure_curve(*each, Settings()) for each in (first, second)))
    assert curve.at(0.9) == difference(*(rate(*each, Settings(confidence=0.9)) for each in (first, second)))
    assert Curve(lambda _: Estimate(None, None, None, 0, 0, 0, "none"), 0.01).together(7).least == 0.07


def test_sign_changes_of_few_sizes_are_enumerated():
    """60 against 40 of one size is McNemar's test; halves and wholes against each other by trying all 2**12."""
    before, after = np.r_[np.zeros(60), np.ones(40)], np.r_[np.ones(60), np.zeros(40)]
    assert permutation(before, after, range(100)).p == pytest.approx(mcnemar(before, after, range(100)).p)
    change = np.array([1, 1, 1, 0.5, 0.5, 0.5, 0.5, -0.5, 1, -1, 0.5, 1])
    signs = np.array(list(itertools.product([-1, 1], repeat=12)))
    exact = np.mean(np.abs((signs * np.abs(change)).sum(axis=1)) >= change.sum() - 1e-9)
    found = paired(np.zeros(12), change, range(12), kind="mean").permutation()
    assert found.p == pytest.approx(exact)
    assert "all 2^12 sign changes" in found.method


def test_sign_changes_of_very_many_speakers_use_the_normal_limit():
    change = np.random.default_rng(0).normal(0.05, 1, size=1500)
    found = paired(np.zeros(1500), change, range(1500), kind="mean").permutation()
    assert found.p == pytest.approx(2 * scipy_stats.norm.sf(abs(change.sum()) / np.sqrt((change**2).sum())))
    sampled = paired(np.zeros(999), change[:999], range(999), Settings(resamples=4000), kind="mean").permutation()
    assert sampled.p == pytest.approx(
        2 * scipy_stats.norm.sf(abs(change[:999].sum()) / np.sqrt((change[:999] ** 2).sum())), abs=0.025
    )
