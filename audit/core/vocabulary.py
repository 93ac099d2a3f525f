"""Vocabularies of the audit, in display order.

Races are DeepFace's own labels in snake case and in DeepFace's own order. They are what an instrument *reads*, or what
a label file says of a speaker; a synthetic face has no race.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
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
    """The races that a group label allows: those joined with ``|``; none for ``unknown`` and other labels.

    Examples
    --------
    >>> sorted(group_members("asian|indian")), group_members("scottish")
    (['asian', 'indian'], frozenset())
    """
    parts = group.split("|")
    return frozenset(parts) if len(set(parts)) == len(parts) and set(parts) <= set(RACES) else frozenset()


def includes(group: str, race: str, but: str | None = None) -> bool:
    """Whether a group label allows a race, and not the race ``but``.

    Examples
    --------
    >>> [includes(label, "asian", but="white") for label in ("asian", "asian|indian", "asian|white", "unknown")]
    [True, True, False, False]
    """
    members = group_members(group)
    return race in members and but not in members


def is_known(value: object) -> bool:
    """Whether a label is known: neither missing nor empty nor ``unknown``.

    Examples
    --------
    >>> [is_known(value) for value in ("welsh", "unknown", "", None, float("nan"), 3.0)]
    [True, False, False, False, False, True]
    """
    return value not in (None, "", UNKNOWN) and value == value  # noqa: PLR0124  # NaN is not equal to itself


def ordered_groups(groups: Iterable[str], order: Sequence[str] = ()) -> list[str]:
    """Labels in the fixed order: those of ``order``, then races, then others, ``unknown`` last.

    Races are sorted by their first race, single before mixed; other labels by name, numbers in them by value.

    Examples
    --------
    >>> ordered_groups(["unknown", "white", "asian|indian", "asian", "scottish"])
    ['asian', 'asian|indian', 'white', 'scottish', 'unknown']
    >>> ordered_groups(["type 10", "type 2", "none"], order=["none"])
    ['none', 'type 2', 'type 10']
    """
    declared = {label: i for i, label in enumerate(order)}

    def place(label: str) -> tuple[int, tuple[int, ...], tuple[tuple[float, str], ...]]:
        if label in declared:
            return 0, (declared[label],), ()
        if members := group_members(label):
            return 1, tuple(i for i, race in enumerate(RACES) if race in members), ()
        return (3 if label == UNKNOWN else 2), (), _by_value(label)

    return sorted(set(groups), key=place)


_NUMBER: Final = re.compile(r"(\d+(?:\.\d+)?)")


def _by_value(label: str) -> tuple[tuple[float, str], ...]:
    """A key that sorts a label by name, and the numbers in it by value."""
    return tuple((float(part), "") if _NUMBER.fullmatch(part) else (math.inf, part) for part in _NUMBER.split(label))
