"""Rows of a table in the fixed order of groups."""

from __future__ import annotations

import pandas as pd

from audit.core.vocabulary import ordered_groups


def in_group_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows sorted by ``group`` in the fixed order (``all`` first), keeping their order within a group."""
    named = [group for group in set(frame["group"]) if group != "all"]
    place = {group: i for i, group in enumerate(["all", *ordered_groups(named)])}
    return frame.sort_values(
        "group", key=lambda column: column.astype(object).map(place), kind="stable", ignore_index=True
    )
