"""Power: the minimum detectable effect of every check and cell for a cohort."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from audit.checks.figure import Judged
from audit.core.vocabulary import UNDETERMINED, UNKNOWN, ordered_groups, same_language
from audit.stats import ALL, Detectable, Settings, smallest_detectable
from audit.stats.power import Design

if TYPE_CHECKING:
    from audit.checks.check import Check

COLUMNS = ["check", "comparison", "group", "language", "n_speakers", "margin", "smallest_detectable", "note"]


@dataclass(frozen=True)
class GroupClips:
    """The speakers of one known group of a cohort.

    Attributes
    ----------
    group : str
        The group's label.
    clips : DataFrame
        One row per speaker and language: speaker_id, language, clips (their number).
    n, n_others : int
        The numbers of speakers in the group and in the rest of the cohort.
    """

    group: str
    clips: pd.DataFrame
    n: int
    n_others: int

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
        twice = self.clips[(self.clips["language"] != UNDETERMINED) & (self.clips["clips"] > 1)]
        return int((twice.groupby("speaker_id", observed=True, sort=False).size() > 1).sum())

    def _in(self, language: str) -> pd.Series:
        codes = self.clips["language"]
        return codes.map({code: same_language(code, language) for code in codes.unique()}).astype(bool)


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
    """

    judged: Judged
    words: str
    n_speakers: int
    design: Design
    other_speakers: int | None = None
    language: str = ALL
    simultaneous: bool = True


def detectable(
    clips: pd.DataFrame, checks: Iterable[Check], margins: Mapping[str, float], settings: Settings
) -> pd.DataFrame:
    """The minimum detectable effect with a power of .80, at a rate of one half.

    Parameters
    ----------
    clips : DataFrame
        One row per clip: speaker_id, group, language.
    checks : iterable of Check
        The checks.
    margins : mapping of str to float
        The margins, by their keys in a plan: a difference is detected where its interval lies beyond the margin.
    settings : Settings
        Confidence, and the minimum number of speakers.

    Returns
    -------
    DataFrame
        One row per comparison and group (adjusted for the number of groups, as in the checks), then one per cell of
        group and language, compared with a fixed rate. ``smallest_detectable`` is NaN where no difference would be
        detected; ``note`` has the reason, or the assumptions.

    Examples
    --------
    >>> from audit.checks import shipped
    >>> clips = pd.DataFrame({"speaker_id": range(60), "group": "asian", "language": "en"})
    >>> found = detectable(clips, shipped()[:1], {"S2F001": 0.1}, Settings())
    >>> found.loc[found["group"] == "asian", ["check", "n_speakers", "smallest_detectable"]].values.tolist()
    [['S2F001', 60, 0.341], ['S2F001', 0, nan], ['', 60, 0.178]]
    """
    # one row for each speaker and language, with the number of clips
    labels = ["group", "speaker_id", "language"]
    counted = clips.groupby(labels, observed=True, sort=True).size().rename("clips").reset_index()
    known = counted[counted["group"] != UNKNOWN]
    groups = ordered_groups(known["group"])
    simultaneous = replace(settings, confidence=1 - (1 - settings.confidence) / max(1, len(groups)))
    everyone = counted["speaker_id"].nunique()
    chosen = list(checks)
    rows: list[tuple[object, ...]] = []
    for group in groups:
        own = known[known["group"] == group]
        n = own["speaker_id"].nunique()
        part = GroupClips(group, own, n, everyone - n)
        for check in chosen:
            for each in check.power(part):
                head = (check.code, each.words, group, each.language, each.n_speakers)
                if each.judged.unit != "share":
                    rows.append((*head, None, None, f"power is computed for rates, not for {each.judged.unit}"))
                    continue
                margin = check.margin(each.judged, margins)
                at = simultaneous if each.simultaneous else settings
                found = _found(each.n_speakers, each.design, each.other_speakers, margin, at)
                rows.append((*head, margin, found.size, found.method))
    for group in groups:
        own = known[known["group"] == group]
        for language, part_of in own.groupby("language", observed=True, sort=True):
            n = part_of["speaker_id"].nunique()
            found = _found(n, "one", None, 0.0, settings)
            rows.append(("", "one rate against a fixed one", group, str(language), n, None, found.size, found.method))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"margin": float, "smallest_detectable": float})


@cache
def _found(speakers: int, design: Design, other: int | None, margin: float, settings: Settings) -> Detectable:
    return smallest_detectable(speakers, design=design, other_speakers=other, margin=margin, settings=settings)
