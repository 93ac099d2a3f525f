"""Processor time of one reading by the embedded instrument, in one thread, everything included.

    python -m benchmarks.reading PICTURES [--pictures 100] [--rounds 3] [--checkout DIR]

``PICTURES`` is a folder of pictures. With ``--checkout`` the instrument of another checkout of this project reads the
same pictures, in turns with this one. Each reader is a process of its own and reads every picture once before the
first round; nothing is remembered between rounds. Printed is the least time of the rounds, in milliseconds a picture.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

READER = """
import json, sys, time
import cv2, numpy as np
from audit.instruments import instrument

cv2.setNumThreads(1)
options, *paths = sys.argv[1:]
reader = instrument("embedded", remember=0, threads=1, **json.loads(options))
pictures = [np.ascontiguousarray(cv2.imread(path)[:, :, ::-1]) for path in paths]
found = sum(reading.status == "ok" for reading in reader.read(pictures))
for line in sys.stdin:
    start = time.process_time()
    reader.read(pictures)
    print(json.dumps([1000 * (time.process_time() - start) / len(pictures), found]), flush=True)
"""


def start(checkout: Path, options: dict[str, object], paths: list[str]) -> subprocess.Popen[str]:
    """A process that reads the pictures once for each line it receives."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", READER, json.dumps(options), *paths]
    # Python looks for modules in the current folder first.
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=checkout
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="PICTURES")
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--checkout", type=Path, help="another checkout of this project")
    given = parser.parse_args()
    paths = [str(path) for path in sorted(given.folder.resolve().glob("*.jpg"))[: given.pictures]]
    here = Path(__file__).resolve().parent.parent
    readers = {
        "this instrument, not mirrored": start(here, {"mirrored": False}, paths),
        "this instrument": start(here, {}, paths),
    }
    if given.checkout:
        readers[f"the instrument of {given.checkout.name}"] = start(given.checkout.resolve(), {}, paths)
    times: dict[str, list[float]] = {name: [] for name in readers}
    found = {}
    for _ in range(given.rounds):
        for name, reader in readers.items():
            assert reader.stdin is not None and reader.stdout is not None
            reader.stdin.write("again\n")
            reader.stdin.flush()
            taken, found[name] = json.loads(reader.stdout.readline())
            times[name].append(taken)
    for reader in readers.values():
        reader.communicate()
    last = min(list(times.values())[-1])
    for name, taken in times.items():
        print(
            f"{name}: {min(taken):.1f} ms, median {statistics.median(taken):.1f}, {min(taken) / last:.2f} of the last; "
            f"faces in {found[name]} of {len(paths)}"
        )


if __name__ == "__main__":
    main()
