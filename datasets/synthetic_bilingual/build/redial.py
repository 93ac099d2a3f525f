"""Give recordings that are made already another strength of the cue, without speaking them again.

    python datasets/synthetic_bilingual/build/redial.py datasets/synthetic_bilingual

Each clip goes through the equaliser that is the difference between the cue its speaker's row names and the cue that
timbre.py's dial makes of that speaker now; then the tables name the new one. Speaking all sentences again is slow,
this took six minutes of one core; the price is a second pass of Opus, and a room and noise floor that are filtered too.
Where the tables name the dial's cue already, nothing is written.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
import soundfile
from voices import write_audio, write_table

from audit.cohorts.drawing import timbre
from audit.cohorts.drawing.seeds import seeded_number
from audit.cohorts.drawing.speakers import EMBEDDED_SEED


def redial(folder: Path) -> int:
    """Redial one part of the cohort; returns how many clips were written anew."""
    table = pd.read_csv(folder / "speakers.csv", keep_default_na=False)
    clips = pd.read_csv(folder / "clips.csv", keep_default_na=False)
    wanted = timbre.coordinates(table)
    if not (wanted["tempo"] == table["tempo"]).all():
        raise SystemExit("the rate of speech has changed too: the sentences must be spoken again (voices.py)")
    change = {axis: (wanted[f"cue_{axis}"] - table[f"cue_{axis}"]).round(6) for axis in timbre.AXES}
    gains = {
        row: {axis: float(change[axis].iloc[place]) for axis in timbre.AXES}
        for place, row in enumerate(table["speaker_id"])
    }
    written = 0
    for clip in clips.itertuples():
        if not any(gains[clip.speaker_id].values()):
            continue
        path = folder / clip.audio
        sound = timbre.filtered(soundfile.read(path)[0], timbre.equaliser(gains[clip.speaker_id]))
        serial = seeded_number(EMBEDDED_SEED, "clip", clip.clip_id)
        write_audio(path, timbre.levelled(sound), serial)
        written += 1
    if written:
        write_table(
            table.assign(**{f"cue_{axis}": wanted[f"cue_{axis}"] for axis in timbre.AXES}), folder / "speakers.csv"
        )
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cohort", type=Path)
    cohort = parser.parse_args().cohort
    for folder in (cohort, cohort / "training"):
        print(f"{folder}: {redial(folder)} clips written")


if __name__ == "__main__":
    main()
