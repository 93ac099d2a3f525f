"""The record that a speaker was forgotten: when, and how much was removed, without the identity."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from audit.core.errors import RunError
from audit.core.written_files import write_files

FILE: Final = "forgotten.json"
"""The file of the records in a folder from which speakers were removed."""


class Record(BaseModel):
    """One withdrawal: the day, and the numbers of what was removed from this folder."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    day: str
    removed: dict[str, int]


_FORM: Final = TypeAdapter(list[Record])


def records(folder: Path) -> list[Record]:
    """The withdrawals that a folder records, the first one first.

    Raises
    ------
    RunError
        If the record is not valid.
    """
    path = folder / FILE
    if not path.exists() and not path.is_symlink():
        return []
    try:
        if path.is_symlink() or not path.is_file():
            raise ValueError("it is not a regular file")
        return _FORM.validate_json(path.read_bytes())
    except (OSError, ValidationError, ValueError) as error:
        raise RunError(
            f"{path} is not a record of withdrawals: {' '.join(str(error).split())[:200]}.",
            "the record as it was written",
            "Restore it, or move it away.",
        ) from error


def add_record(folder: Path, removed: Mapping[str, int], day: dt.date) -> None:
    """Record a withdrawal in a folder.

    Raises
    ------
    RunError
        If the folder has a file of that name that this tool did not write.
    """
    kept = [*records(folder), Record(day=day.isoformat(), removed=dict(removed))]
    write_files(folder, {FILE: _FORM.dump_json(kept, indent=1).decode() + "\n"})
