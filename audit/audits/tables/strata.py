"""Speakers and clips of every group, language and gender."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from audit.audits.table import GROUP, LANGUAGE, N_CLIPS, N_SPEAKERS, Column
from audit.audits.tables.spec import TableSpec
from audit.core.group_order import in_group_order


def strata(frame: pd.DataFrame, order: Sequence[str] = ()) -> pd.DataFrame:
    """Speakers and clips of every group, language and gender."""
    counts = frame.groupby(["group", "language", "gender"], observed=True, sort=True).agg(
        n_speakers=("speaker_id", "nunique"), n_clips=("clip_id", "size")
    )
    return in_group_order(counts.reset_index(), order)


TABLE = TableSpec(
    name="strata",
    title="Speakers and clips",
    note="Of each stratum; a speaker may have clips in several languages.",
    columns=(GROUP, LANGUAGE, Column("gender", "key", "Gender"), N_SPEAKERS, N_CLIPS),
    make=lambda source: strata(source.evidence.every_clip, source.evidence.order.get("group", ())),
)
