"""CREMA-D: actors saying English sentences; see datasets/cards/cremad.md."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.importing.metadata import SpeakerFile, find_file
from audit.cohorts.importing.scanning import clips_in_layout
from audit.core.errors import CohortError
from audit.core.registry import Part
from audit.core.vocabulary import UNKNOWN, ordered_groups

META = SpeakerFile(
    ("VideoDemographics.csv",),
    {"ActorID": "speaker_id", "Age": "age", "Sex": "gender"} | {"Race": "stated_race", "Ethnicity": "stated_ethnicity"},
)
CLIP = re.compile(r"(?P<speaker_id>\d{4})_(?P<sentence>[A-Z]{3})_(?P<emotion>[A-Z]{3})_[A-Z]{1,2}")
RACES = {"caucasian": "white", "african american": "black", "asian": "asian|indian"}
"""``Asian`` in the United States means East and South Asian: either read counts as correct."""


NOTES = CohortNotes(
    name="CREMA-D",
    licence="ODbL 1.0; contents DbCL 1.0",
    consent="actors recorded for the data set; its terms not checked here",
    notes="Race and ethnicity are self-reported. All sentences are English, and acted.",
)


def read_cremad(root: Path) -> Imported:
    """The cohort in a checkout of CREMA-D: ``AudioWAV/1001_DFA_ANG_XX.wav`` and ``VideoDemographics.csv``.

    A Hispanic actor has both labels, such as ``white|latino_hispanic``: race and ethnicity were asked separately,
    but the instrument has one list of labels.
    """
    layout = clips_in_layout(root, ("AudioWAV", "AudioMP3"), 0, "AudioWAV/<actor>_<sentence>_<emotion>_<level>.wav")
    frame = pd.DataFrame({"clip_id": [parts[-1] for parts in layout.parts], "audio": layout.paths})
    named = frame["clip_id"].str.extract(rf"^{CLIP.pattern}$")
    good = named["speaker_id"].notna()
    has_file = find_file(root, META.names) is not None
    if not has_file or not good.any():
        missing = "No clip is named as in CREMA-D." if has_file else f"{root} has no {META.names[0]}."
        raise CohortError([missing], f"AudioWAV/1001_DFA_ANG_XX.wav and {META.names[0]}")
    clips = pd.concat([frame, named], axis=1)[good].assign(language="en", language_source="metadata")
    found = META.imported(root, clips.reset_index(drop=True), NOTES, layout.remarks)
    group = [_group(*row) for row in found.speakers[["stated_race", "stated_ethnicity"]].itertuples(index=False)]
    sources = ["" if name == UNKNOWN else "self_reported" for name in group]
    both = sum("latino_hispanic" in name for name in group)
    mixed, others = group.count("asian|indian"), int((~good).sum())
    hispanic = "actors state that they are Hispanic: a read as latino_hispanic or as their stated race is correct."
    asian = "actors state that they are Asian, which includes East and South Asia: either read is correct."
    remarks = counted(
        (others, f"{others} audio files are not named as in CREMA-D and were left out."),
        (both, f"{both} {hispanic}"),
        (mixed, f"{mixed} {asian}"),
    )
    speakers = found.speakers.assign(group=group, group_source=sources)
    return replace(found, speakers=speakers, remarks=(*found.remarks, *remarks))


def _group(race: str, ethnicity: str) -> str:
    """The instrument's labels for an actor's statements.

    Examples
    --------
    >>> _group("Caucasian", "Not Hispanic"), _group("Caucasian", "Hispanic"), _group("Unknown", "Hispanic")
    ('white', 'white|latino_hispanic', 'latino_hispanic')
    """
    named = [label for label in RACES.get(race.lower(), "").split("|") if label]
    named += ["latino_hispanic"] if ethnicity.lower() == "hispanic" else []
    return "|".join(ordered_groups(named)) or UNKNOWN


ADAPTER = Part(
    name="cremad",
    summary="CREMA-D: AudioWAV/*.wav and VideoDemographics.csv",
    value=read_cremad,
)
