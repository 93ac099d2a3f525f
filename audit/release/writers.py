"""Who wrote the parts of a run, from its journal and its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.runs.journal import Journal, State, journal_state


@dataclass(frozen=True)
class Writers:
    """What a run's journal and manifest say of who wrote its parts.

    Attributes
    ----------
    state : str
        As :func:`audit.runs.journal.journal_state`.
    model, instrument : str or None
        Digests of code and weights of the one model and the one instrument that wrote all parts; by the manifest for a
        run without a journal.
    from_cache : int
        The number of renderings and readings that came from a cache.
    """

    state: State
    model: str | None = None
    instrument: str | None = None
    from_cache: int = 0

    @classmethod
    def of(cls, folder: Path | None, manifest: Mapping[str, Any]) -> Writers:
        """The writers of the run in a folder; ``manifest`` names its parts and the digest of its journal.

        Raises
        ------
        RunError
            If the journal cannot be read.
        """
        identity = manifest.get("code_identity") or {}
        model, instrument = (identity.get(f"{name}_sha256") or None for name in ("model", "instrument"))
        if folder is None:
            return cls("none", model, instrument)
        state, journal = journal_state(folder, manifest), Journal.read(folder)
        from_cache = sum(entry.from_cache for entry in journal.entries.values())
        if state != "one_writer":
            return cls(state, model, instrument, from_cache)
        (writer,) = journal.used
        return cls(state, writer.model, writer.instrument, from_cache)
