"""Speakers with recordings in English and in another language: their count, selection and balanced draw."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.importing.bilingual import ENGLISH
from audit.cohorts.importing.selection import lots, with_clips
from audit.core.columns import CLUSTER
from audit.core.errors import AuditError, CohortError
from audit.core.group_order import in_group_order
from audit.core.languages import UNDETERMINED, same_language
from audit.core.sentences import group_words
from audit.core.vocabulary import UNKNOWN

LEAST: Final = 2
"""Videos in each of the two languages that make a pair; with one, language and recording cannot be distinguished."""


@dataclass(frozen=True)
class PairSelection:
    """Which speakers are kept.

    Attributes
    ----------
    pairs_only : bool
        Only speakers with a pair.
    undetermined : bool
        Whether videos of undetermined language without an English clip count as another language. They may be English:
        it serves to choose the speakers whose language is then to be identified.
    per_group : int, optional
        Largest number of speakers of each group, half of each gender as far as possible, drawn by the seed; speakers of
        unknown group are left out.
    seed : int
        Seed of the draw.
    """

    pairs_only: bool = False
    undetermined: bool = False
    per_group: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.per_group is not None and self.per_group < 1:
            raise AuditError(f"{self.per_group} speakers per group are not possible.", "at least 1")
        if self.undetermined and not self.pairs_only:
            raise AuditError("Undetermined languages are counted for pairs only.", "--undetermined with --pairs-only")


def videos_by_language(clips: pd.DataFrame) -> pd.DataFrame:
    """The number of each speaker's videos in English, in another known language, and of undetermined language.

    A video is the clips of one ``cluster``, or a single clip where there is none. A video with an English clip counts
    as English; without one it counts as of another language if it has a clip in it.

    Returns
    -------
    DataFrame
        ``english``, ``other`` and ``undetermined``, indexed by ``speaker_id``.

    Examples
    --------
    >>> clips = pd.DataFrame({"speaker_id": "a", "clip_id": [*"123"], "cluster": [*"vvw"],
    ...                       "language": ["en", "und", "zh"]})
    >>> videos_by_language(clips).to_dict("index")
    {'a': {'english': 1, 'other': 1, 'undetermined': 0}}
    """
    codes = clips["language"].unique()
    english = clips["language"].map({code: same_language(code, ENGLISH) for code in codes}).astype(bool)
    other = ~english & ~clips["language"].isin(["", UNDETERMINED])
    video = clips["clip_id"]
    if CLUSTER in clips:
        video = clips[CLUSTER].fillna("").where(lambda names: names != "", clips["clip_id"])
    parts = pd.DataFrame({"speaker_id": clips["speaker_id"], "video": video, "english": english, "other": other})
    videos = parts.groupby(["speaker_id", "video"], sort=False)[["english", "other"]].any()
    videos["other"] &= ~videos["english"]
    videos["undetermined"] = ~videos["english"] & ~videos["other"]
    return videos.groupby("speaker_id").sum().astype(int)


def pair_table(found: Imported) -> pd.DataFrame:
    """The number of speakers with pairs in each group.

    Returns
    -------
    DataFrame
        ``group``, ``n_speakers``, ``n_english`` (at least one English video), ``n_pairs`` (at least :data:`LEAST`
        English videos and as many in another known language) and ``n_possible`` (the same if videos of undetermined
        language count as another language).
    """
    return _counted(found, videos_by_language(found.clips))


def _counted(found: Imported, videos: pd.DataFrame) -> pd.DataFrame:
    """:func:`pair_table`, from the videos that are counted already."""
    marks = pd.DataFrame(
        {
            "group": found.speakers.set_index("speaker_id")["group"].reindex(videos.index),
            "n_speakers": True,
            "n_english": videos["english"] > 0,
            "n_pairs": _paired(videos, undetermined=False),
            "n_possible": _paired(videos, undetermined=True),
        }
    )
    return in_group_order(marks.groupby("group").sum().astype(int).reset_index())


def with_pairs(found: Imported, wanted: PairSelection) -> Imported:
    """Count the speakers with pairs, and select speakers.

    The draw of a speaker depends only on the seed and the id.

    Raises
    ------
    CohortError
        If no speaker is left.
    """
    videos = videos_by_language(found.clips)
    table = _counted(found, videos)
    numbers = zip(table["group"], table["n_pairs"], table["n_possible"], strict=True)
    counts = ", ".join(f"{group_words(str(group))} {n} ({possible})" for group, n, possible in numbers)
    remarks = [
        f"Speakers with at least {LEAST} videos in English and {LEAST} in another known language (in brackets: with "
        f"{LEAST} in which no clip is known to be English, which may be English): {counts}."
    ]
    speakers = found.speakers.set_index("speaker_id").reindex(videos.index)
    kept = np.ones(len(videos), bool)
    if wanted.pairs_only:
        kept = _paired(videos, undetermined=wanted.undetermined).to_numpy()
        how = "counting those of undetermined language as another" if wanted.undetermined else "of known language"
        remarks += counted(
            (bool((~kept).any()), f"{int((~kept).sum())} speakers without such videos, {how}, were left out.")
        )
    if wanted.per_group is not None:
        drawn = kept & _drawn(speakers[kept], wanted.per_group, wanted.seed).reindex(videos.index, fill_value=False)
        most = f"at most {wanted.per_group} of each known group, by seed {wanted.seed}"
        remarks += counted(
            (int((kept & ~drawn).sum()), f"{int((kept & ~drawn).sum())} speakers were not drawn ({most}).")
        )
        kept = drawn.to_numpy()
    if not kept.any():
        allowed = "lists or labels of more languages, --undetermined, or no --pairs-only"
        raise CohortError([" ".join(["No speaker is left.", *remarks])], allowed)
    if kept.all():
        return replace(found, remarks=(*found.remarks, *remarks))
    clips = found.clips[found.clips["speaker_id"].isin(videos.index[kept])]
    return with_clips(found, clips, tuple(remarks))


def _paired(videos: pd.DataFrame, *, undetermined: bool) -> pd.Series:
    other = videos["other"] + (videos["undetermined"] if undetermined else 0)
    return (videos["english"] >= LEAST) & (other >= LEAST)


def _drawn(speakers: pd.DataFrame, per_group: int, seed: int) -> pd.Series:
    """Whether each speaker is drawn: within a group by turns over the genders, within a gender by lot."""
    known = speakers[~speakers["group"].isin(["", UNKNOWN])]
    order = known.assign(lot=lots((f"speaker\0{name}" for name in known.index), seed)).sort_values("lot")
    order["turn"] = order.groupby(["group", "gender"]).cumcount()
    order = order.sort_values(["turn", "lot"])
    return order.groupby("group").cumcount() < per_group
