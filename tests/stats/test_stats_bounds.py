"""Bounds: what a rate could be at the least and at the most."""

from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.stats import Settings, Tally, bounds, missing_bounds, unknown_group_bounds

NAN = np.nan


def test_cells_at_once_are_the_cells_alone():
    values = np.array([1, NAN, 0, 1, NAN, 0.5, 1])
    who, cell = np.array([0, 0, 1, 2, 3, 3, 1]), np.array([0, 0, 0, 1, 1, 1, 1])
    together = missing_bounds(Tally.of(values, who, cell, 2), Settings(), ["", ""])
    assert together == [bounds(values[cell == i], who[cell == i]) for i in (0, 1)]


def test_unknown_speakers_by_hand():
    """The group: 1, 1, 0, mean 2/3. Unknown: 0, 1/2, 1. Least: with 0, then 2/4; most: with 1, then 3/4."""
    known = Tally.of(np.array([1.0, 1, 0]), np.array([0, 1, 2]))
    unknown = Tally.of(np.array([0.0, 0, 1, 1]), np.array([3, 4, 4, 5]))
    least, most = unknown_group_bounds(known, unknown, Settings())
    assert (least.value, most.value) == (0.5, 0.75)
    assert least.method.endswith("; 1 of 3 speakers of unknown group added")  # 1/2 would change nothing
    assert (least.n_speakers, most.n_speakers) == (4, 4)


def test_unread_clips_of_the_group_are_counted():
    known = Tally.of(np.array([1.0, NAN, NAN]), np.array([0, 0, 1]))
    unknown = Tally.of(np.array([NAN, 0.0]), np.array([2, 3]))
    least, most = unknown_group_bounds(known, unknown, Settings())
    assert (least.value, most.value, least.n_missing) == (0.5, 1.0, 2)


def test_a_group_without_reads_has_the_bounds_of_the_unknown_speakers():
    known = Tally.of(np.array([NAN]), np.array([0]))
    least, most = unknown_group_bounds(known, Tally.of(np.array([0.0, 1.0]), np.array([1, 2])), Settings())
    assert (least.value, most.value) == (0.0, 1.0)


def test_no_speakers_is_not_estimable():
    nobody = Tally.of(np.array([]), np.array([], int))
    least, most = unknown_group_bounds(nobody, nobody, Settings())
    assert (least.value, most.value, least.n_speakers) == (None, None, 0)


people = st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=3), min_size=1, max_size=5)


@pytest.mark.parametrize("estimand", ["speaker", "clip"])
@given(people, people)
@settings(max_examples=40, deadline=None)
def test_the_bounds_are_sharp(estimand, group, unknown):
    """No subset of the unknown speakers gives a rate beyond the bounds."""
    rule = Settings(estimand=estimand)

    def tally(rows, start=0):
        clips = [(x, start + i) for i, row in enumerate(rows) for x in row]
        return Tally.of(np.array([float(x) for x, _ in clips]), np.array([i for _, i in clips]))

    def rate(rows):
        return np.mean(list(chain(*rows))) if estimand == "clip" else np.mean([np.mean(row) for row in rows])

    subsets = chain.from_iterable(combinations(unknown, n) for n in range(len(unknown) + 1))
    rates = [rate([*group, *subset]) for subset in subsets]
    least, most = unknown_group_bounds(tally(group), tally(unknown, 100), rule)
    assert (least.value, most.value) == pytest.approx((min(rates), max(rates)))
