"""Clusters of clips: videos, sessions or source voices, which several speakers may share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from audit.core.columns import CLUSTER
from audit.core.document import Form

if TYPE_CHECKING:
    import pandas as pd

FEW: Final = 5
"""A cluster with fewer speakers is never reported as too large."""
MANY: Final = 20
"""A cluster with at least this many speakers is reported as too large if it has a twentieth of all speakers."""


class Clusters(Form):
    """The number of clusters that the clips of a cohort or run name, and how far speakers share them.

    Attributes
    ----------
    n_speakers : int
        All speakers.
    n_clips, n_unnamed : int
        All clips, and those without a cluster.
    n_clusters, n_shared : int
        The clusters that clips name, and those with clips of two or more speakers.
    largest : int
        The number of speakers in the cluster with most of them; 0 if no clip names one.
    """

    n_speakers: int
    n_clips: int
    n_unnamed: int
    n_clusters: int
    n_shared: int
    largest: int

    @classmethod
    def of(cls, clips: pd.DataFrame) -> Self:
        """The clusters of clips with the columns ``speaker_id`` and, optionally, ``cluster``.

        Examples
        --------
        >>> import pandas as pd
        >>> found = Clusters.of(pd.DataFrame({"speaker_id": [*"aabbc"], "cluster": [*"xyx", "", None]}))
        >>> found.n_clusters, found.n_shared, found.largest, found.n_unnamed
        (2, 1, 2, 2)
        """
        n_speakers, n_clips = int(clips["speaker_id"].nunique()), len(clips)
        if CLUSTER not in clips:
            return cls(n_speakers=n_speakers, n_clips=n_clips, n_unnamed=n_clips, n_clusters=0, n_shared=0, largest=0)
        named = clips[["speaker_id", CLUSTER]].astype({"speaker_id": str}).astype(object)
        named = named[named[CLUSTER].notna() & (named[CLUSTER] != "")]
        speakers = named.groupby(CLUSTER)["speaker_id"].nunique()
        return cls(
            n_speakers=n_speakers,
            n_clips=n_clips,
            n_unnamed=n_clips - len(named),
            n_clusters=len(speakers),
            n_shared=int((speakers > 1).sum()),
            largest=int(speakers.max()) if len(speakers) else 0,
        )

    @property
    def too_large(self) -> bool:
        """Whether the largest cluster has so large a share of the speakers that intervals rest on few clusters.

        It has at least :data:`MANY` and a twentieth of all speakers, or at least :data:`FEW` and more than a quarter.
        """
        share = self.largest / max(self.n_speakers, 1)
        return (self.largest >= MANY and share >= 1 / 20) or (self.largest >= FEW and share > 1 / 4)

    @property
    def sentence(self) -> str:
        """What is known of the clusters, and what intervals assume.

        Examples
        --------
        >>> print(Clusters(n_speakers=9, n_clips=18, n_unnamed=18, n_clusters=0, n_shared=0, largest=0).sentence)
        No clip names the video, session or source voice it comes from, so intervals assume that different speakers are
        independent.
        """
        if not self.n_clusters:
            return (
                "No clip names the video, session or source voice it comes from, so intervals assume that different "
                "speakers are independent."
            )
        clusters = f"{self.n_clusters:,} named videos, sessions or source voices"
        counts = f"The clips of {self.n_speakers:,} speakers come from {clusters}"
        shared = (
            f"{self.n_shared:,} of them {'has' if self.n_shared == 1 else 'have'} clips of several speakers, the "
            f"largest of {self.largest:,}; intervals allow for what such speakers share."
            if self.n_shared
            else "none of them has clips of several speakers, so intervals over speakers need no further allowance."
        )
        unnamed = (
            f" {self.n_unnamed:,} of {self.n_clips:,} clips name none: for these, different speakers are assumed to be "
            "independent."
            if self.n_unnamed
            else ""
        )
        return f"{counts}; {shared}{unnamed}"

    @property
    def warning(self) -> str:
        """What to check where a cluster has too many speakers; empty otherwise."""
        if not self.too_large:
            return ""
        return (
            f"One cluster has clips of {self.largest:,} of {self.n_speakers:,} speakers, which is more than one video, "
            "session or source voice usually has. The intervals then rest on few independent units. Check the column "
            "cluster of clips.csv: it names the video, session or source voice of a clip, and is empty where none is "
            "known."
        )
