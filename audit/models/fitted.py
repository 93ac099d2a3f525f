"""Digests of the speakers and recordings that a mitigation was fitted on; these are never audited."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import pandas as pd

from audit.core.errors import ModelError
from audit.core.files import file_digest
from audit.core.transfer import at_hand

FITTED_ON: Final = "fitted_on"
"""Key of the digests in a checkpoint's card."""
_DIGITS: Final = 16


@dataclass(frozen=True)
class FittedOn:
    """Digests of the speakers and recordings that a mitigation was fitted on; a model contains no names.

    Attributes
    ----------
    speakers : frozenset of str
        The first 16 hex digits of the sha256 of each ``speaker_id``.
    audio : frozenset of str
        The first 16 hex digits of the sha256 of each recording's bytes.
    """

    speakers: frozenset[str] = frozenset()
    audio: frozenset[str] = frozenset()

    @classmethod
    def of(cls, speaker_ids: Iterable[str], audio_sha256: Iterable[str]) -> FittedOn:
        """The digests of these speakers and recordings.

        Examples
        --------
        >>> FittedOn.of(["s1"], []).speakers
        frozenset({'e8bc163c82eee187'})
        """
        return cls(frozenset(map(_digest, speaker_ids)), frozenset(sha[:_DIGITS] for sha in audio_sha256 if sha))

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> FittedOn:
        """The object from the output of :meth:`record`."""
        return cls(frozenset(record.get("speakers", ())), frozenset(record.get("audio", ())))

    def record(self) -> dict[str, list[str]]:
        """JSON types, sorted."""
        return {"speakers": sorted(self.speakers), "audio": sorted(self.audio)}

    def __or__(self, other: FittedOn) -> FittedOn:
        return FittedOn(self.speakers | other.speakers, self.audio | other.audio)


@runtime_checkable
class Fitted(Protocol):
    """A model that knows on which speakers its mitigations were fitted."""

    @property
    def fitted_on(self) -> FittedOn:
        """Digests of the speakers and recordings; empty if there are none."""
        ...


def refuse_fitted(model: object, table: pd.DataFrame, root: Path) -> None:
    """Refuse to audit speakers on whom a model's mitigations were fitted; other models are not refused.

    Parameters
    ----------
    table : DataFrame
        The clips to audit, with ``clip_id``, ``speaker_id`` and ``audio``.
    root : Path
        Base folder of the recordings. They are read only if there are digests to compare.

    Raises
    ------
    ModelError
        If a speaker id or a recording was used for fitting.
    """
    if not isinstance(model, Fitted):
        return
    known = model.fitted_on
    shared = sorted({speaker for speaker in table["speaker_id"] if _digest(speaker) in known.speakers})
    if shared:
        raise _refusal(f"{len(shared)} audited speakers have ids of those on whom", shared)
    if not known.audio:
        return
    heard = sorted(
        clip
        for clip, path in zip(table["clip_id"], table["audio"], strict=True)
        if path and at_hand(root / path).is_file() and file_digest(root / path)[:_DIGITS] in known.audio
    )
    if heard:
        raise _refusal(f"{len(heard)} audited clips are recordings on which", heard)


def _refusal(found: str, names: list[str]) -> ModelError:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ModelError(
        f"{found} the model's mitigation was fitted: {', '.join(names[:3])}{more}.",
        "speakers on which no mitigation was fitted",
        "Audit other speakers, or fit on others; if two data sets use the same speaker ids, rename those of one.",
    )


def _digest(word: str) -> str:
    return hashlib.sha256(str(word).encode()).hexdigest()[:_DIGITS]
