"""EMIME bilingual: talkers reading English and their own language in one studio; see datasets/cards/emime.md."""

from __future__ import annotations

from pathlib import Path

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.importing.bilingual import bilingual_remark
from audit.cohorts.importing.metadata import GENDER_WORDS
from audit.cohorts.importing.named_clips import named_clips, used_once
from audit.core.errors import AuditError, CohortError
from audit.core.registry import Part

LANGUAGES = {"ENG": "en", "FIN": "fi", "GER": "de", "MAN": "zh"}
NATIVE = {"E": "en", "F": "fi", "G": "de", "M": "zh"}
"""First language by the first letter of a talker's name; the second letter is the gender."""
CLIP = (
    r"(?:.*/)?(?P<clip_id>(?P<speaker_id>(?P<native>[EFGM])(?P<gender>[FM])\d+)_"
    rf"(?P<spoken>{'|'.join(LANGUAGES)})_(?P<sentence>\d{{4}}))(?:_(?P<mic>[01]))?"
)
LAYOUT = "<talker>_<ENG|FIN|GER|MAN>_<sentence>[_<microphone>].wav"
MICS = ("0", "1")
NOISE_ONLY = ("GF3_ENG_0069", "GF3_ENG_0094")
"""Recordings without speech, by the README of release 1.0."""
NOT_RECORDED = {"FM4_FIN_": "50 Finnish sentences (5 to 54)"}
"""What talkers did not record in a language, by the same README."""
NOTES = CohortNotes(
    name="EMIME bilingual database",
    licence="Open Database License, contents DbCL (Finnish and German release); Mandarin release not checked here",
    consent="recorded for the data set; its terms not checked here",
    notes="Languages, first languages and genders are from the data set's file names. No age, race or face.",
)


def read_emime(root: Path, mic: str = MICS[0]) -> Imported:
    """The cohort in a download of EMIME: ``GF3_ENG_0069.wav`` or ``GF3_ENG_0069_0.wav``, in any folder.

    ``mic`` is the microphone, 0 or 1, of copies that have both: they recorded the same speech, so the cohort has one of
    them. Names without a microphone are read in any case.
    """
    if mic not in MICS:
        raise AuditError(f"EMIME has no microphone {mic!r}.", ", ".join(MICS))
    frame, remarks = named_clips(root, CLIP, LAYOUT)
    other_mic = ~frame["mic"].isin(["", mic])
    noise = ~other_mic & frame["clip_id"].isin(NOISE_ONLY)
    clips, again = used_once(frame[~other_mic & ~noise])
    if clips.empty:
        raise CohortError([f"{root} has no clip of the microphone {mic}."], "the option mic=0 or mic=1")
    used, left, noisy = int((clips["mic"] == mic).sum()), int(other_mic.sum()), int(noise.sum())
    gaps = [(bool(clips["clip_id"].str.startswith(name).any()), name[:3], what) for name, what in NOT_RECORDED.items()]
    remarks = (
        *remarks,
        *counted(
            (used, f"{used} clips are of the microphone {mic}; {left} of the other were left out (--option mic=)."),
            (noisy, f"{noisy} clips are known to be noise only and were left out."),
            *((there, f"{talker} did not record {what}, by the data set's README.") for there, talker, what in gaps),
        ),
        *again,
    )
    clips = clips.assign(
        language=clips["spoken"].map(LANGUAGES),
        language_source="metadata",
        text_id=clips["spoken"].str.lower() + "_" + clips["sentence"],
    )
    talkers = clips.drop_duplicates("speaker_id")
    speakers = talkers[["speaker_id"]].assign(
        gender=talkers["gender"].str.lower().map(GENDER_WORDS),
        gender_source="metadata",
        native_language=talkers["native"].map(NATIVE),
    )
    clips = clips.drop(columns=["native", "gender", "spoken", "sentence"])
    return Imported(speakers, clips, NOTES, (*remarks, bilingual_remark(clips)))


ADAPTER = Part(
    name="emime",
    summary="EMIME bilingual: <talker>_<language>_<sentence>[_<microphone>].wav in any folder",
    value=read_emime,
)
