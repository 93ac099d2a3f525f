"""How names and numbers are written in a report: one place for labels, units and rounding.

Groups and reads are written in lower case, as the labels they are. Numbers are only rounded here, never computed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Final

from audit.core.clean_text import clean
from audit.core.vocabulary import RACES, UNKNOWN

_LANGUAGES: Final = {
    "ar": "Arabic", "bn": "Bengali", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi",
    "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "ms": "Malay",
    "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian",
    "sv": "Swedish", "sw": "Swahili", "ta": "Tamil", "th": "Thai", "tl": "Tagalog", "tr": "Turkish",
    "uk": "Ukrainian", "und": "language not known", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip

_METRICS: Final = {
    "read_own_group": "read as the own group",
    "gender_right": "gender read as labelled",
    "age_error": "age error",
    "no_face": "no usable face",
}

_ESTIMATES: Final = {
    "excess_over_portrait": "rendered minus portrait",
    "excess_over_ceiling": "rendered minus ceiling",
    "language_effect": "English minus the other language",
    "rendered_other_language": "rendered, the other language",
    "not_own": "not read as the own group",
    "coverage_effect": "well heard minus hardly heard",
    "well_heard": "where the training heard the group well",
    "hardly_heard": "where it hardly heard the group",
}

_BESIDE: Final = {
    "own": "the group itself",
    "others": "all other groups",
    "within": "two clips of one language read differently",
    "between": "two clips of two languages read differently",
    "well_heard": _ESTIMATES["well_heard"],
    "hardly_heard": _ESTIMATES["hardly_heard"],
}

_HELD: Final = {
    "S2F002": "flips between languages minus those within",
    "S2F003": "fall to rendered",
    "S2F007": "well heard minus hardly heard",
}

_STATUSES: Final = {
    "ok": "read at every stage",
    "no_face": "no face in the rendered picture",
    "audio_unreadable": "audio unreadable",
    "audio_too_short": "audio too short",
    "audio_silent": "audio silent",
    "portrait_missing": "no portrait",
    "portrait_no_face": "no face in the portrait",
    "model_error": "the model failed",
}

_SIGNED: Final = re.compile(r"excess|effect|gap|change|minus|difference|drop|fall|loss|worst")


def file_stem(name: str) -> str:
    """The name as part of a file's name or an HTML id: small letters, digits and hyphens; a digest keeps others apart.

    Examples
    --------
    >>> file_stem("no-face-all"), file_stem("zh_Hant")
    ('no-face-all', 'zh-hant-bce4c2')
    """
    stem = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")[:60]
    if stem == name:
        return stem
    return f"{stem}-{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:6]}"


def group_name(group: str) -> str:
    """A group or read as it is written.

    Examples
    --------
    >>> group_name("asian|indian"), group_name("latino_hispanic"), group_name("all")
    ('asian or indian', 'latino hispanic', 'all groups')
    """
    if group == "all":
        return "all groups"
    if group == UNKNOWN:
        return "group not known"
    parts = group.split("|")
    if set(parts) <= set(RACES):
        return " or ".join(part.replace("_", " ") for part in parts)
    return clean(group)


def language_name(code: str) -> str:
    """A language as it is written: its English name where it is a common one, else its code.

    Examples
    --------
    >>> language_name("zh"), language_name("en-GB"), language_name("qaa"), language_name("all")
    ('Chinese', 'English (en-GB)', 'qaa', 'all languages')
    """
    if code == "all":
        return "all languages"
    name = _LANGUAGES.get(code.split("-", maxsplit=1)[0])
    if name is None:
        return clean(code)
    return name if "-" not in code else f"{name} ({clean(code)})"


def _metric_name(metric: str) -> str:
    """A metric as it is written.

    Examples
    --------
    >>> _metric_name("read_latino_hispanic"), _metric_name("similarity_over_impostor_faceres")
    ('read as latino hispanic', 'similarity over impostors, faceres')
    >>> _metric_name("retrieval_at_5_faceres")
    "own portrait among the gallery's first 5, faceres"
    """
    if metric in _METRICS:
        return _METRICS[metric]
    if metric.startswith("read_"):
        return f"read as {group_name(metric.removeprefix('read_'))}"
    for prefix, words in (
        ("similarity_over_impostor_", "similarity over impostors, "),
        ("similarity_", "similarity to the own portrait, "),
        ("impostor_", "similarity to impostors, "),
        ("retrieval_at_1_", "own portrait first in the gallery, "),
        ("retrieval_at_5_", "own portrait among the gallery's first 5, "),
        ("retrieval_at_10_", "own portrait among the gallery's first 10, "),
        ("feature_angle_", "angle to the own portrait, "),
        ("feature_l2_", "L2 to the own portrait, "),
        ("feature_l1_", "L1 to the own portrait, "),
    ):
        if metric.startswith(prefix):
            return words + clean(metric.removeprefix(prefix))
    return clean(metric.replace("_", " "))


def estimate_name(code: str, name: str) -> str:
    """The name of one of a finding's figures as it is written; a group alone names what was held against the margin.

    Examples
    --------
    >>> estimate_name("S2F001", "not_own"), estimate_name("S2F003", "black"), estimate_name("S2F003", "black.rendered")
    ('not read as the own group', 'black: fall to rendered', 'black: rendered')
    >>> estimate_name("S2F004", "age_error.asian.own"), estimate_name("S2F006", "language.zh")
    ('age error, asian: the group itself', 'in Chinese')
    """
    if name in _ESTIMATES:
        return _ESTIMATES[name]
    parts = name.split(".")
    lead = []
    if parts[0] in _METRICS or (len(parts) > 1 and not _is_group(parts[0]) and parts[0] != "language"):
        lead.append(_metric_name(parts.pop(0)))
    if parts and _is_group(parts[0]):
        group = group_name(parts.pop(0))
        what = _BESIDE.get(parts[0], _metric_name(parts[0])) if parts else _held(code)
        return ", ".join([*lead, f"{group}: {what}"])
    if parts[:1] == ["language"] and len(parts) > 1:
        return ", ".join([*lead, f"in {language_name(parts[1])}"])
    return ", ".join([*lead, *(group_name(part) if part == "all" else _metric_name(part) for part in parts)])


def _held(code: str) -> str:
    return _HELD.get(code, "minus all other groups")


def _is_group(name: str) -> bool:
    return name == UNKNOWN or set(name.split("|")) <= set(RACES)


def status_name(status: str) -> str:
    """A clip's status in words."""
    return _STATUSES.get(status) or clean(status.replace("_", " "))


def estimate_unit(code: str, name: str) -> str:
    """The unit of one of a finding's figures, by the check's code and the figure's name."""
    if re.search(r"(^|[_.])age([_.]|$)", name):
        return "years"
    if re.search(r"similarity|impostor|cosine", name) or (
        code == "S2F005" and not re.search(r"retriev|rank|r_?at", name)
    ):
        return "cosine"
    return "share"


def estimate_signed(name: str) -> bool:
    """Whether one of a finding's figures is a difference, by its name.

    Examples
    --------
    >>> [estimate_signed(name) for name in ("language_effect", "age_error.black", "black.rendered")]
    [True, True, False]
    """
    return bool(_SIGNED.search(name)) or _is_group(name.rsplit(".", maxsplit=1)[-1])


def write_confidence(settings: Mapping[str, object]) -> str:
    """The confidence of the intervals, to stand before their noun.

    Examples
    --------
    >>> write_confidence({"confidence": 0.975}), write_confidence({})
    ('97.5%', 'confidence')
    """
    confidence = settings.get("confidence")
    return f"{100 * confidence:g}%" if isinstance(confidence, float) else "confidence"


def counted(number: int, one: str, many: str = "") -> str:
    """A count with its noun.

    Examples
    --------
    >>> counted(1, "clip"), counted(1200, "clip")
    ('1 clip', '1,200 clips')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def order_groups(groups: Iterable[str]) -> list[str]:
    """Groups in the vocabulary's order; then mixed or foreign labels by name, ``unknown``, and ``all`` last.

    Examples
    --------
    >>> order_groups(["all", "unknown", "white", "asian|indian", "asian"])
    ['asian', 'asian|indian', 'white', 'unknown', 'all']
    """

    def place(group: str) -> tuple[int, tuple[int, ...], str]:
        if group in (UNKNOWN, "all"):
            return (2 if group == UNKNOWN else 3, (), "")
        parts = set(group.split("|"))
        if parts <= set(RACES):
            return (0, tuple(i for i, race in enumerate(RACES) if race in parts), "")
        return (1, (), group)

    return sorted(set(groups), key=place)


def order_languages(languages: Iterable[str]) -> list[str]:
    """English first, then by code, ``all`` last.

    Examples
    --------
    >>> order_languages(["zh", "all", "de", "en"])
    ['en', 'de', 'zh', 'all']
    """
    return sorted(set(languages), key=lambda code: (code == "all", code.split("-")[0] != "en", code))
