"""The closed vocabularies of the audit, each in the one order in which it is always shown.

Races are DeepFace's own labels in snake case and in DeepFace's own order. They name what an instrument *reads*, or what
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
"""Why a stage was read or not: ``missing`` there is no picture, ``unreadable`` the file is no picture,
``not_rendered`` the model gave nothing, ``instrument_error`` the instrument failed on the picture (the clip's
detail says how)."""

_LANGUAGE = re.compile(
    r"^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-[A-Za-z0-9]{4,8})*(-x(-[A-Za-z0-9]{1,8})+)?$"
)


def group_members(group: str) -> frozenset[str]:
    """The races that a group label allows: ``asian|indian`` allows both; ``unknown`` allows none.

    Raises
    ------
    ValueError
        If a part of the label is no race of the vocabulary, or is named twice.

    Examples
    --------
    >>> sorted(group_members("asian|indian"))
    ['asian', 'indian']
    >>> group_members("unknown")
    frozenset()
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
"""The tag of a language that nobody states (BCP-47): no evidence for one language, nor for two."""


def same_language(one: str, other: str) -> bool:
    """Whether two tags name one language, whatever their script or region.

    Examples
    --------
    >>> same_language("en-GB", "en"), same_language("en", "zh")
    (True, False)
    """
    return one.split("-", maxsplit=1)[0].lower() == other.split("-", maxsplit=1)[0].lower()
