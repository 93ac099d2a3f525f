"""Selection of a portrait for each speaker from a folder of pictures."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from dataclasses import replace
from pathlib import Path

import pandas as pd

from audit.cohorts.importing.adapter import Imported
from audit.cohorts.importing.scanning import PICTURE_SUFFIXES, scan
from audit.core.errors import AuditError


def with_portraits(found: Imported, folder: Path, prefix: str, seed: int, *, wanted: bool = True) -> Imported:
    """Choose a portrait for every speaker who has pictures in ``folder/<name or id>/``.

    The choice depends only on the seed, the speaker's id and the picture's path, not on the order of files, the machine
    or other speakers.

    Parameters
    ----------
    found : Imported
        Speakers, with alternative folder names of their pictures.
    folder : Path
        Folder with a subfolder of pictures for each speaker, by id or name; pictures may be nested deeper.
    prefix : str
        Prefix of paths in the cohort, such as ``portraits/``.
    seed : int
        Seed of the draw.
    wanted : bool
        Whether the user requested portraits; if not, finding none is not an error.

    Raises
    ------
    AuditError
        If portraits were requested and no speaker has one.
    """
    if not folder.is_dir():
        raise AuditError(f"{folder} is not a directory.", "a folder with a folder of pictures for each speaker")
    there = {_same(entry.name): entry.name for entry in os.scandir(folder) if entry.is_dir()}
    chosen: dict[str, str] = {}
    owner: dict[str, str] = {}
    doubtful: set[str] = set()
    pictures, passed = 0, 0
    for speaker in sorted(found.speakers["speaker_id"]):
        names = (speaker, *found.folders.get(speaker, ()))
        name = next((there[_same(name)] for name in names if _same(name) in there), None)
        if name is None:
            continue
        looked = scan(folder, PICTURE_SUFFIXES, name)
        passed += looked.leading_out + looked.unnamed + looked.unreadable
        if not looked.files:
            continue
        if owner.setdefault(name, speaker) != speaker:
            doubtful |= {speaker, owner[name]}
        pictures += len(looked.files)
        chosen[speaker] = prefix + min(looked.files, key=lambda path: _draw(seed, speaker, path))
    chosen = {speaker: path for speaker, path in chosen.items() if speaker not in doubtful}
    if not chosen and wanted:
        raise AuditError(
            f"No speaker of the data set has a picture in {folder}.",
            "a folder for each speaker, named by id or name, with .jpg or .png files",
        )
    before = found.speakers["portrait"] if "portrait" in found.speakers else pd.Series("", found.speakers.index)
    portrait = found.speakers["speaker_id"].map(chosen).astype(object).fillna(before)
    without = int((portrait == "").sum())
    remarks = [
        f"Portraits of {len(chosen)} speakers were chosen by seed {seed} among {pictures} pictures; it was not "
        "checked whether they show the right person.",
        f"{without} speakers have no portrait." if without else "",
        f"{len(doubtful)} speakers share a folder of pictures with another speaker and have no portrait."
        if doubtful
        else "",
        f"{passed} links, folders or names among the portraits were skipped." if passed else "",
    ]
    return replace(
        found,
        speakers=found.speakers.assign(portrait=portrait),
        remarks=(*found.remarks, *filter(None, remarks)),
    )


def _same(name: str) -> str:
    """Normalise the Unicode form of a name."""
    return unicodedata.normalize("NFC", name)


def _draw(seed: int, speaker: str, path: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{speaker}\0{path}".encode()).digest()
