"""Rows of a table in the fixed order of groups."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from audit.core.vocabulary import ordered_groups


def in_group_order(frame: pd.DataFrame, order: Sequence[str] = ()) -> pd.DataFrame:
    """Rows sorted by ``group`` in the fixed order (``all`` first), keeping their order within a group.

    ``order`` is the declared order of the groups; see :func:`audit.core.vocabulary.ordered_groups`.
    """
    named = [group for group in set(frame["group"]) if group != "all"]
    place = {group: i for i, group in enumerate(["all", *ordered_groups(named, order)])}
    return frame.sort_values(
        "group", key=lambda column: column.astype(object).map(place), kind="stable", ignore_index=True
    )
