"""NISP: Indian speakers in English and a language of India; see datasets/cards/nisp.md."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.importing.bilingual import bilingual_remark
from audit.cohorts.importing.metadata import SpeakerFile
from audit.cohorts.importing.named_clips import named_clips, used_once
from audit.cohorts.importing.scanning import named
from audit.core.errors import CohortError
from audit.core.registry import Part

LANGUAGES = {"Eng": "en", "Hin": "hi", "Kan": "kn", "Mal": "ml", "Tam": "ta", "Tel": "te"}
CLIP = rf"(?:.*/)?(?P<clip_id>(?P<speaker_id>[A-Z][a-z]{{2}}_\d{{4}})_(?P<spoken>{'|'.join(LANGUAGES)})_[fm]_\d{{4}})"
LAYOUT = "RECS/Hin_0001_Eng_f_0000.wav"
META = SpeakerFile(
    ("total_spkrinfo.list",),
    {"Speaker_ID": "speaker_id", "Gender": "gender", "Mother_Tongue": "mother_tongue", "Age": "age"},
    spaces=True,
)
"""Height, weight and other measures of the body, and the place of birth, are not read."""
MOTHER_TONGUES = {
    **{"hindi": "hi", "kannada": "kn", "tamil": "ta", "telugu": "te"},
    **dict.fromkeys(("malayalam", "malayam", "malyalam"), "ml"),
    **{"bengali": "bn", "gujarati": "gu", "kodava": "kfa", "konkani": "kok", "kumauni": "kfy", "marathi": "mr"},
    **{"odia": "or", "sourashtra": "saz", "tulu": "tcy", "urdu": "ur"},
}
"""Codes of the words in the column Mother_Tongue, in lower case and with its misspellings."""
PARTS = "RECS.tar.gz.a*"
JOIN = f"Join all parts of one folder, then unpack: cat {PARTS} | tar -xz"
NOTES = CohortNotes(
    name="NISP",
    licence="CC BY 4.0",
    consent="recorded for the data set; its terms not checked here",
    notes="Languages of clips are from the data set's file names; genders, ages and mother tongues from its list of "
    "speakers. No face. All speakers are Indian; country is not race, so their group is unknown.",
)


def read_nisp(root: Path, info: str = "") -> Imported:
    """The cohort in a checkout of NISP with its archives unpacked: ``Hin_0001_Eng_f_0000.wav`` in any folder.

    The language of a clip is in its name. Gender, age and mother tongue (``native_language``) come from
    ``total_spkrinfo.list``, or the file ``info``.
    """
    parts = sorted({path.parent for path in root.rglob(PARTS)})
    packed = [path.relative_to(root).as_posix() for path in parts if next(path.rglob("*.wav"), None) is None]
    try:
        frame, remarks = named_clips(root, CLIP, LAYOUT)
    except CohortError as error:
        if packed:
            raise CohortError(
                [f"{len(packed)} folders of {root} have parts of archives only."], LAYOUT, JOIN
            ) from error
        raise
    clips, again = used_once(frame)
    clips = clips.assign(language=clips.pop("spoken").map(LANGUAGES), language_source="metadata")
    found = META.imported(root, clips, NOTES, (*remarks, *again), info)
    spellings = found.speakers.get("mother_tongue", found.speakers["speaker_id"].map(lambda _: ""))
    native = spellings.str.lower().map(MOTHER_TONGUES).fillna("")
    odd = sorted(set(spellings[(native == "") & (spellings != "")]))
    first = found.speakers["speaker_id"].str[:3].map(LANGUAGES)
    other = int(((native != "") & (native != first)).sum())
    remarks = counted(
        (len(packed), f"{len(packed)} folders have archives that are not unpacked: {named(packed)}. {JOIN}."),
        (len(odd), f"{len(odd)} mother tongues are not known here ({named(odd)}): native_language is empty."),
        (other, f"{other} speakers have another mother tongue than the language of India that they recorded."),
        (True, bilingual_remark(clips)),
    )
    speakers = found.speakers.drop(columns="mother_tongue", errors="ignore").assign(native_language=native)
    return replace(found, speakers=speakers, remarks=(*found.remarks, *remarks))


ADAPTER = Part(
    name="nisp",
    summary="NISP: RECS/Hin_0001_Eng_f_0000.wav in any folder and total_spkrinfo.list",
    value=read_nisp,
)
