"""Language identification: the columns that it adds to a cohort's clips, and its outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, get_args

from audit.core.languages import UNDETERMINED, same_language

if TYPE_CHECKING:
    import pandas as pd

Outcome = Literal["accepted", "disagreement", "low_probability", "too_short", "silent", "unreadable", "not_run"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
"""``accepted``: both identifiers agree, with sufficient probability; ``disagreement``: they name different languages;
``low_probability``: they agree, and a probability is too low; ``too_short``, ``silent``, ``unreadable``: the audio
cannot be identified; ``not_run``: that was not asked for."""
REJECTED: Final[tuple[Outcome, ...]] = ("disagreement", "low_probability")

DECLARED: Final = "declared_language"
"""The column of a clip's language before identification; ``und`` if it had none."""
FIRST, SECOND = "identified_first", "identified_second"
"""The columns of the language that each identifier names, a canonical code; empty if it was not run."""
PROBABILITIES: Final = ("identified_first_probability", "identified_second_probability")
"""The columns of the identifiers' probabilities of these languages, in [0, 1]; missing if they were not run."""
IDENTIFICATION: Final = "identification"
"""The column of the outcome."""
COLUMNS: Final = (DECLARED, FIRST, PROBABILITIES[0], SECOND, PROBABILITIES[1], IDENTIFICATION)


def contradicted(clips: pd.DataFrame) -> pd.Series:
    """Whether the identifiers agree on another language than the declared one.

    Examples
    --------
    >>> import pandas as pd
    >>> clips = pd.DataFrame({DECLARED: ["en-GB", "en", "und"], FIRST: ["en", "zh", "zh"], IDENTIFICATION: "accepted"})
    >>> contradicted(clips).tolist()
    [False, True, False]
    """
    declared, named = clips[DECLARED].astype(str), clips[FIRST].astype(str)
    known = (clips[IDENTIFICATION] == "accepted") & (declared != UNDETERMINED)
    pairs = declared[known] + " " + named[known]
    differs = {pair for pair in pairs.unique() if not same_language(*pair.split())}
    return pairs.isin(differs).reindex(clips.index, fill_value=False)


def rejected(clips: pd.DataFrame) -> pd.Series:
    """Whether identification does not support a clip's language: 1 or 0, NaN for clips that were not identified.

    Examples
    --------
    >>> import pandas as pd
    >>> clips = pd.DataFrame({DECLARED: "en", FIRST: ["en", "zh", "en", ""],
    ...                       IDENTIFICATION: ["accepted", "accepted", "disagreement", "too_short"]})
    >>> rejected(clips).tolist()
    [0.0, 1.0, 1.0, nan]
    """
    found = clips[IDENTIFICATION].isin(REJECTED) | contradicted(clips)
    return found.astype("float64").where(clips[IDENTIFICATION].isin([*REJECTED, "accepted"]))
