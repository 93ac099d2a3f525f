"""What an adapter is, and which there are."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pandas as pd

from audit.cohorts import CohortNotes
from audit.core.errors import AuditError, CohortError, did_you_mean
from audit.core.registry import installed, load

ENTRY_POINTS: Final = "audit.datasets"
BUILT_IN: Final = {
    "avspeech": ("avspeech:read_avspeech", "AVSpeech clips <id>_<start>-<end>.wav, with avspeech_{train,test}.csv"),
    "common_voice": ("common_voice:read_common_voice", "Common Voice: <locale>/clips/*.mp3 and <locale>/validated.tsv"),
    "cremad": ("cremad:read_cremad", "CREMA-D: AudioWAV/*.wav and VideoDemographics.csv"),
    "folder": ("folder:read_folder", "audio of one's own: <speaker>/*.wav, or a table labels.csv with a row a clip"),
    "mavceleb": ("mavceleb:read_mavceleb", "MAV-Celeb v1, v2, v3: voices/<id>/<language>/<video>/*.wav, and faces/"),
    "speech2face_released": (
        "speech2face_released:read_release",
        "the outputs that Speech2Face's authors released on the paper's page, whole or in part",
    ),
    "voxceleb1": ("voxceleb1:read_voxceleb1", "VoxCeleb1: wav/<id>/<video>/*.wav and vox1_meta.csv"),
    "voxceleb2": ("voxceleb2:read_voxceleb2", "VoxCeleb2: aac/<id>/<video>/*.m4a and vox2_meta.csv"),
}
"""Each adapter's module and function, and one line on what it reads; a module is imported when it is asked for."""


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
    built_in = {name: line for name, (_, line) in BUILT_IN.items()}
    return built_in | installed(ENTRY_POINTS)


def adapter(name: str) -> Adapter:
    """The adapter of that name.

    Raises
    ------
    AuditError
        If there is none, or it cannot be called.
    """
    if name in BUILT_IN:
        module, _, function = BUILT_IN[name][0].partition(":")
        built_in: Adapter = getattr(importlib.import_module(f"audit.cohorts.adapters.{module}"), function)
        return built_in
    loaded = load(name, ENTRY_POINTS, "adapter", available())
    if not callable(loaded):
        raise AuditError(f"The adapter {name!r} is a {type(loaded).__name__}.", "something that can be called")
    own: Adapter = loaded
    return own


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
        raise AuditError(told, "an audit.cohorts.importing.adapters.Imported")
    if found.clips.empty:
        raise CohortError([f"{root} holds no clip that the adapter {name!r} knows."], "see the adapter's data card")
    return found
