"""The columns by which the worst slice is searched: the categories that the cohort declares of speakers and clips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from audit.checks.grouped import OF_PEOPLE, banded
from audit.checks.strata import Strata
from audit.core.columns import ABOUT_LABELS, OF_THE_COHORT, further_columns
from audit.core.errors import PlanError
from audit.core.identification import COLUMNS
from audit.core.languages import UNDETERMINED
from audit.core.vocabulary import is_known
from audit.core.votes import GROUP_VOTES

AGE: Final = "age"
MOST_VALUES: Final = 50
"""The most values of a column that is searched."""


def slice_columns(strata: Strata, named: Sequence[str] = ()) -> pd.DataFrame:
    """The categories of every clip, missing where they are not known, and the quantile band of its speaker's age.

    Parameters
    ----------
    strata : Strata
        The clips.
    named : sequence of str
        The columns to search; by default group, gender, language, native language, age, and every further column of
        words of the cohort, if it has 2 to 50 known values and identifies nobody. A column of numbers, such as a code,
        or of language identification is searched only if it is named.

    Raises
    ------
    PlanError
        If a named column cannot be searched.

    Examples
    --------
    >>> frame = pd.DataFrame({"speaker_id": [*"abc"], "group": "asian", "gender": ["woman", "man", "unknown"],
    ...                       "age": [20.0, 30.0, 40.0], "accent": [*"xyy"], "status": "ok"})
    >>> slice_columns(Strata(frame)).columns.tolist()
    ['gender', 'accent']
    """
    frame = strata.frame
    declared = [name for name in (*OF_THE_COHORT, *further_columns(frame)) if name in frame]
    texts = [name for name in declared if frame[name].dtype.kind not in "biuf" and not name.endswith(ABOUT_LABELS)]
    able = [name for name in declared if name not in (*OF_PEOPLE, GROUP_VOTES) and (name in texts or name == AGE)]
    if unable := [name for name in named if name not in able]:
        raise PlanError(f"measure.slice_columns names {', '.join(unable)}.", f"columns of the run: {', '.join(able)}")
    default = [name for name in able if name not in COLUMNS]
    columns = {name: _age_bands(strata) if name == AGE else _known(strata, name) for name in named or default}
    kept = {
        name: column
        for name, column in columns.items()
        if 1 < len(column.categories) <= MOST_VALUES and (named or name == AGE or not _are_numbers(column.categories))
    }
    return pd.DataFrame(kept, index=range(len(frame)))


def _are_numbers(values: pd.Index) -> bool:
    """Whether all texts are numbers."""
    return bool(pd.to_numeric(pd.Series(values), errors="coerce").notna().all())


def _known(strata: Strata, column: str) -> pd.Categorical:
    """A column with the known values as categories."""
    number, names = strata._numbered(column)
    known = np.array([is_known(name) and name != UNDETERMINED for name in names], bool)
    code = np.where(known, np.cumsum(known) - 1, -1)
    categories = pd.Index([str(name) for name, kept in zip(names, known, strict=True) if kept], dtype=object)
    return pd.Categorical.from_codes(code[number] if len(names) else number, categories)


def _age_bands(strata: Strata) -> pd.Categorical:
    """The band of each clip's age; a single category, which is not searched, where the ages cannot be divided."""
    found = banded(strata, AGE)
    return pd.Categorical.from_codes(found.number, pd.Index(found.labels, dtype=object))
