"""The labels of a grouping: one for each clip, from the values of its columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from audit.core.columns import OF_A_CLIP
from audit.core.errors import PlanError
from audit.core.grouping import Grouping
from audit.core.languages import UNDETERMINED
from audit.core.vocabulary import UNKNOWN, ordered_groups
from audit.stats.bands import Bands, bands
from audit.stats.speakers import Ints, divided

if TYPE_CHECKING:
    from audit.checks.strata import Strata

MOST_CELLS: Final = 2_000
"""The largest number of groups of one grouping."""
OF_PEOPLE: Final = frozenset({"clip_id", "speaker_id", "cluster", *OF_A_CLIP})
"""Columns that identify people or recordings, or that describe what happened to a clip."""


def grouped(strata: Strata, grouping: Grouping) -> tuple[pd.Categorical, dict[str, dict[str, str]]]:
    """The label of each clip, with the labels as categories in order, and each label's values by column.

    The order is that of the first column's categories, then of the second's. A clip is ``unknown`` if any of its values
    is missing, empty, ``unknown``, or the code of an undetermined language. Numbers are divided into bands.

    Raises
    ------
    PlanError
        If a column is missing, identifies people or holds numbers that cannot be divided, or there are more than
        :data:`MOST_CELLS` groups.
    """
    frame = strata.frame
    _check_columns(frame, grouping)
    numbers = [_categories(strata, column) for column in grouping.columns]
    keys, number = divided(numbers, len(frame))
    place = {
        column: {name: i for i, name in enumerate(_in_order(strata, column, names))}
        for column, (_, names) in zip(grouping.columns, numbers, strict=True)
    }
    texts = [tuple(UNKNOWN if value == UNDETERMINED else value for value in key) for key in keys]
    labels = [grouping.label(key) for key in texts]
    known = [i for i, label in enumerate(labels) if label != UNKNOWN]
    if len(known) > MOST_CELLS:
        raise PlanError(
            f"The grouping {grouping.name!r} has {len(known):,} groups.",
            f"at most {MOST_CELLS:,}",
            "Choose columns with fewer different values.",
        )
    known.sort(key=lambda i: [of[str(value)] for of, value in zip(place.values(), keys[i], strict=True)])
    values = {labels[i]: dict(zip(grouping.columns, map(str, keys[i]), strict=True)) for i in known}
    if len(values) < len(known):
        raise PlanError(f"Two groups of {grouping.name!r} have one label.", "values without commas")
    categories = [*values, UNKNOWN]
    code = {label: i for i, label in enumerate(categories)}
    codes = np.array([code[label] for label in labels], np.int64)[number] if labels else number
    return pd.Categorical.from_codes(codes, categories=pd.Index(categories, dtype=object)), values


def _check_columns(frame: pd.DataFrame, grouping: Grouping) -> None:
    able = [
        name
        for name in map(str, frame.columns)
        if "." not in name and name not in OF_PEOPLE and not name.startswith(("portrait_", "ceiling_", "rendered_"))
    ]
    for column in grouping.columns:
        if column not in able:
            raise PlanError(f"measure.group_by names {column!r}.", f"columns of the run: {', '.join(able)}")


def has_bands(strata: Strata, column: str) -> bool:
    """Whether a column holds numbers, of which groups are bands."""
    values = strata.every_clip[column]
    return values.dtype.kind in "iuf" and values.nunique() > 2


def banded(strata: Strata, column: str) -> Bands:
    """The bands of a column of numbers, whose edges come from all clips of the run.

    There are fewer than two where the speakers are too few, or their numbers too alike.
    """
    every = strata.every_clip
    found = bands(every[column].to_numpy(np.float64), pd.factorize(every["speaker_id"])[0])
    values = strata.frame[column].to_numpy(np.float64)
    number = np.where(np.isnan(values), -1, np.searchsorted(found.edges, values, side="right"))
    return replace(found, number=number.astype(np.int64))


def _categories(strata: Strata, column: str) -> tuple[Ints, list[object]]:
    """The index of each clip's value, and the values that occur; of numbers their bands, then ``unknown``."""
    if not has_bands(strata, column):
        return strata._numbered(column)
    found = banded(strata, column)
    if len(found.labels) < 2:
        raise PlanError(
            f"The numbers of the column {column!r} cannot be divided into two bands.",
            "at least five speakers with different numbers in each band",
        )
    return np.where(found.number < 0, len(found.labels), found.number), [*found.labels, UNKNOWN]


def _in_order(strata: Strata, column: str, names: list[object]) -> list[str]:
    """The values of a column in order: bands ascending, categories in the fixed or declared order."""
    labels = [str(name) for name in names]
    return labels if has_bands(strata, column) else ordered_groups(labels, strata.order.get(column, ()))
