"""Blind labelling pages: one offline page that shows pictures under opaque names and saves the answers as CSV."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PICTURES: Final = "pictures"
"""The folder of the pictures, next to the page."""
CANNOT_TELL: Final = "cannot_tell"
"""The answer *cannot tell*, which excludes others."""
_KEYS: Final = ("123456789", "qwertyuiop", "asdfghjkl")
_HERE: Final = Path(__file__).parent


@dataclass(frozen=True)
class Question:
    """A question about each picture.

    Attributes
    ----------
    column, legend : str
        Column of the answers, and the question.
    answers : sequence of (str, str)
        Value and words of each answer.
    several : bool
        Whether several answers may be given, which are joined with ``|``.
    short : bool
        Whether more than two answers fit in a row.
    """

    column: str
    legend: str
    answers: Sequence[tuple[str, str]]
    several: bool = False
    short: bool = False

    def keyed(self, place: int) -> list[tuple[tuple[str, str], str]]:
        """The answers with their keys; ``place`` is the number of the question, from 0."""
        return list(zip(self.answers, _KEYS[place], strict=False))


@dataclass(frozen=True)
class BlindPage:
    """The texts and columns of a page.

    Attributes
    ----------
    title, introduction, picture : str
        Texts at the top, and the alternative text of every picture.
    questions : sequence of Question
        At most three.
    columns, file : sequence of str, str
        Columns and name of the saved table.
    fixed : Mapping
        Columns with one value, which identify the sheet.
    person : str
        Column of the name of who answers.
    named : bool
        Whether the name is required; the order of the pictures then depends on it.
    about : str
        Column of a free text about the person; no such field if empty.
    """

    title: str
    introduction: str
    picture: str
    questions: Sequence[Question]
    columns: Sequence[str]
    file: str
    fixed: Mapping[str, int]
    person: str
    named: bool = False
    about: str = ""

    def html(self, pictures: Sequence[str]) -> str:
        """The page for pictures ``pictures/NAME.png``; it needs no network, and its policy allows none."""
        import jinja2  # imported late: the gate does not need it
        from markupsafe import Markup

        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE), autoescape=True, undefined=jinja2.StrictUndefined
        )
        texts = {name: (_HERE / f"page.{name}").read_text(encoding="utf-8") for name in ("css", "js")}
        fields = ("columns", "fixed", "file", "person", "about", "named")
        sheet = {"pictures": pictures, "folder": PICTURES, "alone": CANNOT_TELL}
        return environment.get_template("page.html.jinja").render(
            page=self,
            sheet=sheet | {name: getattr(self, name) for name in fields},
            text={name: Markup(text) for name, text in texts.items()},
            hash={name: b64encode(hashlib.sha256(text.encode()).digest()).decode() for name, text in texts.items()},
        )


def picture_name(seed: int, *words: object) -> str:
    """An opaque name: the first 16 hex digits of the SHA-256 of the seed and the words."""
    return hashlib.sha256("\0".join(map(str, (seed, *words))).encode()).hexdigest()[:16]


def whole(text: str | None) -> int | None:
    """An integer as a spreadsheet may have written it; ``None`` for other text.

    Examples
    --------
    >>> whole("100"), whole("100.0"), whole(""), whole("x")
    (100, 100, None, None)
    """
    try:
        number = float(text or "")
    except ValueError:
        return None
    return int(number) if number.is_integer() else None
