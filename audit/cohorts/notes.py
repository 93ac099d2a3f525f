"""The notes of a cohort: ``cohort.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from audit.core.errors import CohortError


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
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    licence: str = ""
    consent: str = ""
    notes: str = ""
    fictional: bool = False
    files: str = ""
    portraits: str = ""


def read_notes(path: Path) -> CohortNotes:
    """The notes in a file, or empty ones without it.

    Raises
    ------
    CohortError
        If it is not TOML, or has an unknown key or a value of the wrong type.
    """
    if not path.is_file():
        return CohortNotes()
    try:
        return CohortNotes.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CohortError([f"cohort.toml is not a TOML file: {error}."]) from error
    except ValidationError as error:
        fields = ", ".join(CohortNotes.model_fields)
        errors = [f"cohort.toml, {'.'.join(map(str, e['loc']))}: {e['msg']}." for e in error.errors()]
        raise CohortError(errors, f"the keys {fields}") from error
