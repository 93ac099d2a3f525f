"""What a run costs: engines, cache, the harness's own part, growth with the number of clips, and a plain script.

    python -m benchmarks.scale engines [--clips 128]
    python -m benchmarks.scale growth [--clips 1000 10000 100000]
    python -m benchmarks.scale script COHORT

engines: the embedded model and instrument on the embedded cohort, in one process, in two, on Ray, from the cache; and
the bare model and instrument on the same batches, their sound and portraits decoded beforehand. growth: a fake model
and a fake instrument, for the harness alone; every clip is decoded, every speaker has a portrait, every face is another
picture, and written; the cohort is made before, elsewhere. script: ``benchmarks/plain_script.py`` against ``audit run``
(measure and report included), from start to end, on a cohort. On Ray: ``benchmarks/ray_scale.py``.

Every line is a process of its own. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
from PIL import Image

import audit
from audit.core.audio import SAMPLE_RATE
from audit.core.plan import EngineSettings, RunSettings
from audit.core.vocabulary import RACES
from audit.instruments.protocol import Reading

MODEL = "speech2face-small-gap"
SOUNDS = 500
DEEPFACES_OWN = "VGG-Face"


class QuickModel:
    """A fake model: a picture that no other is like, at once."""

    name = "quick (fake)"

    def __init__(self, size: int = 64) -> None:
        self.made, self.size = 0, size

    def render(self, waveforms: Sequence[Any], sample_rate: int) -> list[Any]:
        self.made += len(waveforms)
        shape = (self.size, self.size, 3)
        seeds = [(os.getpid(), self.made - i) for i in range(len(waveforms))]  # no two actors make the same picture
        return [np.random.default_rng(seed).integers(0, 255, shape, np.uint8) for seed in seeds]


class QuickInstrument:
    """A fake instrument: readings of the real one's size, at once."""

    name = "quick (fake)"

    def __init__(self, *, features: bool = True) -> None:
        self.features = features
        self.similarity_models = ("SFace", "FaceRes") if features else ()

    def read(self, pictures: Sequence[Any]) -> list[Reading]:
        return [self._reading() for _ in pictures]

    def _reading(self) -> Reading:
        if not self.features:
            return Reading("ok", dict.fromkeys(RACES, 1 / 6), 0.5, 40.0, {})
        feature = {name: np.full(size, size**-0.5, np.float32) for name, size in (("SFace", 128), ("FaceRes", 1024))}
        return Reading("ok", dict.fromkeys(RACES, 1 / 6), 0.5, 40.0, feature, np.zeros((68, 2), np.float32))

    def describe(self) -> dict[str, object]:
        return {"fake": True}


def part_of(cohort: Path, clips: int) -> audit.Cohort:
    """The first clips of a cohort."""
    whole = audit.Cohort.read(cohort)
    return audit.Cohort(whole.root, whole.speakers, whole.clips.iloc[:clips].reset_index(drop=True), whole.notes)


def engine(clips: int, out: Path, words: dict[str, Any]) -> dict[str, Any]:
    """One run of the embedded model and instrument; starting is not counted."""
    cohort = part_of(audit.embedded("synthetic_bilingual"), clips)
    model, instrument = audit.model(MODEL), audit.instrument()
    start = time.monotonic()
    done = audit.run(cohort, model=model, instrument=instrument, out=out, engine=EngineSettings(**words))
    return {"seconds": time.monotonic() - start, "digest": done.digest}


def bare(clips: int) -> dict[str, Any]:
    """Model and instrument alone, on the batches that the harness would give them; each portrait once."""
    from audit.runs.harness.hearing import load_part

    cohort = part_of(audit.embedded("synthetic_bilingual"), clips)
    model: Any = audit.model(MODEL)
    instrument = audit.instrument()
    settings = RunSettings()
    size = settings.part_size(len(cohort.table))
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        parts = [
            load_part(cohort.table.iloc[at : at + size], cohort.root, settings, workers)
            for at in range(0, len(cohort.table), size)
        ]
    start = time.monotonic()
    known: set[str] = set()
    for part in parts:
        rendered = model.render([clip.waveform for clip in part.clips], SAMPLE_RATE)
        portraits = {portrait.digest: portrait.file.pixels for portrait in part.portraits}
        ceilings = model.ceiling([*portraits.values()])
        new = {digest: pixels for digest, pixels in portraits.items() if digest not in known}
        known |= new.keys()
        instrument.read([*new.values(), *ceilings, *rendered])
    return {"seconds": time.monotonic() - start}


def grown(clips: int, folder: Path) -> None:
    """A cohort of so many clips, ten a speaker, each speaker with a portrait."""
    for kind in ("audio", "portraits"):
        (folder / kind).mkdir(parents=True)
    noise = np.random.default_rng(0)
    for number in range(SOUNDS):
        soundfile.write(folder / f"audio/{number}.wav", noise.normal(0, 0.1, 3 * SAMPLE_RATE), SAMPLE_RATE)
    people = [f"s{number:06d}" for number in range(-(-clips // 10))]
    for person in people:
        Image.fromarray(noise.integers(0, 255, (64, 64, 3), np.uint8)).save(folder / f"portraits/{person}.png")
    rows = {
        "clip_id": [f"c{number:07d}" for number in range(clips)],
        "speaker_id": [people[number // 10] for number in range(clips)],
        "audio": [f"audio/{number % SOUNDS}.wav" for number in range(clips)],
        "language": [("en", "zh")[number % 2] for number in range(clips)],
    }
    pd.DataFrame(rows).to_csv(folder / "clips.csv", index=False)
    groups = [RACES[number % 4] for number in range(len(people))]
    portraits = [f"portraits/{person}.png" for person in people]
    pd.DataFrame({"speaker_id": people, "group": groups, "portrait": portraits}).to_csv(
        folder / "speakers.csv", index=False
    )


def growth(folder: Path) -> dict[str, Any]:
    """A run of fakes; its most memory before and after its observations were read."""
    cohort = audit.Cohort.read(folder)
    start = time.monotonic()
    done = audit.run(
        cohort,
        model=QuickModel(),
        instrument=QuickInstrument(),
        out=folder / "run",
        engine=EngineSettings(cache="none"),
    )
    seconds, running = time.monotonic() - start, most_memory()
    _ = done.observations
    return {"seconds": seconds, "gb_running": running}


def most_memory() -> float:
    """The most memory so far of this process or of a child of it, GB."""
    used = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return used / 2**20


def alone(job: str, *words: str) -> dict[str, Any]:
    """A job in a process of its own; its most memory, that of its children included."""
    command = [sys.executable, "-m", "benchmarks.scale", "--job", job, *words]
    start = time.monotonic()
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(ended.stderr[-3000:])
    told: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return told | {"from_start": time.monotonic() - start}


def job(name: str, words: list[str]) -> None:
    if name == "engine":
        told = engine(int(words[0]), Path(words[1]), json.loads(words[2]))
    elif name == "bare":
        told = bare(int(words[0]))
    else:
        told = growth(Path(words[0]))
    print(json.dumps(told | {"gb": most_memory()}))


def engines(clips: int, rounds: int, folder: Path) -> None:
    ways: dict[str, dict[str, Any] | None] = {
        "bare model and instrument": None,
        "one process": {"cache": "none"},
        "two processes": {"workers": 2, "cache": "none"},
        "Ray, two actors": {"name": "ray", "workers": 2, "cache": "none"},
        "one process, cache empty": {"cache": str(folder / "cache-{}")},
        "one process, all in the cache": {"cache": str(folder / "cache-{}")},
    }
    best: dict[str, dict[str, Any]] = {}
    digests = set()
    for turn in range(rounds):
        for way, words in ways.items():
            if words is None:
                told = alone("bare", str(clips))
            else:
                filled = {key: value.format(turn) if isinstance(value, str) else value for key, value in words.items()}
                told = alone("engine", str(clips), str(folder / f"{way} {turn}".replace(" ", "-")), json.dumps(filled))
                digests.add(told["digest"])
            if way not in best or told["seconds"] < best[way]["seconds"]:
                best[way] = told
    print(f"| way | seconds | clips a second | against one process | most memory, GB |\n{'| --- ' * 5}|")
    for way, told in best.items():
        ratio = best["one process"]["seconds"] / told["seconds"]
        print(f"| {way} | {told['seconds']:.1f} | {clips / told['seconds']:.2f} | {ratio:.2f} | {told['gb']:.2f} |")
    print(f"\n{clips} clips, best of {rounds}; digests of the observations: {len(digests)} different.")


def script(cohort: str, workers: int, features: list[str], folder: Path) -> None:
    """The plain script against audit run, with each similarity model; and audit run again, from its cache."""
    home = folder / "home"
    if DEEPFACES_OWN in features:
        subprocess.run([sys.executable, "-m", "benchmarks.plain_script", "weights", str(home)], check=True)
    print("| face feature | plain script | audit run | times | again, from the cache | times |\n" + "| --- " * 6 + "|")
    for similarity in features:
        used = ["SFace", "FaceRes"] if similarity == DEEPFACES_OWN else [similarity]
        plan = folder / f"{similarity}.toml"
        plan.write_text(
            f'[cohort]\npath = "{Path(cohort).resolve()}"\n[model]\nname = "{MODEL}"\n'
            f"[instrument]\nsimilarity = {json.dumps(used)}\n"
            f'[engine]\nworkers = {workers}\ncache = "{folder / similarity}"\n'
        )
        suite = [sys.executable, "-m", "audit.cli", "run", str(plan), "-o", str(folder / f"{similarity}-")]
        plain = [sys.executable, "-m", "benchmarks.plain_script", cohort, MODEL, str(folder / f"{similarity}-plain")]
        seconds = []
        for command in ([*suite[:-1], f"{suite[-1]}1"], [*suite[:-1], f"{suite[-1]}2"], [*plain, similarity]):
            own = {"DEEPFACE_HOME": str(home)} if command[-1] == DEEPFACES_OWN else {}
            start = time.monotonic()
            subprocess.run(command, check=True, capture_output=True, env=os.environ | own)
            seconds.append(time.monotonic() - start)
        first, again, slow = seconds
        print(
            f"| {similarity} | {slow:.0f} s | {first:.0f} s | {slow / first:.1f} | {again:.0f} s | {slow / again:.1f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["engines", "growth", "script"])
    parser.add_argument("cohort", nargs="?", help="script: a cohort's folder")
    parser.add_argument("--clips", type=int, nargs="+")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2, help="script: of audit run")
    parser.add_argument("--features", nargs="+", default=["FaceRes", DEEPFACES_OWN], help="script: the face features")
    parser.add_argument("--job", nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.job:
        job(asked.job[0], asked.job[1:])
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if asked.what == "engines":
            engines((asked.clips or [128])[0], asked.rounds, folder)
        elif asked.what == "growth":
            print("| clips | seconds | ms a clip | most memory, MB | once the observations are read, MB |")
            print("| ---: " * 5 + "|")
            for clips in asked.clips or [1_000, 10_000, 100_000]:
                grown(clips, folder / str(clips))
                told = alone("growth", str(folder / str(clips)))
                each = 1000 * told["seconds"] / clips
                memory = " | ".join(f"{1000 * told[when]:.0f}" for when in ("gb_running", "gb"))
                print(f"| {clips:,} | {told['seconds']:.1f} | {each:.2f} | {memory} |", flush=True)
                shutil.rmtree(folder / str(clips))
        else:
            script(asked.cohort, asked.workers, asked.features, folder)


if __name__ == "__main__":
    main()
