"""Names in reports: groups, languages, statuses and figures.

Groups and reads are written in lower case, because they are labels.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from audit.checks.figure import Figure
from audit.core.clean_text import clean
from audit.core.language_names import language_name
from audit.core.sentences import group_words
from audit.core.vocabulary import STATED_GENDERS, UNKNOWN, group_members, ordered_groups

_STATUSES: Final = {
    "ok": "read at every stage",
    "no_face": "no face in the rendered picture",
    "audio_unreadable": "audio unreadable",
    "audio_too_short": "audio too short",
    "audio_silent": "audio silent",
    "portrait_missing": "no portrait",
    "portrait_no_face": "no face in the portrait",
    "picture_unreadable": "rendered or ceiling picture unreadable",
    "model_error": "the model failed",
}


def file_stem(name: str) -> str:
    """The name as part of a file name or HTML id: lower-case letters, digits and hyphens, with a digest if changed.

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
    """The display name of a group or read.

    Examples
    --------
    >>> group_name("asian|indian"), group_name("latino_hispanic"), group_name("all")
    ('asian or indian', 'latino hispanic', 'all groups')
    """
    if group == "all":
        return "all groups"
    if group == UNKNOWN:
        return "group not known"
    if group_members(group):
        return group_words(group)
    return clean(group)


_GENDERS: Final = {"woman": "women", "man": "men", "nonbinary": "nonbinary speakers"}


def cell_name(cell: Mapping[str, str]) -> str:
    """The display name of the speakers and clips with some values of columns.

    Examples
    --------
    >>> cell_name({"group": "asian", "gender": "woman", "language": "en"}), cell_name({"accent": "welsh"})
    ('asian women in English', 'welsh speakers')
    """
    words = [group_name(value) for column, value in cell.items() if column not in ("gender", "language")]
    gender = cell.get("gender")
    speakers = "speakers" if gender is None else _GENDERS.get(gender, f"{clean(gender)} speakers")
    place = [f"in {language_name(cell['language'])}"] if "language" in cell else []
    return " ".join((", ".join(words), speakers, *place)).strip()


def figure_name(figure: Figure) -> str:
    """The display name of a finding's figure: its group, language and label.

    Examples
    --------
    >>> figure_name(Figure(0.5, 0.4, 0.6, 9, 9, 0, "exact", group="black", language="zh", label="fall to rendered"))
    'black, in Chinese: fall to rendered'
    """
    whom = cell_name(figure.cell) if len(figure.cell) > 1 else group_name(figure.group)
    place = [] if figure.group == "all" else [whom]
    place += [] if figure.language == "all" else [f"in {language_name(figure.language)}"]
    label = clean(figure.label or figure.name)
    return f"{', '.join(place)}: {label}" if place else label


def status_name(status: str) -> str:
    """The display name of a clip's status."""
    return _STATUSES.get(status) or clean(status.replace("_", " "))


def write_confidence(settings: Mapping[str, object]) -> str:
    """The confidence of the intervals, for use before a noun.

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


def sizes(run: Mapping[str, object]) -> tuple[str, str]:
    """The numbers of speakers and clips of a run, each with its noun."""
    speakers, clips = (found if isinstance(found := run.get(f"n_{noun}s"), int) else 0 for noun in ("speaker", "clip"))
    return counted(speakers, "speaker"), counted(clips, "clip")


def order_groups(groups: Iterable[str]) -> list[str]:
    """Race labels in the vocabulary's order; then other labels in the given order, ``unknown``, and ``all`` last.

    Examples
    --------
    >>> order_groups(["all", "unknown", "white", "welsh", "asian|indian", "scottish", "asian"])
    ['asian', 'asian|indian', 'white', 'welsh', 'scottish', 'unknown', 'all']
    """
    named = list(dict.fromkeys(groups))
    races = ordered_groups(group for group in named if group_members(group))
    last = [group for group in (UNKNOWN, "all") if group in named]
    return [*races, *(group for group in named if group not in {*races, *last}), *last]


def order_languages(languages: Iterable[str]) -> list[str]:
    """English first, then by code, ``all`` last.

    Examples
    --------
    >>> order_languages(["zh", "all", "de", "en"])
    ['en', 'de', 'zh', 'all']
    """
    return sorted(set(languages), key=lambda code: (code == "all", code.split("-")[0] != "en", code))


def order_genders(genders: Iterable[str]) -> list[str]:
    """Genders in the vocabulary's order; then other labels by name, ``all`` last."""
    return sorted(set(genders), key=lambda gender: (gender == "all", place_in(STATED_GENDERS, gender), gender))


def place_in(order: Sequence[str], value: str) -> int:
    """The position of a value in an order; after all others if it has none."""
    return order.index(value) if value in order else len(order)
