"""Removing the pictures of one speaker from sheets on which people label faces."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from audit.core.blind_page import PICTURES, picture_name, whole
from audit.core.files import write_whole
from audit.core.pictures import picture_digest, read_picture

PAGE: Final = "index.html"
_PICTURES: Final = re.compile(r'("pictures": )(\[[^\]]*\])')


def is_sheet(folder: Path) -> bool:
    """Whether a folder is a sheet: a page and its pictures."""
    return (folder / PAGE).is_file() and (folder / PICTURES).is_dir()


def remove_from_sheet(folder: Path, pictures: Collection[str], clips: Collection[tuple[str, str]]) -> int:
    """Remove a speaker's pictures, and their rows and entries; returns how many pictures.

    Parameters
    ----------
    folder : Path
        The sheet. Tables with a column ``picture`` directly in it lose the rows of these pictures; their other lines
        keep their bytes.
    pictures : collection of str
        The digests of the pixels of pictures that only this speaker has.
    clips : collection of (str, str)
        The digest of a run and the id of a clip, for each of the speaker's clips.
    """
    tables = [path for path in sorted(folder.glob("*.csv")) if path.is_file() and not path.is_symlink()]
    texts = {path: path.read_text(encoding="utf-8-sig") for path in tables}
    seeds = {seed for text in texts.values() for row in csv.DictReader(io.StringIO(text)) if (seed := row.get("seed"))}
    drawn = {picture_name(number, *clip) for seed in seeds if (number := whole(seed)) is not None for clip in clips}
    names = {*_names(folder, pictures), *(name for name in drawn if (folder / PICTURES / f"{name}.png").is_file())}
    for name in names:
        (folder / PICTURES / f"{name}.png").unlink()
    if names:
        for path, text in texts.items():
            write_whole(path, _without(text, names))
        page = (folder / PAGE).read_text(encoding="utf-8")
        write_whole(folder / PAGE, _PICTURES.sub(lambda found: found[1] + _left(found[2], names), page))
    return len(names)


def _names(folder: Path, pictures: Collection[str]) -> Iterator[str]:
    for path in sorted((folder / PICTURES).glob("*.png")):
        if path.is_file() and not path.is_symlink():
            pixels = read_picture(path).pixels
            if pixels is not None and picture_digest(pixels) in pictures:
                yield path.stem


def _left(array: str, names: Collection[str]) -> str:
    return json.dumps([name for name in json.loads(array) if name not in names])


def _without(text: str, names: Collection[str]) -> str:
    """A table without the rows whose cell in the column ``picture`` is among the names."""
    lines = io.StringIO(text, newline="").readlines()
    reader = csv.reader(lines)
    begin, place, kept = 0, -1, []
    for cells in reader:
        row, begin = "".join(lines[begin : reader.line_num]), reader.line_num
        if place < 0:
            place = cells.index("picture") if "picture" in cells else len(lines[0])
        elif place < len(cells) and cells[place] in names:
            continue
        kept.append(row)
    return "".join(kept)
