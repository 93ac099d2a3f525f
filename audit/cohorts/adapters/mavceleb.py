"""MAV-Celeb v1, v2 and v3: the same speakers in two languages; see datasets/cards/mavceleb.md."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.importing.metadata import SpeakerFile
from audit.cohorts.importing.scanning import clips_in_layout
from audit.core.errors import CohortError
from audit.core.registry import Part
from audit.core.vocabulary import UNKNOWN

LANGUAGES = {"English": "en", "Urdu": "ur", "Hindi": "hi", "German": "de"}
_NUMBER = re.compile(r"(?:id)?0*(\d{1,4})")


def _speaker(stated: str) -> str:
    """The id as written in folder names, from that of the metadata."""
    number = _NUMBER.fullmatch(stated)
    return f"id{int(number[1]):04d}" if number else stated


META = SpeakerFile(
    ("v1_meta.csv", "v2_meta.csv", "v3_meta.csv"),
    {"ids": "speaker_id", "gender": "gender"},
    {"name": "name"},
    folders=("name",),
    folder_id=_speaker,
)


NOTES = CohortNotes(
    name="MAV-Celeb",
    licence="not checked here",
    consent="none known: celebrities in videos that others put online",
    notes="Languages are the data set's folders, genders its metadata. It has no labels of race.",
)


def read_mavceleb(root: Path, meta: str = "") -> Imported:
    """The cohort in a download of MAV-Celeb: ``voices/id0001/English/<video id>/00000.wav``.

    The language of a clip is its folder's; gender comes from ``vN_meta.csv``, or the file ``meta``; portraits from
    ``faces/id0001/``.
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
        cluster=frame["video"],  # YouTube's id
    )
    found = META.imported(root, clips.reset_index(drop=True), NOTES, layout.remarks, meta)
    alone = int((clips.groupby("speaker_id")["language"].nunique() < 2).sum())
    gendered = int((found.speakers["gender"] != UNKNOWN).sum())
    unknown = ", ".join(sorted(set(others))[:5])
    remarks = counted(
        (len(others), f"{len(others)} clips are in folders of an unknown language ({unknown}): left out."),
        (gendered, f"The genders of {gendered} speakers are from the data set's metadata; some are visibly wrong."),
        (alone, f"{alone} speakers have clips in one language only."),
    )
    portraits = "faces" if (root / "faces").is_dir() else ""
    return replace(found, remarks=(*found.remarks, *remarks), portraits=portraits)


ADAPTER = Part(
    name="mavceleb",
    summary="MAV-Celeb v1, v2, v3: voices/<id>/<language>/<video>/*.wav, and faces/",
    value=read_mavceleb,
)
