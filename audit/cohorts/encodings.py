"""Text of a table that a user brings, in whichever encoding it was saved."""

from __future__ import annotations

import codecs
import itertools
import unicodedata
from typing import Final

from audit.core.errors import CohortError

MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig", ""),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
"""Byte-order mark, codec, and name for the user; UTF-8 is not worth a remark."""
LEGACY: Final = {
    "cp1252": "Windows-1252, Western European",
    "cp1250": "Windows-1250, Central European",
    "mac_roman": "Mac Roman",
    "cp850": "DOS 850",
    "cp437": "DOS 437",
}
"""Encodings of one byte per letter in which spreadsheets save a CSV file on computers set to a Latin alphabet."""
ALLOWED: Final = "UTF-8 (in Excel: CSV UTF-8), or UTF-16 with a byte-order mark"


def decoded(data: bytes, file: str) -> tuple[str, str]:
    """Text of a table, and the name of its encoding; the name is empty for UTF-8.

    A file without a byte-order mark is UTF-8, UTF-16 if it has zero bytes and begins with an ASCII character, or one of
    the ``LEGACY`` encodings. Their bytes do not distinguish the latter. They are tried in turn, and the file is
    read only if exactly one of them gives plausible words; libraries that guess encodings are wrong about tables with
    a few accented letters.

    Raises
    ------
    CohortError
        If no encoding fits, or several do.

    Examples
    --------
    >>> decoded("José,Küche".encode("cp1252"), "labels.csv")
    ('José,Küche', 'Windows-1252, Western European')
    >>> decoded("José".encode(), "labels.csv")
    ('José', '')
    """
    for mark, codec, name in MARKS:
        if data.startswith(mark):
            try:
                return data.decode(codec), name
            except UnicodeDecodeError as error:
                message = f"{file} begins with the byte-order mark of {name or 'UTF-8'} and is not: {error}."
                raise CohortError([message], ALLOWED) from error
    if b"\0" in data:
        big = data[:4096:2].count(0) > data[1:4096:2].count(0)
        try:
            text = data.decode("utf-16-be" if big else "utf-16-le")
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text or not text[:1].isascii():
            raise CohortError([f"{file} is not a CSV file: it has zero bytes."], ALLOWED)
        return text, "UTF-16 without a byte-order mark"
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError as error:
        readings: dict[str, tuple[str, set[str]]] = {}
        for codec, name in LEGACY.items():
            try:
                text = data.decode(codec)
            except UnicodeDecodeError:
                continue
            if (words := _foreign_words(text)) is not None:
                readings.setdefault(text, (name, words))
        if len(readings) == 1:
            text, (name, _) = readings.popitem()
            return text, name
        found = f"{file} is not UTF-8: {error}."
        if readings:
            said = "; ".join(f"{name} ({', '.join(sorted(words)[:3])})" for name, words in readings.values())
            found = f"{file} is not UTF-8, and its encoding is not certain: it may be {said}."
        raise CohortError([found], ALLOWED, "Save it as UTF-8 and try again.") from error


def _foreign_words(text: str) -> set[str] | None:
    """Words with letters beyond ASCII; ``None`` if one of them is implausible in a Latin alphabet."""
    words = {word for word in _words(text) if not word.isascii()}
    return words if all(map(_is_plausible, words)) else None


def _words(text: str) -> set[str]:
    """Runs of letters and of any other characters beyond ASCII."""
    return set("".join(c if c.isalpha() or not c.isascii() else " " for c in text).split(" "))


def _is_plausible(word: str) -> bool:
    """Whether every letter is Latin, more than half of them are ASCII, and none is a capital after a small letter.

    Examples
    --------
    >>> [_is_plausible(word) for word in ("José", "JosÈ", "Josÿ", "Èâàí", "Jos±")]
    [True, False, True, False, False]
    """
    foreign = [letter for letter in word if not letter.isascii()]
    if 2 * len(foreign) >= len(word):
        return False
    if not all(
        letter.isalpha()
        and unicodedata.name(letter, "").startswith("LATIN")
        and unicodedata.normalize("NFKC", letter) == letter
        for letter in foreign
    ):
        return False
    return not any(
        before.islower() and after.isupper() and not (before.isascii() and after.isascii())
        for before, after in itertools.pairwise(word)
    )
