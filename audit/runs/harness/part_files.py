"""Writing a part of a run, and telling by its footer whether a part is whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from audit.core.files import file_digest
from audit.core.transfer import at_hand
from audit.runs.code import code_here
from audit.runs.content import clip_files, files_digest
from audit.runs.journal import Entry, Written
from audit.runs.run import part_path, write_part

_CLIPS: Final = b"audit.clips"
"""Key in a part's footer of a digest of its clips, so that the rows need not be read to know which clips it has."""


def write(folder: Path, number: int, rows: list[dict[str, Any]], columns: pa.Schema) -> Written:
    """Write a part, and return the facts about it for the journal.

    ``rows`` have their files in the column :data:`audit.core.columns.CLIP_FILES`, or ``None`` if those are not known.
    """
    clips = (str(row["clip_id"]) for row in rows)
    write_part(folder, number, rows, columns.with_metadata({_CLIPS: _digest(clips)}))
    return facts_of(part_path(folder, number))


def facts_of(path: Path) -> Written:
    """The facts about a part on disk for the journal."""
    path = at_hand(path)
    with pq.ParquetFile(path) as file:
        rows = file.metadata.num_rows
    clips = clip_files(path)
    files = "" if clips is None else files_digest(clips)
    return Written(path.name, file_digest(path), rows, path.stat().st_size, files, code_here())


def with_clips(table: pa.Table) -> pa.Table:
    """The rows of a part with the digest of their clips, for the footer."""
    return table.replace_schema_metadata({_CLIPS: _digest(table["clip_id"].to_pylist())})


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
