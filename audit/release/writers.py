"""Who wrote the parts of a run, from its journal ``observations/journal.jsonl``.

The journal has a line for each writer (``model``, ``instrument``, ``packages``) and a line for each part, with the
part's digest and the id of its writer. The last line about a part counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from audit.core.errors import RunError
from audit.runs.run import OBSERVATIONS

JOURNAL: Final = f"{OBSERVATIONS}/journal.jsonl"
State = Literal["none", "one_writer", "several_writers", "changed"]


@dataclass(frozen=True)
class Writers:
    """What a run's journal says of its parts.

    Attributes
    ----------
    state : str
        ``none``: the run has no journal. ``changed``: the journal does not have the parts that the manifest names.
    model, instrument : str or None
        Digests of code and weights of the one model and the one instrument that wrote all parts.
    from_cache : int
        The number of renderings and readings that came from a cache.
    """

    state: State
    model: str | None = None
    instrument: str | None = None
    from_cache: int = 0

    @classmethod
    def of(cls, folder: Path | None, manifest: Mapping[str, Any]) -> Writers:
        """The writers of the run in a folder; ``manifest`` names its parts.

        Raises
        ------
        RunError
            If the journal cannot be read.
        """
        path = None if folder is None else folder / JOURNAL
        if path is None or not path.is_file():
            return cls("changed" if "journal" in manifest else "none")
        try:
            lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
            parts = {line["part"]: line for line in lines if "part" in line}
            written = {name: line["sha256"] for name, line in parts.items()}
            used = {line["writer"] for line in parts.values()}
            from_cache = sum(int(line.get("from_cache", 0)) for line in parts.values())
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path} cannot be read: {error}.", "the journal that the run wrote") from error
        if written != manifest.get("parts"):
            return cls("changed", from_cache=from_cache)
        if len(used) != 1:
            return cls("several_writers", from_cache=from_cache)
        writers = [line for line in lines if {"model", "instrument"} <= line.keys()]
        if len({(line["model"], line["instrument"]) for line in writers}) != 1:
            return cls("one_writer", from_cache=from_cache)  # it cannot be told here which of them wrote the parts
        return cls("one_writer", writers[0]["model"], writers[0]["instrument"], from_cache)
