"""MAV-Celeb v1, v2 and v3: the same speakers in two languages; see datasets/cards/mavceleb.md."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.adapters.voxceleb1 import folders_of
from audit.cohorts.importing.adapter import Imported
from audit.cohorts.importing.metadata import find_file, known_speakers, read_metadata, with_gender
from audit.cohorts.importing.scanning import clips_in_layout
from audit.core.errors import CohortError
from audit.core.registry import Part
from audit.core.vocabulary import UNKNOWN

LANGUAGES = {"English": "en", "Urdu": "ur", "Hindi": "hi", "German": "de"}
METAS = ("v1_meta.csv", "v2_meta.csv", "v3_meta.csv")
_NUMBER = re.compile(r"(?:id)?0*(\d{1,4})")


def read_mavceleb(root: Path, meta: str = "") -> Imported:
    """The cohort in a download of MAV-Celeb: ``voices/id0001/English/<video id>/00000.wav``.

    The language of a clip is its folder's; gender comes from ``vN_meta.csv``; portraits from
    ``faces/id0001/``.

    Parameters
    ----------
    root : Path
        The folder with ``voices`` and ``faces``.
    meta : str
        Path of the metadata, if not in the download.

    Raises
    ------
    CohortError
        If no clip is in that layout, or the metadata cannot be read.
    """
    layout = clips_in_layout(root, ("voices",), 3, "voices/id0001/<language>/<video id>/00000.wav")
    frame = pd.DataFrame(layout.parts, columns=["speaker_id", "language", "video", "clip"]).assign(audio=layout.paths)
    spoken = frame["language"].isin(list(LANGUAGES))
    if not spoken.any():
        raise CohortError(["No folder is named as a language of MAV-Celeb."], ", ".join(LANGUAGES))
    others = frame.loc[~spoken, "language"]
    frame = frame[spoken]
    clips = frame[["speaker_id", "audio", "video"]].assign(
        clip_id=frame["speaker_id"] + "/" + frame["language"] + "/" + frame["video"] + "/" + frame["clip"],
        language=frame["language"].map(LANGUAGES),
        language_source="metadata",
    )
    path = find_file(root, METAS, meta)
    table = None
    if path is not None:
        table = read_metadata(path, {"ids": "speaker_id", "gender": "gender"}, {"name": "name"})
        table["speaker_id"] = table["speaker_id"].map(_speaker)
    known = known_speakers(clips["speaker_id"], table, path.name if path else "vN_meta.csv")
    speakers, odd = with_gender(known.speakers, "metadata", path.name if path else "")
    alone = int((clips.groupby("speaker_id")["language"].nunique() < 2).sum())
    gendered = int((speakers["gender"] != UNKNOWN).sum())
    remarks = [
        f"{len(others)} clips are in folders of an unknown language ({', '.join(sorted(set(others))[:5])}): left out."
        if len(others)
        else "",
        f"The genders of {gendered} speakers are from the data set's metadata; some are visibly wrong."
        if gendered
        else "",
        f"{alone} speakers have clips in one language only." if alone else "",
    ]
    return Imported(
        speakers.drop(columns="name", errors="ignore").assign(group=UNKNOWN, group_source=""),
        clips.reset_index(drop=True),
        CohortNotes(
            name="MAV-Celeb",
            licence="not checked here",
            consent="none known: celebrities in videos that others put online",
            notes="Languages are the data set's folders, genders its metadata. It has no labels of race.",
        ),
        (*layout.remarks, *known.remarks, *odd, *filter(None, remarks)),
        folders=folders_of(speakers, "name"),
        portraits=next((place for place in ("faces",) if (root / place).is_dir()), ""),
        without_clips=known.without_clips,
    )


def _speaker(stated: str) -> str:
    """The id as written in folder names, from that of the metadata."""
    number = _NUMBER.fullmatch(stated)
    return f"id{int(number[1]):04d}" if number else stated


ADAPTER = Part(
    name="mavceleb",
    summary="MAV-Celeb v1, v2, v3: voices/<id>/<language>/<video>/*.wav, and faces/",
    value=read_mavceleb,
)
