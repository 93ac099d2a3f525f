"""Validation of the tables of speakers and clips, with all errors collected."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import pandas as pd

from audit.core.errors import CohortError, did_you_mean
from audit.core.languages import is_language
from audit.core.vocabulary import GENDERS, LABEL_SOURCES, RACES, UNKNOWN, group_members

SET_ASIDE_SPLITS: Final = ("training", "validation")
"""Splits whose speakers were used to train a model; an audit excludes them and reports that."""
UNSTATED: Final = "unstated"
"""Source of a label if the cohort does not state one."""
SPLITS: Final = (*SET_ASIDE_SPLITS, "audited", "test")
"""Allowed splits of a speaker; empty means audited."""
SHOWN_ERRORS: Final = 50
"""Number of errors shown in full; the others are only counted."""


class ValidationErrors:
    """Collects all errors of a table, so that the user can fix them at once."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.more = 0

    def add(self, file: str, row: int | None, found: str, allowed: str) -> None:
        """Add an error; ``row`` is the line of the file, the header being line 1."""
        place = file if row is None else f"{file}, row {row}"
        if len(self.found) < SHOWN_ERRORS:
            self.found.append(f"{place}: {found}; allowed: {allowed}.")
        else:
            self.more += 1

    def stop(self, next_step: str = "Fix the table and try again: audit cohort check DIR.") -> None:
        """Raise :class:`CohortError` if there are errors."""
        if self.found:
            shown = self.found + ([f"... and {self.more} more."] if self.more else [])
            raise CohortError(shown, next_step=next_step)


Rule = tuple[Callable[[str], bool], Callable[[str], str]]
"""Predicate for allowed values of a column, and a function that says what is allowed."""

_YEARS = re.compile(r"[0-9]{1,3}(\.[0-9]+)?")


def _is_group(value: str) -> bool:
    try:
        group_members(value)
    except ValueError:
        return False
    return True


def _group_words(value: str) -> str:
    hint = did_you_mean(value.lower().replace(" ", "_"), [*RACES, UNKNOWN])
    return f"{', '.join(RACES)}, or several joined with |, or {UNKNOWN}{hint}"


def _is_age(value: str) -> bool:
    return value == "" or (_YEARS.fullmatch(value) is not None and float(value) <= 120)


def _split_words(value: str) -> str:
    return f"{', '.join(SPLITS)}, or empty{did_you_mean(value.lower(), SPLITS)}"


_SOURCE: Rule = {"", UNSTATED, *LABEL_SOURCES}.__contains__, lambda _: f"{', '.join(LABEL_SOURCES)}, or empty"
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
    "group_source": _SOURCE,
    "gender_source": _SOURCE,
    "language_source": _SOURCE,
}
"""Rule of each column."""


def check_values(file: str, column: pd.Series, rule: Rule, errors: ValidationErrors) -> None:
    """Add an error for every row whose value breaks the rule; index 0 is line 2 of the file."""
    good, allowed = rule
    ill = [value for value in column.unique() if not good(value)]
    if not ill:
        return
    rows = column[column.isin(ill)]
    for i, value in rows.head(SHOWN_ERRORS).items():
        errors.add(file, int(str(i)) + 2, f"{column.name} {value!r}", allowed(value))
    errors.more += max(0, len(rows) - SHOWN_ERRORS)


def check_ids(file: str, ids: pd.Series, errors: ValidationErrors) -> None:
    """Add an error for every row whose id is empty or repeated."""
    for i in ids.index[ids == ""]:
        errors.add(file, i + 2, f"{ids.name} is empty", "a unique id in each row")
    again = ids[ids.duplicated() & (ids != "")]
    first = ids[ids.isin(again.unique())].drop_duplicates()
    line = dict(zip(first, first.index + 2, strict=True))
    for i, value in again.items():
        errors.add(file, int(str(i)) + 2, f"{ids.name} {value!r} is also in row {line[value]}", "unique ids")
