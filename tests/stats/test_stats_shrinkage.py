"""Empirical-Bayes estimates: hand-computed cases, limits, and accuracy on cells whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.stats import Settings
from audit.stats.shrinkage import shrink, shrunken
from audit.stats.speakers import SpeakerSums, speaker_sums

NUMBERS = st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 4)), min_size=4, max_size=12)


def sums_of(*cells: list[float]) -> SpeakerSums:
    """One cell of speakers with one clip each for each list."""
    values = np.concatenate([np.array(cell) for cell in cells])
    return speaker_sums(
        values, np.arange(len(values)), np.repeat(np.arange(len(cells)), [*map(len, cells)]), len(cells)
    )


def test_equal_variances_by_hand() -> None:
    # squares about 0: 2 * (1 + 9) = 20 = 3 (1 + A), so A = 17/3; B = 1/3 * 3/20 = .05
    found = shrink(np.array([-3.0, -1.0, 1.0, 3.0]), np.ones(4))
    assert found.between**2 == pytest.approx(17 / 3)
    assert found.factor == pytest.approx([0.05] * 4)
    assert found.value == pytest.approx([-2.85, -0.95, 0.95, 2.85])
    # 1 - .75 * .05 + 2 * .05**2 * 3**2 * (1 + A) / (1 + A)
    assert found.error[3] ** 2 == pytest.approx(1 - 0.75 * 0.05 + 2 * 0.0025 * 9)


@given(NUMBERS)
def test_value_lies_between_raw_and_centre(cells: list[tuple[float, float]]) -> None:
    values, variances = map(np.array, zip(*cells, strict=True))
    found = shrink(values, variances)
    assert ((found.factor >= 0) & (found.factor <= 1)).all()
    assert (np.abs(found.value - found.centre) <= np.abs(values - found.centre) + 1e-12).all()
    assert ((found.value - found.centre) * (values - found.centre) >= -1e-12).all()
    # the larger the variance, the more it is shrunk
    assert (np.diff(found.factor[np.argsort(variances)]) >= -1e-12).all()


@given(st.floats(-5, 5), st.lists(st.floats(0.01, 4), min_size=4, max_size=9))
def test_equal_cells_are_at_the_centre(value: float, variances: list[float]) -> None:
    found = shrink(np.full(len(variances), value), np.array(variances))
    assert found.between == 0
    assert found.value == pytest.approx(np.full(len(variances), value), abs=1e-12)


def test_far_cells_are_not_shrunk() -> None:
    found = shrink(1000.0 * np.arange(6), np.ones(6))
    assert (found.factor < 1e-5).all()


def test_agreeing_speakers_are_not_certain() -> None:
    found = shrunken(sums_of([1.0] * 5, [0, 0, 0, 0, 1], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0]), "rate", Settings())
    for each in found:
        assert each.factor is not None
        assert each.low is not None
        assert each.high is not None
        assert each.factor > 0
        assert each.high - each.low > 0.2
        assert 0 <= each.low <= each.high <= 1


def test_cells_in_which_all_agree_keep_a_variance() -> None:
    found = shrunken(sums_of([1, 1, 1], [0, 0, 0], [0, 0, 0], [1, 1, 1]), "rate", Settings())
    assert all(each.factor is not None and each.factor > 0 for each in found)


def test_small_cells_are_shrunk_more() -> None:
    small, *_, large = shrunken(sums_of([1, 1, 0], [0, 1] * 10, [0, 0, 1] * 7, [0, 0, 0, 1] * 30), "rate", Settings())
    assert small.factor is not None
    assert large.factor is not None
    assert small.factor > large.factor


def test_what_cannot_be_shrunk_says_why() -> None:
    few = shrunken(sums_of([1, 0], [0, 0], [1, 1]), "rate", Settings())
    assert few[0].method == "not shrunk: 3 cells, at least 4 needed"
    assert (few[0].raw, few[0].value) == (0.5, None)
    same = shrunken(sums_of([2.0, 2], [3, 3], [4, 4], [2, 2]), "mean", Settings())
    assert same[0].method == "not shrunk: the variance within cells is not known"
    empty = shrunken(sums_of([1, 0], [0, 0], [], [1, 1], [1, 0]), "rate", Settings())
    assert (empty[2].raw, empty[2].value) == (None, None)
    assert empty[1].value is not None


@pytest.mark.parametrize("between", [0.0, 0.5, 2.0])
def test_shrunk_values_are_nearer_to_the_truth_and_covered(between: float) -> None:
    rng = np.random.default_rng(1)
    raw_error = shrunk_error = covered = 0.0
    for _ in range(300):
        truth = rng.normal(3, between, 12)
        sizes = rng.integers(5, 20, 12)
        found = shrunken(
            sums_of(*(rng.normal(mu, 2, n).tolist() for mu, n in zip(truth, sizes, strict=True))), "mean", Settings()
        )
        for each, mu in zip(found, truth, strict=True):
            assert each.raw is not None and each.value is not None and each.low is not None and each.high is not None
            raw_error += (each.raw - mu) ** 2
            shrunk_error += (each.value - mu) ** 2
            covered += each.low <= mu <= each.high
    assert shrunk_error < raw_error * (0.6 if between == 0 else 0.9 if between == 0.5 else 1.01)
    assert covered / 3600 > 0.92


def test_errors_name_the_problem() -> None:
    with pytest.raises(ValueError, match="3 cells are below 4"):
        shrink(np.zeros(3), np.ones(3))
