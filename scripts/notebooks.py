"""Run the notebooks, each in a fresh kernel, and store what they say; or hold what is stored to what they say.

python scripts/notebooks.py [--check] [NAME ...]

Without names it runs all three. ``reviewers_walk`` reads reports/sample: run it again after that was made again.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
SECONDS = 180
"""More than that no cell of a notebook may take."""
NETWORKS = "networks"
"""The tag of cells that show what neural networks read: on another processor a last digit may differ, and so a read.
What the text says of them is asserted in the notebook itself."""


def executed(path: Path) -> Any:
    """The notebook with the outputs of a fresh kernel, which stands where the notebook lies."""
    book = nbformat.read(path, as_version=4)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    place = {"metadata": {"path": str(FOLDER)}}
    # what a cell prints comes in pieces, cut wherever the kernel's clock cuts it: they are put together
    NotebookClient(book, timeout=SECONDS, kernel_name="python3", resources=place, coalesce_streams=True).execute()
    book.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in book.cells:
        cell.metadata = {name: value for name, value in cell.metadata.items() if name == "tags"}
    return book


def said(book: Any) -> str:
    """All that a notebook's cells print and show as text, cell by cell; of a picture, that it is one."""
    lines = []
    for number, cell in enumerate(book.cells):
        for output in cell.get("outputs", []) if NETWORKS not in cell.metadata.get("tags", []) else []:
            shown = output.get("data", {})
            text = output.get("text") or shown.get("text/plain") or output.get("evalue", "")
            lines += [f"cell {number}: {line}" for line in str(text).splitlines()]
            lines += [f"cell {number}: a picture"] * ("image/png" in shown)
    return re.sub(r"0x[0-9a-f]+", "0x", "\n".join(lines)) + "\n"


def main() -> None:
    """Run those that are named, or all."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    names = [name for name in sys.argv[1:] if not name.startswith("-")]
    for path in sorted(FOLDER.glob("*.ipynb")):
        if names and path.stem not in names:
            continue
        began = time.monotonic()
        fresh, stored = executed(path), nbformat.read(path, as_version=4)
        print(f"{path.stem}: {time.monotonic() - began:.0f} s")
        if "--check" not in sys.argv[1:]:
            nbformat.write(fresh, path)
        elif said(fresh) != said(stored):
            lines = difflib.unified_diff(said(stored).splitlines(), said(fresh).splitlines(), "stored", "fresh", n=0)
            raise SystemExit(
                f"{path.name} says otherwise than it did. Next: python scripts/notebooks.py {path.stem}\n"
                + "\n".join(lines)
            )


if __name__ == "__main__":
    main()
