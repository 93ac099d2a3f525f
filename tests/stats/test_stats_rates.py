"""Rates, means and tables: every figure here was worked out by hand or by another formula."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from audit.stats import LARGE, Settings, bounds, cells, mean, rate
from audit.stats.intervals import FAR, BoundedMean

WHO = list("abcdefghij")


def test_a_rate_weights_speakers_not_clips():
    """a: 1 of 1, b: 0 of 3, c: 1 of 2: the speakers' mean is 1/2, the clips' 2/6."""
    values, who = [1, 0, 0, 0, 1, 0], list("abbbcc")
    assert rate(values, who).value == 0.5
    assert rate(values, who, Settings(estimand="clip")).value == pytest.approx(2 / 6)


def test_speakers_whose_clips_agree_are_a_binomial_sample():
    """3 of 10 speakers, two clips each: the ends solve the binomial equations for 10 trials, not for 20."""
    found = rate(np.repeat([1, 1, 1, 0, 0, 0, 0, 0, 0, 0], 2), np.repeat(WHO, 2))
    low, high = (scipy_stats.binom(10, end) for end in found.interval)
    assert FAR * low.sf(2) + (1 - FAR) * low.sf(3) == pytest.approx(0.025, abs=1e-9)
    assert FAR * high.cdf(3) + (1 - FAR) * high.cdf(2) == pytest.approx(0.025, abs=1e-9)
    assert (found.n_speakers, found.n_clips, found.method) == (10, 20, "bounded mean on 10 speakers")


def test_the_interval_lies_between_mid_p_and_clopper_pearson():
    found = rate([1, 1, 1, 0, 0, 0, 0, 0, 0, 0], WHO)
    exact = scipy_stats.binomtest(3, 10).proportion_ci(0.95, "exact")
    assert exact.low < found.low and found.high < exact.high
    assert FAR > 0.5


@pytest.mark.parametrize("n", [5, 30, 300])
def test_equal_fractions_bound_the_speakers_who_may_not_have_been_drawn(n):
    """All speakers read 1 of 20: a share h of always misread speakers is excluded if (1 - h)**n is small enough."""
    found = rate(np.tile([1] + [0] * 19, n), np.repeat(np.arange(n), 20))
    unseen = 1 - (0.025 / FAR) ** (1 / n)
    assert found.value == pytest.approx(0.05)
    assert found.high == pytest.approx(0.05 + 0.95 * unseen, abs=1e-9)
    assert found.low == pytest.approx(0.05 * (1 - unseen), abs=1e-9)


@pytest.mark.parametrize("clips", [1, 3, 20])
@pytest.mark.parametrize("n", [6, 25])
def test_the_interval_is_the_quantile_of_random_weights(n, clips):
    """Against 200,000 draws of the definition: exponential weights and one pseudo observation at either end."""
    rng = np.random.default_rng([n, clips])
    means = rng.binomial(clips, rng.beta(0.5, 1.5, n)) / clips
    found = rate(means, range(n))
    weights = rng.exponential(size=(200_000, n + 1))
    pseudo = rng.random((2, 200_000)) < FAR
    for end, at_top, level in ((found.low, ~pseudo[0], 0.025), (found.high, pseudo[1], 0.975)):
        drawn = (weights[:, :n] @ means + weights[:, n] * at_top) / weights.sum(axis=1)
        assert end == pytest.approx(np.quantile(drawn, level), abs=0.008)


@pytest.mark.parametrize("n", [5, 10, 30, 60, 100, 300])
@pytest.mark.parametrize("regular", [0.0, 0.005, 0.05, 0.2])
def test_always_misread_speakers_who_were_not_drawn_are_not_excluded(n, regular):
    """Without sampling of clips: if no such speaker was drawn, every share that is excluded is improbable."""
    high = rate(np.full(n, regular), range(n)).high
    share = (high - regular) / (1 - regular)
    assert (1 - share) ** n <= 0.025 / FAR + 1e-9


@pytest.mark.parametrize("n", [5, 29, 30, 200, 5000])
@pytest.mark.parametrize("value", [0, 1])
def test_unanimous_speakers_never_get_zero_width(n, value):
    found = rate([value] * n, range(n))
    assert found.high - found.low == pytest.approx(1 - (0.025 / FAR) ** (1 / n), abs=1e-9)
    assert found.method == f"bounded mean on {n} speakers"


def test_identical_fractions_never_get_zero_width():
    """Every speaker reads 1 of 2: no variance between them, yet others may have been missed."""
    found = rate([0, 1] * 10, np.repeat(WHO, 2))
    assert found.value == 0.5 and found.high - found.low > 0.25


def test_too_few_speakers_have_a_value_and_no_interval():
    found = rate([1, 0, 1, 1], list("abcc"))
    assert (found.value, found.interval, found.method) == (
        pytest.approx(2 / 3),
        None,
        "not estimable: 3 speakers, at least 5 needed",
    )


def test_no_readable_speaker_is_not_estimable():
    for nothing in (rate([], []), rate([None, np.nan], ["a", "b"]), mean([np.nan], ["a"])):
        assert (nothing.value, nothing.low, nothing.high, nothing.n_speakers) == (None, None, None, 0)
        assert nothing.method == "not estimable: no speaker was read"


def test_missing_clips_are_counted_and_change_nothing_else():
    values, who = [1, 0, 1, 0, 0, None, None, None], [*"abcde", "a", "f", "f"]
    found, without = rate(values, who), rate(values[:5], who[:5])
    assert (found.n_speakers, found.n_clips, found.n_missing) == (5, 5, 3)
    assert (found.value, found.interval) == (without.value, without.interval)


@pytest.mark.parametrize(
    ("values", "who", "message"),
    [
        ([0.5, 1.2], "ab", "outside"),
        ([0, np.inf], "ab", "infinite"),
        ([0, 1], "abc", "2 values but 3 speakers"),
        ([0, 1], ["a", None], "speaker id is missing"),
        (np.zeros((2, 2)), "ab", "dimensions"),
    ],
)
def test_wrong_input_is_refused(values, who, message):
    with pytest.raises(ValueError, match=message):
        rate(values, list(who))


@pytest.mark.parametrize("wrong", [{"confidence": 95}, {"resamples": 0}, {"min_speakers": 1}, {"estimand": "row"}])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValueError):
        Settings(**wrong)


def test_one_speaker_with_ten_thousand_clips_is_one_speaker():
    """Speaker-averaged they have a weight of one in ten; clip-averaged nearly all, and the interval is wide."""
    values, who = np.r_[np.ones(10_000), np.zeros(9)], np.r_[np.zeros(10_000), np.arange(1, 10)].astype(int)
    assert rate(values, who).value == 0.1
    by_clip = rate(values, who, Settings(estimand="clip"))
    assert by_clip.value > 0.999 and by_clip.high - by_clip.low > 0.9


def test_speaker_ids_may_be_of_any_hashable_type():
    values, names = [0, 1, 1, 0, 0], list("abcde")
    expected = rate(values, names)
    for who in (
        range(5),
        [(n, 1) for n in names],
        pd.Categorical(names),
        pd.Series(names, dtype="string"),
        [1, "1", *"xyz"],
    ):
        assert rate(values, who) == expected


def test_a_mean_below_thirty_speakers_is_students():
    """Speakers' means 1, 2, 3, 4, 6: scipy's t interval on five numbers."""
    found = mean([1, 2, 3, 4, 5, 7], list("abcdee"))
    means = [1, 2, 3, 4, 6]
    expected = scipy_stats.t.interval(0.95, 4, np.mean(means), scipy_stats.sem(means))
    assert (found.low, found.high) == pytest.approx(expected)


def test_a_mean_from_thirty_speakers_on_is_bootstrapped():
    values = np.random.default_rng(0).gamma(2, size=60)
    found = mean(values, range(60))
    reference = scipy_stats.bootstrap(
        (values,), np.mean, method="BCa", n_resamples=20_000, rng=np.random.default_rng(1)
    )
    ends = reference.confidence_interval
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high), abs=0.03)
    assert found.method == "bca bootstrap of 60 speakers"


@pytest.mark.parametrize("n", [6, 60])
def test_a_mean_without_variation_has_no_interval(n):
    found = mean([0.1] * n, range(n))
    assert (found.value, found.interval) == (0.1, None)
    assert found.method == f"no interval: all {n} speakers have the same value"


@pytest.mark.parametrize("rule", ["percentile", "bca"])
def test_a_bootstrap_on_request_agrees_with_the_closed_form(rule):
    values = (np.random.default_rng(0).random(600) < 0.4).astype(float)
    who = np.repeat(np.arange(200), 3)
    asked, default = rate(values, who, Settings(interval=rule)), rate(values, who)
    assert asked.method == f"{rule} bootstrap of 200 speakers"
    assert (asked.low, asked.high) == pytest.approx((default.low, default.high), abs=0.01)
    assert asked == rate(values, who, Settings(interval=rule))
    assert asked != rate(values, who, Settings(interval=rule, seed=1))


def test_bounds_by_hand():
    """Speakers a: 1 and missing, b: 0, c to e: 1, f: missing only; least 3.5 / 6, most 5 / 6."""
    found = bounds([1, None, 0, 1, 1, 1, None], list("aabcdef"))
    assert (found.least.value, found.most.value) == pytest.approx((3.5 / 6, 5 / 6))
    assert (found.least.n_speakers, found.least.n_clips, found.least.n_missing) == (6, 5, 2)
    assert found.most.method.endswith("2 missing set to 1")


TABLE = pd.DataFrame(
    {
        "speaker_id": np.repeat([f"s{i}" for i in range(60)], 3),
        "group": np.repeat(["asian", "black", "white"], 60),
        "language": np.tile(["en", "en", "zh"], 60),
        "white": (np.arange(180) * 7 % 11 < 4).astype(float),
        "age_error": np.arange(180) * 37 % 101 / 10,
    }
)


@pytest.mark.parametrize(("kind", "column"), [("rate", "white"), ("mean", "age_error")])
def test_a_cell_equals_its_single_estimate(kind, column):
    """Each row equals the single estimate, and does not depend on rows' order or on which other cells there are."""
    table = cells(TABLE, ["group", "language"], column, kind=kind)
    single = rate if kind == "rate" else mean
    for row in table.itertuples():
        part = TABLE if row.group == "all" else TABLE[(TABLE.group == row.group) & (TABLE.language == row.language)]
        alone = single(part[column].to_numpy(), part.speaker_id, name=f"{column}/{row.group}/{row.language}")
        assert (row.value, row.low, row.high, row.n_speakers, row.n_clips) == (
            (alone.value, alone.low, alone.high, alone.n_speakers, alone.n_clips)
        )
    shuffled = TABLE.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(table, cells(shuffled, ["group", "language"], column, kind=kind), check_exact=True)
    fewer = cells(TABLE[TABLE.group != "black"], ["group", "language"], column, kind=kind)
    pd.testing.assert_frame_equal(
        fewer.iloc[:-1].reset_index(drop=True), table[~table.group.isin(["black", "all"])].reset_index(drop=True)
    )


def test_cells_keep_categories_order_missing_labels_and_empty_tables():
    frame = TABLE.assign(group=pd.Categorical(TABLE.group, ["white", "asian", "black"]))
    assert cells(frame, ["group"], "white").group.tolist() == ["white", "asian", "black", "all"]
    blank = TABLE.assign(group=TABLE.group.where(TABLE.group != "black"))
    assert cells(blank, ["group"], "white").n_clips.tolist() == [60, 60, 60, 180]
    assert cells(TABLE.iloc[:0], ["group"], "white").n_speakers.tolist() == [0]
    assert len(cells(TABLE, [], "white")) == 1
    with pytest.raises(ValueError, match="no column colour"):
        cells(TABLE, ["colour"], "white")


READS = st.lists(st.tuples(st.integers(0, 45), st.sampled_from([0.0, 1.0, 0.5, None])), min_size=1, max_size=120)


@settings(max_examples=150, deadline=None)
@given(READS, st.randoms(use_true_random=False), st.sampled_from(["speaker", "clip"]))
def test_rates_obey_their_invariances(reads, random, estimand):
    chosen = Settings(estimand=estimand)
    who, values = zip(*reads, strict=True)
    found = rate(values, who, chosen)
    assert found.n_clips + found.n_missing == len(reads)
    if found.value is not None:
        assert 0 <= found.value <= 1
    if found.interval:
        assert 0 <= found.low <= found.value <= found.high <= 1 and found.low < found.high
    else:
        assert found.n_speakers < 5
    mixed = random.sample(reads, len(reads))
    assert rate([v for _, v in mixed], [w for w, _ in mixed], chosen) == found, "order of rows"
    names = {w: f"name {hash((w, 5))}" for w in who}
    assert rate(values, [names[w] for w in who], chosen) == found, "names of speakers"
    least, most = bounds(values, who, chosen)
    assert least.value <= most.value
    if estimand == "clip" and found.value is not None:
        assert least.value - 1e-12 <= found.value <= most.value + 1e-12


@settings(max_examples=60, deadline=None)
@given(READS)
def test_duplicated_clips_do_not_change_the_speaker_average(reads):
    who, values = zip(*reads, strict=True)
    assert rate(values * 2, who * 2).value == rate(values, who).value


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.floats(-1e3, 1e3)), min_size=1, max_size=100), st.randoms())
def test_means_obey_their_invariances(reads, random):
    who, values = zip(*reads, strict=True)
    found = mean(values, who)
    mixed = random.sample(reads, len(reads))
    assert mean([v for _, v in mixed], [w for w, _ in mixed]) == found
    if found.interval:
        assert found.low <= found.value <= found.high


@pytest.mark.parametrize("n", [5, 29, 30, 50, 200])
def test_coverage_of_binary_reads_without_simulation(n):
    """Clips of a speaker agree, so reads are binomial and the coverage is a sum."""
    seen = np.arange(n + 1.0)
    sums = np.tile(seen, (3, 1)), np.tile(n - seen, (3, 1))
    low, high = BoundedMean.of(*sums, np.full(n + 1, float(n))).interval(0.025)
    truth = np.linspace(0.005, 0.5, 250)[:, None]
    chance = scipy_stats.binom.pmf(seen, n, truth)
    assert (chance * ((low <= truth) & (truth <= high))).sum(axis=1).min() >= 0.93
    for misses in (high < truth, low > truth):
        assert (chance * misses).sum(axis=1).max() <= 0.025 / FAR


def test_the_limit_of_thirty_speakers_is_documented():
    assert LARGE == 30
