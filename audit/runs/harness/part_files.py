"""Writing a part of a run, and telling by its footer whether a part is whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from audit.core.columns import CLIP_FILES
from audit.runs.code import code_here
from audit.runs.content import ClipFile, files_digest
from audit.runs.journal import Entry, Written
from audit.runs.run import file_digest, part_path, write_part

_CLIPS: Final = b"audit.clips"
"""Key in a part's footer of a digest of its clips, so that the rows need not be read to know which clips it has."""


def write(folder: Path, number: int, rows: Sequence[Mapping[str, Any]], columns: pa.Schema) -> Written:
    """Write a part, and return the facts about it for the journal.

    ``rows`` have their files in the column :data:`audit.core.columns.CLIP_FILES`, or ``None`` there if no files were
    read for any of them.
    """
    clips = [str(row["clip_id"]) for row in rows]
    write_part(folder, number, [*rows], columns.with_metadata({_CLIPS: _digest(clips)}))
    path = part_path(folder, number)
    files: list[tuple[str, list[ClipFile]]] = [
        (clip, [ClipFile(**file) for file in row[CLIP_FILES]])
        for clip, row in zip(clips, rows, strict=True)
        if row.get(CLIP_FILES) is not None
    ]
    return Written(
        path.name,
        file_digest(path),
        len(rows),
        path.stat().st_size,
        files_digest(files) if files else "",
        code_here(),
    )


def is_whole(path: Path, clips: Iterable[str], columns: pa.Schema, entry: Entry | None) -> bool:
    """Whether a part has a line in the journal and, by its size and footer, the expected clips and columns.

    The rows are not read: their digest is verified when the run is closed.
    """
    try:
        if entry is None or not path.is_file() or path.stat().st_size != entry.bytes:
            return False
        with pq.ParquetFile(path) as file:
            found, rows = file.schema_arrow, file.metadata.num_rows
    except (pa.ArrowException, OSError):
        return False
    known = (found.metadata or {}).get(_CLIPS)
    return rows == entry.rows and found.equals(columns) and known == _digest(clips)


def _digest(clips: Iterable[str]) -> bytes:
    return hashlib.sha256("\0".join(clips).encode()).hexdigest().encode()
