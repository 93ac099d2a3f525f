"""Clips whose paths say who speaks which language."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from audit.cohorts.importing.adapter import counted
from audit.cohorts.importing.scanning import scan
from audit.core.errors import CohortError


def named_clips(
    root: Path, pattern: str, layout: str, known: Collection[str] = ()
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The audio files of a download whose paths match a pattern, and remarks on the others.

    Parameters
    ----------
    root : Path
        The download.
    pattern : str
        Regular expression of a path without its ending. Its named groups, among them ``clip_id``, are columns of the
        result next to ``audio``; a group that has no match is empty.
    layout : str
        Description of the names in remarks and errors.
    known : collection of str
        Suffixes of files that the adapter reads otherwise.

    Raises
    ------
    CohortError
        If no path matches.
    """
    found = scan(root)
    frame = pd.DataFrame({"audio": found.files}, dtype=str)
    parts = frame["audio"].str.rsplit(".", n=1).str[0].str.extract(rf"^(?:{pattern})$")
    matched = parts["clip_id"].notna()
    if not matched.any():
        raise CohortError([" ".join([f"{root} has no clip in the layout {layout}.", *found.remarks()])], layout)
    others = int((~matched).sum())
    clips = frame.join(parts)[matched].fillna("")
    return clips, (
        *counted((others, f"{others} audio files do not match the layout {layout} and were left out.")),
        *found.remarks(known),
    )


def used_once(clips: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The first clip of each ``clip_id``, and a remark on the number of the others."""
    once = clips.drop_duplicates("clip_id").reset_index(drop=True)
    again = len(clips) - len(once)
    return once, counted(
        (again, f"{again} clips occur more than once (in another format or folder) and were used once.")
    )
