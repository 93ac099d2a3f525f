"""Validation of the tables of speakers and clips, with all errors collected."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import Final

import pandas as pd

from audit.core.errors import CohortError, did_you_mean
from audit.core.group_labels import fault, word
from audit.core.languages import is_language
from audit.core.vocabulary import (
    GENDERS,
    LABEL_SOURCES,
    NONBINARY,
    RACES,
    STATED_GENDERS,
    UNKNOWN,
)
from audit.core.votes import GROUP_VOTES, is_votes

SET_ASIDE_SPLITS: Final = ("training", "validation")
"""Splits whose speakers were used to train a model; an audit excludes them and reports that."""
UNSTATED: Final = "unstated"
"""Source of a label if the cohort does not state one."""
SPLITS: Final = (*SET_ASIDE_SPLITS, "audited", "test")
"""Allowed splits of a speaker; empty means audited."""
SHOWN_ERRORS: Final = 50
"""Number of different errors shown; the others are only counted."""
SHOWN_ROWS: Final = 3
"""Number of further rows named with an error; the others are only counted."""
OTHER_GENDERS: Final = {
    **dict.fromkeys(("f", "female", "w", "woman", "women"), "woman"),
    **dict.fromkeys(("m", "male", "man", "men"), "man"),
    **dict.fromkeys(("non_binary", "nonbinary", "nb", "enby"), NONBINARY),
}
"""Words for a gender in lower case, and the audit's."""


class ValidationErrors:
    """Collects all errors of a table, so that the user can fix them at once."""

    def __init__(self) -> None:
        self.more = 0
        self._rows: dict[tuple[str, str, str], list[int]] = {}

    def add(self, file: str, row: int | None, found: str, allowed: str) -> None:
        """Add an error; ``row`` is the line of the file, the header being line 1."""
        self.add_rows(file, [] if row is None else [row], found, allowed)

    def add_rows(self, file: str, rows: Iterable[int], found: str, allowed: str) -> None:
        """Add one error of several rows."""
        error = (file, found, allowed)
        if error in self._rows or len(self._rows) < SHOWN_ERRORS:
            self._rows.setdefault(error, []).extend(rows)
        else:
            self.more += 1

    @property
    def found(self) -> list[str]:
        """The errors, each with its first rows and the number of the others."""
        return [
            f"{file}{f', row {rows[0]}' if rows else ''}: {found}; allowed: {allowed}.{_also(rows[1:])}"
            for (file, found, allowed), rows in self._rows.items()
        ]

    def stop(self, next_step: str = "Fix the table and try again: audit cohort check DIR.") -> None:
        """Raise :class:`CohortError` if there are errors."""
        if self.found:
            shown = self.found + ([f"... and {self.more} more."] if self.more else [])
            raise CohortError(shown, next_step=next_step)


def _also(rows: list[int]) -> str:
    """Sentence on further rows with the same error.

    Examples
    --------
    >>> _also([3]), _also([3, 4, 5, 6, 7])
    (' Also in row 3.', ' Also in rows 3, 4, 5 and 2 more.')
    """
    if len(rows) < 2:
        return f" Also in row {rows[0]}." if rows else ""
    more = f" and {len(rows) - SHOWN_ROWS} more" if len(rows) > SHOWN_ROWS else ""
    return f" Also in rows {', '.join(map(str, rows[:SHOWN_ROWS]))}{more}."


Rule = tuple[Callable[[str], bool], Callable[[str], str]]
"""Predicate for allowed values of a column, and a function that says what is allowed."""

_YEARS = re.compile(r"[0-9]{1,3}(\.[0-9]+)?")


def group_rule(declared: Collection[str] = ()) -> Rule:
    """The rule of group labels: any that is declared, or does not look like a misspelled race label."""
    return (
        lambda label: not fault(label, declared),
        lambda label: (
            f"{', '.join(RACES)}, several of them joined with |, {UNKNOWN}, or a label of your own ({fault(label)}). "
            "A label that resembles one of these is accepted if cohort.toml declares it under [categories.group]"
        ),
    )


def _gender_words(value: str) -> str:
    meant = OTHER_GENDERS.get(word(value), "")
    hint = f" (did you mean {meant!r}?)" if meant else did_you_mean(word(value), STATED_GENDERS)
    return f"{', '.join(GENDERS)} or {UNKNOWN}, or {NONBINARY}, which is kept and not judged{hint}"


def _is_age(value: str) -> bool:
    return value == "" or (_YEARS.fullmatch(value) is not None and float(value) <= 120)


def _split_words(value: str) -> str:
    return f"{', '.join(SPLITS)}, or empty{did_you_mean(value.lower(), SPLITS)}"


_SOURCE: Rule = {"", UNSTATED, *LABEL_SOURCES}.__contains__, lambda _: f"{', '.join(LABEL_SOURCES)}, or empty"
RULES: Final[dict[str, Rule]] = {
    "group": group_rule(),
    "gender": ({"", UNKNOWN, *STATED_GENDERS}.__contains__, _gender_words),
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
    GROUP_VOTES: (is_votes, lambda _: "LABEL:NUMBER of race labels or unknown, such as 'asian:2 white:1', or empty"),
}
"""Rule of each column."""


def check_categories(file: str, column: pd.Series, declared: Collection[str], errors: ValidationErrors) -> None:
    """Add an error for every row whose value is neither one of the declared categories nor unknown."""
    allowed = f"{', '.join(declared)}, {UNKNOWN} or empty, by [categories.{column.name}] of cohort.toml"
    check_values(file, column, ({*declared, UNKNOWN, ""}.__contains__, lambda value: allowed), errors)


def with_spelling(frame: pd.DataFrame, file: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """A table with ``non_binary`` and ``non-binary`` spelled as in the vocabulary, and a remark on their number."""
    if list(frame.columns).count("gender") != 1:
        return frame, ()
    other = frame["gender"].isin(("non_binary", "non-binary"))
    n, remark = int(other.sum()), f"in the column gender of {file} are spelled {NONBINARY}."
    return frame.assign(gender=frame["gender"].mask(other, NONBINARY)), (f"{n} labels {remark}",) if n else ()


def check_values(file: str, column: pd.Series, rule: Rule, errors: ValidationErrors) -> None:
    """Add an error for every row whose value breaks the rule; index 0 is line 2 of the file."""
    good, allowed = rule
    ill = [value for value in column.unique() if not good(value)]
    if not ill:
        return
    rows = {value: group.index + 2 for value, group in column[column.isin(ill)].groupby(column, sort=False)}
    for value in ill[:SHOWN_ERRORS]:
        errors.add_rows(file, rows[value], f"{column.name} {value!r}", allowed(value))
    errors.more += max(0, len(ill) - SHOWN_ERRORS)


def check_ids(file: str, ids: pd.Series, errors: ValidationErrors) -> None:
    """Add an error for every row whose id is empty or repeated."""
    for i in ids.index[ids == ""]:
        errors.add(file, i + 2, f"{ids.name} is empty", "a unique id in each row")
    again = ids[ids.duplicated() & (ids != "")]
    first = ids[ids.isin(again.unique())].drop_duplicates()
    line = dict(zip(first, first.index + 2, strict=True))
    for i, value in again.items():
        errors.add(file, int(str(i)) + 2, f"{ids.name} {value!r} is also in row {line[value]}", "unique ids")
