"""The comparisons of a check, for which power is computed, and the speakers that they would have."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from audit.checks.figure import Judged
from audit.checks.strata import Strata
from audit.core.columns import CLUSTER
from audit.core.grouping import GROUP, Grouping
from audit.core.languages import UNDETERMINED, language_of, same_language
from audit.core.vocabulary import UNKNOWN, ordered_groups
from audit.stats import ALL
from audit.stats.power import Design
from audit.stats.speakers import Ints


@dataclass(frozen=True)
class GroupClips:
    """The speakers of one known group of a cohort.

    Attributes
    ----------
    group : str
        The group's label.
    clips : DataFrame
        One row per speaker and language: speaker_id, language, clips (their number); where speakers share clusters
        also cluster, the number of the cluster with most of the speaker's clips.
    n, n_others : int
        The numbers of speakers in the group and in all other known groups.
    others : tuple of GroupClips
        The other known groups.
    """

    group: str
    clips: pd.DataFrame
    n: int
    n_others: int
    others: tuple[GroupClips, ...] = field(default=(), repr=False)

    def speaking(self, language: str) -> int:
        """The number of speakers with a clip in a language."""
        return int(self.clips["speaker_id"][self._in(language)].nunique())

    def speaking_also(self, language: str) -> int:
        """The number of speakers with a clip in a language and one in another known language."""
        spoken = self._in(language)
        other = ~spoken & (self.clips["language"] != UNDETERMINED)
        speakers = self.clips["speaker_id"]
        return len(np.intersect1d(speakers[spoken].unique(), speakers[other].unique()))

    def repeated(self) -> int:
        """The number of speakers with at least two clips in each of two known languages."""
        known = self.clips[self.clips["language"] != UNDETERMINED]
        languages = known["language"].astype(object)
        spoken = languages.map({code: language_of(code) for code in languages.unique()})
        clips = known["clips"].groupby([known["speaker_id"], spoken], observed=True, sort=False).sum()
        return int((clips[clips > 1].groupby(level="speaker_id", sort=False).size() > 1).sum())

    def per_speaker(self, language: str = ALL) -> Ints:
        """The number of clips of each speaker with a clip in a language, in no particular order."""
        of = self.clips if language == ALL else self.clips[self._in(language)]
        return of.groupby("speaker_id", observed=True, sort=False)["clips"].sum().to_numpy(np.int64)

    def clusters(self, language: str = ALL) -> Ints | None:
        """The cluster of each speaker with a clip in a language, in the order of :meth:`per_speaker`.

        ``None`` where speakers share no clusters.
        """
        if CLUSTER not in self.clips:
            return None
        of = self.clips if language == ALL else self.clips[self._in(language)]
        return of.groupby("speaker_id", observed=True, sort=False)[CLUSTER].first().to_numpy(np.int64)

    def _in(self, language: str) -> pd.Series:
        codes = self.clips["language"]
        return codes.map({code: same_language(code, language) for code in codes.unique()}).astype(bool)


def group_clips(clips: pd.DataFrame, grouping: Grouping = GROUP) -> list[GroupClips]:
    """The speakers of every known group.

    Parameters
    ----------
    clips : DataFrame
        One row per clip: speaker_id, group, language, and optionally cluster.
    grouping : Grouping
        The grouping; ``clips`` has its columns.

    Examples
    --------
    >>> clips = pd.DataFrame({"speaker_id": [1, 1, 2, 3], "group": ["asian"] * 2 + ["white"] * 2, "language": "en"})
    >>> [(part.group, part.n, part.n_others, part.per_speaker().tolist()) for part in group_clips(clips)]
    [('asian', 1, 2, [2]), ('white', 2, 1, [1, 1])]
    """
    if grouping != GROUP:
        of_grouping = Strata(clips).by(grouping)
        order = of_grouping.groups
        clips = of_grouping.frame.assign(group=of_grouping.frame[of_grouping.group_column])
    else:
        order = ordered_groups(clips["group"].unique())
    labels = ["group", "speaker_id", "language"]
    counted = clips.groupby(labels, observed=True, sort=True).size().rename("clips").reset_index()
    strata = Strata(clips)
    if strata.shares_clusters:
        named = pd.DataFrame({"speaker_id": clips["speaker_id"].to_numpy(), CLUSTER: strata.clusters})
        most = named.value_counts(sort=False).rename("clips").reset_index().sort_values("clips", kind="stable")
        of_speaker = most.drop_duplicates("speaker_id", keep="last").set_index("speaker_id")[CLUSTER]
        counted[CLUSTER] = of_speaker.reindex(counted["speaker_id"]).to_numpy()
    known = counted[counted["group"] != UNKNOWN]
    everyone = known["speaker_id"].nunique()
    parts = []
    present = set(known["group"])
    for group in (group for group in order if group in present):
        own = known[known["group"] == group]
        n = own["speaker_id"].nunique()
        parts.append(GroupClips(group, own, n, everyone - n))
    return [replace(part, others=tuple(other for other in parts if other is not part)) for part in parts]


@dataclass(frozen=True)
class Comparison:
    """One comparison of a check, for which power is computed.

    Attributes
    ----------
    judged : Judged
        The judged figure, whose margin is used.
    words : str
        A short description.
    n_speakers : int
        The number of speakers.
    design : {"paired", "unpaired", "one"}
        The design, for :func:`audit.stats.smallest_detectable`.
    other_speakers : int or None
        The number of speakers on the other side of an unpaired comparison.
    language : str
        The language of the clips, or ``all``.
    simultaneous : bool
        Whether the check adjusts its intervals for the number of groups.
    also : tuple of Judged
        Further judged figures with the same design, speakers and clips.
    of_changes : bool
        Of an unpaired comparison: whether each side is a change between two readings of its speakers.
    one_value : bool
        Whether each speaker has one value instead of one for each clip.
    figures : int
        The number of judged figures of a group for which the intervals are adjusted, too.
    """

    judged: Judged
    words: str
    n_speakers: int
    design: Design
    other_speakers: int | None = None
    language: str = ALL
    simultaneous: bool = True
    also: tuple[Judged, ...] = ()
    of_changes: bool = False
    one_value: bool = False
    figures: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the judged figures that the comparison is about."""
        return tuple(item.name for item in (self.judged, *self.also))
