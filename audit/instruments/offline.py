"""Building of DeepFace's models with a list of their weight files, without network access unless allowed.

DeepFace downloads what it does not find at first use. Here every request for a weight file is answered first from this
package, then from the user's DeepFace home (``$DEEPFACE_HOME/.deepface/weights``), then from the PyPI package
``face_recognition_models``, which carries dlib's two files; DeepFace may download the rest only where the user allowed
it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from audit.core.byte_planes import SUFFIX, unpack
from audit.core.errors import ModelError
from audit.core.onnx import turn_off_telemetry

PACKAGED: Final = Path(__file__).parent / "weights"
"""The weight files of this package."""

ATTRIBUTE_WEIGHTS = {
    "race": ("Race", "race_model_single_batch"),
    "gender": ("Gender", "gender_model_weights"),
    "age": ("Age", "age_model_weights"),
}
"""DeepFace's name and the stem of the weight file of each attribute model."""

_SUFFIXES = {"tensorflow": ".h5", "pytorch": ".pth", "onnx": ".onnx"}
_building = threading.Lock()
_log = logging.getLogger(__name__)


def deepface_home() -> Path:
    """The folder in which DeepFace keeps its weights on this machine."""
    return Path(os.environ.get("DEEPFACE_HOME") or Path.home()) / ".deepface" / "weights"


def backend() -> str:
    """The backend engine that DeepFace runs on: tensorflow, pytorch or onnx."""
    turn_off_telemetry()  # DeepFace imports ONNX Runtime itself
    from deepface.commons import backend_utils

    return str(backend_utils.get_backend_engine())


def attribute_file(attribute: str) -> Path:
    """Where DeepFace looks for its own weights of an attribute, whether they are there or not."""
    return deepface_home() / (ATTRIBUTE_WEIGHTS[attribute][1] + _SUFFIXES[backend()])


def find_weights(file_name: str) -> Path | None:
    """The weight file on this machine, or ``None``."""
    places = [PACKAGED, deepface_home()]
    # only the spec is used: importing the package needs pkg_resources, which current setuptools no longer has.
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is not None and spec.submodule_search_locations:
        places += [Path(place) / "models" for place in spec.submodule_search_locations]
    return next((place / file_name for place in places if (place / file_name).is_file()), None)


def read_weights(path: Path) -> bytes:
    """The content of a weight file, unpacked if it is stored in byte planes."""
    content = path.read_bytes()
    return unpack(content) if path.suffix == SUFFIX else content


@lru_cache(maxsize=64)
def _digest(path: Path, size: int, modified_ns: int) -> str:
    if path.suffix == SUFFIX:
        return hashlib.sha256(read_weights(path)).hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256(path: Path) -> str:
    """The sha256 of a weight file's content; a large file is read again only if it changed."""
    state = path.stat()
    return _digest(path, state.st_size, state.st_mtime_ns)


@contextmanager
def _answering(allow_download: bool, used: dict[str, Path]) -> Iterator[None]:
    """Answer DeepFace's requests for weight files, noting each in ``used``."""
    from deepface.commons import folder_utils, weight_utils

    download = weight_utils.download_weights_if_necessary

    def answer(file_name: str, source_url: str | list[str], compress_type: str | None = None) -> str:
        path = find_weights(file_name)
        if path is None:
            if not allow_download:
                raise ModelError(
                    f"DeepFace's weight file {file_name} is not in {deepface_home()}.",
                    "Weights that are on this machine; nothing is downloaded unless allowed.",
                    "Put the file there, or allow DeepFace to download it with --allow-download.",
                )
            folder_utils.initialize_folder()
            path = Path(download(file_name=file_name, source_url=source_url, compress_type=compress_type))
        used[file_name] = path
        return str(path)

    weight_utils.download_weights_if_necessary = answer
    try:
        yield
    finally:
        weight_utils.download_weights_if_necessary = download


def build(task: str, model: str, *, allow_download: bool = False) -> tuple[Any, dict[str, Path]]:
    """A new instance of one of DeepFace's models, and the weight files that it read, by name.

    ``task`` is ``face_detector``, ``facial_attribute`` or ``facial_recognition``, and ``model`` DeepFace's name of the
    model, such as ``dlib`` or ``Race``.

    Raises
    ------
    ModelError
        If a weight file is missing, a package that the model needs is not installed, or DeepFace cannot load it.
    """
    from deepface.modules import modeling
    from deepface.modules.exceptions import UnimplementedError

    used: dict[str, Path] = {}
    try:
        with _building, _answering(allow_download, used):
            client = modeling.get_model_class(task, model)()
    except (ImportError, ValueError, UnimplementedError) as error:
        raise ModelError(
            f"DeepFace cannot build its {task.replace('_', ' ')} {model}: {error}",
            next_step="Check the installation and the files in the DeepFace home, or choose the embedded models.",
        ) from error
    _log.info("DeepFace's %s %s, from %s", task.replace("_", " "), model, ", ".join(used) or "the package")
    return client, used
