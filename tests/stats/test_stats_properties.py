"""What every statistic owes to every table: nothing to names or rows, nothing to speakers who are not there.

Each property is tried on tables that hypothesis makes: unevenly many clips, missing reads, speakers of one clip and of
many, groups of one speaker.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.stats import (
    Estimate,
    Settings,
    benjamini_hochberg,
    bounds,
    cells,
    difference,
    holm,
    mean,
    rate,
    verdict,
)
from tests.single_statistics import mcnemar, paired_difference, permutation

FEW = settings(max_examples=30, deadline=None)
QUICK = Settings(resamples=200)
EVERY = [QUICK, Settings(resamples=200, estimand="clip")]

READ = st.sampled_from([0.0, 0.0, 1.0, 1.0, 0.5, np.nan])
TABLES = st.lists(st.tuples(st.integers(0, 50), READ, READ), min_size=1, max_size=150)
KINDS = st.sampled_from(["rate", "mean"])


def columns(rows):
    """Speakers, and two readings of each clip."""
    who, first, second = (np.array(column) for column in zip(*rows, strict=True))
    return who, first.astype(float), second.astype(float)


def every_estimate(who, first, second, chosen, kind="rate"):
    """Results of the public functions for one table."""
    one = rate if kind == "rate" else mean
    half = len(who) // 2
    found = {
        "one": one(first, who, chosen),
        "aligned": paired_difference(first, second, who, chosen, kind=kind),
        "unpaired": paired_difference(first, second, who, chosen, second_speakers=who, kind=kind),
        "mcnemar": mcnemar(first, second, who),
        "permutation": permutation(first, second, who, chosen, kind=kind),
        "difference": difference(one(first[:half], who[:half], chosen), one(first[half:], who[half:], chosen)),
    }
    if kind == "rate":
        found["bounds"] = bounds(first, who, chosen)
    return found


def frame_of(who, first, second):
    """A table of cells: the group belongs to the speaker, the language to the clip."""
    return pd.DataFrame(
        {"speaker_id": who, "group": who % 4, "language": np.arange(len(who)) % 2, "first": first, "second": second}
    )


# Rows and names


@FEW
@given(TABLES, st.randoms(use_true_random=False), st.sampled_from(EVERY), KINDS)
def test_nothing_depends_on_the_order_of_rows(rows, random, chosen, kind):
    mixed = random.sample(rows, len(rows))
    who, first, second = columns(rows)
    straight, other = (every_estimate(*columns(each), chosen, kind) for each in (rows, mixed))
    for name in set(straight) - {"difference"}:  # whose halves are other halves then
        assert straight[name] == other[name], name
    frame = frame_of(who, first, second)
    shuffled = frame.sample(frac=1, random_state=random.randrange(1000))
    for by in (["group"], ["group", "language"]):
        pd.testing.assert_frame_equal(
            cells(frame, by, "first", kind=kind, settings=chosen),
            cells(shuffled, by, "first", kind=kind, settings=chosen),
            check_exact=True,
        )


@FEW
@given(TABLES, st.permutations(range(51)), st.sampled_from(EVERY), KINDS)
def test_nothing_depends_on_the_names_of_speakers(rows, names, chosen, kind):
    who, first, second = columns(rows)
    renamed = np.array([f"speaker {names[i]}" for i in who])
    assert every_estimate(who, first, second, chosen, kind) == every_estimate(renamed, first, second, chosen, kind)


@FEW
@given(TABLES, st.permutations(range(4)), st.sampled_from(EVERY))
def test_estimates_do_not_depend_on_group_names(rows, names, chosen):
    frame = frame_of(*columns(rows))
    renamed = frame.assign(group=np.array(names)[frame["group"]])
    one, other = (cells(each, ["group"], "first", settings=chosen).set_index("group") for each in (frame, renamed))
    for group in frame["group"].unique():
        pd.testing.assert_series_equal(one.loc[group], other.loc[names[group]], check_names=False, check_exact=True)
    pd.testing.assert_series_equal(one.loc["all"], other.loc["all"], check_exact=True)


# A duplicated cohort


@FEW
@given(TABLES, st.sampled_from(EVERY), KINDS)
def test_duplicated_speakers_change_no_value_and_widen_no_interval(rows, chosen, kind):
    who, first, second = columns(rows)
    once = every_estimate(who, first, second, chosen, kind)
    twice = every_estimate(np.r_[who, who + 1000], np.tile(first, 2), np.tile(second, 2), chosen, kind)
    for name in ("one", "aligned", "unpaired"):
        few, many = once[name], twice[name]
        assert many.value == pytest.approx(few.value, abs=1e-9)
        assert many.n_speakers == 2 * few.n_speakers
        bootstrapped = "bootstrap" in many.method
        if few.interval:
            assert many.interval
            # a bootstrap's ends are themselves drawn, and it takes over from Student's t at 30 speakers
            room = 0.35 * (few.high - few.low) if bootstrapped else 1e-9
            assert many.high - many.low <= few.high - few.low + room
    assert twice["mcnemar"].gained == 2 * once["mcnemar"].gained
    if kind == "rate":
        for few, many in zip(once["bounds"], twice["bounds"], strict=True):
            assert many.value == pytest.approx(few.value, abs=1e-9)
            assert not few.interval or many.high - many.low <= few.high - few.low + 1e-9


@FEW
@given(TABLES)
def test_duplicated_clips_add_no_speaker(rows):
    """Every clip twice, by the same speakers: the speakers' means do not change."""
    who, first, _ = columns(rows)
    once, again = mean(first, who, QUICK), mean(np.tile(first, 2), np.tile(who, 2), QUICK)
    assert (again.value, again.interval, again.n_speakers) == (once.value, once.interval, once.n_speakers)
    assert rate(np.tile(first, 2), np.tile(who, 2)).n_speakers == rate(first, who).n_speakers


# No data


@FEW
@given(TABLES, st.sampled_from(EVERY), KINDS)
def test_a_group_without_reads_is_counted_and_changes_no_other(rows, chosen, kind):
    frame = frame_of(*columns(rows))
    silent = frame.assign(speaker_id=frame["speaker_id"] + 1000, group=9, first=np.nan, second=np.nan)
    alone, beside = (
        cells(each, ["group"], "first", kind=kind, settings=chosen).set_index("group")
        for each in (frame, pd.concat([frame, silent]))
    )
    found = beside.loc[9]
    assert (found["n_speakers"], found["n_clips"], found["n_missing"]) == (0, 0, len(frame))
    assert np.isnan(found[["value", "low", "high"]].to_numpy(float)).all()
    assert found["method"] == "not estimable: no speaker was read"
    pd.testing.assert_frame_equal(alone.drop(index="all"), beside.drop(index=[9, "all"]), check_exact=True)
    for name in ("value", "low", "high"):
        assert alone.loc["all", name] == beside.loc["all", name] or np.isnan(alone.loc["all", name])


@pytest.mark.parametrize("kind", ["rate", "mean"])
def test_without_speakers_nothing_is_estimated(kind):
    for found in every_estimate(np.zeros(0, int), np.zeros(0), np.zeros(0), QUICK, kind).values():
        for each in found if isinstance(found, tuple) else [found]:
            assert each.n_speakers == 0
            assert each.p is None if hasattr(each, "p") else (each.value, each.low, each.high) == (None, None, None)
    assert len(holm([])) == len(benjamini_hochberg([])) == 0


def test_a_category_without_clips_has_no_cell():
    frame = frame_of(*columns([(i, 1.0, 0.0) for i in range(40)]))
    frame["group"] = pd.Categorical(frame["group"], range(9))
    assert cells(frame, ["group"], "first")["group"].tolist() == [0, 1, 2, 3, "all"]


# A speaker with ten thousand clips


@pytest.mark.parametrize("n", [8, 60])
@pytest.mark.parametrize("kind", ["rate", "mean"])
def test_ten_thousand_clips_of_one_speaker_do_not_dominate(n, kind):
    """The speaker average is as if that speaker had one clip with their most frequent read."""
    rng = np.random.default_rng(n)
    first, second = (rng.random(n) < 0.4).astype(float), (rng.random(n) < 0.6).astype(float)
    first[0], second[0] = 0, 1
    who = np.arange(n)
    loud = tuple(np.r_[np.repeat(column[:1], 9_999), column] for column in (who, first, second))
    quiet, swamped = every_estimate(who, first, second, QUICK, kind), every_estimate(*loud, QUICK, kind)
    for name in ("one", "aligned", "unpaired"):
        assert swamped[name].value == quiet[name].value
        assert swamped[name].interval == pytest.approx(quiet[name].interval, abs=1e-9), name
        assert swamped[name].n_speakers == n
    assert swamped["mcnemar"].p == quiet["mcnemar"].p
    assert swamped["permutation"].p == quiet["permutation"].p


# Decisions


P = st.lists(st.one_of(st.floats(0, 1), st.just(np.nan)), max_size=20)


@FEW
@given(P, st.randoms(use_true_random=False))
def test_adjusted_p_values_go_with_their_tests(p, random):
    order = random.sample(range(len(p)), len(p))
    for adjust in (holm, benjamini_hochberg):
        adjusted = adjust(p)
        np.testing.assert_array_equal(adjust([p[i] for i in order]), adjusted[order])
        tested = ~np.isnan(adjusted)
        assert (adjusted[tested] >= np.array(p, float)[tested] - 1e-12).all() and (adjusted[tested] <= 1).all()
        np.testing.assert_array_equal(np.isnan(adjusted), np.isnan(np.array(p, float)))
    assert (np.nan_to_num(benjamini_hochberg(p)) <= np.nan_to_num(holm(p)) + 1e-12).all()


@FEW
@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 0.5))
def test_verdicts_mirror_each_other_and_a_narrower_interval_never_unsettles(value, arm, margin):
    def judged(scale, sign, direction):
        ends = sorted((sign * (value - arm * scale), sign * (value + arm * scale)))
        return verdict(Estimate(sign * value, *ends, 20, 20, 0, "exact"), margin, direction).outcome

    assert judged(1, 1, "greater") == judged(1, -1, "less")
    assert judged(1, 1, "two_sided") == judged(1, -1, "two_sided")
    for direction in ("greater", "less", "two_sided"):
        wide, narrow = judged(1, 1, direction), judged(0.5, 1, direction)
        assert wide in ("inconclusive", narrow)


@FEW
@given(TABLES, TABLES)
def test_a_difference_turned_around_is_the_same_difference(rows, others):
    one, other = (rate(columns(each)[1], columns(each)[0]) for each in (rows, others))
    there, back = difference(one, other), difference(other, one)
    assert (there.value is None) == (back.value is None)
    if there.interval:
        assert there.value == -back.value
        assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-11)
