"""Vocabularies of the audit, in display order.

Races are DeepFace's own labels in snake case and in DeepFace's own order. They are what an instrument *reads*, or what
a label file says of a speaker; a synthetic face has no race.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, get_args

Race = Literal["asian", "indian", "black", "white", "middle_eastern", "latino_hispanic"]
Stage = Literal["portrait", "ceiling", "rendered"]

RACES: Final[tuple[Race, ...]] = ("asian", "indian", "black", "white", "middle_eastern", "latino_hispanic")
GENDERS: Final = ("woman", "man")
"""Genders that an instrument reads."""
NONBINARY: Final = "nonbinary"
STATED_GENDERS: Final = (*GENDERS, NONBINARY)
"""Genders that a speaker can state; only those that an instrument reads are judged right or wrong."""
STAGES: Final[tuple[Stage, ...]] = ("portrait", "ceiling", "rendered")
UNKNOWN: Final = "unknown"
LABEL_SOURCES: Final = ("self_reported", "annotator", "metadata", "inferred", "synthetic", "assumed")

CLIP_STATUSES: Final = (
    "ok",
    "no_face",
    "audio_unreadable",
    "audio_too_short",
    "audio_silent",
    "portrait_missing",
    "portrait_no_face",
    "picture_unreadable",
    "model_error",
    "instrument_error",
)
FileStatus = Literal["file_missing", "file_empty", "file_pointer", "file_truncated", "file_unsupported", "unreadable"]
FILE_STATUSES: Final[tuple[FileStatus, ...]] = get_args(FileStatus)
"""Stage statuses of a picture that the cohort names and whose file cannot be read: there is none, it has no bytes, it
is a git-lfs pointer, its end is missing, its format is not supported, or it cannot be decoded. Never a failure of the
model."""

STAGE_STATUSES: Final = ("ok", "no_face", "missing", *FILE_STATUSES, "not_rendered", "instrument_error")
"""Why a stage was read or not: ``missing`` the cohort names no picture, or a blank one; :data:`FILE_STATUSES` the file
cannot be read; ``not_rendered`` no output of the model; ``instrument_error`` the instrument failed (the clip's detail
has the error)."""


def group_members(group: str) -> frozenset[str]:
    """The races that a group label allows; none for ``unknown``.

    Raises ValueError if a part of the label is not in the vocabulary, or is repeated.

    Examples
    --------
    >>> sorted(group_members("asian|indian")), group_members("unknown")
    (['asian', 'indian'], frozenset())
    """
    if group == UNKNOWN:
        return frozenset()
    parts = group.split("|")
    if len(set(parts)) != len(parts) or not set(parts) <= set(RACES):
        raise ValueError(group)
    return frozenset(parts)


def ordered_groups(groups: Iterable[str]) -> list[str]:
    """Group labels in the fixed order: by their first race, single before mixed, ``unknown`` last.

    Examples
    --------
    >>> ordered_groups(["unknown", "white", "asian|indian", "asian"])
    ['asian', 'asian|indian', 'white', 'unknown']
    """

    def place(group: str) -> tuple[int, ...]:
        members = group_members(group)
        return tuple(i for i, race in enumerate(RACES) if race in members) or (len(RACES),)

    return sorted(set(groups), key=place)
