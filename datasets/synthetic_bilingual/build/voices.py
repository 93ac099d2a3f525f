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
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
import speakers
import synthesis
import timbre
from numpy.typing import NDArray
from ogg import fixed_serial
from scipy import signal

HERE = Path(__file__).parent
CLIPS_PER_LANGUAGE = 2
SPARE_SENTENCES = 8
RAW_SECONDS, SPARE_SECONDS = 6.15, 0.5
PAUSE = (0.15, 0.30)
AIM_SECONDS = (
    6.95  # what the first two sentences should last at the rates of rates.csv, so that a third is seldom needed
)
COMPRESSION = 0.955  # libsndfile's way to say Opus at about 19 kbit/s
PARTS = {"audited": "", "validation": "training", "training": "training"}
"""Folder of each split below the output folder."""


@dataclass(frozen=True)
class Spoken:
    """What one clip says: the voice, the rate and the sentences that it may use, in order."""

    clip_id: str
    speaker_id: str
    language: str
    blend: dict[str, float]
    tempo: float
    sentences: list[int]
    texts: list[str]
    seed: int

    def key(self) -> str:
        """Digest of all that the raw sound depends on; a cached sound with another key is made again."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def sentence_split(number: int) -> str:
    """Which speakers may say a sentence: of each eight, three audited, one validation, four training."""
    return ("audited", "training", "validation", "training", "audited", "training", "audited", "training")[number % 8]


def script(table: pd.DataFrame, texts: dict[str, list[str]], seed: int) -> list[Spoken]:
    """What every clip says. No sentence is offered twice to one speaker, and none to speakers of two splits."""
    rates = pd.read_csv(HERE / "rates.csv", index_col="voice")
    lasting = {language: [len(synthesis.phonemes(text, language)) for text in texts[language]] for language in texts}
    clips = []
    for row in table.to_dict("records"):
        blend = {row["voice_a"]: row["weight_a"], row["voice_b"]: round(1.0 - row["weight_a"], 3)}
        for language in ("en", row["other_language"]):
            pool = [number for number in range(len(texts[language])) if sentence_split(number) == row["split"]]
            drawn = speakers.generator(seed, "sentences", row["speaker_id"], language).permutation(pool)
            for take in range(CLIPS_PER_LANGUAGE):
                clip_id = f"{row['speaker_id']}_{language}{take + 1}"
                offered = [int(number) for number in drawn[take::CLIPS_PER_LANGUAGE][:SPARE_SENTENCES]]
                rate = sum(weight * rates[language][name] for name, weight in blend.items())
                wanted = AIM_SECONDS * row["tempo"] * rate
                chosen = in_order(offered, [lasting[language][number] for number in offered], wanted)
                said = [texts[language][number] for number in chosen]
                own_seed = speakers.seeded_number(seed, "clip", clip_id)
                clips.append(Spoken(clip_id, row["speaker_id"], language, blend, row["tempo"], chosen, said, own_seed))
    return clips


def in_order(offered: list[int], lasting: list[int], wanted: float) -> list[int]:
    """The offered sentences with that pair first which lasts just as long as wanted (or longest, if none does)."""
    pairs = [(one, other) for one in range(len(offered)) for other in range(len(offered)) if one < other]
    short = {pair: wanted - lasting[pair[0]] - lasting[pair[1]] for pair in pairs}
    first = min(pairs, key=lambda pair: (max(short[pair], 0.0), -short[pair]))
    rest = [place for place in range(len(offered)) if place not in first]
    return [offered[place] for place in (*first, *rest)]


def speak(voice: synthesis.Synthesiser, spoken: Spoken) -> tuple[NDArray[np.int16], list[int]]:
    """The raw sound of a clip at 24 kHz, a little over six seconds, and which sentences are in it.

    The first two sentences are said in one breath; should they be too short, others follow after a short pause.
    """
    rng = np.random.default_rng(spoken.seed)
    wanted = int(RAW_SECONDS * synthesis.RATE)
    pieces: list[NDArray[np.float64]] = []
    used = 0
    while sum(map(len, pieces)) < wanted:
        text = " ".join(spoken.texts[used : used + (1 if used else 2)])
        if not text:
            raise ValueError(f"{spoken.clip_id}: {used} sentences last less than {RAW_SECONDS} s")
        said = voice.say(text, spoken.language, spoken.blend, spoken.tempo).astype(np.float64)
        pause = np.zeros(int(rng.uniform(*PAUSE) * synthesis.RATE)) if pieces else np.zeros(0)
        pieces += [pause, timbre.shortened(timbre.trimmed(said, synthesis.RATE), synthesis.RATE)]
        used += 1 if used else 2
    sound = np.concatenate(pieces)[: wanted + int(SPARE_SECONDS * synthesis.RATE)]
    loudest = float(np.abs(sound).max())
    if not np.isfinite(sound).all() or loudest < 0.01:
        raise ValueError(f"{spoken.clip_id}: the synthesiser gave no sound")
    return np.round(sound / loudest * 32000.0).astype(np.int16), spoken.sentences[:used]


def synthesise(parts: Path, cache: Path, clips: list[Spoken], label: str = "") -> int:
    """Fill the cache with those of the clips that are not in it; returns how many were made."""
    os.nice(5)
    missing = [spoken for spoken in clips if cached(cache, spoken) is None]
    if not missing:
        return 0
    voice = synthesis.Synthesiser(parts)
    for done, spoken in enumerate(missing, 1):
        sound, used = speak(voice, spoken)
        target = cache / f"{spoken.clip_id}.npz"
        with target.with_suffix(".part").open("wb") as file:
            np.savez(file, sound=sound, sentences=np.array(used), key=np.array(spoken.key()))
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
        if str(stored["key"]) != spoken.key():
            return None
        return stored["sound"], [int(number) for number in stored["sentences"]]


def finished(raw: NDArray[np.int16], spoken: Spoken, cue: dict[str, float]) -> NDArray[np.float64]:
    """The clip as it is written: 16 kHz, six seconds, with the cue of its speaker."""
    sound = signal.resample_poly(raw.astype(np.float64) / 32768.0, 2, 3)
    return timbre.clip(sound, cue, np.random.default_rng(spoken.seed + 1))


def cue_of(speaker: Mapping[Hashable, Any]) -> dict[str, float]:
    """The gains of the equaliser of one speaker."""
    return {axis: float(speaker[f"cue_{axis}"]) for axis in timbre.AXES}


def write_audio(path: Path, sound: NDArray[np.float64], serial: int) -> None:
    """Opus in Ogg, the same bytes every time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound, timbre.RATE, format="OGG", subtype="OPUS", compression_level=COMPRESSION)
    path.write_bytes(fixed_serial(path.read_bytes(), serial))


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
        sound = finished(stored[0], spoken, cue_of(speaker))
        name = f"audio/{spoken.clip_id}.ogg"
        write_audio(out / folder / name, sound, spoken.seed)
        rows[folder].append(
            {
                "clip_id": spoken.clip_id,
                "speaker_id": spoken.speaker_id,
                "audio": name,
                "language": spoken.language,
                "language_source": "synthetic",
                "sentences": " ".join(f"{spoken.language}{number + 1:03d}" for number in stored[1]),
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
    texts = {language: synthesis.read_sentences(HERE / f"sentences.{language}.txt") for language in synthesis.LANGUAGES}
    clips = script(table, texts, speakers.SEED)
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
