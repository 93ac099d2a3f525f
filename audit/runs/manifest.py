"""Reading and validating the manifest of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from audit.core.errors import RunError
from audit.core.opening import read_inside

MANIFEST: Final = "manifest.json"
MAX_BYTES: Final = 1 << 28
"""Maximum size of a manifest; it names every part of the run."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class _Cohort(_Section):
    name: str
    n_clips: int
    set_aside: list[str] = []
    categories: dict[str, list[str]] = {}


class _Heard(_Section):
    group: str
    language: str
    clips: int


class _Model(_Section):
    name: str
    kind: str
    training_coverage: list[_Heard] = []


class _Instrument(_Section):
    name: str
    similarity_models: list[str] = []
    attributes_read: list[str] = []


class _Dial(_Section):
    rendered: dict[str, dict[str, dict[str, float]]] = {}


class _Manifest(_Section):
    cohort: _Cohort
    model: _Model
    instrument: _Instrument
    title: str = ""
    plan: str = ""
    command: str = ""
    versions: dict[str, str] = {}
    parts: dict[str, str] = {}


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run's folder.

    Raises
    ------
    RunError
        If it is missing or invalid.
    """
    path = folder / MANIFEST
    try:
        text = read_inside(folder, MANIFEST, MAX_BYTES).decode("utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise RunError(
            f"{folder} is not a run: it has no {MANIFEST}.",
            next_step="Create one: audit run --cohort DIR --model NAME -o OUT.",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path} cannot be read: {error}.", "a manifest written by audit run") from error
    try:
        manifest: Any = json.loads(text, parse_constant=_no_number)
        checked = _Manifest.model_validate(manifest)
        if checked.model.name == "planted":
            _Dial.model_validate(manifest["model"].get("options", {}))
        if not isinstance(manifest["model"].get("options", {}), Mapping):
            raise ValueError("model.options is not a mapping")
    except (json.JSONDecodeError, RecursionError) as error:
        raise RunError(f"{path} is not valid JSON: {error}.", "a manifest written by audit run") from error
    except ValidationError as error:
        errors = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'it'}: {e['msg']}" for e in error.errors()[:3])
        raise RunError(f"{path} is not a valid manifest: {errors}.", "a manifest written by audit run") from error
    except ValueError as error:
        raise RunError(f"{path} is not a valid manifest: {error}.", "a manifest written by audit run") from error
    found: dict[str, Any] = manifest
    return found


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is not a JSON number")
