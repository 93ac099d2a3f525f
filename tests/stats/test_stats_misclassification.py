"""Misclassification correction: hand-computed values and invariances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from audit.stats import Misclassification, Settings, misclassification
from audit.stats.mixtures import nearest_shares, solving_maps

AB, ABC = ("a", "b"), ("a", "b", "c")


def units(*counts):
    """Truths and reads of calibration units: one row per class, one column per read."""
    truth = [i for i, row in enumerate(counts) for n in row for _ in range(n)]
    read = [k for row in counts for k, n in enumerate(row) for _ in range(n)]
    return np.array(truth), np.array(read)


def calibrated(*counts, labels=ABC, of=None):
    truth, read = units(*counts)
    return Misclassification.of(truth, read, np.arange(len(truth)), labels[: len(counts[0])], of)


def others(*counts):
    """Reads of speakers who are not calibration units, one clip each."""
    read = np.repeat(np.arange(len(counts)), counts)
    return read, 100_000 + np.arange(len(read))


def test_two_classes_give_the_rogan_gladen_estimate():
    """Sensitivity .9, specificity .8, 40 of 100 read as a: (.4 + .8 - 1) / (.9 + .8 - 1) = 2/7."""
    found = calibrated([9, 1], [2, 8]).corrected(*others(40, 60))
    assert found["a"].raw == 0.4
    assert found["a"].estimate.value == pytest.approx(2 / 7)
    assert found["b"].estimate.value == pytest.approx(5 / 7)
    assert found["a"].estimate.low < 2 / 7 < found["a"].estimate.high
    assert found["a"].estimate.method == (
        "Bayesian bootstrap of 100 speakers; matrix correction by 20 calibration units of 2 classes, "
        "condition number 1.46"
    )


def test_three_classes_by_hand():
    """Shares .5, .3, .2 through rows (.8 .2 0), (0 .9 .1), (.1 0 .9) are read as .42, .37, .21."""
    found = calibrated([8, 2, 0], [0, 9, 1], [1, 0, 9]).corrected(*others(42, 37, 21))
    assert [found[label].estimate.value for label in ABC] == pytest.approx([0.5, 0.3, 0.2])


def test_reads_outside_the_classes_are_attributed_to_the_classes():
    """Both classes are sometimes read as c: c is not a class, so its reads are attributed to a and b."""
    found = calibrated([6, 0, 4], [0, 8, 2]).corrected(*others(30, 40, 30))
    assert list(found) == ["a", "b"]
    assert [found[label].estimate.value for label in AB] == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(("counts", "value"), [((5, 95), 0.0), ((95, 5), 1.0)])
def test_shares_beyond_any_mixture_are_clipped_and_have_a_positive_width(counts, value):
    """Fewer reads of a than any share of a would give: 0, and an interval as wide as that of 100 unanimous speakers."""
    found = calibrated([190, 10], [20, 80]).corrected(*others(*counts))["a"].estimate
    assert found.value == value
    assert 0 <= found.low <= value <= found.high <= 1
    assert found.high - found.low >= 1 - 0.025 ** (1 / 100) - 1e-12


@pytest.mark.parametrize("n", [5, 20, 300])
def test_unanimous_reads_never_get_zero_width(n):
    """No misclassification and all agree: at least as wide as the Clopper-Pearson interval."""
    for found in calibrated([n, 0], [0, n]).corrected(*others(n, 0)).values():
        assert found.estimate.high - found.estimate.low >= 1 - 0.025 ** (1 / n) - 1e-12


def test_a_unit_with_many_pictures_is_one_unit():
    """Unit 0 has 1000 pictures, half of them misclassified: it counts as half an error in one of five units."""
    truth, read = units([4, 0], [0, 5])
    known = Misclassification.of(
        np.r_[truth, np.zeros(1000, int)], np.r_[read, np.arange(1000) % 2], [*range(9), *[9] * 1000], AB
    )
    assert known.n_units.tolist() == [5, 5]
    assert known.matrix[0].tolist() == pytest.approx([0.9, 0.1])


def test_a_speaker_with_ten_thousand_clips_is_one_speaker():
    known, (read, who) = calibrated([9, 1], [2, 8]), others(4, 6)
    more = known.corrected(np.r_[read, np.zeros(9999, int)], np.r_[who, np.full(9999, who[0])])["a"]
    assert more.raw == 0.4 and more.estimate.n_speakers == 10 and more.estimate.n_clips == 10_009
    by_clip = calibrated([9, 1], [2, 8], of=Settings(estimand="clip"))
    assert by_clip.corrected(np.r_[read, np.zeros(9999, int)], np.r_[who, np.full(9999, who[0])])["a"].raw > 0.99


def test_pictures_and_clips_that_were_not_read_are_counted_and_change_nothing_else():
    truth, read = units([9, 1], [2, 8])
    known = Misclassification.of(np.r_[truth, 0, -1], np.r_[read, -1, 0], np.arange(22), AB)
    clips, who = others(40, 60)
    found = known.corrected(np.r_[clips, -1, -1], np.r_[who, who[0], 7])["a"].estimate
    without = known.corrected(clips, who)["a"].estimate
    assert known.n_units.tolist() == [10, 10]
    assert (found.value, found.interval, found.n_missing) == (without.value, without.interval, 2)


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ([[9, 1]], "not corrected: calibration units of a only; those of at least two classes would help"),
        ([[0, 0]], "not corrected: calibration units of no class; those of at least two classes would help"),
        (
            [[9, 1], [2, 2]],
            "not corrected: too few calibration units (b 4; at least 5 of each class needed); more of them would help",
        ),
        (
            [[6, 4], [5, 5]],
            "not corrected: the reads of the calibrated classes are too similar (condition number 10.1, at most 10); a "
            "classifier that separates them would help",
        ),
        (
            [[5, 5], [5, 5]],
            "not corrected: the reads of the calibrated classes are too similar (condition number inf, at most 10); a "
            "classifier that separates them would help",
        ),
    ],
)
def test_an_impossible_correction_is_refused_with_the_reason(counts, reason):
    known = calibrated(*counts)
    found = known.corrected(*others(40, 60))
    assert known.refusal == reason
    assert all((each.estimate.value, each.estimate.interval) == (None, None) for each in found.values())
    assert all(each.estimate.method == reason and each.effective_speakers is None for each in found.values())
    assert [each.raw for each in found.values()] == [0.4, 0.6][: len(found)]


def test_too_few_speakers_have_a_value_and_no_interval():
    found = calibrated([9, 1], [2, 8]).corrected(*others(2, 2))["a"]
    assert found.estimate.value == pytest.approx(3 / 7) and found.estimate.interval is None
    assert found.estimate.method.startswith("not estimable: 4 speakers, at least 5 needed; matrix correction")


def test_no_readable_speaker_is_not_estimable():
    found = calibrated([9, 1], [2, 8]).corrected(np.array([-1, -1]), np.array([1, 2]))["a"]
    assert (found.raw, found.estimate.value, found.estimate.n_missing) == (None, None, 2)


def test_a_calibration_unit_in_the_cell_has_one_weight():
    """Speakers of class a whose faces are read just as their portraits are a, however they are weighed."""
    known = calibrated([70, 30], [20, 80])
    read = np.repeat([0, 1], [70, 30])
    same = known.corrected(read, np.arange(100))["a"].estimate
    strange = known.corrected(read, 100_000 + np.arange(100))["a"].estimate
    assert same.value == strange.value == 1.0
    assert 1 - same.low < 0.6 * (1 - strange.low)


def test_without_error_the_effective_sample_size_is_the_number_of_speakers():
    perfect = calibrated([500, 0], [0, 500]).corrected(*others(80, 120))["a"]
    poor = calibrated([350, 150], [150, 350]).corrected(*others(80, 120))["a"]
    assert 180 < perfect.effective_speakers <= 200.5
    assert poor.effective_speakers < 0.25 * 200  # the error divides by .7 - .3, and the matrix adds its own


def test_the_normal_limit_agrees_with_the_drawn_weights(monkeypatch):
    """300 speakers of 4 clips, half of them calibration units, both ways."""
    rng = np.random.default_rng(0)
    truth, read = units([120, 30], [40, 110])
    known = Misclassification.of(truth, read, np.arange(300), AB, Settings(resamples=8000))
    clips, who = rng.integers(0, 10, (300, 4)) < 4, np.repeat(np.arange(150, 450), 4)
    drawn = known.corrected(clips.ravel().astype(int), who)["a"].estimate
    monkeypatch.setattr(misclassification, "DRAWN_EXACTLY", 0)
    limit = known.corrected(clips.ravel().astype(int), who)["a"].estimate
    assert limit.value == drawn.value
    assert limit.interval == pytest.approx(drawn.interval, abs=0.01) and limit.interval != drawn.interval


def test_planted_truth_is_recovered_where_the_raw_rate_misses_it():
    """5 % of 2000 speakers are a; a is read right by .75, b by .85: .05 * .75 + .95 * .15 = 18 % are read as a."""
    rng = np.random.default_rng(1)
    truth, shown = np.repeat([0, 1], 1000), (rng.random(2000) >= 0.05).astype(int)
    reads = [np.where(rng.random(2000) < np.where(of == 0, 0.25, 0.15), 1 - of, of) for of in (truth, shown)]
    known = Misclassification.of(truth, reads[0], np.arange(2000), AB)
    found = known.corrected(reads[1], 10_000 + np.arange(2000))["a"]
    assert found.raw == pytest.approx(0.18, abs=0.03)
    assert found.estimate.low < 0.05 < found.estimate.high < 0.12


small = st.lists(st.integers(0, 12), min_size=3, max_size=3).filter(lambda row: sum(row) >= 5)


@given(st.lists(small, min_size=2, max_size=3), small, st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_neither_the_order_of_rows_nor_the_speakers_names_matter(counts, cell, seed):
    truth, read = units(*counts)
    clips, who = others(*cell)
    who[: len(clips) // 2] = np.arange(len(clips) // 2) % len(truth)  # some are calibration units
    few = Settings(resamples=200)
    first = Misclassification.of(truth, read, np.arange(len(truth)), ABC, few).corrected(clips, who)
    rng = np.random.default_rng(seed)
    names, one, other = (rng.permutation(n) for n in (200_000, len(truth), len(clips)))
    again = Misclassification.of(truth[one], read[one], names[one], ABC, few).corrected(clips[other], names[who[other]])
    assert first == again


@given(st.lists(small, min_size=2, max_size=3), small)
@settings(max_examples=40, deadline=None)
def test_a_duplicated_cohort_gives_the_same_value_within_0_and_1(counts, cell):
    twice = [[2 * n for n in row] for row in counts]
    first = calibrated(*counts, of=Settings(resamples=400)).corrected(*others(*cell))
    second = calibrated(*twice, of=Settings(resamples=400)).corrected(*others(*(2 * n for n in cell)))
    for label, found in first.items():
        again = second[label].estimate
        assert found.raw == pytest.approx(second[label].raw)
        if found.estimate.value is not None and again.value is not None:
            assert found.estimate.value == pytest.approx(again.value, abs=1e-9)
            assert 0 <= again.low <= again.value <= again.high <= 1 and again.low < again.high
            assert again.high - again.low <= found.estimate.high - found.estimate.low + 0.05


shares = st.lists(st.floats(0.01, 1), min_size=4, max_size=4).map(lambda row: np.array(row) / sum(row))


@given(st.lists(shares, min_size=2, max_size=4), shares)
@settings(max_examples=60, deadline=None)
def test_no_step_from_the_nearest_shares_is_nearer(rows, observed):
    """No step towards any corner of the simplex lowers the distance, which is convex."""
    rows = np.array(rows)
    found = nearest_shares(rows, observed)
    slope = 2 * rows @ (found @ rows - observed)
    assert found.min() >= 0 and found.sum() == pytest.approx(1)
    assert (slope - slope @ found).min() > -1e-9


def test_the_nearest_shares_agree_with_a_general_solver():
    rng = np.random.default_rng(0)
    rows, observed = rng.dirichlet(np.ones(6) * 0.4, 5), rng.dirichlet(np.ones(6) * 0.4)
    general = optimize.minimize(
        lambda p: float(((p @ rows - observed) ** 2).sum()),
        np.full(5, 0.2),
        bounds=[(0, 1)] * 5,
        constraints={"type": "eq", "fun": lambda p: p.sum() - 1},
        options={"ftol": 1e-14},
    )
    assert nearest_shares(rows, observed) == pytest.approx(general.x, abs=1e-4)


def test_the_solving_maps_recover_the_mixture():
    rng = np.random.default_rng(0)
    rows, mixed = rng.dirichlet(np.ones(6), (50, 4)).transpose(1, 2, 0), rng.dirichlet(np.ones(4), 50).T
    observed = np.einsum("cp,ckp->kp", mixed, rows)
    assert np.einsum("ckp,kp->cp", solving_maps(rows), observed) == pytest.approx(mixed, abs=1e-8)


@pytest.mark.parametrize(
    ("truth", "read", "who", "message"),
    [
        ([0, 1], [0], [0, 1], "2 truths, 1 reads and 2 units"),
        ([0, 2], [0, 1], [0, 1], "beyond the 2 labels"),
        ([0, 1], [0, 1], [3, 3], "two truths"),
    ],
)
def test_wrong_input_is_refused(truth, read, who, message):
    with pytest.raises(ValueError, match=message):
        Misclassification.of(truth, read, who, AB)
