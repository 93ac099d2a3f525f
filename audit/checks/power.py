"""Power: what a cohort of this size could show, for every check and every cell, before anything is run."""

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
        One row a speaker and language: speaker_id, language, clips (their number).
    n, n_others : int
        Speakers of the group, and of the cohort outside of it.
    """

    group: str
    clips: pd.DataFrame
    n: int
    n_others: int

    def speaking(self, language: str) -> int:
        """Speakers with a clip in a language."""
        return int(self.clips["speaker_id"][self._in(language)].nunique())

    def speaking_also(self, language: str) -> int:
        """Speakers with a clip in a language and one in another known language."""
        spoken = self._in(language)
        other = ~spoken & (self.clips["language"] != UNDETERMINED)
        speakers = self.clips["speaker_id"]
        return len(np.intersect1d(speakers[spoken].unique(), speakers[other].unique()))

    def repeated(self) -> int:
        """Speakers with two clips or more in each of two known languages."""
        twice = self.clips[(self.clips["language"] != UNDETERMINED) & (self.clips["clips"] > 1)]
        return int((twice.groupby("speaker_id", observed=True, sort=False).size() > 1).sum())

    def _in(self, language: str) -> pd.Series:
        codes = self.clips["language"]
        return codes.map({code: same_language(code, language) for code in codes.unique()}).astype(bool)


@dataclass(frozen=True)
class Comparison:
    """One comparison that a check would make, whose power is computed.

    Attributes
    ----------
    judged : Judged
        The judged figure, whose margin counts.
    words : str
        What is compared with what.
    n_speakers : int
        Speakers who take part.
    design : {"paired", "unpaired", "one"}
        As :func:`audit.stats.smallest_detectable` takes it.
    other_speakers : int or None
        Speakers on the other side of an unpaired comparison.
    language : str
        The language that it is about; ``all`` for none.
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
        One row a clip: speaker_id, group, language.
    checks : iterable of Check
        The checks that would be made.
    margins : mapping of str to float
        By the keys of a plan: a difference counts as found where its interval lies beyond the margin.
    settings : Settings
        Confidence, and the least number of speakers.

    Returns
    -------
    DataFrame
        One row a check and group (adjusted for the number of groups, as the checks are), then one a cell of group and
        language, compared with a fixed rate. ``smallest_detectable`` is NaN where none would be found; ``note`` says
        why, and on what assumptions the others rest.

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
    heard = clips.groupby(labels, observed=True, sort=True).size().rename("clips").reset_index()
    known = heard[heard["group"] != UNKNOWN]
    groups = ordered_groups(known["group"])
    simultaneous = replace(settings, confidence=1 - (1 - settings.confidence) / max(1, len(groups)))
    everyone = heard["speaker_id"].nunique()
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
