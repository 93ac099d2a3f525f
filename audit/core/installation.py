"""What a core installation lacks, and the error for a command that needs it.

A core installation (requirements-core.txt) measures, reports, compares and gates runs that were made elsewhere.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from audit.core.errors import AuditError

ONLY_FULL: Final = {
    "torch": "torch",
    "deepface": "DeepFace",
    "cv2": "OpenCV",
    "onnxruntime": "ONNX Runtime",
    "dlib": "dlib",
    "fairlearn": "fairlearn",
    "sklearn": "scikit-learn",
    "safetensors": "safetensors",
}
"""The modules that only a full installation has, with their names in messages."""


def not_installed(error: ModuleNotFoundError, what: str) -> AuditError | None:
    """The error for a module of :data:`ONLY_FULL` that is missing, or ``None`` if another module is.

    ``what`` is the command that needs it. The message lists all that are missing.
    """
    if (error.name or "").partition(".")[0] not in ONLY_FULL:
        return None
    missing = [name for module, name in ONLY_FULL.items() if find_spec(module) is None]
    return AuditError(
        f"{what} needs a full installation. Missing here: {', '.join(missing)}.",
        next_step="In a checkout: pip install . without --no-deps.",
    )
