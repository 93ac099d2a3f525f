"""Adapters: registry, interface, and reading of a download."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.importing.git_lfs import pointer_remarks
from audit.cohorts.importing.packed import ParquetAudio
from audit.core.errors import AuditError, CohortError, did_you_mean
from audit.core.registry import Registry
from audit.core.vocabulary import UNKNOWN

ADAPTERS: Final = Registry("adapter", "audit.cohorts.adapters", group="audit.datasets", declared_as="ADAPTER")
"""The functions that read a download."""
SPEAKERS: Final = {"group": UNKNOWN, "group_source": "", "gender": UNKNOWN, "gender_source": ""}
CLIPS: Final = {"language": "und", "language_source": ""}
"""Columns that an adapter may omit, and their values without a label."""


@dataclass(frozen=True)
class Imported:
    """Result of an adapter.

    Attributes
    ----------
    speakers, clips : DataFrame
        The cohort's tables; paths are relative to the download's root, with ``/`` between folders. Columns for
        group, gender and language that are missing are added, with no label.
    notes : CohortNotes
        Name, licence, consent and notes of the data set.
    remarks : tuple of str
        A sentence on everything that was left out or assumed, with its count.
    folders : mapping of str to tuple of str
        Alternative folder names of a speaker's portraits, besides the id, most likely first. They are only used to
        find portraits.
    portraits : str
        Folder of the download with a subfolder of pictures for each speaker; empty if there is none.
    ids : mapping of str to mapping of str to str
        The speakers' ids in other data sets, by the kind of id (such as ``vggface2``) and then by speaker, to join
        published labels on.
    without_clips : frozenset of str
        Speakers of the data set's metadata without a clip in the download; a labels file may name them.
    packed : ParquetAudio, optional
        Audio that is inside Parquet files of the download and is written to the new cohort's folder. Paths of the clips
        are then relative to that folder.
    """

    speakers: pd.DataFrame
    clips: pd.DataFrame
    notes: CohortNotes
    remarks: tuple[str, ...] = ()
    folders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    portraits: str = ""
    ids: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    without_clips: frozenset[str] = frozenset()
    packed: ParquetAudio | None = None


def counted(*remarks: tuple[float | bool, str]) -> tuple[str, ...]:
    """The remarks whose count (or condition) is not zero.

    Examples
    --------
    >>> counted((2, "2 clips are silent."), (0, "0 clips are missing."))
    ('2 clips are silent.',)
    """
    return tuple(remark for n, remark in remarks if n)


Adapter = Callable[..., Imported]
"""Function of the root of a download and the adapter's options, all strings."""


def available() -> dict[str, str]:
    """Names of the adapters, with a one-line summary.

    Examples
    --------
    >>> available()["voxceleb1"]
    'VoxCeleb1: wav/<id>/<video>/*.wav and vox1_meta.csv'
    """
    return ADAPTERS.available()


def adapter(name: str) -> Adapter:
    """The adapter of that name.

    Raises
    ------
    AuditError
        If it does not exist or is not callable.
    """
    found: Adapter = ADAPTERS.factory(name)  # type: ignore[assignment]  # read_download checks what it returns
    return found


def read_download(name: str, root: Path, options: Mapping[str, str]) -> Imported:
    """Read a download with an adapter, checking its options and what it returns."""
    reader = adapter(name)
    if not root.is_dir():
        raise AuditError(f"{root} is not a directory.", "the folder of the download")
    try:
        parameters = list(inspect.signature(reader).parameters.values())[1:]
    except ValueError as error:  # functions written in C may have no signature
        raise AuditError(f"The adapter {name!r} has no signature.", "a Python function") from error
    known = [parameter.name for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD]
    takes_any = len(known) < len(parameters)
    for option in options:
        if option not in known and not takes_any:
            raise AuditError(
                f"The adapter {name!r} has no option {option!r}{did_you_mean(option, known)}.",
                ", ".join(known) or f"{name} has no options",
            )
    found: object = reader(root, **options)
    if not isinstance(found, Imported):
        message = f"The adapter {name!r} returned a {type(found).__name__}."
        raise AuditError(message, "an audit.cohorts.importing.Imported")
    if found.clips.empty:
        message = f"{root} has no clip in the layout of the adapter {name!r}."
        raise CohortError([" ".join([message, *found.remarks])], "see the adapter's data card")
    pointers = pointer_remarks(root, list(found.clips["audio"])) if "audio" in found.clips else ()
    return replace(
        found,
        speakers=_completed(found.speakers, SPEAKERS),
        clips=_completed(found.clips, CLIPS),
        remarks=(*found.remarks, *pointers),
    )


def _completed(frame: pd.DataFrame, defaults: Mapping[str, str]) -> pd.DataFrame:
    return frame.assign(**{name: value for name, value in defaults.items() if name not in frame})
