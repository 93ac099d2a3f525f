"""L2-ARCTIC v5: English sentences by speakers of six other first languages; see datasets/cards/l2_arctic.md."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.importing.named_clips import named_clips, used_once
from audit.cohorts.importing.scanning import named
from audit.core.errors import AuditError, did_you_mean
from audit.core.registry import Part

SPEAKERS = {
    "ABA": ("ar", "man"), "SKA": ("ar", "woman"), "YBAA": ("ar", "man"), "ZHAA": ("ar", "woman"),
    "BWC": ("zh", "man"), "LXC": ("zh", "woman"), "NCC": ("zh", "woman"), "TXHC": ("zh", "man"),
    "ASI": ("hi", "man"), "RRBI": ("hi", "man"), "SVBI": ("hi", "woman"), "TNI": ("hi", "woman"),
    "HJK": ("ko", "woman"), "HKK": ("ko", "man"), "YDCK": ("ko", "woman"), "YKWK": ("ko", "man"),
    "EBVS": ("es", "man"), "ERMS": ("es", "man"), "MBMPS": ("es", "woman"), "NJS": ("es", "woman"),
    "HQTV": ("vi", "man"), "PNV": ("vi", "woman"), "THV": ("vi", "woman"), "TLV": ("vi", "man"),
}  # fmt: skip
"""First language and gender of the speakers of L2-ARCTIC, from its documentation."""
NATIVE = {"bdl": "man", "rms": "man", "clb": "woman", "slt": "woman"}
"""Gender of the speakers of CMU ARCTIC whose English is of the United States; its others have other accents."""
PARTS = ("sentences", "suitcase", "both")
LAYOUT = "<speaker>/wav/arctic_a0001.wav, with speakers such as ABA"
SENTENCE = (
    r"(?:.*/)?(?:cmu_us_)?(?P<speaker_id>[A-Z]{3,5}|(?!wav)[a-z]{3})(?:_arctic[^/]*)?/(?:wav/)?(?:(?P=speaker_id)_)?"
    r"(?P<text_id>arctic_[ab]\d{4})"
)
NARRATIVE = r"(?:.*/)?suitcase_corpus/wav/(?P<narrator>[a-z]{3,5})"
NOTES = CohortNotes(
    name="L2-ARCTIC",
    licence="CC BY-NC 4.0",
    consent="speakers recorded for the data set; its terms not checked here",
    notes="Everybody reads the same English sentences. First language is not race, and no group is derived from it. "
    "No faces, no ages.",
)


def read_l2_arctic(root: Path, part: str = "sentences") -> Imported:
    """The cohort in L2-ARCTIC v5 with its archives extracted: ``<speaker>/wav/arctic_a0001.wav``.

    ``part`` is one of :data:`PARTS`: the sentences, the spontaneous narratives of ``suitcase_corpus``, or both. Folders
    of CMU ARCTIC in the download (``cmu_us_bdl_arctic`` or ``bdl``) give native speakers with the same sentences; those
    of the United States are read (:data:`NATIVE`).
    """
    if part not in PARTS:
        raise AuditError(f"L2-ARCTIC has no part {part!r}{did_you_mean(part, PARTS)}.", ", ".join(PARTS))
    frame, remarks = named_clips(root, rf"(?P<clip_id>{SENTENCE}|{NARRATIVE})", LAYOUT, [".txt", ".textgrid", ".zip"])
    speaker = frame["speaker_id"].where(frame["narrator"] == "", frame["narrator"].str.upper())
    clip = speaker + "/" + frame["text_id"].where(frame["narrator"] == "", "suitcase")
    frame = frame.assign(speaker_id=speaker, clip_id=clip, language="en", language_source="metadata")
    known = frame["speaker_id"].isin([*SPEAKERS, *NATIVE])
    wanted = frame["narrator"].ne("") if part == "suitcase" else frame["narrator"].eq("") | (part == "both")
    clips, again = used_once(frame[known & wanted].drop(columns="narrator"))
    ids = sorted(set(clips["speaker_id"]))
    people = SPEAKERS | {speaker: ("en", gender) for speaker, gender in NATIVE.items()}
    speakers = pd.DataFrame(
        [(name, *people[name], "metadata", "L2-ARCTIC" if name in SPEAKERS else "CMU ARCTIC") for name in ids],
        columns=["speaker_id", "native_language", "gender", "gender_source", "corpus"],
    )
    unread, natives = sorted(set(frame.loc[~known, "speaker_id"])), len({*NATIVE} & {*ids})
    further = counted(
        (len(unread), f"The speakers {named(unread)} are not in the adapter's table and were left out."),
        (natives, f"{natives} native speakers of American English are from CMU ARCTIC, another recording set-up."),
        (not natives, "There is no native speaker of English: put CMU ARCTIC into the download, see the data card."),
    )
    absent = frozenset(SPEAKERS) - {*ids}
    return Imported(speakers, clips, NOTES, (*remarks, *again, *further), without_clips=absent)


ADAPTER = Part(
    name="l2_arctic",
    summary="L2-ARCTIC v5: <speaker>/wav/arctic_*.wav, and CMU ARCTIC as its native speakers",
    value=read_l2_arctic,
)
