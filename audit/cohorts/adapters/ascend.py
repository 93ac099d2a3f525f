"""ASCEND: conversations in Mandarin, English and both, from Hong Kong; see datasets/cards/ascend.md."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.importing.bilingual import bilingual_remark
from audit.cohorts.importing.packed import ParquetAudio, read_rows
from audit.cohorts.importing.scanning import scan, suffix_of
from audit.core.audio_formats import AUDIO_SUFFIXES
from audit.core.errors import CohortError
from audit.core.registry import Part

COLUMNS = ("language", "original_speaker_id", "session_id", "topic")
LANGUAGES = {"en": "en", "zh": "zh", "mixed": "mul"}
"""``mul`` is several languages in one utterance: no evidence of any, and never half of a pair."""
LAYOUT = "main/{train,test,validation}-*.parquet, as on the Hugging Face Hub"
NOTES = CohortNotes(
    name="ASCEND",
    licence="CC BY-SA 4.0",
    consent="recorded for the data set; its terms not checked here",
    notes="The language of an utterance is the data set's annotation. No gender, age, race or face.",
)


def read_ascend(root: Path) -> Imported:
    """The cohort in the repository of ASCEND on the Hugging Face Hub: ``main/train-*.parquet`` and others.

    The audio is inside the Parquet files; that of the selected clips is written to the cohort's folder ``files``. An
    utterance in both languages is ``mul``. A session is the ``cluster`` of its utterances, whoever speaks.
    """
    found = scan(root, {".parquet"})
    if not found.files:
        raise CohortError([f"{root} has no Parquet file.", *found.remarks()], LAYOUT)
    rows = pd.concat([read_rows(root / path, COLUMNS).assign(source=path) for path in found.files], ignore_index=True)
    good = rows["audio"].map(suffix_of).isin(AUDIO_SUFFIXES) & rows["language"].isin([*LANGUAGES])
    good &= (rows["original_speaker_id"] != "") & ~rows["audio"].duplicated()
    if not good.any():
        raise CohortError([f"{root} has no row with a speaker, a language and an audio file."], LAYOUT)
    used = rows[good]
    clips = pd.DataFrame(
        {
            "clip_id": used["audio"].str.rsplit(".", n=1).str[0],
            "speaker_id": "spk" + used["original_speaker_id"],
            "audio": used["audio"],
            "language": used["language"].map(LANGUAGES),
            "language_source": "metadata",
            "cluster": ("session " + used["session_id"]).mask(used["session_id"] == "", ""),
            "topic": used["topic"],
        }
    )
    ill, mixed = int((~good).sum()), int((clips["language"] == "mul").sum())
    remarks = counted(
        (ill, f"{ill} rows lack a speaker, a known language or an audio file, or repeat one: left out."),
        (mixed, f"{mixed} utterances are in both languages (mul)."),
        (True, "The audio is inside Parquet files: that of the selected clips is in the cohort's folder files."),
    )
    names = rows["audio"].where(good, "")
    packed = ParquetAudio({root / path: list(names[rows["source"] == path]) for path in found.files})
    speakers = pd.DataFrame({"speaker_id": sorted(clips["speaker_id"].unique())})
    return Imported(speakers, clips, NOTES, (*remarks, bilingual_remark(clips)), packed=packed)


ADAPTER = Part(
    name="ascend",
    summary="ASCEND: main/*.parquet, as on the Hugging Face Hub",
    value=read_ascend,
)
