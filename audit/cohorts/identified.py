"""The columns of language identification in a cohort's clips: validation and types."""

from __future__ import annotations

from typing import Final

import pandas as pd

from audit.cohorts.validation import Rule, ValidationErrors, check_values
from audit.core.identification import COLUMNS, IDENTIFICATION, OUTCOMES, PROBABILITIES
from audit.core.languages import is_language


def _is_probability(text: str) -> bool:
    try:
        return text == "" or 0 <= float(text) <= 1
    except ValueError:
        return False


_RULES: Final[dict[str, Rule]] = {
    **dict.fromkeys(COLUMNS, (lambda code: code == "" or is_language(code), lambda _: "a BCP-47 code, or empty")),
    **dict.fromkeys(PROBABILITIES, (_is_probability, lambda _: "a number from 0 to 1, or empty")),
    IDENTIFICATION: ({*OUTCOMES}.__contains__, lambda _: ", ".join(OUTCOMES)),
}


def check_identified(file: str, clips: pd.DataFrame, errors: ValidationErrors) -> None:
    """Add errors for values that are not allowed, and for missing columns if any of them is there."""
    for name in COLUMNS if {*COLUMNS} & {*clips} else ():
        if name in clips:
            check_values(file, clips[name], _RULES[name], errors)
        else:
            errors.add(file, None, f"the column {name!r} is missing", f"all or none of {', '.join(COLUMNS)}")


def with_identified(clips: pd.DataFrame) -> pd.DataFrame:
    """The clips with probabilities as numbers, NaN where they are empty."""
    present = [name for name in PROBABILITIES if name in clips]
    return clips.assign(**{name: pd.to_numeric(clips[name].replace("", None)).astype("float64") for name in present})
