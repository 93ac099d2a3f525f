"""Audio that a download has inside Parquet files, as on the Hugging Face Hub, written as files of the new cohort."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from audit.cohorts.importing.git_lfs import NEXT_STEP, is_pointer
from audit.core.errors import CohortError
from audit.core.parquet import parquet_file

ROWS = 64
"""Number of rows whose audio is in memory at once."""


@dataclass(frozen=True)
class ParquetAudio:
    """The audio files in the column ``audio`` of Parquet files.

    Attributes
    ----------
    names : mapping of Path to sequence of str
        For each Parquet file the name of each of its rows' audio file in the cohort; empty for rows that are left out.
    """

    names: Mapping[Path, Sequence[str]]

    def write(self, folder: Path) -> None:
        """Write all audio files to a new folder; raise CohortError if a row has none."""
        folder.mkdir()
        for source, names in self.names.items():
            with _opened(source) as file:
                cells = (cell for batch in file.iter_batches(ROWS, columns=["audio.bytes"]) for cell in batch.column(0))
                for row, (cell, name) in enumerate(zip(cells, names, strict=True), start=1):
                    sound = cell["bytes"].as_py() if name and cell.is_valid else None
                    if name and not sound:
                        raise CohortError([f"Row {row} of {source.name} has no audio."], "the bytes of a file")
                    if sound:
                        (folder / name).write_bytes(sound)

    def remove_unused(self, folder: Path, used: Collection[str]) -> None:
        """Remove the written files whose names are not among those that are used."""
        for path in folder.iterdir():
            if path.name not in used:
                path.unlink()


def read_rows(source: Path, columns: Collection[str]) -> pd.DataFrame:
    """Columns of a Parquet file as strings, and the name of the audio file of each row as ``audio``; no audio is read.

    Raises
    ------
    CohortError
        If the file is a git-lfs pointer, cannot be read, or lacks a column.
    """
    if is_pointer(source):
        raise CohortError([f"{source.name} is a git-lfs pointer, not the file."], "the file itself", NEXT_STEP)
    with _opened(source) as file:
        there = file.schema_arrow.names
        missing = [name for name in (*columns, "audio") if name not in there]
        if missing:
            raise CohortError([f"{source.name} has no column {name!r}." for name in missing], ", ".join(columns))
        table = file.read([*columns, "audio.path"]).to_pylist()
    rows = [row | {"audio": ((row["audio"] or {}).get("path") or "").rsplit("/", 1)[-1]} for row in table]
    frame = pd.DataFrame(rows, columns=[*columns, "audio"], dtype=object)
    return frame.where(frame.notna(), "").astype(str)


@contextmanager
def _opened(source: Path) -> Iterator[pq.ParquetFile]:
    try:
        with parquet_file(source) as file:
            yield file
    except (OSError, pa.ArrowException) as error:
        raise CohortError([f"{source.name} cannot be read: {error}."], "a complete Parquet file") from error
