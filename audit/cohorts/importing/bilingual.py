"""Count of the speakers of a download who have clips in English and in another language."""

from __future__ import annotations

from typing import Final

import pandas as pd

from audit.core.languages import UNDETERMINED, language_of

ENGLISH: Final = "en"
EAST_ASIAN: Final = ("zh", "yue", "nan", "ja", "ko", "vi")
"""Languages of East Asia, and Vietnamese."""
NAMED: Final = 8
"""Number of languages that the remark names."""


def bilingual_remark(clips: pd.DataFrame) -> str:
    """Remark on the speakers with clips in two or more languages, and with English among them.

    Scripts and regions are ignored, and so are clips of unknown or mixed language (``und``, ``mul``).

    Parameters
    ----------
    clips : DataFrame
        Columns ``speaker_id`` and ``language``, a BCP-47 code or empty.

    Examples
    --------
    >>> rows = [("a", "en"), ("a", "zh-TW"), ("b", "en-GB"), ("b", "en-US"), ("c", "mul"), ("c", "ko"), ("c", "ja")]
    >>> bilingual_remark(pd.DataFrame(rows, columns=["speaker_id", "language"]))
    'In the download, 2 of 3 speakers have clips in two or more languages; 1 have English and another language (zh 1),
    and 1 English and one of zh, yue, nan, ja, ko, vi.'
    """
    codes = {code: language_of(code) if code else UNDETERMINED for code in clips["language"].unique()}
    spoken = clips[["speaker_id"]].assign(language=clips["language"].map(codes)).drop_duplicates()
    spoken = spoken[spoken["language"] != UNDETERMINED]
    several = int((spoken["speaker_id"].value_counts() > 1).sum())
    english = spoken.loc[spoken["language"] == ENGLISH, "speaker_id"]
    others = spoken[spoken["speaker_id"].isin(english) & (spoken["language"] != ENGLISH)]
    counts = sorted((-n, str(language)) for language, n in others["language"].value_counts().items())
    named = ", ".join(f"{language} {-n}" for n, language in counts[:NAMED])
    named += f" and {len(counts) - NAMED} further languages" if len(counts) > NAMED else ""
    asian = others.loc[others["language"].isin(EAST_ASIAN), "speaker_id"].nunique()
    return (
        f"In the download, {several} of {clips['speaker_id'].nunique()} speakers have clips in two or more languages; "
        f"{others['speaker_id'].nunique()} have English and another language{f' ({named})' if named else ''}, and "
        f"{asian} English and one of {', '.join(EAST_ASIAN)}."
    )
