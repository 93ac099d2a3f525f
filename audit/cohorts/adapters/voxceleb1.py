"""VoxCeleb1, as distributed; see datasets/cards/voxceleb1.md."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.importing.metadata import SpeakerFile
from audit.cohorts.importing.scanning import clips_in_layout
from audit.core.errors import CohortError
from audit.core.registry import Part

SPEAKER = re.compile(r"id\d{5}")
META = SpeakerFile(
    ("vox1_meta.csv",),
    {"VoxCeleb1 ID": "speaker_id", "Gender": "gender"},
    {"VGGFace1 ID": "name", "Nationality": "nationality", "Set": "set"},
    folders=("name",),
)
DOUBTFUL_NATIONALITY = "Norway"


def read_voxceleb1(root: Path, meta: str = "") -> Imported:
    """The cohort in a download of VoxCeleb1: ``wav/idNNNNN/<video id>/NNNNN.wav``.

    ``wav`` may also be in ``dev`` and ``test``, or be missing: speakers' folders may be in the root or in one of its
    folders, as in ``voxceleb1/idNNNNN``, where voxceleb_trainer puts them. Gender and nationality come from
    ``vox1_meta.csv``, or the file ``meta``. Nationality is kept as a column; no group is derived from it.
    """
    notes = "Gender is the data set's metadata. It has no labels of race or language."
    version = Version("VoxCeleb1", ("wav", "flac"), "wav/idNNNNN/<video id>/NNNNN.wav", r"id1\d{4}", META, notes)
    found = read_voxceleb(root, version, meta)
    doubtful = int((found.speakers.get("nationality", pd.Series()) == DOUBTFUL_NATIONALITY).sum())
    norway = (
        f"{doubtful} speakers have the nationality {DOUBTFUL_NATIONALITY}; most of them are French, a known error of "
        f"{META.names[0]}."
    )
    return replace(found, remarks=(*found.remarks, *counted((doubtful, norway))))


@dataclass(frozen=True)
class Version:
    """A version of VoxCeleb: its name, layout, metadata file and notes."""

    name: str
    tops: tuple[str, ...]
    """Names of the folder that has the speakers' folders."""
    layout: str
    """The layout in error messages."""
    speaker: str
    """Pattern of its speakers' ids."""
    file: SpeakerFile
    notes: str


def read_voxceleb(root: Path, version: Version, meta: str) -> Imported:
    """The cohort in a download of a version of VoxCeleb; clips are named as in the data set's trial lists."""
    found = clips_in_layout(root, version.tops, 2, version.layout, speaker=version.speaker)
    frame = pd.DataFrame(found.parts, columns=["speaker_id", "video", "clip"]).assign(audio=found.paths)
    named = frame["speaker_id"].str.fullmatch(SPEAKER)
    if not named.any():
        raise CohortError(["No folder is named as a speaker of VoxCeleb."], "idNNNNN, as in id10001")
    others = int((~named).sum())
    frame = frame[named].reset_index(drop=True)
    clip_id = frame["speaker_id"] + "/" + frame["video"] + "/" + frame["clip"]
    about = CohortNotes(
        name=version.name,
        licence="VoxCeleb's own terms: not checked here",
        consent="none known: celebrities in videos that others put online",
        notes=version.notes,
    )
    outside = counted((others, f"{others} clips are in folders that are not a speaker (idNNNNN) and were left out."))
    # the ids of videos are YouTube's, so speakers of one video share it
    clips = frame[["speaker_id", "audio", "video"]].assign(clip_id=clip_id, cluster=frame["video"])
    return version.file.imported(root, clips, about, (*found.remarks, *outside), meta)


ADAPTER = Part(
    name="voxceleb1",
    summary="VoxCeleb1: wav/<id>/<video>/*.wav and vox1_meta.csv",
    value=read_voxceleb1,
)
