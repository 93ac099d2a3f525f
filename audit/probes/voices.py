"""Whose voices are asked: those heard in English and in another language, spread evenly over who they are."""

from __future__ import annotations

import hashlib
from typing import Final

import pandas as pd

from audit.cohorts import Cohort
from audit.core.errors import CohortError
from audit.core.vocabulary import same_language

FIRST: Final = "en"
"""The language of the clips that are altered."""
OTHER: Final = "other_language"
_STRATA: Final = ("group", "gender", OTHER)


def bilingual(cohort: Cohort) -> pd.DataFrame:
    """The clips of the voices that are heard in English and in another language, with the voice's other language.

    Returns
    -------
    DataFrame
        Rows of :attr:`audit.Cohort.table`, with the column ``other_language``: the first such language by its code.

    Raises
    ------
    CohortError
        If there is no such voice.
    """
    table = cohort.audited().table
    table = table[table["audio"] != ""]
    english = table["language"].map(lambda code: same_language(code, FIRST))
    others = table[~english].groupby("speaker_id")["language"].min()
    both = others.index.intersection(table.loc[english, "speaker_id"].unique())
    chosen = table[table["speaker_id"].isin(both)]
    if chosen.empty:
        raise CohortError(
            [f"The cohort {cohort.name} has no voice in two languages, of which one is English."],
            "a cohort of bilingual voices",
            "Leave the cohort out: the embedded one has them.",
        )
    chosen = chosen.assign(**{OTHER: chosen["speaker_id"].map(others)})
    spoken = chosen["language"].map(lambda code: code.split("-", maxsplit=1)[0].lower())
    kept = spoken.eq(FIRST) | chosen["language"].eq(chosen[OTHER])
    return chosen[kept].reset_index(drop=True)


def drawn(table: pd.DataFrame, voices: int | None, seed: int) -> pd.DataFrame:
    """The clips of so many voices, as many of each group, sex and other language as can be.

    Parameters
    ----------
    table : DataFrame
        Of :func:`bilingual`.
    voices : int or None
        How many; all without it.
    seed : int
        Decides which; no reading does.

    Raises
    ------
    CohortError
        If there are fewer.
    """
    people = table.drop_duplicates("speaker_id")
    if voices is None:
        return table
    if not 1 <= voices <= len(people):
        raise CohortError(
            [f"{voices} voices were asked for."], f"1 to {len(people)}, as many as are heard in two languages"
        )
    people = people.assign(lot=[lot(seed, name) for name in people["speaker_id"]])
    people = people.sort_values([*_STRATA, "lot"])
    turn = people.groupby(list(_STRATA), sort=True).cumcount()
    # one of each stratum after the other; within a turn by lot, so that no stratum is always the last to be left out
    names = people.assign(turn=turn).sort_values(["turn", "lot"])["speaker_id"].head(voices)
    return table[table["speaker_id"].isin(names)].reset_index(drop=True)


def lot(seed: int, name: str) -> str:
    """What decides who is drawn: the same for the same seed, whoever else is there."""
    return hashlib.sha256(f"{seed}\x1f{name}".encode()).hexdigest()
