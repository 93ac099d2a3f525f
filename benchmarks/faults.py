"""Break a run in every way that a machine can, at random points, and compare what is left with an unbroken run.

    python -m benchmarks.faults [--trials 500] [--seed 0] [--only kill]

Each trial breaks one run once, then gives the same command again. It passes where the run ends as the unbroken one did,
down to the bytes of its parts and of audit.json, and where whatever stopped it said so in one clear sentence with exit
code 2. For a model or an instrument that fails on one clip, every other clip must be as it was. It prints one
line a fault: how many clips were lost (no observation) or doubled in all trials together, and how many trials ended
otherwise than unbroken without a word (silently wrong) or in another way that is not allowed.

Model and instrument are fakes of a few lines, so that a trial takes seconds; what is tried is the harness.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
from PIL import Image

import audit
from audit.core.errors import AuditError
from audit.core.plan import EngineSettings, MeasureSettings, RunSettings
from audit.core.vocabulary import RACES
from audit.instruments.protocol import Reading

SPEAKERS, CLIPS, PART = 12, 48, 4
NOBODY = 65534
QUICK = MeasureSettings(resamples=200, intersect=(), slice_depth=0)
"""Settings of measurements, which are compared by their bytes only."""


class ToneModel:
    """A fake model: the clip's pitch decides the colour. May be told to fail on the clips of one pitch.

    Parameters
    ----------
    fails : {"", "nan", "raise", "die", "memory"}
        What it does on them: gives a picture of NaN, raises, kills its process (once: it leaves a mark), or lacks
        memory until there is a mark.
    on : int
        Which clips, by their number.
    mark : str
        A file that is there once it has died.
    seconds : float
        How long it sleeps over each clip.
    """

    name = "tones (fake)"

    def __init__(self, fails: str = "", on: int = -1, mark: str = "", seconds: float = 0.0) -> None:
        self.fails, self.on, self.mark, self.seconds = fails, on, mark, seconds

    def render(self, waveforms: Sequence[Any], sample_rate: int) -> list[Any]:
        return [self._render(waveform, sample_rate) for waveform in waveforms]

    def describe(self) -> dict[str, object]:
        return {"cache_key": "tones" if self.fails in ("", "die", "memory") else f"tones, {self.fails} on {self.on}"}

    def _render(self, waveform: Any, sample_rate: int) -> Any:
        time.sleep(self.seconds)
        spectrum = np.abs(np.fft.rfft(waveform[:sample_rate]))
        number = round((int(spectrum.argmax()) - 200) / 10)
        if number == self.on and self.fails == "raise":
            raise FloatingPointError("planted")
        if number == self.on and self.fails == "nan":
            return np.full((16, 16, 3), np.nan, np.float32)
        if number == self.on and self.fails == "die" and not Path(self.mark).exists():
            Path(self.mark).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if number == self.on and self.fails == "memory" and not Path(self.mark).exists():
            raise MemoryError("planted")
        return colour(number)


class ColourInstrument:
    """A fake instrument: the colour decides the reading. May be told to raise on one colour."""

    name = "colours (fake)"
    similarity_models = ("FakeFace",)

    def __init__(self, on: int = -1) -> None:
        self.on = on

    def read(self, pictures: Sequence[Any]) -> list[Reading]:
        return [self._read(picture) for picture in pictures]

    def describe(self) -> dict[str, object]:
        return {"cache_key": f"colours, raises on {self.on}"}

    def _read(self, picture: Any) -> Reading:
        number = int(picture[-1, -1, 0])
        if number == self.on:
            raise ZeroDivisionError("planted")
        feature = np.zeros(8, np.float32)
        feature[number % 8] = 1
        race = {label: float(label == RACES[number % 6]) for label in RACES}
        return Reading("ok", race, float(number % 2), 20.0 + number, {"FakeFace": feature})


def colour(number: int) -> Any:
    picture = np.full((16, 16, 3), number, np.uint8)
    picture[:4, :4] = 255
    return picture


def write_cohort(folder: Path) -> Path:
    """Twelve speakers, each with a portrait and two tones in each of two languages."""
    (folder / "audio").mkdir(parents=True)
    seconds = np.arange(16_000) / 16_000
    clips, speakers = [], []
    for number in range(CLIPS):
        speaker, language = f"s{number % SPEAKERS:02d}", ("en", "zh")[number // SPEAKERS % 2]
        name = f"audio/c{number:02d}.wav"
        soundfile.write(folder / name, 0.5 * np.sin(2 * np.pi * (200 + 10 * number) * seconds), 16_000)
        clips.append({"clip_id": f"c{number:02d}", "speaker_id": speaker, "audio": name, "language": language})
    for number in range(SPEAKERS):
        name = f"p{number:02d}.png"
        Image.fromarray(colour(200 + number)).save(folder / name)
        speakers.append({"speaker_id": f"s{number:02d}", "group": RACES[number % 4], "portrait": name})
    pd.DataFrame(clips).to_csv(folder / "clips.csv", index=False)
    pd.DataFrame(speakers).to_csv(folder / "speakers.csv", index=False)
    return folder


@dataclass
class Trial:
    """One broken run.

    Attributes
    ----------
    place : Path
        A folder of its own: the run goes to ``run`` in it, the cache beside it.
    cohort : Path
        The cohort.
    draw : Random
        Where it is broken.
    said : list of str
        What stopped the run, as the user reads it.
    """

    place: Path
    cohort: Path
    draw: random.Random
    said: list[str] = field(default_factory=list)

    @property
    def run(self) -> Path:
        """The run's folder."""
        return self.place / "run"

    def here(
        self, model: ToneModel | None = None, instrument: ColourInstrument | None = None, workers: int = 1
    ) -> None:
        """Run in this process; a clear refusal is noted."""
        try:
            done = audit.run(
                audit.Cohort.read(self.cohort),
                model=model or ToneModel(),
                instrument=instrument or ColourInstrument(),
                out=self.run,
                settings=RunSettings(part=PART),
                engine=EngineSettings(workers=workers, keys=str(self.cohort.with_name("keys"))),
            )
            audit.measure(done, settings=QUICK).write(self.run)
        except AuditError as error:
            self.said.append(str(error))

    def elsewhere(self, *words: str) -> subprocess.Popen[str]:
        """Run in a process of its own, slowly enough to be broken; see :func:`child`."""
        command = [sys.executable, "-m", "benchmarks.faults", "--child", str(self.cohort), str(self.run), *words]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def wait_for_parts(self, process: subprocess.Popen[str], number: int) -> None:
        """Wait until so many parts are there, or the process has ended."""
        while process.poll() is None and len([*self.run.glob("observations/part-*")]) < number:
            time.sleep(0.005)

    def end_of(self, process: subprocess.Popen[str]) -> None:
        """Wait for it; what it said is noted where it refused, and a traceback is a failure."""
        _, errors = process.communicate(timeout=120)
        if process.returncode == 2:
            self.said.append(errors.strip())
        elif process.returncode not in (0, -signal.SIGKILL):
            raise AssertionError(f"exit {process.returncode}: {errors[-2000:]}")


def child(cohort: str, run: str, seconds: str = "0.02", limit: str = "0", user: str = "0") -> int:
    """The run of a process of its own; ``limit`` is the largest file that it may write, in bytes; ``user`` is who runs
    it, once all code is loaded: the interpreter itself may lie where that user cannot look.
    """
    if int(limit):
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    if int(user) and os.geteuid() == 0:
        with tempfile.TemporaryDirectory() as elsewhere:
            Trial(Path(elsewhere), Path(cohort), random.Random(0)).here()
        os.seteuid(int(user))
    trial = Trial(Path(run).parent, Path(cohort), random.Random(0))
    trial.here(ToneModel(seconds=float(seconds)))
    for sentence in trial.said:
        print(sentence, file=sys.stderr)
    return 2 if trial.said else 0


def kill(trial: Trial) -> None:
    """The process is killed at any moment."""
    process = trial.elsewhere()
    trial.wait_for_parts(process, trial.draw.randrange(CLIPS // PART))
    time.sleep(trial.draw.uniform(0, 0.1))
    process.send_signal(signal.SIGKILL)
    trial.end_of(process)


def full_disk(trial: Trial) -> None:
    """No file may grow beyond so many bytes: parts, pictures, manifest or cache cannot be written."""
    trial.end_of(
        trial.elsewhere("0", str(trial.draw.choice([1, 1_000, 8_000, 16_000, 32_000, 48_000, 64_000, 96_000, 128_000])))
    )


def read_only(trial: Trial) -> None:
    """Somebody may not write there, before the run or in the middle of it."""
    if trial.draw.random() < 0.5:
        trial.here()
        for path in [*trial.run.glob("observations/*")][trial.draw.randrange(8) :]:
            path.unlink()
        (trial.run / "manifest.json").write_text(
            (trial.run / "manifest.json").read_text().replace('"complete"', '"running"')
        )
    trial.run.mkdir(exist_ok=True)
    trial.run.chmod(0o555)
    trial.place.chmod(0o555)
    trial.end_of(trial.elsewhere("0", "0", str(NOBODY)))
    assert trial.said, "nobody could write there"
    trial.place.chmod(0o755)
    trial.run.chmod(0o755)


def worker_dies(trial: Trial) -> None:
    """One of two worker processes is killed in the middle of a clip."""
    trial.here(ToneModel("die", trial.draw.randrange(CLIPS), str(trial.place / "mark")), workers=2)
    assert trial.said or not (trial.place / "mark").exists(), "a worker died and nothing was said"


def out_of_memory(trial: Trial) -> None:
    """The model finds no memory for one clip, as long as nothing is changed; then there is enough."""
    mark = trial.place / "mark"
    trial.here(ToneModel("memory", trial.draw.randrange(CLIPS), str(mark)))
    assert trial.said, "memory lacked and nothing was said"


def pipe_in_place(trial: Trial) -> None:
    """A part or the manifest of a run is a pipe, until the file is restored."""
    trial.here()
    kept = [path for path in sorted(trial.run.rglob("*")) if path.suffix in (".parquet", ".json") and path.is_file()]
    path = trial.draw.choice([path for path in kept if path.name != "audit.json"])
    data = path.read_bytes()
    path.unlink()
    os.mkfifo(path)
    trial.here()
    assert trial.said, f"{path.name} was a pipe and nothing was said"
    path.unlink()
    path.write_bytes(data)


def two_runs(trial: Trial) -> None:
    """Two processes are started in one folder."""
    one = trial.elsewhere()
    if trial.draw.random() < 0.5:
        trial.wait_for_parts(one, trial.draw.randrange(3))
    other = trial.elsewhere()
    trial.end_of(one)
    trial.end_of(other)


def damaged_part(trial: Trial) -> None:
    """A part of a run that was killed is cut off, or some of its bytes are others."""
    trial.here()
    manifest = trial.run / "manifest.json"
    if trial.draw.random() < 0.5:
        import json

        told = json.loads(manifest.read_text())
        del told["parts"]
        manifest.write_text(json.dumps(told | {"status": "running"}))
    damage(trial.draw.choice(sorted(trial.run.glob("observations/part-*"))), trial.draw)


def damaged_cache(trial: Trial) -> None:
    """Some bytes of the cache are others; the run is another one, which would take its answers from there."""
    trial.here()
    shutil.rmtree(trial.run)
    kept = [path for path in trial.place.glob(".audit-cache/**/*") if path.is_file() and path.stat().st_size]
    damage(trial.draw.choice(sorted(kept)), trial.draw)
    trial.here()
    if trial.said:
        shutil.rmtree(trial.place / ".audit-cache")


def clock_jumps(trial: Trial) -> None:
    """The clock jumps between any two looks at it, by up to ten years."""
    import datetime as dt

    from audit.runs.harness import folder

    class Jumping(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:
            return dt.datetime.now(tz) + dt.timedelta(days=trial.draw.uniform(-3650, 3650))

    class Clock:
        datetime, UTC = Jumping, dt.UTC

    real, folder.dt = folder.dt, Clock  # type: ignore[misc, assignment]  # a clock that jumps stands in for the module
    try:
        trial.here()
    finally:
        folder.dt = real  # type: ignore[misc]


def damage(path: Path, draw: random.Random) -> None:
    data = bytearray(path.read_bytes())
    if draw.random() < 0.5:
        data = data[: draw.randrange(len(data))]
    else:
        for _ in range(draw.randrange(1, 20)):
            data[draw.randrange(len(data))] ^= draw.randrange(1, 256)
    path.write_bytes(data)


def model_raises(trial: Trial) -> set[str]:
    """The model raises on one clip."""
    return one_clip(
        trial, "model_error", model=ToneModel("raise", number := trial.draw.randrange(CLIPS)), number=number
    )


def model_nan(trial: Trial) -> set[str]:
    """The model gives numbers that are none for one clip."""
    return one_clip(trial, "model_error", model=ToneModel("nan", number := trial.draw.randrange(CLIPS)), number=number)


def instrument_raises(trial: Trial) -> set[str]:
    """The instrument raises on one picture."""
    number = trial.draw.randrange(CLIPS)
    return one_clip(trial, "instrument_error", instrument=ColourInstrument(number), number=number)


def one_clip(trial: Trial, status: str, number: int, **parts: Any) -> set[str]:
    trial.here(**parts)
    assert not trial.said, trial.said
    clip = f"c{number:02d}"
    row = audit.Run.read(trial.run).observations.set_index("clip_id").loc[clip]
    assert row["status"] == status, row["status"]
    assert "planted" in row["detail"] or "float32" in row["detail"], row["detail"]
    return {clip}


FAULTS: dict[str, Callable[[Trial], set[str] | None]] = {
    "kill": kill,
    "full disk": full_disk,
    "read-only": read_only,
    "worker dies": worker_dies,
    "out of memory": out_of_memory,
    "pipe in place of a file": pipe_in_place,
    "two runs": two_runs,
    "damaged part": damaged_part,
    "damaged cache": damaged_cache,
    "clock jumps": clock_jumps,
    "model raises": model_raises,
    "model gives NaN": model_nan,
    "instrument raises": instrument_raises,
}


def unbroken(folder: Path, cohort: Path) -> Trial:
    """The run that every other is compared with."""
    trial = Trial(folder, cohort, random.Random(0))
    trial.here()
    assert not trial.said, trial.said
    return trial


def attempt(fault: str, trial: Trial, whole: Trial) -> None:
    """Break the run, give the command again, and compare.

    Raises
    ------
    AssertionError
        If anything is otherwise than in the unbroken run, or what stopped it was not said in a clear sentence.
    """
    touched = FAULTS[fault](trial)
    for sentence in trial.said:
        assert "Next:" in sentence, f"no next step: {sentence}"
        assert "Traceback" not in sentence, f"a traceback: {sentence}"
    before, now = audit.Run.read(whole.run), whole
    if touched is None:
        told, trial.said = trial.said, []
        trial.here()
        assert not trial.said, f"the same command again: {trial.said}"
        trial.said = told
        now_run = audit.Run.read(trial.run)
        assert now_run.manifest["parts"] == before.manifest["parts"], "the parts differ"
        assert (trial.run / "audit.json").read_bytes() == (now.run / "audit.json").read_bytes(), "audit.json differs"
        return
    others = [
        run.observations[~run.observations["clip_id"].isin(touched)] for run in (before, audit.Run.read(trial.run))
    ]
    pd.testing.assert_frame_equal(others[0], others[1])


def lost_and_doubled(trial: Trial) -> tuple[int, int]:
    """How many clips have no observation in the parts of a run, and how many more than one."""
    parts = sorted(trial.run.glob("observations/part-*.parquet"))
    counts = pd.concat([pd.read_parquet(path, columns=["clip_id"]) for path in parts])["clip_id"].value_counts()
    return CLIPS - len(counts), int((counts > 1).sum())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=500, help="of all faults together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=FAULTS, help="this fault alone")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        return child(*asked.child)
    faults = [asked.only] if asked.only else list(FAULTS)
    each = -(-asked.trials // len(faults))
    print(
        "| fault | trials | stopped with a clear sentence | clips lost | doubled | silently wrong | otherwise wrong |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        cohort = write_cohort(root / "cohort")
        whole = unbroken(root / "unbroken", cohort)
        for fault in faults:
            stopped, lost, doubled, silent, wrong = 0, 0, 0, 0, []
            for number in range(each):
                place = root / f"trial-{number}"
                place.mkdir()
                trial = Trial(place, cohort, random.Random(f"{asked.seed} {fault} {number}"))
                try:
                    attempt(fault, trial, whole)
                except AssertionError as error:
                    wrong.append(f"{number}: {error}")
                    silent += not trial.said
                stopped += bool(trial.said)
                missing, more = lost_and_doubled(trial)
                lost, doubled = lost + missing, doubled + more
                shutil.rmtree(place)
            print(
                f"| {fault} | {each} | {stopped} | {lost} | {doubled} | {silent} | {len(wrong) - silent} |", flush=True
            )
            for sentence in wrong:
                print(f"  {fault}, {sentence}", file=sys.stderr, flush=True)
            failed += len(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
