"""One portrait for each speaker, out of a folder of pictures of everybody."""

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

    The choice hangs on the seed, the speaker's id and the picture's own path only: it is the same in any order of
    files, on any machine, and whoever else is there.

    Parameters
    ----------
    found : Imported
        Speakers, and the names under which others keep pictures of them.
    folder : Path
        A folder with a folder of pictures for each speaker, by id or by name; pictures may lie deeper in it.
    prefix : str
        What a path to the folder begins with in the cohort, as in ``portraits/``.
    seed : int
        Another seed draws another picture of each speaker.
    wanted : bool
        Whether the user asked for these; if not, it is no error that there is none.

    Raises
    ------
    AuditError
        If no speaker has a picture there, and they were asked for.
    """
    if not folder.is_dir():
        raise AuditError(f"{folder} is no folder.", "a folder with a folder of pictures for each speaker")
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
        f"Portraits of {len(chosen)} speakers were chosen by seed {seed} among {pictures} pictures; nobody looked "
        "whether they show the right person.",
        f"{without} speakers have no portrait." if without else "",
        f"{len(doubtful)} speakers share a folder of pictures with another and got no portrait." if doubtful else "",
        f"{passed} links, folders or names among the portraits were passed over." if passed else "",
    ]
    return replace(
        found,
        speakers=found.speakers.assign(portrait=portrait),
        remarks=(*found.remarks, *filter(None, remarks)),
    )


def _same(name: str) -> str:
    """Two spellings of one name in Unicode are one name."""
    return unicodedata.normalize("NFC", name)


def _draw(seed: int, speaker: str, path: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{speaker}\0{path}".encode()).digest()
