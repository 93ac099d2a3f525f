"""Runs: one row per clip, stored in a folder of Parquet parts."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from audit.core.addresses import place
from audit.core.attributes import ALWAYS
from audit.core.columns import CLUSTER, EMBEDDING, LANDMARKS, NEVER_NULL, schema
from audit.core.errors import RunError
from audit.core.shown import Shown, name_in_line, sizes_in_line
from audit.core.transfer import at_hand, bring, listing, outgoing, put
from audit.runs.manifest import read_manifest

OBSERVATIONS = "observations"
FACES = "faces"
PLAN = "plan.toml"
_AT_ONCE = 10_000


@dataclass(frozen=True, repr=False)
class Run(Shown):
    """The observations of one model on one cohort by one instrument.

    Attributes
    ----------
    held : DataFrame or None
        The observations, if they are in memory; ``None`` to read them from the folder on first use.
    manifest : Mapping
        Cohort, model, instrument, plan, seed, versions, digests, hardware, status.
    folder : Path or None
        The run's folder; ``None`` for a run in memory.
    features : Mapping
        Face features of a run in memory, by stage and model.
    """

    held: pd.DataFrame | None
    manifest: Mapping[str, Any]
    folder: Path | None = None
    features: Mapping[tuple[str, str], NDArray[np.float32]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: str | Path) -> Run:
        """The run in a folder, complete or not.

        Raises
        ------
        RunError
            If the folder is not a run, or its parts do not match the manifest.
        """
        root = place(folder)
        manifest = read_manifest(root)
        return cls(_observations(root, manifest), manifest, root)

    @cached_property
    def observations(self) -> pd.DataFrame:
        """One row per clip, sorted by ``clip_id``, without face features and landmarks.

        Raises
        ------
        RunError
            If the folder has none, or its parts do not match the manifest.
        """
        if self.held is not None:
            return self.held
        assert self.folder is not None
        return _observations(self.folder, self.manifest)

    def _line(self) -> str:
        cohort = self.manifest["cohort"]
        sizes = sizes_in_line(cohort.get("n_speakers"), cohort["n_clips"])
        state = "complete" if self.complete else "not complete"
        where = "in memory" if self.folder is None else f"in {self.folder.name}"
        names = f"{name_in_line(self.manifest['model']['name'])} on {name_in_line(cohort['name'])}"
        return f"{names}: {sizes}, {state}, {where}"

    @property
    def complete(self) -> bool:
        """Whether every clip of the cohort has its observation."""
        return self.manifest.get("status") == "complete"

    @property
    def similarity_models(self) -> tuple[str, ...]:
        """The similarity models, the primary one first."""
        return tuple(self.manifest["instrument"].get("similarity_models", ()))

    @property
    def attributes(self) -> tuple[str, ...]:
        """The names of the attributes that the instrument read."""
        return tuple(self.manifest["instrument"].get("attributes_read", ALWAYS))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all observations, cohort, model, instrument and seed; independent of parts, engine and time."""
        sha = hashlib.sha256()
        for name in sorted(self.observations.columns):
            column = self.observations[name]
            sha.update(name.encode() + b"\0")
            if column.dtype.kind in "fiub":
                sha.update(np.ascontiguousarray(column.to_numpy(np.float64)).tobytes())
            else:
                sha.update(_joined(column))
        for key in ("cohort", "model", "instrument", "seed"):
            sha.update(json.dumps(self.manifest.get(key), sort_keys=True).encode())
        return sha.hexdigest()

    def embeddings(self, stage: str, model: str) -> NDArray[np.float32]:
        """The face features of a stage, in the rows of :attr:`observations`.

        Returns
        -------
        ndarray
            Shape [n_clips, D], float32, each row of unit length or NaN; D is 0 if the run has none.
        """
        if (stage, model) in self.features:
            return self.features[stage, model]
        return self._lists(f"{stage}{EMBEDDING}{model.lower()}")

    def landmarks(self, stage: str) -> NDArray[np.float32]:
        """The landmarks of a stage's faces, in the rows of :attr:`observations`.

        Returns
        -------
        ndarray
            Shape [n_clips, 68, 2], float32, x and y in the picture's pixels, or NaN; [n_clips, 0, 2] if the run has
            none.
        """
        points = self._lists(f"{stage}{LANDMARKS}")
        return points.reshape(len(points), points.shape[1] // 2, 2)

    def _lists(self, column: str) -> NDArray[np.float32]:
        """A column of lists of one length, with rows of NaN where it is missing; not cached."""
        n = len(self.observations)
        found: list[tuple[NDArray[Any], NDArray[np.float32]]] = []
        for path in bring(part_files(self.folder)) if self.folder else []:
            with pq.ParquetFile(path) as part:
                if column not in part.schema_arrow.names:
                    continue
                table = part.read(columns=["clip_id", column], use_threads=False)
            filled = table.filter(table[column].is_valid())
            if len(filled):
                lists = filled[column].combine_chunks()
                values = lists.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
                found.append((filled["clip_id"].to_numpy(), values.reshape(len(lists), -1)))
        rows = np.full((n, found[0][1].shape[1] if found else 0), np.nan, np.float32)
        places = pd.Index(self.observations["clip_id"]) if found else pd.Index([])
        for names, values in found:
            rows[places.get_indexer(pd.Index(names))] = values
        return rows


def _observations(folder: Path, manifest: Mapping[str, Any]) -> pd.DataFrame:
    """The observations in a run's folder, after verifying the digest of each part."""
    paths = bring(part_files(folder))
    here = {path.name: path for path in paths}
    if not paths:
        raise RunError(
            f"{folder} has no observations yet.", next_step="Finish the run: repeat the same audit run command."
        )
    for name, digest in manifest.get("parts", {}).items():
        path = here.get(name, folder / OBSERVATIONS / name)
        if not path.is_file() or file_digest(path) != digest:
            raise RunError(
                f"{path} is missing or was changed after the run.",
                "the file that the run wrote",
                "Restore it, or run again into a new folder.",
            )
    differing = {path.name for path in paths} ^ manifest.get("parts", {}).keys()
    if manifest.get("status") == "complete" and differing:
        raise RunError(
            f"{folder} has other parts than its manifest names: {', '.join(sorted(differing))}.",
            "the parts that the run wrote, with their digests",
            "Restore them, or run again into a new folder.",
        )
    try:
        table = pa.concat_tables(_joined_parts(paths), promote_options="default")
    except pa.ArrowException as error:
        raise RunError(f"The parts of {folder} have different columns: {error}.", "parts of one run") from error
    # column by column, and without a copy if the parts are in order, to keep a large run in memory only once
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True)
    del table
    if not frame["clip_id"].is_monotonic_increasing:
        frame = frame.sort_values("clip_id", ignore_index=True)
    ids = frame["clip_id"]
    duplicates = ids[ids == ids.shift()]  # sorted, so that equal ids are neighbours
    if len(duplicates):
        raise RunError(
            f"{folder} has {len(duplicates)} clips more than once, for example {duplicates.iloc[0]!r}.",
            "each clip in one part",
            "Remove the parts that are not of this run, or run again into a new folder.",
        )
    return frame


def _joined_parts(paths: Iterable[Path]) -> Iterator[pa.Table]:
    """Parts joined to larger tables, since thousands of small tables would double the memory."""
    waiting: list[pa.Table] = []
    for path in paths:
        waiting.append(_part_table(path))
        if sum(map(len, waiting)) >= _AT_ONCE:
            yield pa.concat_tables(waiting, promote_options="default").combine_chunks()
            waiting.clear()
    yield from waiting


def _joined(column: pd.Series) -> bytes:
    """A column's texts joined by a separator, with a marker for missing ones."""
    if not isinstance(column.dtype, pd.StringDtype):
        values = column.to_numpy(object, copy=True)
        values[pd.isna(values)] = "\1"
        return "\0".join(map(str, values.tolist())).encode()
    texts = pa.chunked_array([], pa.string()) if not len(column) else column.array.__arrow_array__()
    parts = []
    for start in range(0, len(texts), _AT_ONCE):
        piece = pc.fill_null(texts.slice(start, _AT_ONCE).cast(pa.string()), "\1")
        piece = piece.combine_chunks() if isinstance(piece, pa.ChunkedArray) else piece
        parts.append(pc.binary_join(pa.ListArray.from_arrays([0, len(piece)], piece), "\0")[0].as_buffer().to_pybytes())
    return b"\0".join(parts)


def part_files(folder: Path) -> list[Path]:
    """The complete parts of a run, in order."""
    return listing(folder / OBSERVATIONS, "part-*.parquet")


def part_path(folder: Path, number: int) -> Path:
    """The path of a part."""
    return folder / OBSERVATIONS / f"part-{number:06d}.parquet"


def write_part(folder: Path, number: int, rows: list[dict[str, Any]], columns: pa.Schema) -> None:
    """Write one part atomically."""
    path = part_path(folder, number)
    table = pa.Table.from_pylist(rows, schema=columns)
    partial = outgoing(path)
    pq.write_table(table, partial, compression="zstd", store_schema=True, write_page_checksum=True)
    with partial.open("rb") as written:
        os.fsync(written.fileno())
    put(partial, path)


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with at_hand(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _part_table(path: Path) -> pa.Table:
    """A part without face features and landmarks."""
    try:
        with pq.ParquetFile(path) as part:
            found = part.schema_arrow
            columns = [name for name in found.names if EMBEDDING not in name and LANDMARKS not in name]
            known = schema((), {CLUSTER: pa.string()})
            fields = [*schema((), {}, optional=False), *(f for f in known if f.name in columns)]
            if invalid := [f.name for f in fields if f not in found]:
                raise ValueError(f"the columns {', '.join(invalid[:3])} are missing or of another type")
            table = part.read(columns=columns, use_threads=False)
        table.validate(full=True)  # for example that strings are UTF-8
        if any(table[name].null_count for name in NEVER_NULL):
            raise ValueError("some clips have no id, group, language or status")
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"{path} cannot be read: {error}.",
            "a part as the run wrote it",
            "Delete that file and repeat the same audit run command to make it again.",
        ) from error
    return table
