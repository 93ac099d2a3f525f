"""A data set of a studio: ``people.csv``, ``faces/ID.png`` and ``voices/ID-LANGUAGE.wav``."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.importing import Imported


def read_studio(root: Path, only: str = "") -> Imported:
    """The cohort in a download; ``only`` keeps the clips of one language."""
    speakers = pd.read_csv(root / "people.csv", dtype={"speaker_id": str})
    sources = {"group_source": "self_reported", "gender_source": "self_reported"}
    speakers = speakers.assign(portrait="faces/" + speakers["speaker_id"] + ".png", **sources)
    rows = []
    for path in sorted((root / "voices").glob(f"*-{only or '*'}.wav")):
        speaker, language = path.stem.split("-")
        rows.append((path.stem, speaker, path.relative_to(root).as_posix(), language, "metadata"))
    clips = pd.DataFrame(rows, columns=["clip_id", "speaker_id", "audio", "language", "language_source"])
    return Imported(speakers, clips, CohortNotes(name="Studio", fictional=True))
