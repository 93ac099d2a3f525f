"""Build the voices of the embedded cohort: speakers.csv, clips.csv, cohort.toml and audio/ of both parts.

    python datasets/synthetic_bilingual/build/voices.py --parts DIR --cache DIR -o datasets/synthetic_bilingual

The slow half (speech from text) goes to the cache, one file a clip, and is not done again when it is there; the fast
half (timbre cue, room, loudness, Opus) is always done. VOICES.md says what to download and what is in the cue.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import speakers
from numpy.typing import NDArray

from audit.cohorts.drawing import kokoro, timbre
from audit.cohorts.drawing.ogg import opus
from audit.cohorts.drawing.sentences import sentence_names
from audit.cohorts.drawing.speakers import EMBEDDED_SEED
from audit.cohorts.drawing.speech import cue_of
from audit.cohorts.drawing.synthesised import Spoken, finished, script, speak

CLIPS_PER_LANGUAGE = 2
PARTS = {"audited": "", "validation": "training", "training": "training"}
"""Folder of each split below the output folder."""


def key(spoken: Spoken) -> str:
    """Digest of all that the raw sound depends on; a cached sound with another key is made again."""
    return hashlib.sha256(json.dumps(asdict(spoken), sort_keys=True).encode()).hexdigest()


def scripts(table: pd.DataFrame) -> list[Spoken]:
    """What every clip says. No sentence is offered twice to one speaker, and none to speakers of two splits."""
    return [
        spoken
        for row in table.to_dict("records")
        for spoken in script(row, row["split"], ("en", row["other_language"]), CLIPS_PER_LANGUAGE, EMBEDDED_SEED)
    ]


def synthesise(parts: Path, cache: Path, clips: list[Spoken], label: str = "") -> int:
    """Fill the cache with those of the clips that are not in it; returns how many were made."""
    os.nice(5)
    missing = [spoken for spoken in clips if cached(cache, spoken) is None]
    if not missing:
        return 0
    voice = kokoro.Synthesiser(parts)
    for done, spoken in enumerate(missing, 1):
        sound, used = speak(voice, spoken)
        target = cache / f"{spoken.clip_id}.npz"
        with target.with_suffix(".part").open("wb") as file:
            np.savez(file, sound=sound, sentences=np.array(used), key=np.array(key(spoken)))
        target.with_suffix(".part").replace(target)
        if done % 10 == 0 or done == len(missing):
            print(f"{label} {done} of {len(missing)} clips spoken", file=sys.stderr, flush=True)
    return len(missing)


def cached(cache: Path, spoken: Spoken) -> tuple[NDArray[np.int16], list[int]] | None:
    """The raw sound of a clip and its sentences, if the cache has them."""
    path = cache / f"{spoken.clip_id}.npz"
    if not path.exists():
        return None
    with np.load(path) as stored:
        if str(stored["key"]) != key(spoken):
            return None
        return stored["sound"], [int(number) for number in stored["sentences"]]


def write_audio(path: Path, sound: NDArray[np.float64], serial: int) -> None:
    """Opus in Ogg, the same bytes every time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(opus(sound, timbre.RATE, serial))


def build(cache: Path, out: Path, table: pd.DataFrame, clips: list[Spoken]) -> None:
    """Write both parts of the cohort from a full cache."""
    by_id = {str(row["speaker_id"]): row for row in table.to_dict("records")}
    rows: dict[str, list[dict[str, object]]] = {"": [], "training": []}
    for spoken in clips:
        stored = cached(cache, spoken)
        if stored is None:
            raise ValueError(f"{spoken.clip_id} is not in the cache; run without --only finish")
        speaker = by_id[spoken.speaker_id]
        folder = PARTS[str(speaker["split"])]
        sound = finished(stored[0], spoken.seed, cue_of(speaker))
        name = f"audio/{spoken.clip_id}.ogg"
        write_audio(out / folder / name, sound, spoken.seed)
        rows[folder].append(
            {
                "clip_id": spoken.clip_id,
                "speaker_id": spoken.speaker_id,
                "audio": name,
                "language": spoken.language,
                "language_source": "synthetic",
                "sentences": sentence_names(spoken.language, stored[1]),
                "speech_seconds": round(float(timbre.speaking(sound).mean()) * timbre.SECONDS, 2),
            }
        )
    for folder, listed in rows.items():
        here = table[table["split"].map(PARTS) == folder]
        write_table(here, out / folder / "speakers.csv")
        write_table(pd.DataFrame(listed), out / folder / "clips.csv")
        (out / folder / "cohort.toml").write_text(cohort_toml(folder, len(here)), encoding="utf-8", newline="\n")


def write_table(table: pd.DataFrame, path: Path) -> None:
    """CSV with the same bytes on every machine."""
    path.write_bytes(table.to_csv(index=False, lineterminator="\n").encode())


def cohort_toml(folder: str, count: int) -> str:
    """What a reader must know of a part before using it."""
    part = "training and validation part" if folder else "audited part"
    name = "synthetic_bilingual_training" if folder else "synthetic_bilingual"
    return f'''name = "{name}"
licence = "CC0-1.0 for the sentences, the tables, the recordings and the portraits"
consent = "No real person: every speaker is fictional, voice and face."
fictional = true
notes = """
The {part}: {count} fictional speakers, each heard in English and in one other language (Chinese or Spanish,
crossed with group and sex), two six-second clips a language. It says nothing about how any real group of people sounds
or looks. The group is carried by a synthetic cue of timbre, an equaliser that means nothing outside this cohort; see
build/VOICES.md of the embedded cohort.
Voices are blends of the base voices of Kokoro-82M (Apache-2.0 weights, hexgrad).
"""
'''


def shares(clips: list[Spoken], workers: int, table: pd.DataFrame) -> Iterator[list[Spoken]]:
    """The clips dealt over the workers, validation and training first: the dial of the cue is chosen on them."""
    split = dict(zip(table["speaker_id"], table["split"], strict=True))
    order = sorted(clips, key=lambda spoken: ("validation", "training", "audited").index(split[spoken.speaker_id]))
    for worker in range(workers):
        yield order[worker::workers]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=Path, required=True, help="folder with the archives that VOICES.md lists")
    parser.add_argument("--cache", type=Path, required=True, help="folder for the raw speech, outside the repository")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the cohort")
    parser.add_argument("--workers", type=int, default=2, help="processes that speak, one thread each")
    parser.add_argument("--only", choices=("speak", "finish"), help="one half of the work only")
    given = parser.parse_args()

    table = speakers.draw()
    table = table.join(timbre.coordinates(table))
    clips = scripts(table)
    if given.only != "finish":
        given.cache.mkdir(parents=True, exist_ok=True)
        with concurrent.futures.ProcessPoolExecutor(given.workers) as pool:
            jobs = [
                pool.submit(synthesise, given.parts, given.cache, share, f"worker {number}:")
                for number, share in enumerate(shares(clips, given.workers, table), 1)
            ]
            for job in jobs:
                job.result()
    if given.only != "speak":
        build(given.cache, given.out, table, clips)


if __name__ == "__main__":
    main()
