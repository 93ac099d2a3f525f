"""Build the accented clips of the embedded cohort: accents.csv and accents/.

    python datasets/synthetic_bilingual/build/accents.py --parts DIR datasets/synthetic_bilingual

One voice of each group, sex, other language and kind of base voice: 32. Each says the sentences of its first English
clip with the phonemes of its other language; blend, rate, cue, microphone, room, noise and length are those of that
clip. The clip itself is spoken again as well and compared with the one that ships, byte by byte.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

import pandas as pd
import soundfile
from numpy.typing import NDArray

from audit.cohorts.accented_clips import AccentedClip, write_accents
from audit.cohorts.drawing import kokoro, timbre
from audit.cohorts.drawing.ogg import opus
from audit.cohorts.drawing.speakers import EMBEDDED_SEED
from audit.cohorts.drawing.speech import cue_of
from audit.cohorts.drawing.synthesised import finished, script, speak

CELL = ["group", "gender", "other_language", "unseen_voice"]
FIRST_DIAL = {"reach": 0.4, "jitter": 0.25}
"""Axis v when the clips were first written; redial.py then changed them to today's dial."""


def built(raw: NDArray, seed: int, speaker: dict) -> bytes:
    """A clip by the two steps that the shipped ones went through: written with the first dial, then redialled."""
    cue = cue_of(speaker)
    before = round(FIRST_DIAL["reach"] * speaker["lean_v"] + FIRST_DIAL["jitter"] * speaker["jitter_v"], 3)
    first = opus(finished(raw, seed, cue | {"v": before}), timbre.RATE, seed)
    change = timbre.equaliser({"u": 0.0, "v": round(cue["v"] - before, 6), "age": 0.0})
    return opus(timbre.levelled(timbre.filtered(soundfile.read(io.BytesIO(first))[0], change)), timbre.RATE, seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cohort", type=Path)
    parser.add_argument("--parts", type=Path, required=True, help="folder with the archives that VOICES.md lists")
    given = parser.parse_args()
    table = pd.read_csv(given.cohort / "speakers.csv", keep_default_na=False).sort_values("speaker_id")
    voice = kokoro.Synthesiser(given.parts)
    (given.cohort / "accents").mkdir(exist_ok=True)
    rows, same = [], 0
    for speaker in table.drop_duplicates(CELL).to_dict("records"):
        spoken = script(speaker, "audited", ("en",), 2, EMBEDDED_SEED)[0]
        native, _ = speak(voice, spoken)
        shipped = (given.cohort / f"audio/{spoken.clip_id}.ogg").read_bytes()
        same += built(native, spoken.seed, speaker) == shipped
        row = AccentedClip.of_clip(spoken.clip_id, spoken.speaker_id, speaker["other_language"])
        raw, _ = speak(voice, spoken, row.accent, len(native))
        (given.cohort / row.audio).write_bytes(built(raw, spoken.seed, speaker))
        rows.append(row)
        print(f"{row.clip_id}; {same} of {len(rows)} first clips as shipped", file=sys.stderr, flush=True)
    write_accents(given.cohort, rows)


if __name__ == "__main__":
    main()
