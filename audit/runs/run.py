"""Runs: one row per clip, stored in a folder of Parquet parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from audit.core.addresses import is_address, place
from audit.core.attributes import ALWAYS
from audit.core.columns import CLIP_FILES, CLUSTER, EMBEDDING, LANDMARKS, NEVER_NULL, schema
from audit.core.errors import RunError
from audit.core.files import file_digest, replacing
from audit.core.opening import UnsafeFile, check_inside
from audit.core.parquet import parquet_file
from audit.core.shown import Shown, name_in_line, sizes_in_line
from audit.core.transfer import bring, listing
from audit.runs.digest import run_digest
from audit.runs.manifest import read_manifest

OBSERVATIONS = "observations"
FACES = "faces"
PLAN = "plan.toml"
_TEXT = pd.StringDtype(na_value=np.nan)
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
        run = cls(None, read_manifest(root), root)
        assert run.coded is not None  # read now, so that invalid parts are found here
        return run

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
        coded = self.coded
        texts = [name for name, kind in coded.dtypes.items() if isinstance(kind, pd.CategoricalDtype)]
        return coded.astype(dict.fromkeys(texts, _TEXT))

    @cached_property
    def coded(self) -> pd.DataFrame:
        """:attr:`observations` with texts that repeat as categories, sorted, in a tenth of the memory.

        Raises
        ------
        RunError
            As :attr:`observations`.
        """
        if self.held is not None:
            texts = [
                name for name, kind in self.held.dtypes.items() if kind.kind not in "biufM" and _repeats(str(name))
            ]
            return self.held.astype(dict.fromkeys(texts, "category"))
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
        """SHA-256 of all observations, cohort, model, instrument and seed.

        It is independent of parts, engine, time, and the key of the pictures' names.
        """
        return run_digest(self.coded, self.manifest)

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
        n = len(self.coded)
        found: list[tuple[NDArray[Any], NDArray[np.float32]]] = []
        for path in bring(part_files(self.folder)) if self.folder else []:
            with parquet_file(path) as part:
                if column not in part.schema_arrow.names:
                    continue
                table = part.read(columns=["clip_id", column], use_threads=False)
            filled = table.filter(table[column].is_valid())
            if len(filled):
                lists = filled[column].combine_chunks()
                values = lists.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
                found.append((filled["clip_id"].to_numpy(), values.reshape(len(lists), -1)))
        rows = np.full((n, found[0][1].shape[1] if found else 0), np.nan, np.float32)
        places = pd.Index(self.coded["clip_id"]) if found else pd.Index([])
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
    check_parts(folder, paths)
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
    frame = _as_frame(table)
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


def _as_frame(table: pa.Table) -> pd.DataFrame:
    """A table column by column, whose coded texts become categories in their order."""
    columns: dict[str, Any] = {}
    for name in table.column_names:
        column = table[name]
        if not pa.types.is_dictionary(column.type):
            columns[name] = column.to_pandas()
            continue
        column = column.unify_dictionaries()
        names = column.chunk(0).dictionary.to_pylist() if column.num_chunks else []
        order = sorted(range(len(names)), key=names.__getitem__)
        place = np.full(len(names) + 1, -1, np.int64)
        place[order] = np.arange(len(names))
        small = np.min_scalar_type(-max(len(names), 1))
        codes = [place[chunk.indices.fill_null(len(names)).to_numpy()].astype(small) for chunk in column.chunks]
        categories = pd.Index([names[i] for i in order], dtype=_TEXT)
        every = np.concatenate(codes) if codes else np.zeros(0, np.int8)
        columns[name] = pd.Categorical.from_codes(every, categories)
    return pd.DataFrame(columns, copy=False)


def _repeats(name: str) -> bool:
    """Whether a column's texts repeat, so that categories save memory."""
    return name not in ("clip_id", "detail", "audio_sha256") and not name.endswith(("_face", "_face_check"))


def _joined_parts(paths: Iterable[Path]) -> Iterator[pa.Table]:
    """Parts joined to larger tables, since thousands of small tables would double the memory."""
    waiting: list[pa.Table] = []
    for path in paths:
        waiting.append(_part_table(path))
        if sum(map(len, waiting)) >= _AT_ONCE:
            yield pa.concat_tables(waiting, promote_options="default").combine_chunks()
            waiting.clear()
    yield from waiting


def part_files(folder: Path) -> list[Path]:
    """The complete parts of a run, in order."""
    return listing(folder / OBSERVATIONS, "part-*.parquet")


def check_parts(folder: Path, paths: Iterable[Path]) -> None:
    """Raise RunError if a part is not a regular file, or it or its folder is a link: it is not opened."""
    for path in [] if is_address(folder) else paths:
        try:
            check_inside(folder, f"{OBSERVATIONS}/{path.name}")
        except UnsafeFile as error:
            raise RunError(
                f"{path} was not opened: {error}.",
                "the parts as the run wrote them",
                "Move it out of the folder and repeat the same audit run command.",
            ) from error


def part_path(folder: Path, number: int) -> Path:
    """The path of a part."""
    return folder / OBSERVATIONS / f"part-{number:06d}.parquet"


def write_part(folder: Path, number: int, rows: list[dict[str, Any]], columns: pa.Schema) -> None:
    """Write one part atomically; it is on the disk when this returns."""
    write_part_table(part_path(folder, number), pa.Table.from_pylist(rows, schema=columns))


def write_part_table(path: Path, table: pa.Table) -> None:
    """Write the rows of one part to its file atomically; they are on the disk when this returns."""
    with replacing(path, durable=True) as stream:
        pq.write_table(table, stream, compression="zstd", store_schema=True, write_page_checksum=True)


def _part_table(path: Path) -> pa.Table:
    """A part without face features, landmarks and the digests of files."""
    try:
        with parquet_file(path) as part:
            found = part.schema_arrow
        coded = [f.name for f in found if pa.types.is_string(f.type) and _repeats(f.name)]
        with parquet_file(path, coded) as part:
            lists = (EMBEDDING, LANDMARKS, CLIP_FILES)
            columns = [name for name in found.names if not any(each in name for each in lists)]
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
