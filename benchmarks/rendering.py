"""Clips rendered in a second, from 6 s FLAC files, against the bare network on spectrograms that are ready.

    python benchmarks/rendering.py [--clips 128] [--rounds 9] [--paper-clips 4]

Whole path: read and decode the files, spectrogram, network, pictures as uint8; the next batch is decoded while one
renders. Bare: voice encoder and decoder alone, the same batches, spectrograms in memory. Both in turns, in one process;
printed are the medians over the rounds, the last that of the rounds' own ratios. The weights are random, which changes
nothing in the time.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor

import audit
from audit.core.arrays import Waveform
from audit.core.audio import SAMPLE_RATE, read_clip
from audit.models.speech2face import PAPER, SMALL, Configuration, Speech2Face
from audit.models.speech2face.model import untrained
from audit.models.speech2face.spectrogram import batch_of


def write_clips(folder: Path, count: int) -> list[Path]:
    """Clips of the embedded cohort, six seconds each, as FLAC."""
    sources = sorted((audit.embedded("synthetic_bilingual") / "audio").glob("*.ogg"))
    paths = []
    for number in range(count):
        path = folder / f"{number:04d}.flac"
        soundfile.write(path, soundfile.read(sources[number % len(sources)])[0], SAMPLE_RATE)
        paths.append(path)
    return paths


def decoded(paths: list[Path], workers: Executor) -> list[Waveform]:
    """The clips' sound, as the harness decodes it: by a worker for each core."""
    return [wave for clip in workers.map(read_clip, paths) if (wave := clip.waveform) is not None]


def whole(model: Speech2Face, paths: list[Path]) -> int:
    """Files to pictures; the next batch is decoded while one renders."""
    batches = [paths[at : at + model.batch] for at in range(0, len(paths), model.batch)]
    made = 0
    with ThreadPoolExecutor(os.cpu_count()) as workers, ThreadPoolExecutor(1) as ahead:
        waiting = ahead.submit(decoded, batches[0], workers)
        for following in [*batches[1:], None]:
            waveforms = waiting.result()
            if following is not None:
                waiting = ahead.submit(decoded, following, workers)
            made += len(model.render(waveforms, SAMPLE_RATE))
    return made


def bare(model: Speech2Face, spectrograms: list[Tensor]) -> int:
    """The network alone."""
    with torch.inference_mode():
        return sum(len(model.network.decoder(model.network.voice(batch)).picture.cpu()) for batch in spectrograms)


def rate(work: Callable[[], int]) -> float:
    began = time.perf_counter()
    done = work()
    return done / (time.perf_counter() - began)


def measure(configuration: Configuration, paths: list[Path], rounds: int, batch: int) -> tuple[float, float, float]:
    """Clips a second, whole and bare, and the one over the other: medians over the rounds."""
    model = Speech2Face(untrained(configuration), batch=batch)
    with torch.inference_mode(), ThreadPoolExecutor(os.cpu_count()) as workers:
        spectrograms = [
            model.network.spectrogram(
                batch_of(decoded(paths[at : at + batch], workers), configuration.samples).to(model.device)
            )
            for at in range(0, len(paths), batch)
        ]
    bare(model, spectrograms[:1])
    whole(model, paths[:batch])
    rates = [(rate(lambda: whole(model, paths)), rate(lambda: bare(model, spectrograms))) for _ in range(rounds)]
    ratios = [one / other for one, other in rates]
    one, other = (float(np.median(column)) for column in zip(*rates, strict=True))
    return one, other, float(np.median(ratios))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=128)
    parser.add_argument("--paper-clips", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {device}")
    with tempfile.TemporaryDirectory() as name:
        paths = write_clips(Path(name), max(arguments.clips, arguments.paper_clips))
        for configuration, count, batch in ((SMALL, arguments.clips, 16), (PAPER, arguments.paper_clips, 2)):
            if count:
                found, alone, ratio = measure(
                    configuration, paths[: -(-count // batch) * batch], arguments.rounds, batch
                )
                words = f"{found:8.2f} clips/s from FLAC {alone:8.2f} bare network {ratio:8.2f}"
                print(f"{configuration.name:6s} {words}")


if __name__ == "__main__":
    main()
