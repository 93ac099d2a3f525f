"""CREMA-D: actors saying English sentences; see datasets/cards/cremad.md."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported
from audit.cohorts.importing.metadata import find_file, known_speakers, read_metadata, with_gender
from audit.cohorts.importing.scanning import clips_in_layout
from audit.core.errors import CohortError
from audit.core.registry import Part
from audit.core.vocabulary import UNKNOWN, ordered_groups

META = "VideoDemographics.csv"
CLIP = re.compile(r"(?P<speaker_id>\d{4})_(?P<sentence>[A-Z]{3})_(?P<emotion>[A-Z]{3})_[A-Z]{1,2}")
RACES = {"caucasian": "white", "african american": "black", "asian": "asian|indian"}
"""``Asian`` in the United States means East and South Asian: either read counts as correct."""


def read_cremad(root: Path) -> Imported:
    """The cohort in a checkout of CREMA-D: ``AudioWAV/1001_DFA_ANG_XX.wav`` and ``VideoDemographics.csv``.

    A Hispanic actor has both labels, such as ``white|latino_hispanic``: race and ethnicity were asked separately,
    but the instrument has one list of labels.

    Raises
    ------
    CohortError
        If no clip is in that layout, or the demographics are missing or cannot be read.
    """
    layout = clips_in_layout(root, ("AudioWAV", "AudioMP3"), 0, "AudioWAV/<actor>_<sentence>_<emotion>_<level>.wav")
    frame = pd.DataFrame({"clip_id": [parts[-1] for parts in layout.parts], "audio": layout.paths})
    named = frame["clip_id"].str.extract(rf"^{CLIP.pattern}$")
    good = named["speaker_id"].notna()
    path = find_file(root, [META])
    if path is None or not good.any():
        missing = f"{root} has no {META}." if path is None else "No clip is named as in CREMA-D."
        raise CohortError([missing], f"AudioWAV/1001_DFA_ANG_XX.wav and {META}")
    clips = pd.concat([frame, named], axis=1)[good].assign(language="en", language_source="metadata")
    table = read_metadata(
        path, {"ActorID": "speaker_id", "Age": "age", "Sex": "gender", "Race": "race", "Ethnicity": "ethnicity"}
    )
    known = known_speakers(clips["speaker_id"], table, META)
    speakers, odd = with_gender(known.speakers, "metadata", META)
    group = [_group(*row) for row in speakers[["race", "ethnicity"]].itertuples(index=False)]
    speakers = speakers.assign(group=group)
    speakers["group_source"] = speakers["group"].map(lambda name: "" if name == UNKNOWN else "self_reported")
    both = int(speakers["group"].str.contains("latino_hispanic").sum())
    mixed = int((speakers["group"] == "asian|indian").sum())
    remarks = [
        f"{int((~good).sum())} audio files are not named as in CREMA-D and were left out." if not good.all() else "",
        f"{both} actors state that they are Hispanic: a read as latino_hispanic or as their stated race is correct."
        if both
        else "",
        f"{mixed} actors state that they are Asian, which includes East and South Asia: either read is correct."
        if mixed
        else "",
    ]
    return Imported(
        speakers.rename(columns={"race": "stated_race", "ethnicity": "stated_ethnicity"}),
        clips.reset_index(drop=True),
        CohortNotes(
            name="CREMA-D",
            licence="ODbL 1.0; contents DbCL 1.0",
            consent="actors recorded for the data set; its terms not checked here",
            notes="Race and ethnicity are self-reported. All sentences are English, and acted.",
        ),
        (*layout.remarks, *known.remarks, *odd, *filter(None, remarks)),
        without_clips=known.without_clips,
    )


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
