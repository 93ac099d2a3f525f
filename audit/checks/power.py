"""What a cohort of this size could show, for every check and every cell, before anything is run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from audit.core.vocabulary import UNDETERMINED, UNKNOWN, group_members, ordered_groups, same_language
from audit.stats import ALL, Detectable, Settings, smallest_detectable
from audit.stats.power import Design

COLUMNS = ["check", "comparison", "group", "language", "n_speakers", "margin", "smallest_detectable", "note"]


def detectable(clips: pd.DataFrame, margins: Mapping[str, float], settings: Settings) -> pd.DataFrame:
    """The smallest difference that would be found with a power of .80, at a rate of one half.

    Parameters
    ----------
    clips : DataFrame
        One row a clip: speaker_id, group, language.
    margins : mapping of str to float
        By check: a difference counts as found where its interval lies beyond the margin.
    settings : Settings
        Confidence, and the least number of speakers.

    Returns
    -------
    DataFrame
        One row a check and group (the groups held together at the Bonferroni level, as the checks do), then one a cell
        of group and language, held against a fixed rate. ``smallest_detectable`` is NaN where none would be found;
        ``note`` says why, and on what assumptions the others rest.

    Examples
    --------
    >>> clips = pd.DataFrame({"speaker_id": range(60), "group": "asian", "language": "en"})
    >>> found = detectable(clips, {"S2F001": 0.1}, Settings())
    >>> found.loc[found["group"] == "asian", ["check", "n_speakers", "smallest_detectable"]].values.tolist()
    [['S2F001', 60, 0.341], ['S2F001', 0, nan], ['', 60, 0.178]]
    """
    # one row for each speaker and language, with the number of clips
    labels = ["group", "speaker_id", "language"]
    heard = clips.groupby(labels, observed=True, sort=True).size().rename("clips").reset_index()
    known = heard[heard["group"] != UNKNOWN]
    groups = ordered_groups(known["group"])
    together = replace(settings, confidence=1 - (1 - settings.confidence) / max(1, len(groups)))
    rows: list[tuple[object, ...]] = []

    def add(check: str, comparison: str, group: str, language: str, found: Detectable, n: int) -> None:
        rows.append((check, comparison, group, language, n, margins.get(check), found.size, found.method))

    everyone = heard["speaker_id"].nunique()
    for group in groups:
        own = known[known["group"] == group]
        english = (
            own["language"].map({code: same_language(code, "en") for code in own["language"].unique()}).astype(bool)
        )
        n, both = own["speaker_id"].nunique(), _in_both(own, english)
        if "asian" in group_members(group) and english.any():
            speaking = own["speaker_id"][english].nunique()
            for comparison, number in (
                ("rendered against portrait, same speakers", speaking),
                ("English against another language, same speakers", both),
            ):
                found = _found(number, "paired", None, margins.get("S2F001", 0.0), settings)
                add("S2F001", comparison, group, "en", found, number)
        for check, comparison, design, number, other in _comparisons(own, n, everyone - n):
            if check in margins:
                found = _found(number, design, other, margins[check], together)
                add(check, comparison, group, ALL, found, number)
    for group in groups:
        own = known[known["group"] == group]
        for language, part in own.groupby("language", observed=True, sort=True):
            n = part["speaker_id"].nunique()
            add(
                "",
                "one rate against a fixed one",
                group,
                str(language),
                _found(n, "one", None, 0.0, settings),
                n,
            )
    return pd.DataFrame(rows, columns=COLUMNS).astype({"margin": float, "smallest_detectable": float})


def _comparisons(own: pd.DataFrame, n: int, rest: int) -> Iterator[tuple[str, str, Design, int, int | None]]:
    yield "S2F002", "two languages against one, same speakers", "paired", _repeated(own), None
    yield "S2F003", "rendered against ceiling or portrait, same speakers", "paired", n, None
    for check in ("S2F004", "S2F006"):
        yield check, "the group against all others", "unpaired", n, rest


def _in_both(own: pd.DataFrame, english: pd.Series) -> int:
    other = ~english & (own["language"] != UNDETERMINED)
    return len(np.intersect1d(own["speaker_id"][english].unique(), own["speaker_id"][other].unique()))


def _repeated(own: pd.DataFrame) -> int:
    """Speakers with two clips or more in each of two languages."""
    twice = own[(own["language"] != UNDETERMINED) & (own["clips"] > 1)]
    return int((twice.groupby("speaker_id", observed=True, sort=False).size() > 1).sum())


@cache
def _found(speakers: int, design: Design, other: int | None, margin: float, settings: Settings) -> Detectable:
    return smallest_detectable(speakers, design=design, other_speakers=other, margin=margin, settings=settings)
