"""Samples of pictures on a page, each next to what was read in it.

Pictures are scaled down and encoded again, so that the page contains pixels and no metadata. Pictures of real people
are withheld unless they are requested.
"""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from audit.audits.privacy.sharing import WITHHELD
from audit.core.language_names import language_name
from audit.core.transfer import at_hand
from audit.reports.html.records import Record, split, text
from audit.reports.html.wording import group_name

SIDE: Final = 144
"""Pixels of a thumbnail's longer side; it is shown at 96 to 112."""
MOST_PIXELS: Final = 50_000_000
BUDGET: Final = 2_500_000
"""Bytes for all pictures of a page."""


@dataclass(frozen=True)
class Shot:
    """One picture: label, data URI or reason for its absence, read or reason for none, and alternative text."""

    label: str
    uri: str
    absent: str
    read: str
    unread: str
    alt: str


@dataclass(frozen=True)
class Strip:
    """The pictures of one clip or voice."""

    title: str
    who: str
    shots: tuple[Shot, ...]
    language: str = ""
    drawn_as: str = ""


class Album:
    """The pictures of one page: loads thumbnails within :data:`BUDGET` and counts those that are not shown."""

    def __init__(self, show: bool) -> None:
        self.show, self.shown, self.withheld, self.too_many = show, 0, 0, 0
        self._bytes = 0

    def shot(self, folder: Path | None, path: str, label: str, read: str, alt: str, unread: str = "not read") -> Shot:
        """The picture at a path inside a folder; no picture outside it is opened."""
        uri, absent = "", "no picture"
        if path and folder is not None and not self.show:
            self.withheld += 1
            absent = "withheld"
        elif path and folder is not None:
            uri, absent = thumbnail(folder, path)
            if self._bytes + len(uri) > BUDGET:
                self.too_many += 1
                uri, absent = "", "left out for size"
            self._bytes += len(uri)
            self.shown += bool(uri)
        return Shot(label, uri, absent, read, unread, alt)


@dataclass(frozen=True)
class Gallery:
    """Strips by group, and the album with the counts of pictures."""

    groups: tuple[tuple[str, tuple[Strip, ...]], ...]
    album: Album


def gallery(
    rows: Sequence[Record], columns: Mapping[str, tuple[str, Path | None]], show: bool, show_ids: bool = False
) -> Gallery:
    """The pictures of clips by group, whose speakers are numbered on the page.

    ``columns`` has the label and the folder of each column of paths; ``show_ids`` adds the ids of speakers and clips.
    """
    album = Album(show)
    names = [text(row, "speaker_id") for row in rows]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names), start=1) if name != WITHHELD}
    groups = [
        (group_name(text(of[0], "group")), tuple(_strip(album, row, columns, numbers, show_ids) for row in of))
        for of in split(rows, "group")
    ]
    return Gallery(tuple(groups), album)


def _strip(
    album: Album,
    row: Record,
    columns: Mapping[str, tuple[str, Path | None]],
    numbers: Mapping[str, int],
    show_ids: bool,
) -> Strip:
    group, language = group_name(text(row, "group")), language_name(text(row, "language"))
    number, drawn_as = numbers.get(text(row, "speaker_id"), ""), text(row, "pick")
    title = f"{f'Speaker {number}'.strip()}, clip in {language}"
    ids = f"{text(row, 'speaker_id')}, {text(row, 'clip_id')}" if show_ids else ""
    shots = []
    for column, (label, folder) in columns.items():
        read = text(row, f"{column}_read")
        alt = f"{label.capitalize()}, {group} {title[0].lower()}{title[1:]}"
        shots.append(album.shot(folder, text(row, column), label, group_name(read) if read else "", alt))
    return Strip(
        title, "; ".join(filter(None, (drawn_as and f"drawn as {drawn_as}", ids))), tuple(shots), language, drawn_as
    )


def thumbnail(folder: Path, path: str) -> tuple[str, str]:
    """A small copy of a picture as a data URI, or an empty text and the reason.

    Examples
    --------
    >>> thumbnail(Path("."), "../elsewhere.png")
    ('', 'outside the folder of the run')
    """
    try:
        place = (folder / path).resolve()
        if not place.is_relative_to(folder.resolve()):
            return "", "outside the folder of the run"
        place = at_hand(place)
        if not place.is_file():
            return "", "file not found"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about size, which is checked before decoding, and about damage
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
    except Exception:  # noqa: BLE001  # decoders raise any exception on damaged data
        return "", "not a readable picture"
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii"), ""
