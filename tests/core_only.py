"""Runs commands of ``audit`` where only the packages of requirements-core.txt can be imported.

Arguments: a JSON list of commands, each a list of arguments. Prints a JSON list of their exit codes.
No other installed package can be found, as in a core installation.
"""

from __future__ import annotations

import json
import re
import sys
import sysconfig
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType

FILE = Path(__file__).parent.parent / "requirements-core.txt"


def requirement_name(line: str) -> str:
    """The normalised name of the distribution that a requirement asks for."""
    match = re.match(r"[A-Za-z0-9._-]+", line)
    assert match is not None, line
    return re.sub(r"[-_.]+", "-", match.group()).lower()


def core_distributions() -> set[str]:
    """The packages of requirements-core.txt and all that they depend on, by installed metadata, without extras."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    waiting = [requirement_name(line) for line in lines if line and not line.startswith("#")]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            needed = [each for each in distribution(name).requires or () if ";" not in each]
            waiting += map(requirement_name, needed)
    return found


def core_modules() -> set[str]:
    """The top-level modules of :func:`core_distributions`."""
    files = [file for name in core_distributions() for file in distribution(name).files or ()]
    return {file.parts[0].partition(".")[0] for file in files}


class OnlyCore(MetaPathFinder):
    """Finds what ``PathFinder`` finds, but of the installed packages only those of a core installation."""

    def __init__(self) -> None:
        self.known = core_modules() | {"audit"}
        self.installed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        found = PathFinder.find_spec(fullname, path, target)
        if found is None or path is not None or fullname in self.known:
            return found
        places = [*(found.submodule_search_locations or ()), found.origin or ""]
        return None if any(str(Path(place).parent) in self.installed for place in places) else found


def exit_code(command: list[str]) -> int | str | None:
    from audit.cli import main

    sys.argv = ["audit", *command]
    try:
        main()
    except SystemExit as end:
        return end.code
    return 0


if __name__ == "__main__":
    sys.meta_path[sys.meta_path.index(PathFinder)] = OnlyCore()
    print(json.dumps([exit_code(command) for command in json.loads(sys.argv[1])]))
