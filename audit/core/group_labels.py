"""Labels of groups: race labels, and any others that do not look like a misspelled one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Final

from audit.core.vocabulary import RACES, UNKNOWN, group_members

MEANT: Final = {
    **dict.fromkeys(("east_asian", "southeast_asian"), "asian"),
    "caucasian": "white",
    "african_american": "black",
    **dict.fromkeys(("latino", "latina", "hispanic"), "latino_hispanic"),
    **dict.fromkeys(("", "?", "_", "na", "n_a", "nan", "none", "null", "undefined"), UNKNOWN),
}
"""Words that data sets use for race labels or for an unknown group, as :func:`word` writes them."""
SIMILAR: Final = 0.8
"""Similarity (Ratcliff and Obershelp 1988, in [0, 1]) from which a label is taken for a misspelling."""


def word(label: str) -> str:
    """A label in lower case with underscores.

    Examples
    --------
    >>> word("Latino/Hispanic "), word("N/A")
    ('latino_hispanic', 'n_a')
    """
    return re.sub(r"[\s/-]+", "_", label.strip().lower())


def meant(label: str) -> str:
    """The race label, or ``unknown``, that another label seems to mean; empty if it is one, or a label of its own.

    Examples
    --------
    >>> meant("Asian"), meant("asain"), meant("East Asian|white"), meant("scottish"), meant("asian")
    ('asian', 'asian', 'asian|white', '', '')
    """
    if label == UNKNOWN or group_members(label):
        return ""
    named = "|".join(dict.fromkeys(MEANT.get(part, part) for part in map(word, label.split("|"))))
    if named == UNKNOWN or group_members(named):
        return named
    near = difflib.get_close_matches(named.split("|")[0], (*RACES, UNKNOWN), n=1, cutoff=SIMILAR)
    return near[0] if near else ""


def fault(label: str, declared: Iterable[str] = ()) -> str:
    """Why a label is not accepted; empty if it is.

    ``declared`` are labels that the cohort declares as categories, which are accepted however similar to another.

    Examples
    --------
    >>> fault("asain"), fault("asain", declared=["asain"]), fault("scottish")
    ("did you mean 'asian'?", '', '')
    """
    if label in declared:
        return ""
    if similar := meant(label):
        return f"did you mean {similar!r}?"
    if "|" in label and not group_members(label):
        return f"only race labels are joined with |: {', '.join(RACES)}"
    return "" if label.strip() else f"write {UNKNOWN!r} where it is not known"
