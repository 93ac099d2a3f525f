"""TidyVoiceX: volunteers of Common Voice in two and more languages; see datasets/cards/tidyvoice.md."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported
from audit.cohorts.importing.bilingual import bilingual_remark
from audit.cohorts.importing.named_clips import named_clips, used_once
from audit.core.registry import Part

LAYOUT = "<speaker>/<language>/*.wav"
LOCALE = r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*"
CLIP = rf"(?:(?P<top>.*)/)?(?P<clip_id>(?P<speaker_id>[^/]+)/(?P<language>{LOCALE})/[^/]+)"
NOTES = CohortNotes(
    name="TidyVoiceX",
    licence="that of Common Voice, CC0; not checked here",
    consent="recorded by the speakers themselves for Common Voice; its terms not checked here",
    notes="Languages are the data set's folders, which are locales of Common Voice. No gender, age, race or face.",
)


def read_tidyvoice(root: Path) -> Imported:
    """The cohort in a download of TidyVoiceX: ``TidyVoiceX_Train/<speaker>/<language>/*.wav``.

    The speakers' folders may be in any folder. The column ``set`` of the clips has the data set's part, train or dev.
    It is not ``split``, which names speakers that the audited model was trained on.
    """
    frame, remarks = named_clips(root, CLIP, LAYOUT)
    clips, again = used_once(frame.assign(language_source="metadata"))
    part = clips.pop("top").str.extract(r"TidyVoiceX_(Train|Dev)")[0]
    clips = clips.assign(set=part.str.lower().fillna(""))
    speakers = pd.DataFrame({"speaker_id": sorted(clips["speaker_id"].unique())})
    return Imported(speakers, clips, NOTES, (*remarks, *again, bilingual_remark(clips)))


ADAPTER = Part(
    name="tidyvoice",
    summary="TidyVoiceX: <speaker>/<language>/*.wav, speakers of Common Voice in several languages",
    value=read_tidyvoice,
)
