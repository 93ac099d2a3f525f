"""Krippendorff's alpha: published examples, hand-computed cases, and the interval."""

from __future__ import annotations

import numpy as np
import pytest

from audit.stats.agreement import MIN_UNITS, coincidences, krippendorff_alpha
from audit.stats.settings import Settings

# section C of Krippendorff (2011): four observers, twelve units; 0 is a missing label
FOUR = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
)
# the three coders of Wikipedia's article and of the package krippendorff
THREE = np.array(
    [
        [0, 0, 0, 0, 0, 3, 4, 1, 2, 1, 1, 3, 3, 0, 3],
        [1, 0, 2, 1, 3, 3, 4, 3, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 2, 1, 3, 4, 4, 0, 2, 1, 1, 3, 3, 0, 4],
    ]
)


@pytest.mark.parametrize(
    ("labels", "level", "alpha", "n_units", "n_labels"),
    [
        (FOUR, "nominal", 0.743, 11, 40),
        (FOUR, "ordinal", 0.815, 11, 40),
        (FOUR, "interval", 0.849, 11, 40),
        (THREE, "nominal", 0.691, 12, 26),
        (THREE, "interval", 0.811, 12, 26),
    ],
)
def test_published_examples(labels: np.ndarray, level: str, alpha: float, n_units: int, n_labels: int) -> None:
    found = krippendorff_alpha(labels.T - 1, level)
    assert (round(found.alpha, 3), found.n_units, found.n_labels) == (alpha, n_units, n_labels)


def test_the_coincidence_matrix_of_the_published_example() -> None:
    expected = [[7, 4 / 3, 1 / 3, 1 / 3, 0], [4 / 3, 10, 4 / 3, 1 / 3, 0], [1 / 3, 4 / 3, 8, 1 / 3, 0]]
    assert np.allclose(coincidences(FOUR.T - 1, 5).sum(axis=0)[:3], expected)


def test_perfect_agreement_chance_and_reversal() -> None:
    same = np.repeat([[0], [1]], MIN_UNITS, axis=0).repeat(2, axis=1)
    found = krippendorff_alpha(same)
    assert (found.alpha, found.low, found.high) == (1, 1, 1)
    # two units, always the other label: D_o = 1, D_e = 8 / (4 * 3), alpha = 1 - 12 / 8
    assert krippendorff_alpha([[0, 1], [1, 0]]).alpha == pytest.approx(-0.5)


@pytest.mark.parametrize(
    ("labels", "why"), [([[0, -1]] * 30, "no unit has two labels"), ([[0, 0]] * 30, "only one label occurs")]
)
def test_what_has_no_alpha_says_why(labels: list[list[int]], why: str) -> None:
    found = krippendorff_alpha(labels)
    assert found.alpha is None and found.low is None and why in found.method


def test_too_few_units_or_too_little_variation_have_no_interval() -> None:
    few = krippendorff_alpha([[0, 0], [1, 1]] * (MIN_UNITS // 2 - 1))
    assert few.alpha == 1 and few.low is None and "fewer than 20 units" in few.method
    rare = krippendorff_alpha([[0, 0]] * 99 + [[0, 1]])
    assert rare.low is None and "nearly all labels are equal" in rare.method


def test_the_interval_depends_on_the_seed_and_not_on_the_order_of_units_or_annotators() -> None:
    labels = np.random.default_rng(0).integers(-1, 3, (60, 3))
    found = krippendorff_alpha(labels)
    assert found.low < found.alpha < found.high
    assert krippendorff_alpha(labels[::-1, ::-1]) == found
    assert krippendorff_alpha(labels, settings=Settings(seed=1)) != found
