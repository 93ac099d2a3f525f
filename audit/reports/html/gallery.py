"""Samples of pictures on a page, each next to what was read in it.

Pictures are verified when they are opened (:mod:`audit.runs.faces`), scaled down and encoded again, so that the page
contains pixels and no metadata. Pictures of real people are withheld unless they are requested.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from PIL import Image

from audit.audits.privacy.sharing import is_pseudonym
from audit.core.arrays import Picture
from audit.core.language_names import language_name
from audit.reports.html.records import Record, split, text
from audit.reports.html.wording import group_name
from audit.runs.faces import FaceError

SIDE: Final = 144
"""Pixels of a thumbnail's longer side; it is shown at 96 to 112."""
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

    def shot(
        self, opened: Callable[[], Picture] | None, label: str, read: str, alt: str, unread: str = "not read"
    ) -> Shot:
        """The picture that ``opened`` gives, or the reason of its FaceError; ``None`` if there is no picture."""
        uri, absent = "", "no picture"
        if opened is not None and not self.show:
            self.withheld += 1
            absent = "withheld"
        elif opened is not None:
            try:
                uri, absent = thumbnail(opened()), ""
            except FaceError as error:
                absent = error.reason
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


Open = Callable[[str], Picture]
"""Opens the picture of a clip, by the id or pseudonym that a row has; raises FaceError."""


def gallery(
    rows: Sequence[Record], columns: Mapping[str, tuple[str, Open | None]], show: bool, show_ids: bool = False
) -> Gallery:
    """The pictures of clips by group, whose speakers are numbered on the page where they have pseudonyms.

    ``columns`` has the label of each column of pictures, and what opens them; ``show_ids`` adds the ids of speakers and
    clips.
    """
    album = Album(show)
    names = dict.fromkeys(text(row, "speaker_id") for row in rows)
    numbers = {name: number for number, name in enumerate(names, start=1) if show_ids or is_pseudonym(name)}
    groups = [
        (group_name(text(of[0], "group")), tuple(_strip(album, row, columns, numbers, show_ids) for row in of))
        for of in split(rows, "group")
    ]
    return Gallery(tuple(groups), album)


def _strip(
    album: Album,
    row: Record,
    columns: Mapping[str, tuple[str, Open | None]],
    numbers: Mapping[str, int],
    show_ids: bool,
) -> Strip:
    group, language = group_name(text(row, "group")), language_name(text(row, "language"))
    number, drawn_as = numbers.get(text(row, "speaker_id"), ""), text(row, "pick")
    title = f"{f'Speaker {number}'.strip()}, clip in {language}"
    ids = f"{text(row, 'speaker_id')}, {text(row, 'clip_id')}" if show_ids else ""
    shots = []
    for column, (label, opens) in columns.items():
        read, opened = text(row, f"{column}_read"), None
        if opens is not None and text(row, column):
            opened = partial(opens, str(row["clip_id"]))
        alt = f"{label.capitalize()}, {group} {title[0].lower()}{title[1:]}"
        shots.append(album.shot(opened, label, group_name(read) if read else "", alt))
    return Strip(
        title, "; ".join(filter(None, (drawn_as and f"drawn as {drawn_as}", ids))), tuple(shots), language, drawn_as
    )


def thumbnail(pixels: Picture) -> str:
    """A small copy of a picture as a data URI."""
    small = Image.fromarray(pixels)
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=82, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
