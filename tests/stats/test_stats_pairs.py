"""Differences, paired and not, and the tests that go with them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from audit.stats import Estimate, Settings, difference, mean, rate
from audit.stats.intervals import FAR
from tests.single_statistics import mcnemar, paired_difference, permutation
from tests.stats.binomial_intervals import binomial_interval

WHO = list("abcdefghij")


def test_the_same_clip_at_two_stages_by_hand():
    """a: 1 and 0 of change, b: 1, c: 0, d: -1, e: 0 and unread: mean of .5, 1, 0, -1, 0."""
    who = list("aabcdee")
    portrait, rendered = [0, 0, 0, 0, 1, 1, 1], [1, 0, 1, 0, 0, 1, None]
    found = paired_difference(portrait, rendered, who)
    assert found.value == 0.1
    assert (found.n_speakers, found.n_clips, found.n_missing) == (5, 6, 1)
    assert -1 <= found.low < 0.1 < found.high <= 1


def test_the_same_speaker_in_two_languages_by_hand():
    """English a: 1/2, b: 0, c: 1, x: 1; other a: 1, b: 1/3, c: 1, y: 0. Changes .5, 1/3, 0; x and y have no other
    half."""
    english, en_who = [1, 0, 0, 1, 1], list("aabcx")
    chinese, zh_who = [1, 1, 0, 0, 1, 0, None], list("abbbcyc")
    found = paired_difference(english, chinese, en_who, second_speakers=zh_who)
    assert found.value == pytest.approx((0.5 + 1 / 3 + 0) / 3)
    assert (found.n_speakers, found.n_clips, found.n_missing) == (3, 9, 3)
    assert found.interval is None
    assert found.method == "not estimable: 3 speakers, at least 5 needed; speakers with one reading only, left out: 2"


def test_gains_and_losses_by_hand():
    """10 speakers, 5 gain, 1 loses: MOVER from two binomial intervals with correlation -sqrt(gl /
    ((1-g)(1-l)))."""
    found = paired_difference([0] * 5 + [1] + [0] * 4, [1] * 5 + [0] + [0] * 4, WHO)
    (gain_low, gain_high), (loss_low, loss_high) = (binomial_interval(k, 10) for k in (5, 1))
    r = -np.sqrt(0.5 * 0.1 / (0.5 * 0.9))
    down, up = (0.5 - gain_low, loss_high - 0.1), (gain_high - 0.5, 0.1 - loss_low)
    low = 0.4 - np.sqrt(down[0] ** 2 + down[1] ** 2 - 2 * r * down[0] * down[1])
    high = 0.4 + np.sqrt(up[0] ** 2 + up[1] ** 2 - 2 * r * up[0] * up[1])
    assert (found.value, found.low, found.high) == pytest.approx((0.4, low, high))
    assert found.method == "MOVER of gains and losses (bounded mean on 10 speakers)"


@pytest.mark.parametrize("n", [5, 20, 40, 300])
@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 1), (0, 1), (1, 0), (0.25, 0.75)])
def test_identical_changes_never_get_zero_width(n, before, after):
    found = paired_difference([before] * n, [after] * n, range(n))
    assert found.value == after - before
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert found.high - found.low > 1 / (2 * n)
    if before == after:
        assert found.high == -found.low == pytest.approx(1 - (0.025 / FAR) ** (1 / n))


def test_real_values_use_the_change_of_each_speaker():
    """Per speaker 1, 2, 3, 4, 6: the interval of a plain mean of these."""
    before, after = np.zeros(6), [1, 2, 3, 4, 5, 7]
    found = paired_difference(before, after, list("abcdee"), kind="mean")
    assert found == mean(after, list("abcdee"))


def test_a_speaker_counts_once_for_any_number_of_clips():
    few = paired_difference([0] * 6, [1, 0, 0, 0, 0, 0], list("abcdef"))
    many = paired_difference([0] * 105, [1] * 100 + [0] * 5, ["a"] * 100 + list("bcdef"))
    assert (few.value, few.interval) == (many.value, many.interval)


def test_pairs_refuse_what_they_cannot_align():
    with pytest.raises(ValueError, match="2 first values but 3 second"):
        paired_difference([0, 1], [0, 1, 1], list("ab"))
    with pytest.raises(ValueError, match="2 first values but 3 speakers"):
        paired_difference([0, 1], [0, 1, 1], list("abc"), second_speakers=list("ab"))


@pytest.mark.parametrize("rule", ["percentile", "bca"])
def test_a_paired_bootstrap_on_request(rule):
    rng = np.random.default_rng(0)
    before, after = (rng.random(400) < 0.3).astype(float), (rng.random(400) < 0.5).astype(float)
    who = np.repeat(np.arange(200), 2)
    asked, default = (
        paired_difference(before, after, who, Settings(interval=rule)),
        paired_difference(before, after, who),
    )
    assert asked.method.startswith(rule)
    assert asked.interval == pytest.approx(default.interval, abs=0.012)


CLIPS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from([0, 1, None]), st.sampled_from([0, 1, None])), min_size=1, max_size=90
)


@settings(max_examples=100, deadline=None)
@given(CLIPS, st.randoms(use_true_random=False), st.booleans())
def test_pairs_obey_their_invariances(clips, random, aligned):
    def made(rows, flipped=False):
        who, first, second = zip(*rows, strict=True)
        first, second = (second, first) if flipped else (first, second)
        return paired_difference(first, second, who, second_speakers=None if aligned else who)

    found, mirrored = made(clips), made(clips, flipped=True)
    assert made(random.sample(clips, len(clips))) == found
    assert found.n_clips + found.n_missing == len(clips) * (1 if aligned else 2)
    if found.interval:
        assert -1 <= found.low <= found.value <= found.high <= 1 and found.low < found.high
        assert (-found.high, -found.low) == pytest.approx(mirrored.interval, abs=1e-9)
    else:
        assert found.n_speakers < 5


def test_independent_groups_by_hand():
    """Newcombe's (1998) example, 56 of 70 against 48 of 80, from Wilson intervals: .2 with [.0524, .3339]."""
    wilson = [scipy_stats.binomtest(k, n).proportion_ci(0.95, "wilson") for k, n in ((48, 80), (56, 70))]
    groups = [
        Estimate(value, ci.low, ci.high, n, n, 0, "Wilson")
        for value, ci, n in zip((0.6, 0.8), wilson, (80, 70), strict=True)
    ]
    found = difference(*groups)
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert (found.n_speakers, found.method) == (150, "MOVER (Wilson)")


def test_a_difference_names_the_side_without_an_estimate():
    good, small, none = rate([0, 1] * 5, WHO), rate([1], ["a"]), rate([], [])
    assert difference(good, small).interval is None
    assert difference(good, small).value == 0.5
    assert difference(small, good).method == "first: not estimable: 1 speaker, at least 5 needed"
    assert difference(good, none).value is None


def test_mcnemar_is_exact_and_counts_speakers():
    """7 gain, 1 loses: 2 * (1 + 8) / 2**8; ten clips each instead of one change nothing."""
    first, second = [0] * 7 + [1] + [0, 1], [1] * 7 + [0] + [0, 1]
    once = mcnemar(first, second, WHO)
    assert (once.p, once.gained, once.lost, once.n_speakers) == (2 * 9 / 2**8, 7, 1, 10)
    assert mcnemar(np.repeat(first, 10), np.repeat(second, 10), np.repeat(WHO, 10)).p == once.p
    assert mcnemar([0, 1], [0, 1], ["a", "b"]).p == 1
    assert mcnemar([None], [1], ["a"]).p is None


def test_permutation_enumerates_few_and_samples_many():
    """Changes 3, 2, 1: of 8 sign patterns two reach |6|, so p = 1/4."""
    assert permutation([0, 0, 0], [3, 2, 1], list("abc"), kind="mean").p == 0.25
    rng = np.random.default_rng(0)
    change = rng.normal(0.4, 1, size=40)
    sampled = permutation(np.zeros(40), change, range(40), Settings(resamples=20_000), kind="mean")
    assert sampled.p == pytest.approx(scipy_stats.ttest_1samp(change, 0).pvalue, abs=0.01)
    assert permutation([1, None], [None, 0], ["a", "b"]).p is None


def test_permutation_of_many_counts_matches_the_exact_binomial():
    first, second = np.r_[np.zeros(30), np.ones(12), np.zeros(58)], np.r_[np.ones(30), np.zeros(12), np.zeros(58)]
    sampled = permutation(first, second, range(100), Settings(resamples=50_000))
    assert sampled.p == pytest.approx(mcnemar(first, second, range(100)).p, abs=0.002)
