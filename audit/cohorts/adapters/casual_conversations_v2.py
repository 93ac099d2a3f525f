"""Casual Conversations v2: paid participants in seven countries; see datasets/cards/casual_conversations_v2.md."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.importing.bilingual import bilingual_remark
from audit.cohorts.importing.language_names import code_of, native_languages
from audit.cohorts.importing.metadata import find_file
from audit.cohorts.importing.named_clips import named_clips, used_once
from audit.cohorts.importing.scanning import PICTURE_SUFFIXES, suffix_of
from audit.core.audio_formats import PYAV_SUFFIXES
from audit.core.errors import CohortError
from audit.core.languages import UNDETERMINED
from audit.core.registry import Part
from audit.core.vocabulary import NONBINARY, UNKNOWN

ANNOTATIONS = ("CasualConversationsV2.json", "CasualConversationsV2_v2.json")
LAYOUT = "<subject, 4 digits>_<language>_<scripted|nonscripted>_<number>.mp4"
VIDEO = r"(?:.*/)?(?P<clip_id>(?P<speaker_id>\d{4})_+(?P<spoken>[a-z]+)_+(?P<style>scripted|nonscripted)_+\d+)"
"""Path of a video; some copies have two underscores."""
GENDERS = {
    **dict.fromkeys(("cis man", "transgender man"), "man"),
    **dict.fromkeys(("cis woman", "transgender woman"), "woman"),
    "non-binary": NONBINARY,
}
DECLINED = "prefer not to say"
FIELDS = {
    "age": ("age",),
    "gender": ("gender",),
    "native_language": ("native_language",),
    "country": ("geo_location", "country"),
    "monk_skin_tone": ("monk_skin_tone", "scale"),
    "fitzpatrick_skin_tone": ("fitzpatrick_skin_tone", "type"),
}
"""Labels of a subject, which are repeated with every video, and their keys in the annotations."""
CONFIDENCE = ("low", "medium", "high")
NOTES = CohortNotes(
    name="Casual Conversations v2",
    licence="agreement with Meta; read it before faces are generated from these voices",
    consent="paid participants who agreed to take part; the terms not checked here",
    notes="Age, gender, native language and country are self-reported; skin tones are annotated. It has no race, and "
    "no group is derived from other labels.",
)


def read_casual_conversations_v2(root: Path, annotations: str = "") -> Imported:
    """The cohort in a download of Casual Conversations v2: videos, and ``CasualConversationsV2.json``.

    The spoken language is that of the video's name. ``annotations`` is the JSON file if it is elsewhere: a list of
    videos, or the same by file name. Disabilities, physical attributes and the state or region are not read.
    """
    frame, named_remarks = named_clips(root, VIDEO, LAYOUT, (".json", ".tsv", *PICTURE_SUFFIXES))
    frame["clip_id"] = frame["clip_id"].str.replace("__", "_")
    converted = ~frame["audio"].map(suffix_of).isin(PYAV_SUFFIXES)
    clips, again = used_once(frame.sort_values("audio", key=lambda _: ~converted, kind="stable"))
    language = clips.pop("spoken").map(code_of)
    uncoded = int((language == UNDETERMINED).sum())
    clips = clips.assign(
        language=language, language_source=language.map(lambda code: "" if code == UNDETERMINED else "metadata")
    )
    remarks = (
        *named_remarks,
        *again,
        *counted((uncoded, f"{uncoded} clips are in a language without a code here: und.")),
    )
    speakers, said, absent = _speakers(root, sorted(set(clips["speaker_id"])), annotations)
    return Imported(speakers, clips, NOTES, (*remarks, bilingual_remark(clips), *said), without_clips=absent)


def _speakers(root: Path, ids: list[str], given: str) -> tuple[pd.DataFrame, tuple[str, ...], frozenset[str]]:
    """The speakers with clips, remarks on their labels, and the subjects of the annotations without a clip."""
    path = find_file(root, ANNOTATIONS, given)
    if path is None:
        missing = f"{ANNOTATIONS[0]} was not found in the download: the labels of its speakers are unknown."
        return pd.DataFrame({"speaker_id": ids}), (missing,), frozenset()
    videos = _annotated(path).groupby("speaker_id")
    subjects = videos.agg(_joined)
    table = subjects.reindex(ids).fillna("")
    several = {name: table[name].str.contains("\n") for name in FIELDS}
    for name in FIELDS:
        table[name] = table[name].mask(several[name], "")
    for tone in ("monk_skin_tone_confidence", "fitzpatrick_skin_tone_confidence"):
        table[tone] = table[tone].map(lambda words: next((word for word in CONFIDENCE if word in words), ""))
    word = table["gender"].str.lower().replace(DECLINED, "")
    gender = word.map(GENDERS).astype(object).fillna(UNKNOWN)
    odd = sorted(set(word[(gender == UNKNOWN) & (word != "")]))
    codes, unnamed = native_languages(table["native_language"].replace(DECLINED, ""))
    changing = int(pd.DataFrame(several).any(axis=1).sum())
    fields = ", ".join(name for name in FIELDS if several[name].any())
    unlisted = len(set(ids) - {*subjects.index})
    absent = frozenset(map(str, subjects.index)) - {*ids}
    remarks = counted(
        (len(absent), f"{len(absent)} subjects of {path.name} have no clip in the download and were left out."),
        (unlisted, f"{unlisted} speakers with clips are not in {path.name}: their labels are unknown."),
        (changing, f"{changing} speakers have different values in their videos ({fields}); set to unknown."),
        (len(odd), f"Words for a gender that are not supported were set to unknown: {', '.join(odd[:5])}."),
    )
    speakers = table.drop(columns=["native_language"]).assign(
        gender=gender,
        gender_stated=table["gender"],
        gender_source=gender.where(gender == UNKNOWN, "self_reported").replace(UNKNOWN, ""),
        age=table["age"].where(table["age"].str.fullmatch(r"\d{1,3}"), ""),
        **codes,
    )
    return speakers.rename_axis("speaker_id").reset_index(), (*remarks, *unnamed), absent


def _annotated(path: Path) -> pd.DataFrame:
    """Subject and labels of each video of the annotations."""
    try:
        parsed = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CohortError([f"{path.name} cannot be read: {error}."]) from error
    listed = parsed if isinstance(parsed, list) else []
    entries = parsed.items() if isinstance(parsed, dict) else [("", video) for video in listed]
    rows = []
    for name, video in entries:
        subject = _text(video, "subject_id") or (name or _text(video, "video_name"))[:4]
        if not subject:
            continue
        rows.append(
            {"speaker_id": subject.zfill(4)}  # numbers in some copies
            | {label: re.sub(r"^(scale|type) ", "", _text(video, *keys)) for label, keys in FIELDS.items()}
            | {f"{tone}_confidence": _text(video, tone, "confidence") for tone in FIELDS if tone.endswith("skin_tone")}
        )
    if not rows:
        raise CohortError([f"{path.name} names no video."], "a list of videos, or an object with one by file name")
    return pd.DataFrame(rows)


def _text(value: object, *keys: str) -> str:
    """The text below some keys; empty where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return "" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value).strip()


def _joined(values: pd.Series) -> str:
    """The different values of a subject's videos, one a line."""
    return "\n".join(sorted(set(values) - {""}))


ADAPTER = Part(
    name="casual_conversations_v2",
    summary="Casual Conversations v2: <subject>_<language>_<style>_<n>.mp4 and CasualConversationsV2.json",
    value=read_casual_conversations_v2,
)
