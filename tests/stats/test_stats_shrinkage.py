"""Empirical-Bayes estimates: hand-computed cases, limits, and accuracy on cells whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.stats.shrinkage import shrink

NUMBERS = st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 4)), min_size=4, max_size=12)


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


def test_small_cells_are_shrunk_more() -> None:
    found = shrink(np.array([0.1, 0.5, 0.5, 0.9]), np.array([0.05, 0.05, 0.01, 0.01]))
    assert found.factor[0] == found.factor[1] > found.factor[2] == found.factor[3]


@pytest.mark.parametrize(("between", "most"), [(0.0, 0.6), (0.5, 0.9), (2.0, 1.01)])
def test_shrunk_values_are_nearer_to_the_truth_and_covered(between: float, most: float) -> None:
    rng = np.random.default_rng(1)
    raw, shrunk, covered = 0.0, 0.0, []
    for _ in range(300):
        truth, variance = rng.normal(3, between, 12), 4 / rng.integers(5, 20, 12)
        values = rng.normal(truth, np.sqrt(variance))
        found = shrink(values, variance)
        raw += ((values - truth) ** 2).sum()
        shrunk += ((found.value - truth) ** 2).sum()
        covered.append(np.abs(found.value - truth) <= 1.96 * found.error)
    assert shrunk < most * raw
    assert np.mean(covered) > 0.94


def test_errors_name_the_problem() -> None:
    with pytest.raises(ValueError, match="3 cells are below 4"):
        shrink(np.zeros(3), np.ones(3))
    with pytest.raises(ValueError, match="a variance is not positive"):
        shrink(np.zeros(4), np.array([1.0, 1, 1, 0]))
