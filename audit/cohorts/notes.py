"""The notes of a cohort: ``cohort.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from audit.core.errors import CohortError
from audit.core.opening import read_regular
from audit.core.vocabulary import UNKNOWN, is_known


class CohortNotes(BaseModel):
    """Contents of ``cohort.toml``.

    Attributes
    ----------
    name, licence, consent, notes : str
        Free text, shown in every report.
    fictional : bool
        Whether the cohort has no real people; only then are faces shown by default.
    files : str
        Target of the link ``files``, a folder outside the cohort; empty if the files are inside.
    portraits : str
        Target of the link ``portraits``.
    categories : dict
        By column, its categories in the order in which reports list them: a list, or a table with the words that stand
        for each value, ``sco = "scottish"``. Other values of these columns are errors.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    licence: str = ""
    consent: str = ""
    notes: str = ""
    fictional: bool = False
    files: str = ""
    portraits: str = ""
    categories: dict[str, tuple[str, ...] | dict[str, str]] = Field(default_factory=dict)

    @field_validator("categories")
    @classmethod
    def _all_different(
        cls, given: dict[str, tuple[str, ...] | dict[str, str]]
    ) -> dict[str, tuple[str, ...] | dict[str, str]]:
        for column, categories in given.items():
            names = list(categories.values()) if isinstance(categories, dict) else list(categories)
            if not names or len(set(names)) < len(names) or not all(map(is_known, names)):
                raise ValueError(f"the categories of {column} must be different words, none of them {UNKNOWN!r}")
        return given

    @property
    def order(self) -> dict[str, tuple[str, ...]]:
        """The categories of each column in words, in order."""
        return {
            column: tuple(found.values()) if isinstance(found, dict) else found
            for column, found in self.categories.items()
        }

    def in_words(self, column: str) -> dict[str, str]:
        """The words that stand for each declared value of a column.

        Examples
        --------
        >>> CohortNotes(categories={"accent": {"sco": "scottish"}}).in_words("accent")
        {'sco': 'scottish'}
        """
        found = self.categories.get(column, ())
        return found if isinstance(found, dict) else {name: name for name in found}


def read_notes(path: Path) -> CohortNotes:
    """The notes in a file, or empty ones without it.

    Raises
    ------
    CohortError
        If it is not TOML, or has an unknown key or a value of the wrong type.
    """
    try:
        text = read_regular(path).decode("utf-8-sig")
    except FileNotFoundError:
        return CohortNotes()
    except (OSError, UnicodeDecodeError) as error:
        raise CohortError([f"cohort.toml cannot be read: {error}."]) from error
    try:
        return CohortNotes.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CohortError([f"cohort.toml is not a TOML file: {error}."]) from error
    except ValidationError as error:
        fields = ", ".join(CohortNotes.model_fields)
        errors = [f"cohort.toml, {'.'.join(map(str, e['loc']))}: {e['msg']}." for e in error.errors()]
        raise CohortError(errors, f"the keys {fields}") from error
