"""Outputs that the authors of Speech2Face released on the paper's page (Oh et al., CVPR 2019), complete or in part.

Three parts of the page have clips with the rendered face:

- ``figures/voxceleb``: four digits before each name give gender, fluency of English, age band and ethnicity;
- ``figures/avspeech_res``: no labels;
- ``supplemental/FiginMain``: figures of the paper, with one man speaking English and Chinese.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported
from audit.cohorts.importing.scanning import Scan
from audit.core.errors import AuditError
from audit.core.registry import Part
from audit.core.vocabulary import UNKNOWN

VARIANTS = {"exg0": "Face_exg0", "exg0.7": "Face_exg0.7", "exg1.4": "Face_exg1.4"}
GROUP_OF_DIGIT = {"0": UNKNOWN, "1": "asian|indian", "2": "black", "3": "latino_hispanic", "4": "white", "5": UNKNOWN}
AGE_BAND_OF_DIGIT = {"0": "under 20", "1": "20-39", "2": "40-59", "3": "60 and over", "4": "60 and over"}
LANGUAGE_OF_WORD = {"english": "en", "chinese": "zh"}
_VOXCELEB = re.compile(r"^(?P<digits>\d{4})(?P<name>.+)_(?P<video>[A-Za-z0-9_-]{11})_(?P<part>[0-9.\-]+)$")
_AVSPEECH = re.compile(r"^(?P<video>[A-Za-z0-9_-]{11})_(?P<start>\d+\.\d+)-(?P<end>\d+\.\d+)$")
_ASSISTANT = re.compile(r"^\d{4}Zz_")
_BILINGUAL = re.compile(r"^(?P<name>.+)-(?P<language>english|chinese)$")


@dataclass(frozen=True)
class _Part:
    folder: str
    rendered: str


def read_release(root: Path, variant: str = "exg0") -> Imported:
    """The cohort in a checkout of the authors' page.

    Parameters
    ----------
    root : Path
        The checkout, complete or in part.
    variant : {"exg0", "exg0.7", "exg1.4"}
        Exaggeration of the rendered face; ``exg0`` is the unmodified output. The paper's figures have only one.

    Returns
    -------
    Imported
        Speakers, clips, and a remark for everything left out or assumed.

    Raises
    ------
    AuditError
        If none of the three parts exists, or the variant is unknown.
    """
    if variant not in VARIANTS:
        raise AuditError(f"Unknown variant {variant!r} of the released faces.", ", ".join(VARIANTS))
    parts = [
        _Part("figures/voxceleb", VARIANTS[variant]),
        _Part("figures/avspeech_res", VARIANTS[variant]),
        _Part("supplemental/FiginMain", "Face_s2f"),
    ]
    present = [part for part in parts if (root / part.folder / "Wav").is_dir()]
    if not present:
        raise AuditError(
            f"{root} has no part of the released outputs.", " or ".join(f"{part.folder}/Wav" for part in parts)
        )

    rows: dict[str, dict[str, str]] = {}
    found = Scan(os.path.realpath(root), {".wav"})
    assistants = repeated = 0
    without_sound: set[str] = set()
    for part in present:
        folder = root / part.folder
        before = len(found.files)
        found.walk(f"{part.folder}/Wav")
        listed = map(Path, found.files[before:])
        sounds = [path for path in listed if path.parent == Path(part.folder, "Wav") and path.suffix == ".wav"]
        pictured = {path.stem for path in (folder / part.rendered).glob("*.jpg")}
        without_sound |= pictured - {path.stem for path in sounds}
        for sound in sounds:
            if sound.stem in rows:
                repeated += 1
            elif _ASSISTANT.match(sound.stem):
                assistants += 1
            else:
                rows[sound.stem] = dict(_row(root, part, sound.stem))
    without_sound -= set(rows)
    clips = pd.DataFrame(rows.values())
    speakers = _speakers(clips) if len(clips) else clips
    remarks = [
        f"{assistants} clips of voice assistants (Zz_) were left out: they are not people." if assistants else "",
        f"{repeated} clips of the paper's figures are also in another part and were used once." if repeated else "",
        f"{len(without_sound)} rendered faces have no clip and were left out." if without_sound else "",
    ]
    remarks += [*_assumptions(clips), *found.remarks()]
    labels = ["group", "gender", "age_band", "fluency", "group_source", "gender_source", "native_language"]
    return Imported(
        speakers,
        clips.drop(columns=labels, errors="ignore"),
        CohortNotes(
            name=f"Speech2Face released outputs ({variant})",
            licence="none given by the authors; local evaluation only",
            consent="none known: identifiable people of VoxCeleb and AVSpeech",
            notes="Labels are the page authors' codes in the file names, not self-identification.",
        ),
        tuple(filter(None, remarks)),
    )


def _row(root: Path, part: _Part, stem: str) -> Iterator[tuple[str, str]]:
    yield "clip_id", stem
    yield "audio", f"{part.folder}/Wav/{stem}.wav"
    for column, folder in (("portrait", "Face_ori"), ("ceiling", "Face_f2f"), ("rendered", part.rendered)):
        path = f"{part.folder}/{folder}/{stem}.jpg"
        yield column, path if (root / path).is_file() else ""
    yield from _labels(stem).items()


def _labels(stem: str) -> dict[str, str]:
    """Labels encoded in a file name."""
    unlabelled = {
        "group": UNKNOWN,
        "gender": UNKNOWN,
        "age_band": "",
        "fluency": "",
        "native_language": "",
        "group_source": "",
        "gender_source": "",
        "language": "und",
        "language_source": "",
    }
    if bilingual := _BILINGUAL.match(stem):
        asian_man = {"group": "asian", "gender": "man", "group_source": "metadata", "gender_source": "metadata"}
        return (
            unlabelled
            | {
                "speaker_id": bilingual["name"],
                "language": LANGUAGE_OF_WORD[bilingual["language"]],
                "language_source": "metadata",
            }
            | (asian_man if bilingual["name"] == "6ce" else {})
        )
    if coded := _VOXCELEB.match(stem):
        gender, fluency, band, ethnicity = tuple(coded["digits"])
        return {
            "speaker_id": coded["name"],
            "group": GROUP_OF_DIGIT.get(ethnicity, UNKNOWN),
            "gender": {"0": "man", "1": "woman"}.get(gender, UNKNOWN),
            "age_band": AGE_BAND_OF_DIGIT.get(band, ""),
            "fluency": {"0": "native", "1": "non-native"}.get(fluency, ""),
            "native_language": "en" if fluency == "0" else "",
            "group_source": "annotator",
            "gender_source": "annotator",
            "language": "en",
            "language_source": "assumed",
        }
    video = _AVSPEECH.match(stem)
    return unlabelled | {"speaker_id": video["video"] if video else stem}


def _speakers(clips: pd.DataFrame) -> pd.DataFrame:
    """One row per speaker; labels on which clips disagree are unknown."""
    columns = ["group", "gender", "group_source", "gender_source", "native_language", "age_band", "fluency"]
    grouped = clips.sort_values("clip_id").groupby("speaker_id", sort=True)
    speakers = grouped[[*columns, "portrait"]].first()
    for column in columns:
        undecided = UNKNOWN if column in ("group", "gender") else ""
        speakers[column] = speakers[column].where(grouped[column].nunique() == 1, undecided)
    return speakers.reset_index()


def _assumptions(clips: pd.DataFrame) -> Iterator[str]:
    if clips.empty:
        return
    assumed = int((clips["language_source"] == "assumed").sum())
    undetermined = int((clips["language"] == "und").sum())
    if assumed:
        yield f"The language of {assumed} VoxCeleb clips is assumed to be English; no clip was checked."
    if undetermined:
        yield f"The language of {undetermined} clips is undetermined (und)."
    if (clips["group"] == "asian|indian").any():
        yield "The code for Asian mixes East and South Asian people: either read counts as correct."
    coded = clips["clip_id"].str.match(_VOXCELEB)
    unknown = clips[coded & (clips["group"] == UNKNOWN)]["speaker_id"].nunique()
    if unknown:
        yield (
            f"{unknown} speakers are coded as Native American or as another group that the instrument has no label "
            "for: their group is unknown."
        )


ADAPTER = Part(
    name="speech2face_released",
    summary="outputs released by the authors of Speech2Face on the paper's page, complete or in part",
    value=read_release,
)
