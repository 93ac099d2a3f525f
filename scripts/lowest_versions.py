"""Prints pip constraints that pin every dependency of pyproject.toml to its lower bound: ``make lowest``.

torch keeps the version of constraints.txt, since its other versions come from PyPI with CUDA only.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def lowest_versions() -> list[str]:
    """The constraints, such as ``numpy==2.0``, in the order of pyproject.toml; raises ValueError without a bound."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    lowest = [line for line in pinned if line.startswith("torch==")]
    for line in project["dependencies"]:
        bound = re.fullmatch(r"([\w.-]+)>=([\w.]+)(,.*)?", line)
        if bound is None:
            raise ValueError(f"The dependency {line!r} has no lower bound.")
        if bound[1] != "torch":
            lowest.append(f"{bound[1]}=={bound[2]}")
    return lowest


if __name__ == "__main__":
    print("\n".join(lowest_versions()))
