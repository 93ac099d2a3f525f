"""Show that a change of the code leaves every published number as it was.

python scripts/same_results.py make DIR [--released PAGE] [--code CHECKOUT]
python scripts/same_results.py compare BEFORE AFTER [--texts] [--reworded PATTERN]
python scripts/same_results.py measure-again BEFORE DIR [--code CHECKOUT] [--reworded PATTERN]

`make` writes the reference results into DIR with the code of a checkout (by default this one): it runs the embedded
models gap and full, compares and gates them, probes gap, and audits the faces that the authors of Speech2Face released
(PAGE, a checkout of their page). `compare` compares two such folders. `measure-again` shows that old runs and documents
still read: it copies the run folders of BEFORE, reads the old documents, measures, compares and gates the copies with
the code of a checkout, and compares the results.

Equal means: numbers equal to the last digit, the same identifiers, rows and estimates in the same order, and no key or
column renamed or removed. Keys and columns may be added. Display text may change: it is counted, and listed by --texts.
With --reworded '*method' the wording of methods may change as well, but no number in it.
Exit code 0: equal; 1: different, or a command failed; 2: wrong usage.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from result_differences import IGNORED, Difference, Json, differences

ROOT: Final = Path(__file__).resolve().parent.parent
GAP, FULL, RELEASED = "gap", "full", "released"
COHORT, COMPARISON, PROBE = "released-cohort", "comparison", "probe"
VOICES: Final = 32
DECIDED: Final = frozenset({0, 10, 11, 12, 13})

MOST_SHOWN: Final = 40
READ_AND_WRITE: Final = "import audit, sys; sys.stdout.write(getattr(audit, sys.argv[1]).read(sys.argv[2]).to_json())"


def compare_folders(before: Path, after: Path, reworded: Sequence[str] = ()) -> dict[str, list[Difference]]:
    """The differences of every document of ``before``, by its path; a document that ``after`` lacks is removed."""
    found: dict[str, list[Difference]] = {}
    for path in documents_in(before):
        name = str(path.relative_to(before))
        other = after / name
        found[name] = [Difference("removed", name)]
        if other.is_file():
            found[name] = [*differences(_read(path), _read(other), reworded=reworded)]
    return found


def documents_in(folder: Path) -> list[Path]:
    """The JSON documents that `make` left in a folder."""
    named = [folder / COMPARISON / "comparison.json", folder / PROBE / "probe.json", *folder.glob("decision-*.json")]
    return [path for path in sorted([*folder.glob("*/audit.json"), *named]) if path.is_file()]


def _read(path: Path) -> Json:
    document: Json = json.loads(path.read_text(encoding="utf-8"))
    return document


def show(found: Mapping[str, Sequence[Difference]], texts: bool = False) -> int:
    """Print what differs; return the exit code."""
    for name, several in found.items():
        failing = [each for each in several if each.fails]
        print(f"{name}: {'different' if failing else 'equal'}")
        for each in failing[:MOST_SHOWN]:
            print(f"  {each}")
        if len(failing) > MOST_SHOWN:
            print(f"  and {len(failing) - MOST_SHOWN} more")
        for (kind, key_path), n in Counter((e.kind, e.key_path) for e in several if not e.fails).items():
            reason = next((f" ({why})" for pattern, why in IGNORED.items() if fnmatch(key_path, pattern)), "")
            print(f"  {kind}, {n} times: {key_path}{reason if kind == 'ignored' else ''}")
        if texts:
            for each in several:
                if each.kind in ("text", "text with other numbers"):
                    print(f"  {each.path}\n    before: {each.before}\n    after:  {each.after}")
    different = sum(any(each.fails for each in several) for several in found.values())
    print(f"{len(found)} documents compared, {different} different" if found else "No document to compare.")
    return int(different > 0 or not found)


def python(code: Path, *arguments: object, allowed: frozenset[int] = frozenset({0})) -> str:
    """Run Python with the ``audit`` of a checkout, and return what it wrote to stdout."""
    # the working directory comes first with -m and -c; PYTHONPATH serves the processes that audit starts
    environment = {**os.environ, "PYTHONPATH": str(code), "OMP_NUM_THREADS": "1"}
    line = [sys.executable, *map(str, arguments)]
    begin = time.monotonic()
    done = subprocess.run(line, cwd=code, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    said = " ".join(line[1:]).replace("-m audit.cli", "audit").replace(f"-c {READ_AND_WRITE}", "read")
    print(f"{said}: exit code {done.returncode}, {time.monotonic() - begin:.0f} s", flush=True)
    if done.returncode not in allowed:
        sys.exit(f"This command ended with exit code {done.returncode}; its message is above.")
    return done.stdout


def audit_command(code: Path, *arguments: object, allowed: frozenset[int] = frozenset({0})) -> str:
    """Run ``audit`` from a checkout, and return what it wrote to stdout."""
    return python(code, "-m", "audit.cli", *arguments, "--quiet", allowed=allowed)


def make(folder: Path, released: Path | None, code: Path) -> None:
    """Make the reference results with the code of a checkout."""
    audit_command(code, "run", "-o", folder / GAP)  # the default plan, whose model is gap
    audit_command(code, "run", "--model", "speech2face-small-full", "-o", folder / FULL)
    audit_command(code, "probe", "--model", "speech2face-small-gap", "--voices", VOICES, "-o", folder / PROBE)
    if released is None or not released.is_dir():
        print(f"skipped: {RELEASED}: --released does not name a directory with the authors' page ({released})")
    else:
        audit_command(code, "cohort", "import", "speech2face_released", released, "-o", folder / COHORT)
        audit_command(code, "run", "--cohort", folder / COHORT, "--model", "recorded", "-o", folder / RELEASED)
    compare_and_gate(folder, code)


def measure_again(before: Path, folder: Path, code: Path, reworded: Sequence[str]) -> bool:
    """Copy old runs, measure, compare and gate them again; return whether the old documents still read unchanged."""
    unchanged = True
    for kind, name in (("Audit", GAP), ("Audit", FULL), ("Audit", RELEASED), ("Probe", PROBE)):
        if not (before / name).is_dir():
            continue
        shutil.copytree(before / name, folder / name)
        written = json.loads(python(code, "-c", READ_AND_WRITE, kind, folder / name))
        document = f"{name}/{kind.lower()}.json"
        found = [*differences(_read(before / document), written, reworded=reworded)]
        unchanged &= show({f"{document}, read and written": found}) == 0
        if kind == "Audit":
            audit_command(code, "measure", folder / name)
    compare_and_gate(folder, code)
    return unchanged


def compare_and_gate(folder: Path, code: Path) -> None:
    """Compare gap with full, and keep the gate's decision on each run."""
    audit_command(code, "compare", folder / GAP, folder / FULL, "-o", folder / COMPARISON)
    for name in (GAP, FULL, RELEASED):
        if (folder / name).is_dir():
            text = audit_command(code, "gate", folder / name, "--json", allowed=DECIDED)
            (folder / f"decision-{name}.json").write_text(text, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, folders in {"make": ["DIR"], "compare": ["BEFORE", "AFTER"], "measure-again": ["BEFORE", "DIR"]}.items():
        options = commands.add_parser(name)
        for each in folders:
            options.add_argument(each, type=Path)
        if name != "compare":
            options.add_argument("--code", type=Path, default=ROOT, metavar="CHECKOUT", help="default: this checkout")
        if name != "make":
            options.add_argument("--reworded", action="append", default=[], metavar="PATTERN", help="key paths")
    commands.choices["make"].add_argument("--released", type=Path, metavar="PAGE", help="the authors' page")
    commands.choices["compare"].add_argument("--texts", action="store_true", help="list the changed display text")
    chosen = parser.parse_args()
    command, reworded = chosen.command, getattr(chosen, "reworded", [])
    if command != "compare" and chosen.DIR.exists():
        parser.error(f"{chosen.DIR} exists; name a new directory")
    if command != "make" and not documents_in(chosen.BEFORE):
        parser.error(f"{chosen.BEFORE} has no results; make them first: same_results.py make DIR")
    if command == "compare":
        return show(compare_folders(chosen.BEFORE, chosen.AFTER, reworded), chosen.texts)
    if command == "make":
        make(chosen.DIR.resolve(), chosen.released and chosen.released.resolve(), chosen.code.resolve())
        return 0
    unchanged = measure_again(chosen.BEFORE.resolve(), chosen.DIR.resolve(), chosen.code.resolve(), reworded)
    return show(compare_folders(chosen.BEFORE, chosen.DIR, reworded)) or int(not unchanged)


if __name__ == "__main__":
    sys.exit(main())
