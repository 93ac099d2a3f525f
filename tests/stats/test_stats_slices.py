"""The search for the worst slice: hand-computed comparisons, planted slices, null cohorts, what is searched."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from audit.stats import Settings
from audit.stats.slice_cells import Enumeration
from audit.stats.slice_statistics import Comparisons, Differences, simultaneous
from audit.stats.slices import Slices, SliceSearch
from audit.stats.speakers import Floats

FEW = Settings(resamples=199)


def cohort(speakers: int, clips: int = 2, seed: int = 0) -> tuple[np.ndarray, pd.DataFrame]:
    """Speakers with accent and gender, and clips with a language."""
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(speakers), clips)
    columns = {"accent": rng.choice([*"abcd"], speakers)[of], "gender": rng.choice(["man", "woman"], speakers)[of]}
    return of, pd.DataFrame(columns | {"language": np.resize(["x", "y"], len(of))})


def searched(speakers: np.ndarray, columns: pd.DataFrame, values: Floats, **options: int) -> SliceSearch:
    return Slices.of(speakers, columns).search(values, FEW, worse="high", kind="mean", **options)  # type: ignore[arg-type]


def test_difference_is_between_means_over_speakers() -> None:
    # speakers of x: 1 (two clips), .5 (two clips), 0 (one clip); of y: 0, 0, 0, 1
    speakers = np.array([0, 0, 1, 1, 2, 3, 4, 5, 6])
    values = np.array([1, 1, 1, 0, 0, 0, 0, 0, 1.0])
    columns = pd.DataFrame({"c": [*"xxxxxyyyy"]})
    worst = searched(speakers, columns, values, min_speakers=3).worst[0]
    assert dict(worst.values) == {"c": "x"}
    assert (worst.value, worst.difference) == (0.5, 0.25)
    assert (worst.n_speakers, worst.n_clips) == (3, 5)


def test_interval_is_the_difference_with_its_moderated_error() -> None:
    # variance of the difference: (.5/2)/3 + (.75/3)/4 ... = 1/12 + 1/16 = 7/48; pooled variance of
    # (1, .5, 0, 0, 0, 0, 1) is 1.6429/6, times 1/3 + 1/4; 2 and 4 degrees of freedom
    speaker = np.arange(7)
    listed = Enumeration(speaker, 3, 0)
    listed.add([("c", np.array([0, 0, 0, 1, 1, 1, 1]), 2)])
    found = Comparisons(listed.incidence(), speaker, np.ones(7, np.int64)).statistics(
        np.array([[1, 0.5, 0, 0, 0, 0, 1]]).T
    )
    pooled = np.var([1, 0.5, 0, 0, 0, 0, 1], ddof=1) * (1 / 3 + 1 / 4)
    assert found.error[0, 0] == pytest.approx(np.sqrt((2 * 7 / 48 + 4 * pooled) / 6))


def test_p_and_interval_come_from_the_extremes_of_the_permutations() -> None:
    # of 19 permutations, one has a largest t of 5 or more; the second largest is 4.5
    most, least = np.r_[np.linspace(1, 4.5, 18), 6.0], -np.linspace(1, 3, 19)
    found = Differences(*(np.array([[x]]) for x in (0.7, 0.5, 0.1)))  # t = 5
    p, near, far = simultaneous(found, (least, most), 1.0, 0.1)
    assert p.tolist() == [2 * 2 / 20]
    assert near[0] == pytest.approx(0.5 - 0.1 * 4.5)
    assert far[0] == pytest.approx(0.5 + 0.1 * np.sort(-least)[17])
    assert np.isinf(simultaneous(found, (least, most), 1.0, 0.01)[1])


def test_speakers_in_both_parts_are_paired() -> None:
    # every speaker fails .5 more in language x: the difference has no variance of its own
    own = np.repeat(np.linspace(0, 0.5, 40), 2)
    columns = pd.DataFrame({"language": [*"xy"] * 40})
    values = own + 0.5 * (columns["language"] == "x")
    worst = searched(np.repeat(np.arange(40), 2), columns, values.to_numpy()).worst[0]
    assert (dict(worst.values), worst.n_speakers, worst.n_clips) == ({"language": "x"}, 40, 40)
    assert worst.difference == pytest.approx(0.5)
    assert worst.p == pytest.approx(2 / 200)
    assert worst.high - worst.low < 0.5


@pytest.mark.parametrize("planted", [{"accent": "b", "gender": "woman"}, {"accent": "c", "language": "x"}])
def test_planted_slice_is_the_worst(planted: dict[str, str]) -> None:
    speakers, columns = cohort(240)
    inside = np.logical_and.reduce([columns[name] == value for name, value in planted.items()])
    chance = np.where(inside, 0.7, 0.1)
    values = (np.random.default_rng(1).random(len(chance)) < chance).astype(float)
    found = searched(speakers, columns, values)
    assert dict(found.worst[0].values) == planted
    assert found.worst[0].p <= 0.05
    assert found.worst[0].low > 0


def test_lower_values_can_be_the_failures() -> None:
    speakers, columns = cohort(240)
    inside = ((columns["accent"] == "b") & (columns["gender"] == "woman")).to_numpy()
    values = 20 - 5 * inside + np.random.default_rng(1).normal(size=len(inside))
    low, high = (
        Slices.of(speakers, columns).search(sign * values, FEW, worse=worse, kind="mean").worst[0]
        for sign, worse in ((1, "low"), (-1, "high"))
    )
    assert dict(low.values) == {"accent": "b", "gender": "woman"}
    assert (low.difference, low.low, low.high, low.p) == (-high.difference, -high.high, -high.low, high.p)
    assert low.high < 0


def test_null_cohort_seldom_has_a_slice() -> None:
    false = 0
    for seed in range(40):
        speakers, columns = cohort(120, seed=seed)
        values = (np.random.default_rng(seed).random(len(speakers)) < 0.2).astype(float)
        false += any(each.p <= 0.05 for each in searched(speakers, columns, values).worst)
    assert false <= 4  # of 40 at 2.5 %, more than 4 have a probability of .003


def test_interval_excludes_zero_exactly_if_p_is_small() -> None:
    both = set()
    for seed in range(30):
        speakers, columns = cohort(120, seed=seed)
        chance = np.where(columns["accent"] == "a", 0.45, 0.2)
        values = (np.random.default_rng(seed).random(len(chance)) < chance).astype(float)
        for each in searched(speakers, columns, values).worst:
            assert (each.low > 0) == (each.p <= 0.05)
            both.add(each.low > 0)
    assert both == {True, False}


def test_intervals_of_rates_stay_within_their_range() -> None:
    speakers, columns = cohort(60)
    fails = (columns["accent"] == "a").astype(float)
    rate, mean = (
        Slices.of(speakers, columns).search(fails, FEW, worse="high", kind=kind).worst[0] for kind in ("rate", "mean")
    )
    assert mean.high > 1
    assert rate.high == 1
    assert rate.low == mean.low


@pytest.mark.parametrize(("depth", "slices"), [(1, 8), (2, 8 + 20), (3, 8 + 20 + 16)])
def test_depth_limits_the_number_of_columns(depth: int, slices: int) -> None:
    # every speaker has one of 4 accents x 2 genders, in two languages
    speakers = np.repeat(np.arange(160), 2)
    columns = pd.DataFrame(
        {
            "accent": np.resize([*"abcd"], 160)[speakers],
            "gender": np.repeat(["man", "woman"], 160),
            "language": ["x", "y"] * 160,
        }
    )
    found = searched(speakers, columns, np.arange(320.0) % 7, depth=depth)
    assert (found.n_slices, found.n_small) == (slices, 0)
    assert max(len(each.values) for each in found.worst) <= depth


def test_slices_of_the_same_clips_count_once() -> None:
    speakers = np.arange(80)
    columns = pd.DataFrame(
        {"accent": [*"ab"] * 40, "native": ["en", "zh"] * 40, "gender": ["man"] * 40 + ["woman"] * 40}
    )
    found = searched(speakers, columns, np.arange(80.0))
    alone = searched(speakers, columns[["accent", "gender"]], np.arange(80.0))
    assert found.n_slices == alone.n_slices == 8
    # native alone and with gender, accent with native, and all three
    assert found.n_merged == 2 + 4 + 2 + 4
    assert all("native" not in each.values for each in found.worst)


def test_small_slices_are_counted_and_not_compared() -> None:
    columns = pd.DataFrame({"accent": ["a"] * 30 + ["b"] * 9, "gender": ["man"] * 19 + ["woman"] * 20})
    found = searched(np.arange(39), columns, np.arange(39) % 2.0)
    # b has 9 speakers, and so the complement of a, and women with b; men of a are all men
    assert (found.n_slices, found.n_small, found.n_merged) == (3, 3, 1)
    assert not searched(np.arange(18), columns.iloc[:18], np.arange(18) % 2.0).worst


def test_missing_values_are_in_no_slice_but_in_complements() -> None:
    columns = pd.DataFrame({"accent": ["a"] * 20 + [None] * 20})
    values = np.repeat([1.0, 0.0], 20)
    found = searched(np.arange(40), columns, values)
    assert (found.n_slices, dict(found.worst[0].values), found.worst[0].difference) == (1, {"accent": "a"}, 1.0)


def test_unread_clips_do_not_count() -> None:
    speakers, columns = cohort(60)
    values = np.arange(120.0) % 5
    values[::4] = np.nan
    read = ~np.isnan(values)
    kept = searched(speakers[read], columns[read].reset_index(drop=True), values[read])
    assert searched(speakers, columns, values) == kept


@pytest.mark.parametrize("values", [np.full(120, np.nan), np.ones(120)])
def test_nothing_to_compare_is_said(values: Floats) -> None:
    speakers, columns = cohort(60)
    found = searched(speakers, columns, values)
    assert not found.worst
    assert found.method.startswith("no slice searched: ")


def test_result_does_not_depend_on_the_order_of_clips() -> None:
    speakers, columns = cohort(60, clips=4)
    values = np.random.default_rng(3).random(240)
    order = np.random.default_rng(4).permutation(240)
    assert searched(speakers[order], columns.iloc[order], values[order]) == searched(speakers, columns, values)


def test_no_few_speakers_can_be_computed_from_several_slices() -> None:
    # 3 of the speakers with accent a are women: without men of a, their mean could be computed from both
    columns = pd.DataFrame(
        {"accent": ["a"] * 30 + ["b"] * 30, "gender": ["woman"] * 3 + ["man"] * 27 + ["woman", "man"] * 15}
    )
    values = np.arange(60) % 3.0
    shown, apart = (searched(np.arange(60), columns, values, most=100, apart=n) for n in (0, 5))
    assert shown.n_slices == 4 + 3
    # neither men of a nor, as b's women are then those of a and b but for three, women of b
    assert apart.n_slices == 4 + 1
    assert {"accent": "a", "gender": "man"} not in [dict(each.values) for each in apart.worst]


def test_depth_and_direction_are_checked() -> None:
    speakers, columns = cohort(20)
    with pytest.raises(ValueError, match="depth 4"):
        searched(speakers, columns, np.ones(40), depth=4)
