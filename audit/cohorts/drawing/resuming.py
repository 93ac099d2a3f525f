"""The folder of a draw: whose it is, which speakers are finished, and the tables at the end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from audit.core.errors import RunError
from audit.core.files import TEMPORARY, write_whole
from audit.core.written_files import refuse_foreign_files, write_files

STATE: Final = "draw.json"
RECORDS: Final = "drawing"
"""Subfolder with a record of each finished speaker; removed when all are."""
FOLDERS: Final = ("audio", "portraits", RECORDS)
NEXT: Final = "Choose another folder for -o."

ClipRow = dict[str, str]
"""A row of ``clips.csv``."""


class Settings(BaseModel):
    """The settings of a draw. ``recipe`` grows with every version of the package that draws differently."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    speech: str
    split: str
    speakers: int
    languages: tuple[str, ...]
    groups: tuple[str, ...]
    clips: int
    recipe: int = 1


class _State(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    settings: Settings
    seed_check: str


@dataclass(frozen=True)
class DrawFolder:
    """The folder of a draw; use :func:`open_folder`."""

    home: Path
    state: _State

    def begin(self) -> None:
        """Make the folder and write the settings into it, unless that is done."""
        for name in FOLDERS:
            (self.home / name).mkdir(parents=True, exist_ok=True)
        if not is_draw(self.home):
            write_whole(self.home / STATE, self.state.model_dump_json(indent=1) + "\n")

    @property
    def complete(self) -> bool:
        """Whether the tables are written."""
        return all((self.home / name).is_file() for name in ("cohort.toml", "clips.csv", "speakers.csv"))

    def finished(self, speakers: Iterable[str]) -> dict[str, list[ClipRow]]:
        """The rows of the clips of each speaker of whom all files are there."""
        listed = self._listed()
        found = {}
        for speaker in speakers:
            record = self.home / RECORDS / f"{speaker}.json"
            rows = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else listed.get(speaker, [])
            files = [f"portraits/{speaker}.jpg", *(row["audio"] for row in rows)]
            if rows and all((self.home / name).is_file() for name in files):
                found[speaker] = rows
        return found

    def finish(self, files: Mapping[str, str], speakers: Iterable[str]) -> None:
        """Write the tables, in order, and remove the speakers' records."""
        write_files(self.home, files)
        for name in ("", *FOLDERS):
            for path in (self.home / name).glob(".audit-*"):
                if TEMPORARY.fullmatch(path.name):
                    path.unlink(missing_ok=True)
        records = self.home / RECORDS
        for speaker in speakers:
            (records / f"{speaker}.json").unlink(missing_ok=True)
        if records.is_dir() and not any(records.iterdir()):
            records.rmdir()

    def _listed(self) -> dict[str, list[ClipRow]]:
        """The rows of the table of clips, if the draw was finished before."""
        path = self.home / "clips.csv"
        if not path.is_file():
            return {}
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        return {str(speaker): _texts(rows) for speaker, rows in table.groupby("speaker_id")}


def open_folder(home: Path, settings: Settings, key: str) -> DrawFolder:
    """The folder of a draw. Nothing is made or changed yet.

    Raises
    ------
    RunError
        If it has other contents, or is of a draw with other settings or another seed.
    """
    state = _State(settings=settings, seed_check=hashlib.sha256(f"draw/{key}".encode()).hexdigest())
    if home.is_symlink() or home.resolve() == Path.cwd():
        raise RunError(f"{home} is a link or the current directory.", "a new or empty folder", NEXT)
    if home.exists() and not home.is_dir():
        raise RunError(f"{home} is not a directory.", "a new or empty folder", NEXT)
    if is_draw(home):
        refuse_foreign_files(home, (), folders=FOLDERS)
        _refuse_other(home, state)
    elif home.is_dir() and any(not TEMPORARY.fullmatch(path.name) for path in home.iterdir()):
        raise RunError(
            f"{home} is not empty and was not made by audit cohort draw.",
            "a new or empty folder, or that of a draw to continue",
            NEXT,
        )
    return DrawFolder(home, state)


def is_draw(home: Path) -> bool:
    """Whether a folder was made by a draw."""
    return (home / STATE).is_file() and not home.is_symlink() and not (home / STATE).is_symlink()


def _refuse_other(home: Path, state: _State) -> None:
    """Refuse the folder of a draw with other settings or another seed."""
    try:
        found = _State.model_validate_json((home / STATE).read_bytes())
    except ValidationError as error:
        found_error = f"{home / STATE} cannot be read: {error.errors()[0]['msg']}."
        raise RunError(found_error, "the file as it was written", NEXT) from None
    before, now = found.settings.model_dump(), state.settings.model_dump()
    other = [f"{name} {_words(before[name])}, now {_words(now[name])}" for name in now if before[name] != now[name]]
    if other:
        raise RunError(
            f"{home} was drawn with other settings: {'; '.join(other)}.",
            "the same settings, to continue it",
            "Repeat them, or choose another folder for -o.",
        )
    if found.seed_check != state.seed_check:
        raise RunError(
            f"{home} was drawn with another seed.",
            "the seed that it was begun with, to continue it",
            "Repeat the seed, or choose another folder for -o.",
        )


def _words(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _texts(rows: pd.DataFrame) -> list[ClipRow]:
    return [{str(name): str(value) for name, value in row.items()} for row in rows.to_dict("records")]
