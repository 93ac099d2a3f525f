"""MAV-Celeb v1, v2 and v3: the same speakers in two languages; see datasets/cards/mavceleb.md."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import chain
from pathlib import Path, PurePosixPath

import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.importing.metadata import SpeakerFile
from audit.cohorts.importing.scanning import clips_in_layout
from audit.core.errors import AuditError, CohortError
from audit.core.registry import Part
from audit.core.vocabulary import UNKNOWN

LANGUAGES = {"English": "en", "Urdu": "ur", "Hindi": "hi", "German": "de"}
EDITIONS = ("v1", "v2", "v3")
LAYOUT = "voices/id0001/<language>/<video id>/00000.wav"
_NUMBER = re.compile(r"(?:id)?0*(\d{1,4})")


def _speaker(stated: str) -> str:
    """The id as written in folder names, from that of the metadata."""
    number = _NUMBER.fullmatch(stated)
    return f"id{int(number[1]):04d}" if number else stated


META = SpeakerFile(
    tuple(f"{edition}_meta.csv" for edition in EDITIONS),
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
    ``faces/id0001/``. Editions side by side (``v1/voices``, ``v2/voices``) use the same ids for different people:
    speakers and clips then have ids such as ``v1-id0001``.
    """
    _refuse_test_split(root)
    editions = _editions(root)
    if not editions:
        return _read_edition(root, META, meta)
    if meta:
        raise AuditError(
            f"The option meta names one file, but {root} has the editions {', '.join(editions)}.",
            "vN_meta.csv in the folder of each edition",
        )
    parts = [
        _with_edition(_read_edition(root / folder, replace(META, names=(f"{name}_meta.csv",)), ""), name, folder)
        for name, folder in editions.items()
    ]
    different = (
        f"The editions {', '.join(editions)} use the same ids for different people: speakers are named by edition, "
        f"such as {parts[0].speakers['speaker_id'].iloc[0]}. Whether a person is in several editions is not known."
    )
    return Imported(
        pd.concat([part.speakers for part in parts], ignore_index=True),
        pd.concat([part.clips for part in parts], ignore_index=True),
        NOTES,
        (different, *chain.from_iterable(part.remarks for part in parts)),
        folders={speaker: names for part in parts for speaker, names in part.folders.items()},
        portraits="." if any(part.portraits for part in parts) else "",
        without_clips=frozenset[str]().union(*(part.without_clips for part in parts)),
    )


def _refuse_test_split(root: Path) -> None:
    """Raise CohortError for the test split of the FAME challenge, which names no speakers."""
    named = {path.name for pattern in ("voices/*/", "*/voices/*/") for path in root.glob(pattern)}
    if named and named <= {*LANGUAGES}:
        raise CohortError(
            [
                f"{root} is the test split of the FAME challenge (voices/{min(named)}/00000.wav): it names no "
                "speakers, and an audit compares speakers."
            ],
            LAYOUT,
            "Import the training split, or give speakers in a table: audit cohort import folder ROOT.",
        )


def _editions(root: Path) -> dict[str, str]:
    """Folders of the editions that are side by side in a download; empty if there is only one.

    Raises
    ------
    CohortError
        If there are several folders of voices, and one is of an unknown edition or two are of the same one.
    """
    places = [path for path in root.glob("*/voices/") if path.resolve().is_relative_to(root.resolve())]
    folders = sorted(path.parent.name for path in places if not path.parent.name.startswith("."))
    if (root / "voices").is_dir():
        folders = ["", *folders]
    if len(folders) < 2:
        return {}
    names = [_edition(root / folder) if folder else "" for folder in folders]
    if "" in names or len(set(names)) < len(names):
        listed = ", ".join(f"{folder or '.'}/voices" for folder in folders)
        raise CohortError(
            [f"{root} has several folders of voices ({listed}); ids begin anew in each edition of MAV-Celeb."],
            "one folder for each edition, with v1, v2 or v3 in its name",
            "Import one edition at a time, or name the folders.",
        )
    return dict(zip(names, folders, strict=True))


def _edition(folder: Path) -> str:
    """Edition of a folder, by its name or its metadata file; empty if that is not clear."""
    files = [name for name in EDITIONS if (folder / f"{name}_meta.csv").is_file()]
    named = re.findall(r"v[1-3](?!\d)", folder.name.lower()) or files
    return named[0] if len(set(named)) == 1 else ""


def _with_edition(found: Imported, edition: str, folder: str) -> Imported:
    """An edition with its name in all ids, and with paths relative to the root of the download."""
    speakers, clips = found.speakers, found.clips
    faces = PurePosixPath(folder, found.portraits)
    return replace(
        found,
        speakers=speakers.assign(speaker_id=f"{edition}-" + speakers["speaker_id"], edition=edition),
        clips=clips.assign(
            speaker_id=f"{edition}-" + clips["speaker_id"],
            clip_id=f"{edition}-" + clips["clip_id"],
            audio=f"{folder}/" + clips["audio"],
        ),
        remarks=tuple(f"{edition}: {remark}" for remark in found.remarks),
        folders={
            f"{edition}-{speaker}": tuple(str(faces / name) for name in (speaker, *found.folders.get(speaker, ())))
            for speaker in speakers["speaker_id"]
        },
        without_clips=frozenset(f"{edition}-{speaker}" for speaker in found.without_clips),
    )


def _read_edition(root: Path, file: SpeakerFile, meta: str) -> Imported:
    """One edition, with its own ids."""
    layout = clips_in_layout(root, ("voices",), 3, LAYOUT, beside=["faces"])
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
    _check_second_languages(clips)
    found = file.imported(root, clips.reset_index(drop=True), NOTES, layout.remarks, meta)
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


def _check_second_languages(clips: pd.DataFrame) -> None:
    """Raise CohortError if speakers have two languages besides English: then editions were unpacked over each other."""
    others = clips[clips["language"] != "en"].groupby("speaker_id")["language"].unique()
    several = others[others.map(len) > 1]
    if len(several):
        raise CohortError(
            [
                f"{len(several)} speakers, such as {several.index[0]}, have clips in {' and '.join(several.iloc[0])}: "
                "editions that use the same ids for different people were unpacked over each other."
            ],
            "one folder for each edition, such as v1/voices and v2/voices",
        )


ADAPTER = Part(
    name="mavceleb",
    summary="MAV-Celeb v1, v2, v3: voices/<id>/<language>/<video>/*.wav, and faces/",
    value=read_mavceleb,
)
