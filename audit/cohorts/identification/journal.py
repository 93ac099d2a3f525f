"""The journal of an unfinished identification: what was identified, so that it can be resumed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from audit.cohorts.identification.agreement import Guess
from audit.core.errors import CohortError

JOURNAL: Final = "identified.jsonl"
"""The file in the new cohort's folder; removed when the cohort is complete."""

Pair = tuple[Guess, Guess]


class Journal:
    """The guesses of two identifiers by the sha256 of the audio file, kept on disk as they are made.

    The first line is ``identity``, of the identifiers; each further line is one file. An incomplete last line, of a
    process that was killed, is dropped.

    Raises
    ------
    CohortError
        If the file is of other identifiers.
    """

    def __init__(self, path: Path, identity: Mapping[str, object]) -> None:
        self._path = path
        self._found: dict[str, Pair] = {}
        head = json.dumps(identity, sort_keys=True)
        if not path.exists():
            path.write_text(head + "\n", encoding="utf-8")
            return
        *lines, _ = path.read_text(encoding="utf-8").split("\n")
        if lines[:1] not in ([head], []):
            raise CohortError(
                [f"{path} was made with other identifiers or weights."],
                "the same identifiers, to resume; or a new folder",
                f"Choose another folder for -o, or delete {path}.",
            )
        for line in lines[1:]:
            sha256, (one, other) = json.loads(line)
            self._found[sha256] = (Guess(*one), Guess(*other))
        path.write_text("".join(f"{line}\n" for line in lines or [head]), encoding="utf-8")

    def get(self, sha256: str) -> Pair | None:
        """The guesses for a file; ``None`` if it was not identified."""
        return self._found.get(sha256)

    def add(self, found: Mapping[str, Pair]) -> None:
        """Keep further guesses."""
        self._found.update(found)
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write("".join(json.dumps([sha256, pair]) + "\n" for sha256, pair in found.items()))

    def remove(self) -> None:
        """Remove the file."""
        self._path.unlink()
