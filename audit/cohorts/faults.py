"""What may stand in a table of speakers or clips, and the list of everything that may not but does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import pandas as pd

from audit.cohorts.cohort import SET_ASIDE_SPLITS
from audit.core.errors import CohortError, did_you_mean
from audit.core.vocabulary import GENDERS, LABEL_SOURCES, RACES, UNKNOWN, group_members, is_language

UNSTATED: Final = "unstated"
"""The source of a label whose source the cohort does not state."""
SPLITS: Final = (*SET_ASIDE_SPLITS, "audited", "test")
"""What a speaker may be there for; empty is audited too."""
SHOWN_FAULTS: Final = 50
"""So many faults are spelled out; the rest are counted."""


class Faults:
    """Collects every fault of a table, so that the user mends all of them at once."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.more = 0

    def add(self, file: str, row: int | None, found: str, allowed: str) -> None:
        """One fault: ``row`` counts lines of the file, the header being line 1."""
        place = file if row is None else f"{file}, row {row}"
        self.say(f"{place}: {found}; allowed: {allowed}.")

    def say(self, sentence: str) -> None:
        """One fault in words of its own."""
        if len(self.found) < SHOWN_FAULTS:
            self.found.append(sentence)
        else:
            self.more += 1

    def stop(self, next_step: str = "Mend the table and try again: audit cohort check DIR.") -> None:
        """Raise :class:`CohortError` if there is any fault."""
        if self.found:
            shown = self.found + ([f"... and {self.more} more."] if self.more else [])
            raise CohortError(shown, next_step=next_step)


Rule = tuple[Callable[[str], bool], Callable[[str], str]]
"""Whether a value may stand in a column, and for one that may not, what may."""


_YEARS = re.compile(r"[0-9]{1,3}(\.[0-9]+)?")


def _is_group(value: str) -> bool:
    try:
        group_members(value)
    except ValueError:
        return False
    return True


def _group_words(value: str) -> str:
    hint = did_you_mean(value.lower().replace(" ", "_"), [*RACES, UNKNOWN])
    return f"{', '.join(RACES)}, several of them joined with |, or {UNKNOWN}{hint}"


def _is_age(value: str) -> bool:
    return value == "" or (_YEARS.fullmatch(value) is not None and float(value) <= 120)


def _split_words(value: str) -> str:
    return f"{', '.join(SPLITS)}, or empty{did_you_mean(value.lower(), SPLITS)}"


def _source_rule() -> Rule:
    return {"", UNSTATED, *LABEL_SOURCES}.__contains__, lambda _: f"{', '.join(LABEL_SOURCES)}, or empty"


RULES: Final[dict[str, Rule]] = {
    "group": (_is_group, _group_words),
    "gender": ({"", UNKNOWN, *GENDERS}.__contains__, lambda _: f"{', '.join(GENDERS)} or {UNKNOWN}"),
    "age": (_is_age, lambda _: "years from 0 to 120, or empty"),
    "native_language": (
        lambda code: code == "" or is_language(code),
        lambda _: "a BCP-47 code such as en or zh-TW, or empty",
    ),
    "language": (is_language, lambda _: "a BCP-47 code such as en or zh-TW"),
    "split": ({"", *SPLITS}.__contains__, _split_words),
    "group_source": _source_rule(),
    "gender_source": _source_rule(),
    "language_source": _source_rule(),
}
"""By column, what may stand in it."""


def check_values(file: str, column: pd.Series, rule: Rule, faults: Faults) -> None:
    """Name every row of a column whose value may not stand there; an index of 0 is line 2 of the file."""
    good, allowed = rule
    ill = [value for value in column.unique() if not good(value)]
    if not ill:
        return
    rows = column[column.isin(ill)]
    for i, value in rows.head(SHOWN_FAULTS).items():
        faults.add(file, int(str(i)) + 2, f"{column.name} {value!r}", allowed(value))
    faults.more += max(0, len(rows) - SHOWN_FAULTS)


def check_ids(file: str, ids: pd.Series, faults: Faults) -> None:
    """Name every row whose id is empty or stands in an earlier row already."""
    for i in ids.index[ids == ""]:
        faults.add(file, i + 2, f"{ids.name} is empty", "a name of its own for each row")
    again = ids[ids.duplicated() & (ids != "")]
    first = ids[ids.isin(again.unique())].drop_duplicates()
    line = dict(zip(first, first.index + 2, strict=True))
    for i, value in again.items():
        faults.add(file, int(str(i)) + 2, f"{ids.name} {value!r} stands already in row {line[value]}", "each once")
