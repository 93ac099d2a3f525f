"""The voices of a probe: bilingual ones, drawn evenly over groups, sexes and languages."""

from __future__ import annotations

import hashlib
from typing import Final

import pandas as pd

from audit.cohorts import Cohort
from audit.core.errors import CohortError
from audit.core.languages import language_of, same_language

FIRST: Final = "en"
"""The language of the clips that are altered."""
OTHER: Final = "other_language"
_STRATA: Final = ("group", "gender", OTHER)


def bilingual(cohort: Cohort) -> pd.DataFrame:
    """The clips of voices that have both English and another language, with that language.

    Returns
    -------
    DataFrame
        Rows of :attr:`audit.Cohort.table`, with the column ``other_language``: the first such language by its code.

    Raises
    ------
    CohortError
        If no voice is bilingual.
    """
    table = cohort.audited().table
    table = table[table["audio"] != ""]
    english = table["language"].map(lambda code: same_language(code, FIRST))
    others = table[~english].groupby("speaker_id")["language"].min()
    both = others.index.intersection(table.loc[english, "speaker_id"].unique())
    chosen = table[table["speaker_id"].isin(both)]
    if chosen.empty:
        raise CohortError(
            [f"The cohort {cohort.name} has no voice with clips in English and in another language."],
            "a cohort of bilingual voices",
            "Leave the cohort out to use the embedded one.",
        )
    chosen = chosen.assign(**{OTHER: chosen["speaker_id"].map(others)})
    spoken = chosen["language"].map(language_of)
    kept = spoken.eq(FIRST) | chosen["language"].eq(chosen[OTHER])
    return chosen[kept].reset_index(drop=True)


def drawn(table: pd.DataFrame, voices: int | None, seed: int) -> pd.DataFrame:
    """The clips of n voices (``None``: all), balanced over group, sex and other language as far as possible.

    Raises
    ------
    CohortError
        If there are fewer voices.
    """
    people = table.drop_duplicates("speaker_id")
    if voices is None:
        return table
    if not 1 <= voices <= len(people):
        raise CohortError([f"{voices} voices were requested."], f"1 to {len(people)}, the number of bilingual voices")
    people = people.assign(lot=[lot(seed, name) for name in people["speaker_id"]]).sort_values([*_STRATA, "lot"])
    turn = people.groupby(list(_STRATA), sort=True).cumcount()
    # one of each stratum after the other; within a turn by lot, so that no stratum is always the last to be left out
    names = people.assign(turn=turn).sort_values(["turn", "lot"])["speaker_id"].head(voices)
    return table[table["speaker_id"].isin(names)].reset_index(drop=True)


def lot(seed: int, name: str) -> str:
    """The sort key of a random draw: it depends on the seed and the name only."""
    return hashlib.sha256(f"{seed}\x1f{name}".encode()).hexdigest()
