"""Subsets of the clips, groupings, and clusters: videos and sessions that speakers may share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from audit.checks.strata import Strata
from audit.core.grouping import Grouping

SPEAKERS = [*"aabbcd"]


def strata_of(clusters: list[str | None] | None) -> Strata:
    frame = pd.DataFrame({"speaker_id": SPEAKERS})
    return Strata(frame if clusters is None else frame.assign(cluster=pd.Series(clusters, dtype="category")))


def test_without_the_column_the_clusters_are_the_speakers() -> None:
    strata = strata_of(None)
    assert strata.clusters.tolist() == strata.speakers.tolist() == [0, 0, 1, 1, 2, 3]
    assert not strata.shares_clusters


@pytest.mark.parametrize("nothing", ["", None])
def test_empty_clusters_are_no_clusters(nothing: str | None) -> None:
    strata = strata_of([nothing] * 6)
    assert strata.clusters.tolist() == strata.speakers.tolist()
    assert not strata.shares_clusters


def test_speakers_of_one_video_share_its_cluster() -> None:
    strata = strata_of(["talk", "walk", "talk", "", "", None])
    assert strata.clusters.tolist() == [0, 1, 0, 2, 3, 4]
    assert strata.shares_clusters


def test_several_videos_of_one_speaker_are_not_shared() -> None:
    strata = strata_of(["u", "v", "w", "w", "", ""])
    assert strata.clusters.tolist() == [0, 1, 2, 2, 3, 4]
    assert not strata.shares_clusters


def test_a_cluster_that_is_named_like_a_speaker_is_another_one() -> None:
    strata = strata_of(["", "", "a", "", "", ""])
    assert strata.clusters.tolist() == [1, 1, 0, 2, 3, 4]
    assert not strata.shares_clusters


def test_a_run_without_clips_has_no_clusters() -> None:
    strata = Strata(pd.DataFrame({"speaker_id": [], "cluster": []}))
    assert strata.clusters.tolist() == []
    assert not strata.shares_clusters


def labelled() -> Strata:
    groups = ["asian", "asian", "white", "asian|white", "unknown", "black"]
    languages = ["en", "zh", "en", "zh", "en", "und"]
    columns = {"speaker_id": SPEAKERS, "group": groups, "language": languages, "gender": ["woman", "man"] * 3}
    return Strata(pd.DataFrame(columns).assign(english=[code == "en" for code in languages]))


@pytest.mark.parametrize(
    ("wanted", "clips"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"group": "asian"}, [0, 1]),
        ({"group": "indian"}, []),
        ({"race": "asian"}, [0, 1, 3]),
        ({"race": "asian", "but": "white"}, [0, 1]),
        ({"language": "zh"}, [1, 3]),
        ({"group": "asian", "language": "zh"}, [1]),
        ({"english": False}, [1, 3]),
    ],
)
def test_clips_are_chosen_by_their_labels(wanted: dict[str, Any], clips: list[int]) -> None:
    assert np.flatnonzero(labelled().where(**wanted)).tolist() == clips


def test_another_grouping_numbers_speakers_and_labels_no_second_time() -> None:
    strata = labelled()
    assert strata.languages == ["en", "und", "zh"]
    speakers, (languages, _) = strata.speakers, strata._numbered("language")
    crossed = strata.by(Grouping(("group", "gender")))
    assert crossed.speakers is speakers
    assert crossed._numbered("language")[0] is languages


def test_another_grouping_has_its_own_groups_whatever_was_used_before() -> None:
    strata = labelled()
    assert strata.groups == ["asian", "asian|white", "black", "white"]
    assert (strata.n_speakers["asian"], strata.known.sum(), len(strata.parts[0])) == (1, 5, 6)
    crossed = strata.by(Grouping(("gender",)))
    assert crossed.groups == ["man", "woman"]
    assert crossed.n_speakers == {"man": 3, "woman": 3}
    assert crossed.known.all()
    assert np.flatnonzero(crossed.where(group="man")).tolist() == [1, 3, 5]
