"""Language identification: the columns that it adds to a cohort's clips, and its outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, get_args

from audit.core.languages import UNDETERMINED, same_language

if TYPE_CHECKING:
    import pandas as pd

Outcome = Literal["accepted", "disagreement", "low_probability", "too_short", "silent", "unreadable", "not_run"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
"""The outcomes for a clip. ``accepted``: both identifiers agree, with sufficient probability; ``disagreement``: they
name different languages; ``low_probability``: they agree, and a probability is below the threshold; ``too_short``,
``silent``, ``unreadable``: the audio could not be identified; ``not_run``: it was not asked for."""
REJECTED: Final[tuple[Outcome, ...]] = ("disagreement", "low_probability")
"""The outcomes of identified clips whose language is not accepted."""

DECLARED: Final = "declared_language"
"""The column of a clip's language before identification; ``und`` if it had none."""
FIRST, SECOND = "identified_first", "identified_second"
"""The columns of the language that each identifier names, a canonical code; empty if it was not run."""
FIRST_PROBABILITY, SECOND_PROBABILITY = "identified_first_probability", "identified_second_probability"
"""The columns of the identifiers' probabilities of these languages, in [0, 1]; missing if they were not run."""
IDENTIFICATION: Final = "identification"
"""The column of the outcome, one of :data:`OUTCOMES`."""
CODES: Final = (DECLARED, FIRST, SECOND)
PROBABILITIES: Final = (FIRST_PROBABILITY, SECOND_PROBABILITY)
COLUMNS: Final = (DECLARED, FIRST, FIRST_PROBABILITY, SECOND, SECOND_PROBABILITY, IDENTIFICATION)
"""The columns of a cohort whose languages were identified; they describe labels, not speakers or recordings."""


def contradicted(clips: pd.DataFrame) -> pd.Series:
    """Whether the identifiers agree on another language than the one that a clip was declared to have.

    Examples
    --------
    >>> import pandas as pd
    >>> clips = pd.DataFrame({DECLARED: ["en-GB", "en", "und"], FIRST: ["en", "zh", "zh"], IDENTIFICATION: "accepted"})
    >>> contradicted(clips).tolist()
    [False, True, False]
    """
    pairs = clips[DECLARED].astype(str) + " " + clips[FIRST].astype(str)
    differs = {pair for pair in pairs.unique() if _differs(*pair.split(" "))}
    return (clips[IDENTIFICATION] == "accepted") & pairs.isin(differs)


def _differs(declared: str, identified: str) -> bool:
    """Whether two codes are known, of different languages; an empty one is not known."""
    return bool(identified) and declared != UNDETERMINED and not same_language(declared, identified)


def rejected(clips: pd.DataFrame) -> pd.Series:
    """Whether an identified clip lacks support for its language: 1 or 0, NaN for clips that were not identified.

    The identifiers disagree or are not certain enough or, of a clip with a declared language, agree on another one.

    Examples
    --------
    >>> import pandas as pd
    >>> clips = pd.DataFrame({DECLARED: "en", FIRST: ["en", "zh", "en", ""],
    ...                       IDENTIFICATION: ["accepted", "accepted", "disagreement", "too_short"]})
    >>> rejected(clips).tolist()
    [0.0, 1.0, 1.0, nan]
    """
    not_accepted = clips[IDENTIFICATION].isin(REJECTED)
    identified = not_accepted | (clips[IDENTIFICATION] == "accepted")
    return (not_accepted | contradicted(clips)).astype("float64").where(identified)
