"""Removing one speaker from a run: rows, journal, faces, and what was made from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from audit.core.vocabulary import STAGES
from audit.core.written_files import listed, write_files
from audit.runs.faces import FaceError, faces_only_of, recorded_face, remove_faces, verified_face
from audit.runs.forgetting import remove_speaker
from audit.runs.journal import JOURNAL
from audit.runs.manifest import MANIFEST
from audit.runs.run import FACES, PLAN, Run, part_files

_KEPT: Final = frozenset({MANIFEST, PLAN, JOURNAL})
"""Listed files of a run that were not made from its observations."""


@dataclass(frozen=True)
class LeftRun:
    """What a speaker had in a run.

    Attributes
    ----------
    clips : frozenset of (str, str)
        The digest of the run before, and the id of each of the speaker's clips: by these a labelling sheet names its
        pictures.
    n_clips, n_faces : int
        Numbers of removed rows and pictures.
    audio : frozenset of str
        The sha256 of audio files that no other speaker has.
    pictures : frozenset of str
        The digests of the pixels of the speaker's kept faces that no other speaker has.
    n_unverified : int
        The number of the speaker's faces that were missing or not the recorded ones: what a cache or a sheet has of
        them cannot be found.
    removed_files : tuple of str
        Results that were made from the run before, and are removed: audit.json, the report, tables and charts.
    left_files : tuple of str
        Those that were changed since, or replaced by links, and are therefore left.
    """

    clips: frozenset[tuple[str, str]]
    n_clips: int
    n_faces: int
    audio: frozenset[str]
    pictures: frozenset[str]
    n_unverified: int
    removed_files: tuple[str, ...]
    left_files: tuple[str, ...]


def remove_from_run(folder: Path, speaker: str) -> LeftRun:
    """Remove a speaker from a run's folder.

    Raises
    ------
    RunError
        If the folder is not a run, is in use, or was changed after the run.
    """
    if not part_files(folder):
        return LeftRun(frozenset(), 0, 0, frozenset(), frozenset(), 0, (), ())
    run = Run.read(folder)
    names = faces_only_of(run.observations, [speaker])
    theirs = run.observations[run.observations["speaker_id"] == speaker]
    clips = frozenset((run.digest, clip) for clip in theirs["clip_id"])
    pictures, n_unverified = _digests(folder, theirs, names)
    removed = remove_speaker(folder, speaker)
    n_faces = remove_faces(folder, names)
    made = [name for name in listed(folder) if name not in _KEPT and (folder / name).exists()]
    if removed.n_clips:
        write_files(folder, {}, instead_of=made)
    gone = tuple(name for name in made if not (folder / name).exists())
    left = tuple(name for name in made if removed.n_clips and name not in gone)
    return LeftRun(clips, removed.n_clips, n_faces, removed.audio, pictures, n_unverified, gone, left)


def _digests(folder: Path, observed: pd.DataFrame, names: set[str]) -> tuple[frozenset[str], int]:
    """The digests of the pixels of kept faces, and how many could not be verified."""
    found: set[str] = set()
    unverified: set[str] = set()
    if not (folder / FACES).is_dir():
        return frozenset(), 0
    for row in observed.to_dict("records"):
        for stage in STAGES:
            face = recorded_face(row, stage)
            if face is not None and face.name in names:
                try:
                    found.add(verified_face(folder, face)[1])
                except FaceError:
                    unverified.add(face.name)
    return frozenset(found), len(unverified)
