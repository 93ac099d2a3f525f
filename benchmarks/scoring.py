"""How long it takes to score a face: this instrument in one call, against DeepFace's plain loop over the same models.

    python -m benchmarks.scoring FACES_DIR [--faces 60] [--rounds 5]

Both read the same pictures with the same registered models in the same process, detection and decoding included: age,
gender, race and the FaceRes feature. The loop is what DeepFace's documentation shows, once with DeepFace's default
detector and once with the detector that the instrument uses. The ways alternate, and their order turns round each
round; printed are medians over the rounds. Pictures in which one of the ways finds no face are left out beforehand, so
that all do the same work; nothing is remembered between rounds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from benchmarks.deepface_home import use_packaged_yunet

home = use_packaged_yunet()

from deepface import DeepFace
from deepface.modules.exceptions import FaceNotDetected

from audit.instruments import instrument
from benchmarks.embedded_analyze import serve_analyze

SUFFIXES = {".jpg", ".jpeg", ".png"}


def loop(paths: list[Path], detector: str) -> None:
    """DeepFace's own way, one picture after the other."""
    with serve_analyze():
        for path in paths:
            DeepFace.analyze(str(path), actions=["age", "gender", "race"], detector_backend=detector, silent=True)
            DeepFace.represent(str(path), model_name="FaceRes", detector_backend=detector)


def has_face(path: Path, detector: str) -> bool:
    try:
        loop([path], detector)
    except FaceNotDetected:
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path, metavar="FACES_DIR", help="folder of pictures of faces")
    parser.add_argument("--faces", type=int, default=60, dest="count", help="how many of them, in the order of names")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    reader = instrument("embedded", similarity=["FaceRes"], remember=0)

    def batched(paths: list[Path]) -> int:
        pictures = [np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR), dtype=np.uint8)[:, :, ::-1] for path in paths]
        return sum(reading.status == "ok" for reading in reader.read(pictures))

    files = sorted(path for path in arguments.faces.iterdir() if path.suffix.lower() in SUFFIXES)
    paths: list[Path] = []
    for path in files:  # also warms everything up
        if batched([path]) and has_face(path, "yunet") and has_face(path, "opencv"):
            paths.append(path)
        if len(paths) == arguments.count:
            break
    if not paths:
        raise SystemExit(f"{arguments.faces} holds no picture ({', '.join(sorted(SUFFIXES))}) with a face in it.")

    ways: dict[str, Callable[[], object]] = {
        "this instrument, one call": lambda: batched(paths),
        "DeepFace in a loop, its default detector (opencv)": lambda: loop(paths, "opencv"),
        "DeepFace in a loop, the same detector (yunet)": lambda: loop(paths, "yunet"),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for round_number in range(arguments.rounds):
        for name in list(ways) if round_number % 2 == 0 else reversed(ways):
            start = time.perf_counter()
            ways[name]()
            taken[name].append(1000 * (time.perf_counter() - start) / len(paths))
    print(f"{len(paths)} faces, {arguments.rounds} rounds, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    ours = statistics.median(taken["this instrument, one call"])
    for name, times in taken.items():
        middle = statistics.median(times)
        print(f"{name}: {middle:.1f} ms a face (from {min(times):.1f} to {max(times):.1f}), {middle / ours:.1f} times")


if __name__ == "__main__":
    main()
