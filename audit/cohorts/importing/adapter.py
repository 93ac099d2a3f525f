"""Adapters: what they are, and how one reads a download."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pandas as pd

from audit.cohorts import CohortNotes
from audit.core.errors import AuditError, CohortError, did_you_mean
from audit.core.registry import Registry

ADAPTERS: Final = Registry("adapter", "audit.cohorts.adapters", group="audit.datasets", declared_as="ADAPTER")
"""The functions that read a download."""


@dataclass(frozen=True)
class Imported:
    """What an adapter found in a download.

    Attributes
    ----------
    speakers, clips : DataFrame
        The cohort's tables; paths are relative to the download's root, with ``/`` between folders.
    notes : CohortNotes
        What is to be said of the data set.
    remarks : tuple of str
        One sentence for everything that was left out or assumed, with its count.
    folders : mapping of str to tuple of str
        By speaker, the names that a folder of portraits may have beside the speaker's id, the likeliest first. They
        are looked for and not kept.
    portraits : str
        A folder of the download with a folder of pictures for each speaker; empty where there is none.
    without_clips : frozenset of str
        Speakers whom the data set's metadata know and of whom no clip is here: a labels file may name them.
    """

    speakers: pd.DataFrame
    clips: pd.DataFrame
    notes: CohortNotes
    remarks: tuple[str, ...] = ()
    folders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    portraits: str = ""
    without_clips: frozenset[str] = frozenset()


Adapter = Callable[..., Imported]
"""Takes the root of a download and the adapter's own options, each a text."""


def available() -> dict[str, str]:
    """The names of the adapters, each with one line on what it reads.

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
        If there is none, or it cannot be called.
    """
    found: Adapter = ADAPTERS.factory(name)  # type: ignore[assignment]  # read_download checks what it returns
    return found


def read_download(name: str, root: Path, options: Mapping[str, str]) -> Imported:
    """What the adapter finds in a download.

    Raises
    ------
    AuditError
        If there is no such adapter or folder, an option is none of the adapter's, or it returns something else than an
        :class:`Imported`.
    CohortError
        If the folder holds no clip that the adapter knows.
    """
    reader = adapter(name)
    if not root.is_dir():
        raise AuditError(f"{root} is no folder.", "the folder of the download")
    try:
        parameters = list(inspect.signature(reader).parameters.values())[1:]
    except ValueError as error:  # one that is written in C may not tell
        raise AuditError(f"The adapter {name!r} does not say what it takes.", "a function of Python") from error
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    known = [parameter.name for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD]
    for option in options:
        if option not in known and not takes_any:
            raise AuditError(
                f"The adapter {name!r} has no option {option!r}{did_you_mean(option, known)}.",
                ", ".join(known) or f"{name} takes no options of its own",
            )
    found: object = reader(root, **options)
    if not isinstance(found, Imported):
        told = f"The adapter {name!r} returned a {type(found).__name__}."
        raise AuditError(told, "an audit.cohorts.importing.Imported")
    if found.clips.empty:
        raise CohortError([f"{root} holds no clip that the adapter {name!r} knows."], "see the adapter's data card")
    return found
