"""NIST SRE21: the same people in English, Cantonese and Mandarin, with selfies; see datasets/cards/sre21.md."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.importing.bilingual import bilingual_remark
from audit.cohorts.importing.metadata import GENDER_WORDS, read_metadata
from audit.cohorts.importing.scanning import PICTURE_SUFFIXES, named, scan, suffix_of
from audit.core.audio_formats import AUDIO_SUFFIXES, PYAV_SUFFIXES
from audit.core.errors import CohortError
from audit.core.languages import UNDETERMINED
from audit.core.registry import Part
from audit.core.vocabulary import UNKNOWN

KEYS = "docs/*_segment_key.tsv"
LAYOUT = f"{KEYS}, data/audio/{{enrollment,test}}/*.sph and *.flac, data/image/enrollment/"
COLUMNS = {"segmentid": "clip_id", "subjectid": "speaker_id", "gender": "gender", "language": "spoken"}
COLUMNS |= {"partition": "partition", "source_type": "source_type"}
LANGUAGES = {"english": "en", "eng": "en", "use": "en", "cantonese": "yue", "yue": "yue", "mandarin": "zh", "cmn": "zh"}
"""Words for a language, in lower case and up to the first full stop: the CTS superset writes ``YUE.HK``."""
CHANNELS = ("cts", "afv")
"""Values of the column ``source_type``: conversational telephone speech, and audio from video."""
NOTES = CohortNotes(
    name="NIST SRE21",
    licence="agreement with the LDC; not checked here, no redistribution",
    consent="recorded for the data set (LDC's WeCanTalk); its terms not checked here",
    notes="Languages and genders are from the data set's segment key. No race; a language is not a group.",
)


def read_sre21(root: Path) -> Imported:
    """The cohort in the development or evaluation set of NIST SRE21: ``docs/*_segment_key.tsv`` and ``data/``.

    A portrait is a subject's first picture in ``data/image``. The column ``source_type`` of the clips says cts
    (telephone) or afv (audio from video). Videos are left out.
    """
    keys = sorted(root.glob(KEYS))
    if not keys:
        later = "The key of the evaluation set was published after the evaluation: copy it to docs/."
        raise CohortError([f"{root} has no {KEYS}."], LAYOUT, later)
    rows = pd.concat([read_metadata(path, COLUMNS) for path in keys]).drop_duplicates("clip_id", ignore_index=True)
    found = scan(root, AUDIO_SUFFIXES | PICTURE_SUFFIXES, "data")
    by_name = {"/".join(path.split("/")[-2:]): path for path in reversed(found.files)}
    rows["audio"] = (rows.pop("partition") + "/" + rows["clip_id"]).map(by_name)
    suffix = rows["clip_id"].map(suffix_of)
    gone, picture, video = rows["audio"].isna(), suffix.isin(PICTURE_SUFFIXES), suffix.isin(PYAV_SUFFIXES)
    portraits = rows[picture & ~gone].sort_values("audio").groupby("speaker_id")["audio"].first()
    clips = rows[~(gone | picture | video)].reset_index(drop=True)
    if clips.empty:
        raise CohortError([f"{root} has no audio file of its segment key.", *found.remarks()], LAYOUT)
    stated, is_flac = clips["source_type"].str.lower(), clips["clip_id"].str.endswith(".flac")
    language = clips["spoken"].str.lower().str.split(".").str[0].map(LANGUAGES).fillna(UNDETERMINED)
    unread = clips.loc[language == UNDETERMINED, "spoken"]
    clips = clips.assign(
        language=language,
        language_source=(language != UNDETERMINED).map({True: "metadata", False: ""}),
        source_type=stated.where(stated.isin(CHANNELS), "").mask(is_flac, "afv"),
    )
    genders = clips.assign(gender=clips["gender"].str.lower().map(GENDER_WORDS)).groupby("speaker_id")["gender"]
    gender = genders.first().where(genders.nunique() == 1, UNKNOWN)
    speakers = pd.DataFrame({"gender": gender, "portrait": portraits.reindex(gender.index).fillna("")}).reset_index()
    speakers["gender_source"] = (speakers["gender"] != UNKNOWN).map({True: "metadata", False: ""})
    absent, unlisted = int(gone.sum()), len(found.files) - int((~gone).sum())
    corrected, videos = int((is_flac & (stated == "cts")).sum()), int((video & ~gone).sum())
    unclear, without = int((gender == UNKNOWN).sum()), int((speakers["portrait"] == "").sum())
    clips = clips.drop(columns=["gender", "spoken"])
    remarks = counted(
        (absent, f"{absent} rows of the segment key name a file that is not in data/ and were left out."),
        (unlisted, f"{unlisted} files of data/ are not in the segment key and were left out."),
        (videos, f"{videos} videos were left out."),
        (corrected, f"{corrected} FLAC files are from video, and the key says cts: source_type is afv."),
        (len(unread), f"{len(unread)} clips are in other languages ({named(sorted(set(unread)))}): und."),
        (unclear, f"{unclear} subjects have different genders in different rows, or none: unknown."),
        (without, f"{without} subjects have no picture."),
    )
    return Imported(speakers, clips, NOTES, (*remarks, *found.remarks(), bilingual_remark(clips)))


ADAPTER = Part(
    name="sre21",
    summary="NIST SRE21: docs/*_segment_key.tsv, data/audio/ and data/image/",
    value=read_sre21,
)
