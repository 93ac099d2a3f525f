"""Canonical language codes in the tables of a cohort."""

from __future__ import annotations

from typing import Final

import pandas as pd

from audit.core.languages import UNDETERMINED, canonical_language, is_language

GIVEN: Final = "_given"
"""Ending of the column that keeps codes as they were given, such as ``language_given``."""


def with_canonical(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """The table with canonical codes in a column; codes as given are kept where they differ.

    Texts that are no codes are left to the validation. The column ``<column>_given`` is only added if a code differs,
    and is empty where none does.

    Examples
    --------
    >>> with_canonical(pd.DataFrame({"language": ["en", "cmn"]}), "language").values.tolist()
    [['en', ''], ['zh', 'cmn']]
    """
    codes = {code: canonical_language(code) for code in frame[column].unique() if is_language(code)}
    replaced = {code: canonical for code, canonical in codes.items() if canonical != code}
    if not replaced:
        return frame
    changed = frame[column].isin([*replaced])
    kept = frame[column].where(changed, frame.get(column + GIVEN, ""))
    return frame.assign(**{column + GIVEN: kept, column: frame[column].replace(replaced)})


def language_notes(frame: pd.DataFrame, column: str, unit: str) -> tuple[str, ...]:
    """A note on the codes that were replaced, with counts of rows, which are of a ``unit`` such as clips.

    Examples
    --------
    >>> language_notes(pd.DataFrame({"language": ["en", "zh"], "language_given": ["", "cmn"]}), "language", "clips")
    ('The language of 1 clips was given by another code than the canonical one: cmn is read as zh (1).',)
    """
    if column + GIVEN not in frame:
        return ()
    changed = frame[frame[column + GIVEN] != ""]
    if changed.empty:
        return ()
    counts = changed.groupby([column + GIVEN, column]).size().reset_index(name="n")
    parts = ", ".join(
        f"{given} is read as {code} ({n}{', no language' if code == UNDETERMINED else ''})"
        for given, code, n in counts.itertuples(index=False)
    )
    name = column.replace("_", " ")
    return (f"The {name} of {len(changed)} {unit} was given by another code than the canonical one: {parts}.",)
