"""Clusters of clips: videos and sessions that speakers may share."""

from __future__ import annotations

import pandas as pd
import pytest

from audit.checks.strata import Strata

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
