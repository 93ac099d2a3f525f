"""Provenance of a run: code, package versions and machine."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

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


def package_version(name: str) -> str | None:
    """The version of a package; ``None`` if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@cache
def versions() -> dict[str, str]:
    """Versions of Python and of all packages that affect results.

    Examples
    --------
    >>> "numpy" in versions()
    True
    """
    return {"python": platform.python_version()} | {name: package_version(name) or "absent" for name in PACKAGES}


@cache
def code_version() -> dict[str, object]:
    """``version`` of this package; in a checkout also ``commit``, and ``dirty``: whether tracked files had changes.

    Both are ``None`` in an installed package or without git.

    Examples
    --------
    >>> sorted(code_version())
    ['commit', 'dirty', 'version']
    """
    root = Path(__file__).parents[2]
    found: dict[str, object] = {"version": versions()["speech2face-audit"], "commit": None, "dirty": None}
    if (root / ".git").exists():
        try:
            words = subprocess.run(
                ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"],
                capture_output=True,
                text=True,
                check=True,
                timeout=20,
            ).stdout.strip()
        except (OSError, subprocess.SubprocessError):
            return found
        found |= {"commit": words.removesuffix("-dirty"), "dirty": words.endswith("-dirty")}
    return found


def hardware() -> dict[str, object]:
    """Description of the machine."""
    return {"machine": platform.machine(), "system": platform.system(), "cores": os.cpu_count()}
