"""Who was audited, who says so, and what became of every clip."""

from __future__ import annotations

import pandas as pd

from audit.cohorts.cohort import in_group_order
from audit.core.vocabulary import CLIP_STATUSES, STAGES


def strata(frame: pd.DataFrame) -> pd.DataFrame:
    """Speakers and clips of every group, language and gender."""
    counts = frame.groupby(["group", "language", "gender"], observed=True, sort=True).agg(
        n_speakers=("speaker_id", "nunique"), n_clips=("clip_id", "size")
    )
    return in_group_order(counts.reset_index())


def sources(frame: pd.DataFrame) -> pd.DataFrame:
    """How many labels come from which source."""
    rows = []
    for label in ("group", "gender", "language"):
        for source, part in frame.groupby(f"{label}_source", observed=True, sort=True):
            rows.append((label, source, part["speaker_id"].nunique(), len(part)))
    return pd.DataFrame(rows, columns=["field", "source", "n_speakers", "n_clips"])


def statuses(frame: pd.DataFrame) -> pd.DataFrame:
    """How many clips of every group and language ended in which status."""
    ordered = frame.assign(status=pd.Categorical(frame["status"], CLIP_STATUSES, ordered=True))
    counts = ordered.groupby(["group", "language", "status"], observed=True, sort=True).agg(
        n_clips=("clip_id", "size"), n_speakers=("speaker_id", "nunique")
    )
    return in_group_order(counts.reset_index().astype({"status": object}))


def stage_statuses(frame: pd.DataFrame) -> pd.DataFrame:
    """How many clips of every group could be read at each stage, and why the others could not."""
    parts = []
    for stage in STAGES:
        counts = (
            frame.groupby(["group", f"{stage}_status"], observed=True, sort=True).size().rename("n_clips").reset_index()
        )
        counts = counts.rename(columns={f"{stage}_status": "status"})
        counts.insert(0, "stage", stage)
        parts.append(in_group_order(counts))
    return pd.concat(parts, ignore_index=True)


def failures(frame: pd.DataFrame) -> pd.DataFrame:
    """Every clip whose status is not ok."""
    failed = frame[frame["status"] != "ok"]
    return failed[["clip_id", "speaker_id", "group", "language", "status", "detail"]].reset_index(drop=True)
