"""Speech Accent Archive: one English text by first language; see datasets/cards/accent_archive.md."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.importing.language_names import native_languages
from audit.cohorts.importing.metadata import SpeakerFile, find_file
from audit.cohorts.importing.named_clips import named_clips, used_once
from audit.core.errors import CohortError
from audit.core.registry import Part

META = SpeakerFile(
    ("speakers_all.csv",),
    {"filename": "speaker_id", "native_language": "native_language_stated", "sex": "gender"},
    {name: name for name in ("age", "age_onset", "birthplace", "country")},
)
LAYOUT = f"{META.names[0]} and recordings/recordings/<native language><number>.mp3"
NOTES = CohortNotes(
    name="Speech Accent Archive",
    licence="CC BY-NC-SA 2.0 (copy on Kaggle)",
    consent="volunteers recorded for the archive; its terms not checked here",
    notes="Everybody reads the same English text. Native language and birthplace are what speakers said; they are not "
    "race, and no group is derived from them. No faces.",
)


def read_accent_archive(root: Path) -> Imported:
    """The cohort in the copy of the archive on Kaggle: ``speakers_all.csv`` and ``recordings/recordings/*.mp3``.

    A speaker has one clip, both named by the column ``filename``, such as ``mandarin1``. Recordings may be in any
    folder and format. The text is the same for all (``text_id`` is ``stella``).
    """
    if find_file(root, META.names) is None:
        raise CohortError([f"{root} has no {META.names[0]}."], LAYOUT, "See the data card.")
    frame, said = named_clips(root, r"(?:.*/)?(?P<clip_id>[^/]+)", LAYOUT, [".csv", ".txt"])
    clips, again = used_once(frame)
    clips = clips.assign(speaker_id=clips["clip_id"], language="en", language_source="metadata", text_id="stella")
    found = META.imported(root, clips, NOTES, (*said, *again))
    speakers = found.speakers
    codes, unnamed = native_languages(speakers["native_language_stated"])
    no_age = speakers["age"].isin(["0", "0.0"])
    ageless, english = int(no_age.sum()), int((codes["native_language"] == "en").sum())
    remarks = counted(
        (ageless, f"The age of {ageless} speakers is 0, which stands for a missing one."),
        (True, f"{english} of {len(speakers)} speakers are native speakers of English."),
    )
    speakers = speakers.assign(age=speakers["age"].mask(no_age, ""), **codes)
    return replace(found, speakers=speakers, remarks=(*found.remarks, *remarks, *unnamed))


ADAPTER = Part(
    name="accent_archive",
    summary="Speech Accent Archive: speakers_all.csv and recordings/recordings/*.mp3",
    value=read_accent_archive,
)
