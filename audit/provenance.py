"""What a run was made with: versions of what matters, and the machine."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = (
    "speech2face-audit",
    "deepface",
    "torch",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "pillow",
    "soundfile",
    "soxr",
    "opencv-contrib-python-headless",
    "dlib-bin",
    "safetensors",
    "fairlearn",
    "scikit-learn",
)


def versions() -> dict[str, str]:
    """The version of Python and of every package that has a part in the figures.

    Examples
    --------
    >>> "numpy" in versions()
    True
    """
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def hardware() -> dict[str, object]:
    """The machine in a few words."""
    return {"machine": platform.machine(), "system": platform.system(), "cores": os.cpu_count()}
