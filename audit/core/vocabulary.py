"""Vocabularies of the audit, in display order.

Races are DeepFace's own labels in snake case and in DeepFace's own order. They are what an instrument *reads*, or what
a label file says of a speaker; a synthetic face has no race.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal

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
    "model_error",
    "instrument_error",
)
STAGE_STATUSES: Final = ("ok", "no_face", "missing", "unreadable", "not_rendered", "instrument_error")
"""Why a stage was read or not: ``missing`` there is no picture, ``unreadable`` the file is not a picture,
``not_rendered`` no output of the model, ``instrument_error`` the instrument failed (the clip's
detail has the error)."""

_LANGUAGE = re.compile(
    r"^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-[A-Za-z0-9]{4,8})*(-x(-[A-Za-z0-9]{1,8})+)?$"
)


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


def is_language(code: str) -> bool:
    """Whether ``code`` is well formed as a BCP-47 tag (RFC 5646: language, script, region, variants, private use).

    Examples
    --------
    >>> is_language("zh-Hant-TW"), is_language("English")
    (True, False)
    """
    return bool(_LANGUAGE.match(code))


UNDETERMINED: Final = "und"
"""BCP-47 tag of an undetermined language."""


def same_language(one: str, other: str) -> bool:
    """Whether two tags have the same language, ignoring script and region.

    Examples
    --------
    >>> same_language("en-GB", "en"), same_language("en", "zh")
    (True, False)
    """
    return one.split("-", maxsplit=1)[0].lower() == other.split("-", maxsplit=1)[0].lower()
