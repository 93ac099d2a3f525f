"""Cleaning of text from data for display in terminals, pages and Markdown."""

from __future__ import annotations

import re
from typing import Final

_CONTROL: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)

_ADDRESS: Final = re.compile(r" at 0x[0-9A-Fa-f]+")
_MARKS: Final = re.compile(r"[\\|\[\]`*~_#>]|(?<=:)/|(?<=www)\.", re.IGNORECASE)


def clean(text: str) -> str:
    """Replace control, direction-changing and unpaired surrogate characters by U+FFFD.

    Tabs and line feeds are kept.

    Examples
    --------
    >>> clean("a" + chr(0) + "b" + chr(27) + "[2J") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}[2J"
    True
    """
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def without_addresses(text: str) -> str:
    """Remove memory addresses, as in the default text of an object, so that equal runs have equal messages.

    Examples
    --------
    >>> without_addresses("no picture in <_io.BytesIO object at 0x7f09f0>")
    'no picture in <_io.BytesIO object>'
    """
    return _ADDRESS.sub("", text)


def in_markdown(text: str) -> str:
    r"""Escape text for a line of Markdown or a table cell, so that it has no markup, tag or link.

    Examples
    --------
    >>> print(in_markdown("a | b" + chr(10) + "<b>*c*</b> https://x"))
    a \| b &lt;b\>\*c\*&lt;/b\> https:\//x
    """
    return _MARKS.sub(r"\\\g<0>", clean(text).replace("\n", " ").replace("&", "&amp;").replace("<", "&lt;"))
