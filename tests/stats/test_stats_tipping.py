"""Tipping points: the smallest number is found, and the orders need the fewest changes."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.stats.tipping import even_order, filling_order, relabelled, tipping_point


@given(st.integers(0, 200), st.integers(0, 300), st.integers(0, 3))
def test_the_smallest_number_is_found(threshold: int, most: int, fewest: int) -> None:
    asked: list[int] = []

    def reached(number: int) -> bool:
        asked.append(number)
        return number >= threshold

    found = tipping_point(reached, fewest, most)
    expected = max(threshold, fewest)
    assert found == (expected if expected <= most else None)
    assert all(fewest <= number <= most for number in asked) and len(asked) <= 25


def test_a_condition_that_holds_in_between_only_is_found() -> None:
    """An inconclusive gap becomes not shown, then inconclusive again, as more labels are wrong."""
    found = tipping_point(lambda number: 9 <= number <= 40, 1, 100)
    assert found == 9


def test_missing_clips_of_speakers_with_few_clips_come_first() -> None:
    speakers, clips = np.array([0, 1, 1, 2, 0]), np.array([4, 2, 2, 1, 4])
    assert filling_order(speakers, clips).tolist() == [3, 1, 2, 0, 4]
    assert filling_order(speakers[:0], clips[:0]).tolist() == []


@given(st.lists(st.integers(0, 12), min_size=1, max_size=200), st.floats(0, 1))
def test_every_beginning_of_the_even_order_has_the_same_share_of_every_speaker(who: list[int], share: float) -> None:
    speakers = np.array(who)
    order = even_order(speakers)
    assert sorted(order) == list(range(len(who)))
    clips, begun = np.bincount(speakers), np.bincount(speakers[order[: round(share * len(who))]], minlength=13)
    n_speakers = len(np.unique(speakers))
    for speaker in np.unique(speakers):  # at most one clip away from the share, and that by the rounding of the cut
        assert abs(begun[speaker] - share * clips[speaker]) <= 1 + (n_speakers + 1) * clips[speaker] / len(who)


@pytest.mark.parametrize("upwards", [True, False])
def test_no_other_choice_of_speakers_moves_the_mean_further(upwards: bool) -> None:
    rng, sign = np.random.default_rng(3), 1 if upwards else -1
    for _ in range(20):
        members, others = rng.integers(0, 4, 5) / 3, rng.integers(0, 4, 3) / 3
        everyone, inside = np.r_[members, others], np.arange(8) < 5
        for number in range(5):
            moved = relabelled(members, others, number, upwards=upwards)
            assert len(set(moved.tolist())) == number
            means = []
            for any_speakers in combinations(range(8), number):
                now = inside ^ np.isin(np.arange(8), any_speakers)
                means += [sign * everyone[now].mean()] if now.any() else []
            chosen = inside ^ np.isin(np.arange(8), moved)
            assert sign * everyone[chosen].mean() == pytest.approx(max(means))
