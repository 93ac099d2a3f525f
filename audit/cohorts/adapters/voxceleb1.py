"""VoxCeleb1, as distributed; see datasets/cards/voxceleb1.md."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported
from audit.cohorts.importing.metadata import find_file, known_speakers, read_metadata, with_gender
from audit.cohorts.importing.scanning import Layout, clips_in_layout
from audit.core.errors import CohortError
from audit.core.registry import Part
from audit.core.vocabulary import UNKNOWN

SPEAKER = re.compile(r"id\d{5}")
META = "vox1_meta.csv"
DOUBTFUL_NATIONALITY = "Norway"


def read_voxceleb1(root: Path, meta: str = "") -> Imported:
    """The cohort in a download of VoxCeleb1: ``wav/idNNNNN/<video id>/NNNNN.wav``.

    Gender and nationality come from ``vox1_meta.csv``. Nationality is kept as a column; no group is derived from it.

    Parameters
    ----------
    root : Path
        The folder with ``wav``, or with ``dev/wav`` and ``test/wav``.
    meta : str
        Path of ``vox1_meta.csv``, if not in the download.

    Raises
    ------
    CohortError
        If no clip is in that layout, or the metadata cannot be read.
    """
    clips, remarks = video_clips(clips_in_layout(root, ("wav", "flac"), 2, "wav/idNNNNN/<video id>/NNNNN.wav"))
    path = find_file(root, [META], meta)
    columns = {"VoxCeleb1 ID": "speaker_id", "Gender": "gender"}
    further = {"VGGFace1 ID": "name", "Nationality": "nationality", "Set": "set"}
    known = known_speakers(clips["speaker_id"], read_metadata(path, columns, further) if path else None, META)
    speakers, odd = with_gender(known.speakers, "metadata", META)
    nationality = speakers["nationality"] if "nationality" in speakers else pd.Series(dtype=str)
    doubtful = int((nationality == DOUBTFUL_NATIONALITY).sum())
    norway = (
        f"{doubtful} speakers have the nationality {DOUBTFUL_NATIONALITY}; most of them are French, a known "
        f"error of {META}."
    )
    return Imported(
        speakers.drop(columns="name", errors="ignore").assign(group=UNKNOWN, group_source=""),
        clips.assign(language="und", language_source=""),
        CohortNotes(
            name="VoxCeleb1",
            licence="VoxCeleb's own terms: not checked here",
            consent="none known: celebrities in videos that others put online",
            notes="Gender is the data set's metadata. It has no labels of race or language.",
        ),
        (*remarks, *known.remarks, *odd, *((norway,) if doubtful else ())),
        folders=folders_of(speakers, "name"),
        without_clips=known.without_clips,
    )


def video_clips(layout: Layout) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Clips ``idNNNNN/<video id>/NNNNN``, named as in the data set's trial lists.

    Raises
    ------
    CohortError
        If no folder name is a speaker id.
    """
    frame = pd.DataFrame(layout.parts, columns=["speaker_id", "video", "clip"]).assign(audio=layout.paths)
    named = frame["speaker_id"].str.fullmatch(SPEAKER)
    if not named.any():
        raise CohortError(["No folder is named as a speaker of VoxCeleb."], "idNNNNN, as in id10001")
    others = int((~named).sum())
    remarks = (*layout.remarks, f"{others} clips are in folders that are not a speaker (idNNNNN) and were left out.")
    frame = frame[named]
    clip_id = frame["speaker_id"] + "/" + frame["video"] + "/" + frame["clip"]
    kept = frame[["speaker_id", "audio", "video"]].assign(clip_id=clip_id)
    return kept.reset_index(drop=True), remarks if others else layout.remarks


def folders_of(speakers: pd.DataFrame, *columns: str) -> dict[str, tuple[str, ...]]:
    """Folder names of pictures in other data sets, by speaker."""
    named = [column for column in columns if column in speakers]
    rows = speakers[["speaker_id", *named]].itertuples(index=False)
    return {row[0]: tuple(filter(None, row[1:])) for row in rows} if named else {}


ADAPTER = Part(
    name="voxceleb1",
    summary="VoxCeleb1: wav/<id>/<video>/*.wav and vox1_meta.csv",
    value=read_voxceleb1,
)
