"""Face features against portraits: ranks in a gallery and the paper's distances, by hand and by planted truth."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.audits.tables.metric_definitions import definitions_table
from audit.checks.metrics.metric_frame import (
    IDENTIFICATION,
    OVER_IMPOSTORS,
    SIMILARITY,
    identification,
    metrics_of,
    over_impostors,
)
from audit.checks.metrics.similarity import AT_ONCE, feature_distances, identification_shares, portrait_ranks
from audit.stats import Settings


def ranks(features, portraits, speakers, most=1000, seed=0):
    found = portrait_ranks(
        np.asarray(features, np.float32),
        np.asarray(portraits, np.float32),
        pd.Series(list(speakers)),
        most,
        np.random.default_rng(seed),
    )
    return found.rank.tolist(), found.gallery


NOBODY = [np.nan, np.nan]


def test_ranks_by_hand():
    portraits = [[1, 0], [0.8, 0.6], [0, 1]]
    # cosines of (0.9, 0.1) fall from a to c; of (0, 1) they rise
    assert ranks([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1]], portraits, "abc") == ([1, 2, 3], 3)
    assert ranks([[0, 1], [0, 1], [0, 1]], portraits, "abc") == ([3, 2, 1], 3)


def test_a_tie_counts_against():
    assert ranks([[1, 0], [1, 0], [1, 0]], [[1, 0], [1, 0], [0, 1]], "abc") == ([2, 2, 3], 3)
    # apart by less than a millionth is a tie too: no rank hangs on how a machine rounds
    assert ranks([[1, 0], [1, 0]], [[1, 0], [1, 1e-4]], "ab")[0] == [2, 2]


def test_length_does_not_matter():
    assert ranks([[9, 1], [0.9, 0.1]], [[1, 0], [8, 6]], "ab") == ([1, 2], 2)


def test_a_missing_feature_has_no_rank_and_is_not_an_impostor():
    found, gallery = ranks([[1, 0], NOBODY, [0.6, 0.8]], [[0, 1], [1, 0], NOBODY], "abc")
    assert gallery == 2
    assert found[0] == 2 and np.isnan(found[1:]).all()


def test_a_portrait_of_any_of_their_clips_serves_a_speaker():
    assert ranks([[1, 0], [0, 1], [0, 1]], [[1, 0], NOBODY, [0, 1]], "aab")[0] == [1, 2, 1]


def test_several_portraits_of_a_speaker_count_as_their_mean():
    # a's mean points to (1, 1): nearer to the second face than b's (1, 0)
    assert ranks([[1, 1], [1, 1], [1, 0.9]], [[1, 0], [0, 1], [1, 0]], "aab")[0] == [1, 1, 2]


def test_a_run_without_features_has_no_ranks():
    nothing = np.empty((2, 0), np.float32)
    found = portrait_ranks(nothing, nothing, pd.Series(["a", "b"]), 10, np.random.default_rng(0))
    assert np.isnan(found.rank).all() and found.gallery == 0
    assert all(np.isnan(part).all() for part in feature_distances(nothing, nothing))


def test_a_run_without_any_portrait_has_no_ranks():
    assert np.isnan(ranks([[1, 0]], [NOBODY], "a")[0]).all()


def test_a_sampled_gallery_is_of_one_size_for_all_and_holds_everyones_own():
    """Everyone's face is their portrait: whoever is sampled, all are first, and chance would be 1 in 20."""
    rng = np.random.default_rng(1)
    people = rng.normal(size=(300, 16))
    assert ranks(people, people, range(300), most=20) == ([1.0] * 300, 20)
    random = np.array(ranks(rng.normal(size=(300, 16)), people, range(300), most=20)[0])
    assert random.min() >= 1 and random.max() == 20


def test_chance_is_k_in_the_gallery():
    rng = np.random.default_rng(2)
    found = np.array(ranks(rng.normal(size=(6000, 8)), rng.normal(size=(6000, 8)), range(6000), most=50)[0])
    for first in (1, 5, 10):
        share = first / 50
        assert abs(np.mean(found <= first) - share) < 4 * math.sqrt(share * (1 - share) / 6000)


def test_more_faces_than_are_compared_at_a_time():
    rng = np.random.default_rng(3)
    people = rng.normal(size=(7, 4))
    many = np.tile(people, (AT_ONCE // 7 + 2, 1))
    found, _ = ranks(many, many, list(range(7)) * (AT_ONCE // 7 + 2))
    assert found == [1.0] * len(many)


@given(st.randoms(use_true_random=False), st.sampled_from([3, 1000]))
def test_ranks_do_not_depend_on_the_order_of_rows_or_on_names(random, most):
    rng = np.random.default_rng(random.randrange(1000))
    features, portraits = rng.normal(size=(12, 4)).round(3), np.repeat(rng.normal(size=(6, 4)).round(3), 2, axis=0)
    speakers = np.repeat([*"abcdef"], 2)
    straight = np.array(ranks(features, portraits, speakers, most)[0])
    order = np.array(random.sample(range(12), 12))
    renamed = dict(zip("abcdef", random.sample("uvwxyz", 6), strict=True))
    shuffled = ranks(features[order], portraits[order], [renamed[name] for name in speakers[order]], most)[0]
    assert straight[order].tolist() == shuffled


def test_distances_by_hand():
    found = feature_distances(
        np.array([[3, 0], [1, 1], [1, 0], [-1, 0], NOBODY], np.float32),
        np.array([[1, 0], [1, 0], NOBODY, [1, 0], [1, 0]], np.float32),
    )
    half = math.sqrt(0.5)
    assert found.angle[[0, 1, 3]].tolist() == pytest.approx([0, 45, 180], abs=1e-5)
    assert found.l2[[0, 1, 3]].tolist() == pytest.approx([0, math.sqrt(2 - 2 * half), 2], abs=1e-6)
    assert found.l1[[0, 1, 3]].tolist() == pytest.approx([0, 1 - half + half, 2], abs=1e-6)
    assert all(np.isnan(part[[2, 4]]).all() for part in found)


def test_a_feature_of_nothing_has_no_length_and_breaks_nothing():
    found = feature_distances(np.zeros((1, 2), np.float32), np.array([[1, 0]], np.float32))
    assert (found.l1[0], found.l2[0]) == (1, 1)


def test_the_quantity_of_a_metric_is_the_same_for_every_similarity_model() -> None:
    defined = definitions_table(metrics_of(("FaceRes", "Dlib"))).frame
    metrics = defined.groupby("quantity")["metric"].agg(list)
    assert metrics[SIMILARITY] == ["similarity_faceres", "similarity_dlib"]
    assert metrics[IDENTIFICATION] == [identification("FaceRes"), identification("Dlib")]
    assert metrics[OVER_IMPOSTORS] == [over_impostors("FaceRes"), over_impostors("Dlib")]
    assert metrics["gender_right"] == ["gender_right"]


def shares(features, portraits, speakers, demographic, most=1000, seed=0):
    found = identification_shares(
        np.asarray(features, np.float32),
        np.asarray(portraits, np.float32),
        pd.Series(list(speakers)),
        pd.Series(list(demographic), dtype=object),
        most,
        Settings(seed=seed).generator,
    )
    return found.tolist()


def test_identification_by_hand():
    portraits = [[1, 0], [0.8, 0.6], [0, 1]]
    # cosines of (1, 0) fall from a to c: both impostors are less similar than a, one is than b, none than c
    assert shares([[1, 0]] * 3, portraits, "abc", "xxx") == [1, 0.5, 0]
    assert shares([[1, 0]] * 3, portraits, "abc", "xyx") == pytest.approx([1, np.nan, 0], nan_ok=True)


def test_a_tie_counts_half_in_identification():
    assert shares([[1, 0]] * 3, [[1, 0], [1, 0], [0, 1]], "abc", "xxx") == [0.75, 0.75, 0]
    # apart by less than a millionth is a tie too
    assert shares([[1, 0], [1, 0]], [[1, 0], [1, 1e-4]], "ab", "xx") == [0.5, 0.5]


def test_identification_is_missing_without_face_portrait_demographic_or_impostor():
    faces, portraits = [[1, 0], NOBODY, [1, 0], [1, 0], [1, 0]], [[1, 0], [0, 1], NOBODY, [1, 0], [1, 0]]
    found = shares(faces, portraits, "abcde", ["x", "x", "x", None, "y"])
    assert found == pytest.approx([1, *[np.nan] * 4], nan_ok=True)
    nothing = np.empty((2, 0), np.float32)
    assert np.isnan(shares(nothing, nothing, "ab", "xx")).all()


def test_several_portraits_of_a_speaker_are_one_impostor():
    # b's clips have two portraits, whose mean points to (1, 1); c's is less similar to a's face than a's own
    faces, portraits = [[1, 0]] * 4, [[1, 0.2], [1, 0], [0, 1], [0, 1]]
    assert shares(faces, portraits, "abbc", "xxxx") == [1, 0.5, 0.5, 0]


def test_identification_by_a_face_that_says_nothing_is_one_half_on_average():
    rng = np.random.default_rng(5)
    portraits = rng.normal(size=(400, 16))
    constant = shares(np.tile(rng.normal(size=16), (400, 1)), portraits, range(400), ["x", "y"] * 200)
    assert np.mean(constant) == pytest.approx(0.5, abs=1e-6)
    noise = shares(rng.normal(size=(400, 16)), portraits, range(400), ["x"] * 400)
    assert abs(np.mean(noise) - 0.5) < 4 / math.sqrt(12 * 400)


def test_a_sample_of_impostors_is_unbiased_and_never_has_the_own_portrait():
    rng = np.random.default_rng(6)
    people = rng.normal(size=(300, 16))
    faces = people + 2 * rng.normal(size=people.shape)
    everybody, some = (np.array(shares(faces, people, range(300), ["x"] * 300, most)) for most in (1000, 40))
    assert abs(everybody.mean() - some.mean()) < 0.02
    assert shares(people, people, range(300), ["x"] * 300, most=20) == [1] * 300


def test_more_faces_than_are_compared_at_a_time_are_identified():
    people = np.random.default_rng(7).normal(size=(7, 4))
    many = np.tile(people, (AT_ONCE // 7 + 2, 1))
    assert shares(many, many, list(range(7)) * (AT_ONCE // 7 + 2), ["x"] * len(many)) == [1] * len(many)


@given(st.randoms(use_true_random=False), st.sampled_from([3, 1000]))
def test_identification_does_not_depend_on_the_order_of_rows_or_on_names(random, most):
    rng = np.random.default_rng(random.randrange(1000))
    features, portraits = rng.normal(size=(16, 4)).round(3), np.repeat(rng.normal(size=(8, 4)).round(3), 2, axis=0)
    speakers, demographic = np.repeat([*"abcdefgh"], 2), np.repeat([*"xxxxxyyy"], 2)
    straight = np.array(shares(features, portraits, speakers, demographic, most))
    order = np.array(random.sample(range(16), 16))
    renamed = dict(zip("abcdefgh", random.sample("stuvwxyz", 8), strict=True))
    names = [renamed[name] for name in speakers[order]]
    assert straight[order].tolist() == shares(features[order], portraits[order], names, demographic[order], most)
