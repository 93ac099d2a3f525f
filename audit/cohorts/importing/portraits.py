"""Selection of a portrait for each speaker from a folder of pictures."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.importing.scanning import PICTURE_SUFFIXES, kinds, scan
from audit.core.errors import AuditError


def with_portraits(found: Imported, folder: Path, prefix: str, seed: int, *, wanted: bool = True) -> Imported:
    """Choose a portrait for every speaker who has pictures in ``folder/<name or id>/``.

    Pictures may be nested deeper. The choice depends only on the seed, the speaker's id and the picture's path, not on
    the order of files, the machine or other speakers. Portraits in the cohort begin with ``prefix``, such as
    ``portraits/``. If they were ``wanted`` by the user, finding none is an error.
    """
    if not folder.is_dir():
        raise AuditError(f"{folder} is not a directory.", "a folder with a folder of pictures for each speaker")
    same = partial(unicodedata.normalize, "NFC")
    there = {same(entry.name): entry.name for entry in os.scandir(folder) if entry.is_dir()}

    def find(name: str) -> str:
        """Folder of that name or, with a slash, below it; empty if there is none."""
        if "/" not in name:
            return there.get(same(name), "")
        place = (folder / name).resolve()
        return name if place.is_dir() and place.is_relative_to(folder.resolve()) else ""

    chosen: dict[str, str] = {}
    owner: dict[str, str] = {}
    doubtful: set[str] = set()
    pictures, passed = 0, 0
    others: Counter[tuple[str, str]] = Counter()
    for speaker in sorted(found.speakers["speaker_id"]):
        names = (speaker, *found.folders.get(speaker, ()))
        name = next(filter(None, map(find, names)), "")
        if not name:
            continue
        looked = scan(folder, PICTURE_SUFFIXES, name)
        passed += looked.leading_out + looked.unnamed + looked.unreadable
        others.update(looked.others)
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
    without, shared = int((portrait == "").sum()), len(doubtful)
    drawn = (
        f"Portraits of {len(chosen)} speakers were chosen by seed {seed} among {pictures} pictures; it was not "
        "checked whether they show the right person."
    )
    remarks = counted(
        (without, f"{without} speakers have no portrait."),
        (shared, f"{shared} speakers share a folder of pictures with another speaker and have no portrait."),
        (
            others.total(),
            f"{others.total()} files among the portraits have no extension of a picture and were left out: "
            f"{kinds(others)}.",
        ),
        (passed, f"{passed} links, folders or names among the portraits were skipped."),
    )
    speakers = found.speakers.assign(portrait=portrait)
    return replace(found, speakers=speakers, remarks=(*found.remarks, drawn, *remarks))


def _draw(seed: int, speaker: str, path: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{speaker}\0{path}".encode()).digest()
