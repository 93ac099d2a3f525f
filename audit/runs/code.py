"""Identity of the code that makes observations: this package, the model and the instrument."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import sys
from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from audit.core.provenance import versions

ROOT: Final = Path(__file__).parents[1]
_OBSERVING: Final = ("core", "cohorts", "models", "instruments", "training/mitigations", "runs")
"""Folders of this package whose code a part of a run may depend on."""
_OF_A_MODEL: Final = ("models", "training/mitigations", "core/audio*.py", "core/channels.py", "core/mpeg_frames.py",
                      "core/chunk_sizes.py", "core/picture*.py", "core/device.py", "core/onnx.py")  # fmt: skip
_OF_AN_INSTRUMENT: Final = ("instruments", "core/attributes", "core/picture*.py", "core/onnx.py", "core/vocabulary.py")
_METHODS: Final = ("render", "ceiling", "show", "show_ceiling", "voice_features", "from_features", "read", "describe")


def package_code() -> dict[str, str]:
    """What the parts of a run depend on in this process: ``source``, a sha256 of this package's code, and the version
    of Python and of each package.

    Examples
    --------
    >>> {"source", "python", "numpy"} <= package_code().keys()
    True
    """
    return {"source": _of_this_package(_OBSERVING), **versions()}


def code_here() -> str:
    """sha256 of :func:`package_code`, to compare processes."""
    return digest_of(package_code())


def model_code(model: object) -> str | None:
    """sha256 of the source files of a model, and of the models and mitigations that it is made of.

    For a model of this package: the folders of models and mitigations, and the decoding of audio and pictures. For a
    third-party one: every Python file of the package that defines it, or the one file of a single module; in a
    notebook, its class. ``None`` where no source can be found. Weights are in ``describe()``.
    """
    return _code_of(model, _OF_A_MODEL)


def instrument_code(instrument: object) -> str | None:
    """sha256 of the source files of an instrument, as :func:`model_code`.

    Which files are read is decided by the class of the object, not by the name that it gives itself.
    """
    return _code_of(instrument, _OF_AN_INSTRUMENT)


def digest_of(value: object) -> str:
    """sha256 of a value as JSON with sorted keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def _code_of(answerer: object, places: tuple[str, ...]) -> str | None:
    files: set[Path] = set()
    texts: dict[str, str] = {}
    for each in (answerer, *getattr(answerer, "made_of", ())):
        made = each.func if isinstance(each, partial) else each
        own = made if isinstance(made, type) or inspect.isroutine(made) else type(made)
        for part in _with_bases(own):
            if name := getattr(sys.modules.get(part.__module__), "__file__", None):
                files.add(Path(name).resolve())
            else:
                texts |= _source_of(part)
        files |= {file for method in _METHODS if (file := _file_of(getattr(each, method, None)))}
    found = {root.name: _of_root(root, places) for root in sorted({_root_of(file) for file in files})}
    return digest_of(found | texts) if found or texts else None


def _with_bases(own: Any) -> Iterator[Any]:
    """A class with its bases in the same package or in this one, or a function."""
    top = own.__module__.partition(".")[0]
    for each in getattr(own, "__mro__", (own,)):
        if each.__module__.partition(".")[0] in (top, ROOT.name):
            yield each


def _source_of(own: Any) -> Mapping[str, str]:
    """The digest of the source of a class or function without a file, as in a notebook; empty if it is not known."""
    try:
        return {own.__qualname__: hashlib.sha256(inspect.getsource(own).encode()).hexdigest()}
    except (OSError, TypeError):
        return {}


def _file_of(method: Any) -> Path | None:
    """The file that a method was compiled from; it differs from its class's if it was replaced."""
    function = inspect.unwrap(getattr(method, "__func__", method)) if callable(method) else None
    name = getattr(getattr(function, "__code__", None), "co_filename", "")
    path = Path(name)
    return path.resolve() if name.endswith(".py") and path.is_file() else None


def _root_of(file: Path) -> Path:
    """The folder of the package that a file belongs to; a file outside of packages is its own root."""
    if file.is_relative_to(ROOT):
        return ROOT
    root = file
    while (root.parent / "__init__.py").is_file():
        root = root.parent
    return root


def _of_root(root: Path, places: tuple[str, ...]) -> str:
    if root == ROOT:
        return _of_this_package(places)
    return _joined(root.parent, {root} if root.is_file() else {*root.rglob("*.py")})


@cache
def _of_this_package(places: tuple[str, ...]) -> str:
    files = (ROOT.glob(place) if "." in place else (ROOT / place).rglob("*.py") for place in places)
    return _joined(ROOT, {file for found in files for file in found})


def _joined(root: Path, files: set[Path]) -> str:
    sha, first = hashlib.sha256(), len(str(root)) + 1
    for name in sorted(map(str, files)):
        state = os.stat(name)  # noqa: PTH116  # a Path for each file would take longer than the rest
        sha.update(
            f"{name[first:].replace(os.sep, '/')}\0{_of_file(name, state.st_mtime_ns, state.st_size)}\n".encode()
        )
    return sha.hexdigest()


@cache
def _of_file(name: str, changed: int, size: int) -> str:
    """sha256 of a file, read again when its time or size is another."""
    return hashlib.sha256(Path(name).read_bytes()).hexdigest()
