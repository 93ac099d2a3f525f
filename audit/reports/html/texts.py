"""The sentences of the report, which are all in ``texts.toml`` beside this file, so that they can be translated."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any


@cache
def texts() -> dict[str, Any]:
    """The report's own sentences, by section; not to be changed."""
    return read_texts(Path(__file__).parent)


def read_texts(folder: Path) -> dict[str, Any]:
    """The sentences in a folder's ``texts.toml``."""
    return tomllib.loads((folder / "texts.toml").read_text(encoding="utf-8"))


def fill(template: str, **words: object) -> str:
    """A sentence with its words filled in; jinja2 escapes the whole afterwards.

    Examples
    --------
    >>> fill("{clips} of {group} speakers", clips="3 clips", group="black")
    '3 clips of black speakers'
    """
    return template.format_map(words)
