"""Outputs that the authors of Speech2Face released on the paper's page (Oh et al., CVPR 2019), complete or in part.

Three parts of the page have clips with the rendered face:

- ``figures/voxceleb``: four digits before each name give gender, fluency of English, age band and ethnicity;
- ``figures/avspeech_res``: no labels;
- ``supplemental/FiginMain``: figures of the paper, with one man speaking English and Chinese.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported, counted
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


LABELS = ["group", "gender", "group_source", "gender_source", "native_language", "age_band", "fluency"]
"""Labels in the names of clips that belong to speakers."""
UNLABELLED = {"group": UNKNOWN, "gender": UNKNOWN, "language": "und"} | dict.fromkeys(
    ("age_band", "fluency", "native_language", "group_source", "gender_source", "language_source", "cluster"), ""
)


def read_release(root: Path, variant: str = "exg0") -> Imported:
    """The cohort in a checkout of the authors' page, with a remark for everything left out or assumed.

    ``variant`` is the exaggeration of the rendered face, of :data:`VARIANTS`; ``exg0`` is the unmodified output. The
    paper's figures have only one.
    """
    if variant not in VARIANTS:
        raise AuditError(f"Unknown variant {variant!r} of the released faces.", ", ".join(VARIANTS))
    face = VARIANTS[variant]
    parts = {"figures/voxceleb": face, "figures/avspeech_res": face, "supplemental/FiginMain": "Face_s2f"}
    present = {part: rendered for part, rendered in parts.items() if (root / part / "Wav").is_dir()}
    if not present:
        raise AuditError(f"{root} has no part of the released outputs.", " or ".join(f"{part}/Wav" for part in parts))

    rows: dict[str, dict[str, str]] = {}
    found = Scan(os.path.realpath(root), {".wav"})
    assistants = repeated = 0
    pictured: set[str] = set()
    for part, rendered in present.items():
        before = len(found.files)
        found.walk(f"{part}/Wav")
        pictured |= {path.stem for path in (root / part / rendered).glob("*.jpg")}
        for sound in map(Path, found.files[before:]):
            if sound.parent != Path(part, "Wav") or sound.suffix != ".wav":
                continue
            if sound.stem in rows:
                repeated += 1
            elif _ASSISTANT.match(sound.stem):
                assistants += 1
                pictured.discard(sound.stem)
            else:
                folders = {"portrait": "Face_ori", "ceiling": "Face_f2f", "rendered": rendered}
                pictures = {name: f"{part}/{folder}/{sound.stem}.jpg" for name, folder in folders.items()}
                pictures = {name: path if (root / path).is_file() else "" for name, path in pictures.items()}
                rows[sound.stem] = {"clip_id": sound.stem, "audio": str(sound), **pictures, **_labels(sound.stem)}
    clips = pd.DataFrame(rows.values())
    without_sound = len(pictured - set(rows))
    remarks = counted(
        (assistants, f"{assistants} clips of voice assistants (Zz_) were left out: they are not people."),
        (repeated, f"{repeated} clips of the paper's figures are also in another part and were used once."),
        (without_sound, f"{without_sound} rendered faces have no clip and were left out."),
    )
    return Imported(
        _speakers(clips) if len(clips) else clips,
        clips.drop(columns=LABELS, errors="ignore"),
        CohortNotes(
            name=f"Speech2Face released outputs ({variant})",
            licence="none given by the authors; local evaluation only",
            consent="none known: identifiable people of VoxCeleb and AVSpeech",
            notes="Labels are the page authors' codes in the file names, not self-identification.",
        ),
        (*remarks, *(_assumptions(clips) if len(clips) else ()), *found.remarks()),
    )


def _labels(stem: str) -> dict[str, str]:
    """Labels encoded in a file name."""
    if bilingual := _BILINGUAL.match(stem):
        asian_man = {"group": "asian", "gender": "man", "group_source": "metadata", "gender_source": "metadata"}
        language = {"language": LANGUAGE_OF_WORD[bilingual["language"]], "language_source": "metadata"}
        of_man = asian_man if bilingual["name"] == "6ce" else {}
        return UNLABELLED | {"speaker_id": bilingual["name"]} | language | of_man
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
            "cluster": coded["video"],
        }
    video = _AVSPEECH.match(stem)
    return UNLABELLED | {"speaker_id": video["video"] if video else stem, "cluster": video["video"] if video else ""}


def _speakers(clips: pd.DataFrame) -> pd.DataFrame:
    """One row per speaker; labels on which clips disagree are unknown."""
    grouped = clips.sort_values("clip_id").groupby("speaker_id", sort=True)
    speakers = grouped[[*LABELS, "portrait"]].first()
    for column in LABELS:
        speakers[column] = speakers[column].where(grouped[column].nunique() == 1, UNLABELLED[column])
    return speakers.reset_index()


def _assumptions(clips: pd.DataFrame) -> tuple[str, ...]:
    assumed, undetermined = (clips["language_source"] == "assumed").sum(), (clips["language"] == "und").sum()
    coded = clips["clip_id"].str.match(_VOXCELEB)
    unknown = clips[coded & (clips["group"] == UNKNOWN)]["speaker_id"].nunique()
    no_label = "Native American or as another group that the instrument has no label for: their group is unknown."
    return counted(
        (assumed, f"The language of {assumed} VoxCeleb clips is assumed to be English; no clip was checked."),
        (undetermined, f"The language of {undetermined} clips is undetermined (und)."),
        (
            bool((clips["group"] == "asian|indian").any()),
            "The code for Asian mixes East and South Asian people: either read counts as correct.",
        ),
        (unknown, f"{unknown} speakers are coded as {no_label}"),
    )


ADAPTER = Part(
    name="speech2face_released",
    summary="outputs released by the authors of Speech2Face on the paper's page, complete or in part",
    value=read_release,
)
