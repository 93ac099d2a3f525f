"""The gallery: a sample that the audit drew by a fixed seed, each picture beside what it was read as.

Pictures are made small and written anew, so that nothing but pixels goes into the page. Pictures of real people are
withheld unless they are asked for.
"""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from audit.audits.audit import Audit
from audit.core.vocabulary import STAGES
from audit.reports.html.records import Record, records, text, values, where
from audit.reports.html.wording import group_name, language_name, order_groups, order_languages

SIDE: Final = 144
"""Pixels of a thumbnail's longer side; it is shown at 96 to 112."""
MOST_PIXELS: Final = 50_000_000
BUDGET: Final = 2_500_000
"""Bytes that all pictures together may take in the page."""


@dataclass(frozen=True)
class Picture:
    """One stage of one clip: a data URI, or the reason why no picture is shown, and the read."""

    stage: str
    uri: str
    absent: str
    read: str


@dataclass(frozen=True)
class Item:
    """One clip of the sample."""

    group: str
    language: str
    who: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Stratum:
    """The sample of one group."""

    group: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Gallery:
    """The whole sample, and how many pictures were withheld or left out for size."""

    strata: tuple[Stratum, ...]
    shown: int
    withheld: int
    too_many: int
    languages: tuple[str, ...]


def gallery(audit: Audit, folder: Path, show: bool) -> Gallery:
    """Collect the sample that the audit's table ``gallery`` names.

    Parameters
    ----------
    audit : Audit
        With the table ``gallery``; its paths are relative to ``folder``.
    folder : Path
        The run's folder; no picture outside it is ever opened.
    show : bool
        Whether pictures may be shown.
    """
    rows = records(audit, "gallery")
    tally = {"shown": 0, "withheld": 0, "too_many": 0, "bytes": 0}

    def fetch(path: str) -> tuple[str, str]:
        if not path:
            return "", "no picture"
        if not show:
            tally["withheld"] += 1
            return "", "withheld"
        uri, absent = thumbnail(folder, path)
        if uri and tally["bytes"] + len(uri) > BUDGET:
            tally["too_many"] += 1
            return "", "left out for size"
        tally["bytes"] += len(uri)
        tally["shown"] += bool(uri)
        return uri, absent

    strata = []
    for group in values(rows, "group", order_groups):
        here = where(rows, group=group)
        items = [
            _item(row, fetch)
            for language in values(here, "language", order_languages)
            for row in where(here, language=language)
        ]
        strata.append(Stratum(group_name(group), tuple(items)))
    languages = tuple(language_name(code) for code in values(rows, "language", order_languages))
    return Gallery(tuple(strata), tally["shown"], tally["withheld"], tally["too_many"], languages)


def thumbnail(folder: Path, path: str) -> tuple[str, str]:
    """A small copy of a picture as a data URI, or an empty text and the reason why there is none.

    Examples
    --------
    >>> thumbnail(Path("."), "../elsewhere.png")
    ('', 'outside the folder of the run')
    """
    try:
        place = (folder / path).resolve()
        if not place.is_relative_to(folder.resolve()):
            return "", "outside the folder of the run"
        if not place.is_file():
            return "", "file not found"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its size, which is looked at before its pixels, and of damage
            with Image.open(place, formats=("PNG", "JPEG", "WEBP", "BMP")) as source:
                if source.width * source.height > MOST_PIXELS:
                    return "", "too large to open"
                source.draft("RGB", (SIDE, SIDE))
                small = source.convert("RGB")
        small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        small.save(buffer, "WEBP", quality=82, method=4)
    except Image.DecompressionBombError:
        return "", "too large to open"
    except Exception:  # noqa: BLE001  # of damaged data the decoders raise whatever comes
        return "", "not a readable picture"
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii"), ""


def _item(row: Record, fetch: Callable[[str], tuple[str, str]]) -> Item:
    pictures = []
    for stage in STAGES:
        uri, absent = fetch(text(row, stage))
        read = text(row, f"{stage}_read")
        pictures.append(Picture(stage, uri, absent, group_name(read) if read else ""))
    who = f"{text(row, 'speaker_id')}, {text(row, 'clip_id')}"
    return Item(group_name(text(row, "group")), language_name(text(row, "language")), who, tuple(pictures))
