"""The journal of an unfinished identification, from which it is resumed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from audit.cohorts.identification.identifier import Guess
from audit.core.errors import CohortError

JOURNAL: Final = "identified.jsonl"
"""The file in the new cohort's folder; removed when the cohort is complete."""
Pair = tuple[Guess, Guess]


class Journal:
    """What both identifiers named, by the sha256 of the audio file; the first line is ``head``, of the identifiers.

    An incomplete last line is dropped. Raises CohortError if the file is of other identifiers.
    """

    def __init__(self, path: Path, head: str) -> None:
        self._path = path
        lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
        if lines[:1] not in ([head], []):
            raise CohortError([f"{path} is of other identifiers or weights."], "the same ones, or a new folder for -o")
        found = (json.loads(line) for line in lines[1:])
        self.found: dict[str, Pair] = {sha256: (Guess(*one), Guess(*other)) for sha256, one, other in found}
        path.write_text("".join(f"{line}\n" for line in lines or [head]), encoding="utf-8")

    def add(self, found: Mapping[str, Pair]) -> None:
        """Keep further ones."""
        self.found.update(found)
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write("".join(json.dumps([sha256, *pair]) + "\n" for sha256, pair in found.items()))
