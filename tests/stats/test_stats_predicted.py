"""Prediction-powered rates: by hand, on planted truth, and under everything that must not matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from audit.stats import Settings, paired, prediction_powered, prediction_powered_change, rate
from audit.stats.predicted import Predicted, design, predicted_cells
from tests.stats.binomial_intervals import binomial_interval


def both(instrument, human, speakers, settings=None, strata=None) -> Predicted:
    """The human-only and the prediction-powered estimate of one cell."""
    f, h = np.array(instrument, float), np.array(human, float)
    people = np.unique(np.array(speakers), return_inverse=True)[1]
    drawn = np.zeros(len(f), int) if strata is None else np.array(strata)
    settings = settings or Settings()
    plan = design(~np.isnan(f), ~np.isnan(f) & ~np.isnan(h), people, drawn, estimand=settings.estimand)
    return predicted_cells([rate(f, people, settings)], f, h, people, plan, np.zeros(len(f), int), settings)[0]


def test_the_value_by_hand() -> None:
    """The instrument reads 1 for four of ten speakers. Of the five read by people it is wrong once: -1/5."""
    instrument = [1, 1, 0, 0, 0, 1, 1, 0, 0, 0]
    human = [1, 0, 0, 0, 0] + [None] * 5
    found = prediction_powered(instrument, human, range(10), readers=1)
    assert found.value == pytest.approx(0.4 - 0.2)
    assert (found.n_speakers, found.n_clips, found.n_missing) == (10, 10, 0)
    assert found.method.startswith("prediction-powered: faces of 5 speakers read by 1 person; MOVER (instrument: ")


def test_the_interval_by_hand() -> None:
    """The rectifier: no gain in five, one loss in five. f and d of the labelled: 1 1 0 0 0 and 0 -1 0 0 0."""
    f, d = np.array([1, 1, 0, 0, 0]), np.array([0, -1, 0, 0, 0])
    found = prediction_powered([1, 1, 0, 0, 0, 1, 1, 0, 0, 0], [1, 0, 0, 0, 0] + [None] * 5, range(10))
    first, gain, loss = (binomial_interval(k, n) for k, n in ((4, 10), (0, 5), (1, 5)))
    # gains never occurred: their correlation with losses is unknown and set to 0
    low, high = -0.2 - np.hypot(0, loss[1] - 0.2), -0.2 + np.hypot(gain[1], 0.2 - loss[0])
    r = np.corrcoef(f, d)[0, 1] * np.sqrt(5 / 10)
    down, up = (0.4 - first[0], -0.2 - low), (first[1] - 0.4, high + 0.2)
    assert found.low == 0  # 0.2 minus more than 0.2
    assert 0.2 - np.sqrt(down[0] ** 2 + down[1] ** 2 + 2 * r * down[0] * down[1]) < 0
    assert found.high == pytest.approx(0.2 + np.sqrt(up[0] ** 2 + up[1] ** 2 + 2 * r * up[0] * up[1]))


def test_if_people_read_everyone_the_instrument_has_no_influence() -> None:
    rng = np.random.default_rng(1)
    human = (rng.random(60) < 0.4).astype(float)
    for _ in range(5):
        found = prediction_powered(rng.integers(0, 2, 60), human, range(60))
        assert found.value == pytest.approx(rate(human, range(60)).value)


@pytest.mark.parametrize("share", [0, 0.5, 1])
@pytest.mark.parametrize("n", [5, 20, 100])
def test_full_agreement_never_gets_zero_width(n: int, share: float) -> None:
    instrument = np.r_[np.ones(int(200 * share)), np.zeros(200 - int(200 * share))]
    drawn = np.random.default_rng(0).permutation(200)[:n]
    human = np.full(200, np.nan)
    human[drawn] = instrument[drawn]
    found, alone = prediction_powered(instrument, human, range(200)), rate(instrument, range(200))
    assert found.value == share
    assert found.low <= alone.low and alone.high <= found.high
    assert (found.low, found.high) != (alone.low, alone.high)  # speakers not read by people are not treated as known


def test_an_interval_clipped_to_the_range_keeps_a_width() -> None:
    """The instrument says 1 to none of 200; people to none of 20 either, who stand for all."""
    everyone, human = np.zeros(200), np.r_[np.zeros(20), np.full(180, np.nan)]
    found = prediction_powered(everyone, human, range(200))
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high >= 1 - 0.025 ** (1 / 200)
    # a sum of 1/20 - 1/2, far below what a rate can be: as wide as for 200 speakers whose reads all agree
    below = prediction_powered(np.r_[np.ones(10), np.zeros(190)], np.r_[np.zeros(20), np.full(180, np.nan)], range(200))
    assert (below.value, below.low) == (0.0, 0.0)
    assert below.high == pytest.approx(1 - 0.025 ** (1 / 200))


def test_too_little_data_gives_no_estimate() -> None:
    instrument = [1, 0] * 10
    few = prediction_powered(instrument, [1, 0, 1, 0] + [None] * 16, range(20))
    assert few.value is not None and few.interval is None
    assert few.method == "not estimable: 4 speakers, at least 5 needed, whose faces people read"
    none = prediction_powered(instrument, [None] * 20, range(20))
    assert none.value is None and none.interval is None
    assert none.method == "not estimable: no face was read by people"
    half = prediction_powered(instrument, [1] * 10 + [None] * 10, range(20), strata=["en"] * 10 + ["zh"] * 10)
    assert half.value is None
    assert half.method == "not estimable: in 1 of 2 strata no face was read by people"
    unread = prediction_powered([None] * 3, [1, 0, 1], "abc")
    assert unread.value is None and unread.n_missing == 3
    with pytest.raises(ValueError, match="2 values of the instrument but 1 of people"):
        prediction_powered([1, 0], [1], "ab")


def test_strata_are_weighted_by_their_speakers() -> None:
    """Forty speakers of one stratum, ten of the other, five labelled in each; errors of -1 in the second only.

    With equal weights the result would be -1/2; with the shares of the strata it is -1/5.
    """
    instrument, strata = np.ones(50), np.repeat([0, 1], [40, 10])
    human = np.full(50, np.nan)
    human[:5], human[40:45] = 1, 0
    found = both(instrument, human, range(50), strata=strata)
    assert found.powered.value == pytest.approx(1 - 0.2)
    assert found.human.value == pytest.approx(0.8)
    # weights 1 and 1/4: (5 + 5/4)**2 / (5 + 5/16) = 7.35 of the ten
    assert "on 10 speakers, effective number 7.4" in found.human.method


def test_a_speaker_in_two_strata_is_one_speaker() -> None:
    """Ten speakers with readings in two languages count as ten, not twenty."""
    speakers, strata = np.tile(np.arange(10), 2), np.repeat([0, 1], 10)
    human = np.tile([1.0] * 5 + [0.0] * 5, 2)
    found = both(np.ones(20), human, speakers, strata=strata)
    assert (found.human.n_speakers, found.human.n_clips) == (10, 20)
    assert found.human.interval == pytest.approx(rate(human[:10], range(10)).interval)


def test_clips_have_equal_weight_for_the_estimand_clip() -> None:
    """Speaker 0 has 5 clips, 5 others one each: their labelled clip has weight 5 of 10, or 1 of 6."""
    speakers = [0] * 5 + [1, 2, 3, 4, 5]
    human = [1] + [None] * 4 + [0] * 5
    assert both([0] * 10, human, speakers).human.value == pytest.approx(1 / 6)
    assert both([0] * 10, human, speakers, Settings(estimand="clip")).human.value == pytest.approx(1 / 2)


CLIPS = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from([0, 1, None]), st.sampled_from([0, 0.5, 1, None]), st.integers(0, 2)),
    min_size=1,
    max_size=60,
)


@hypothesis_settings(max_examples=150, deadline=None)
@given(CLIPS, st.randoms(use_true_random=False))
def test_invariances(clips: list[tuple[int, float, float, int]], random) -> None:
    def made(rows):
        who, instrument, human, strata = zip(*rows, strict=True)
        return prediction_powered(instrument, human, who, strata=strata)

    found = made(clips)
    assert made(random.sample(clips, len(clips))) == found
    names = random.sample("abcdefghijklm", 13)
    assert made([(names[who], f, h, "xyz"[stratum]) for who, f, h, stratum in clips]) == found
    if found.interval:
        assert 0 <= found.low <= found.value <= found.high <= 1 and found.low < found.high
    mirrored = made([(w, None if f is None else 1 - f, None if h is None else 1 - h, s) for w, f, h, s in clips])
    if found.interval:
        assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx(found.interval, abs=1e-9)


def test_a_speaker_with_very_many_clips_has_one_voice() -> None:
    speakers = [0] * 10_000 + list(range(1, 30))
    instrument = [1] * 10_000 + [0] * 29
    human = [0] + [None] * 9_999 + [0] * 29
    few = prediction_powered([1] + [0] * 29, [0] * 30, range(30))
    many = prediction_powered(instrument, human, speakers)
    assert many.value == few.value == 0
    assert many.interval == few.interval


def test_cells_do_not_depend_on_each_other() -> None:
    rng = np.random.default_rng(3)
    f, h = rng.integers(0, 2, 90).astype(float), np.where(rng.random(90) < 0.5, rng.integers(0, 2, 90), np.nan)
    cells, who, settings = np.repeat([0, 1, 2], 30), np.tile(np.arange(30), 3), Settings()
    nothing = np.zeros(90, int)
    plan = design(np.ones(90, bool), ~np.isnan(h), who, nothing, cells, 3)
    everyone = [rate(f[cells == i], who[cells == i]) for i in range(3)]
    found = predicted_cells(everyone, f, h, who, plan, cells, settings)
    for i in range(3):
        assert found[i] == both(f[cells == i], h[cells == i], who[cells == i])


def test_planted_truth_is_recovered_whatever_the_instrument() -> None:
    """A biased instrument (.6 read as 1, people .3): alone it misses the truth, with people it does not.

    400 audits of 100 speakers, 40 of them read by people; the mean within four standard errors, and the interval as
    often as it says (93 of 100 is four standard errors below 97.5, what a cautious rule does here).
    """
    rng = np.random.default_rng(5)
    values, inside, missed = [], 0, 0
    for _ in range(400):
        truth = rng.random(100) < 0.3
        instrument = (rng.random(100) < np.where(truth, 0.9, 0.45)).astype(float)
        human = np.where(np.arange(100) < 40, truth, np.nan)
        found, alone = prediction_powered(instrument, human, range(100)), rate(instrument, range(100))
        values.append(found.value)
        inside += found.low <= 0.3 <= found.high
        missed += not alone.low <= 0.3 <= alone.high
    assert abs(np.mean(values) - 0.3) < 4 * np.std(values) / 20
    assert inside >= 372
    assert missed > 390


def test_a_change_by_hand() -> None:
    """Read as 1: before by one of ten, after by four. Of the five read by people the instrument is wrong once."""
    before = [1] + [0] * 9
    instrument, human = [1, 1, 0, 0, 0, 1, 1, 0, 0, 0], [1, 0, 0, 0, 0] + [None] * 5
    found = prediction_powered_change(before, instrument, human, range(10))
    assert found.value == pytest.approx((4 - 1) / 10 - 1 / 5)
    # MOVER of the paired change and the rectifier, correlated through the five speakers in both
    everyone = paired(before, instrument, range(10)).difference()
    rectifier = paired([1, 1, 0, 0, 0], human[:5], range(5)).difference()
    r = np.corrcoef([0, 1, 0, 0, 0], [0, -1, 0, 0, 0])[0, 1] * np.sqrt(5 / 10)
    down = (everyone.value - everyone.low, rectifier.value - rectifier.low)
    up = (everyone.high - everyone.value, rectifier.high - rectifier.value)
    low, high = (np.sqrt(a * a + b * b + 2 * r * a * b) for a, b in (down, up))
    assert found.low == pytest.approx(max(-1, found.value - low))
    assert found.high == pytest.approx(found.value + high)
    assert (found.n_speakers, found.n_clips) == (10, 10)


def test_a_change_from_nothing_is_the_rate() -> None:
    rng = np.random.default_rng(2)
    instrument, human = rng.integers(0, 2, 80), np.where(np.arange(80) < 30, rng.integers(0, 2, 80), np.nan)
    change, level = (
        prediction_powered_change(np.zeros(80), instrument, human, range(80)),
        prediction_powered(instrument, human, range(80)),
    )
    assert change.value == pytest.approx(level.value)
    assert change.n_speakers == level.n_speakers


def test_a_change_never_has_zero_width_and_leaves_out_clips_without_the_earlier_reading() -> None:
    """People read everyone: the errors of the instrument's change and of the rectifier cancel exactly."""
    instrument = np.tile([1.0, 0.0], 20)
    found = prediction_powered_change(np.zeros(40), instrument, np.zeros(40), range(40))
    least = 1 - 0.025 ** (1 / 40)
    assert found.value == 0 and (found.low, found.high) == pytest.approx((-least, least))
    before = np.r_[np.full(10, np.nan), np.zeros(30)]
    found = prediction_powered_change(before, instrument, np.zeros(40), range(40))
    assert (found.n_speakers, found.n_missing) == (30, 10)
    with pytest.raises(ValueError, match="earlier values"):
        prediction_powered_change([0], [1, 0], [1, 0], "ab")


def test_the_change_covers_what_people_would_read_in_faces_that_the_instrument_misreads() -> None:
    """Faces are white for 15 % of the speakers, and read as such in 40 % of these; people read 60 of 150 speakers."""
    rng, covered, runs = np.random.default_rng(5), 0, 150
    for _ in range(runs):
        white = rng.random(150) < 0.15
        instrument = white & (rng.random(150) < 0.4)
        before = rng.random(150) < 0.02
        human = np.where(np.arange(150) < 60, white.astype(float), np.nan)
        found = prediction_powered_change(before, instrument, human, range(150))
        covered += found.low <= 0.15 - 0.02 <= found.high
    assert covered / runs > 0.9
