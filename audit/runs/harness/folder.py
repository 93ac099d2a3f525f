"""Opening a run's folder for a new or resumed run, filling it, and closing it with the digest of every part."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from audit.core.errors import RunError
from audit.core.files import writing
from audit.core.lock import claim
from audit.core.plan import Plan
from audit.core.provenance import code_version, hardware, versions
from audit.core.transfer import bring, exists, make_folder
from audit.core.written_files import refuse_foreign_files, remove_temporary_files, write_files
from audit.runs.harness.work import Part, Parts
from audit.runs.manifest import MANIFEST, read_manifest
from audit.runs.run import FACES, OBSERVATIONS, PLAN, Run, file_digest, part_files, part_path


def new_folder(parent: Path, *words: str) -> Path:
    """The path of a folder that does not exist yet, named after the time and the words."""
    slug = "-".join("".join(c if c.isalnum() else "-" for c in word.lower()).strip("-") for word in words)
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%d-%H%M%S")
    folder, n = parent / f"{stamp}-{slug[:60]}", 1
    while exists(folder):
        n += 1
        folder = parent / f"{stamp}-{slug[:60]}-{n}"
    return folder


def refuse_files_of_others(folder: Path) -> None:
    """Raise RunError if a run's folder has files that the tool did not write, where it would write its own."""
    names = () if exists(folder / MANIFEST) else (PLAN,)
    refuse_foreign_files(folder, names, folders=(OBSERVATIONS, FACES))


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """A run's folder, made if it does not exist; raises RunError as :func:`refuse_files_of_others`."""
    with writing(folder):
        refuse_files_of_others(folder)
        make_folder(folder)
        yield


def started_run(folder: Path, identity: Mapping[str, Any]) -> dict[str, Any] | None:
    """The manifest of the run to resume; ``None`` for a new one. Raises RunError if the folder has another run."""
    if not exists(folder / MANIFEST):
        if part_files(folder):
            raise RunError(f"{folder} has observations but no {MANIFEST}.", next_step="Choose another folder for -o.")
        return None
    manifest = read_manifest(folder)
    for key, value in json.loads(json.dumps(identity)).items():
        if manifest.get(key) != value:
            found, wanted = _difference(manifest.get(key), value)
            raise RunError(
                f"{folder} contains another run: its {key} was {found}, now it is {wanted}.",
                "the same cohort, model, instrument and settings",
                "Choose another folder for -o.",
            )
    return manifest


def open_folder(folder: Path, identity: Mapping[str, Any], plan: Plan, *, given: bool) -> dict[str, Any]:
    """The manifest of a new run, or of the run to resume.

    ``identity`` has the cohort, model, instrument, settings and seed of the run. The plan is stored with a new run, and
    with a resumed one if it was ``given``. Raises RunError if the folder contains another run.
    """
    plain = json.loads(json.dumps(identity))
    written = plan.to_toml()
    followed = {"title": plan.title, "plan": written}
    if (manifest := started_run(folder, identity)) is not None:
        if not given or followed.items() <= manifest.items():
            followed = {}
    else:
        manifest = plain | {"schema_version": "1.0", "status": "running", "started": _now()}
        followed["command"] = plain.get("command", f"audit run {PLAN} -o OUT")
    if followed:
        manifest |= followed
        write_files(folder, {PLAN: written, MANIFEST: json.dumps(manifest, indent=1) + "\n"})
    remove_temporary_files(folder, (OBSERVATIONS, FACES))
    return manifest


def fill_folder(
    folder: Path,
    identity: Mapping[str, Any],
    plan: Plan,
    parts: Parts,
    columns: pa.Schema,
    process: Callable[[Parts], Mapping[str, Any]],
    *,
    given: bool,
) -> Run:
    """The run in a folder, after the parts that it lacks were processed.

    ``process`` writes the parts that it is given and returns the time spent, for the manifest; the others as in
    :func:`open_folder` and :func:`undone`.
    """
    with claim(folder):
        manifest = open_folder(folder, identity, plan, given=given)
        for name in (OBSERVATIONS, FACES):
            make_folder(folder / name)
        pa.default_memory_pool().release_unused()  # memory used for reading the cohort
        spent = process(undone(folder, parts, columns, manifest.get("parts", {})))
        close_folder(folder, manifest, spent)
    return Run(None, read_manifest(folder), folder)


def close_folder(folder: Path, manifest: dict[str, Any], spent: Mapping[str, Any]) -> None:
    """Mark the run as complete, with the digest of every part and the time spent."""
    parts = {path.name: file_digest(path) for path in bring(part_files(folder))}
    if manifest.get("status") == "complete" and manifest.get("parts") == parts:
        return
    manifest |= {
        "status": "complete",
        "finished": _now(),
        **spent,
        "versions": versions(),
        "code": code_version(),
        "hardware": hardware(),
        "parts": parts,
    }
    write_files(folder, {MANIFEST: json.dumps(manifest, indent=1) + "\n"})


def undone(folder: Path, parts: Parts, columns: pa.Schema, known: Mapping[str, str]) -> Parts:
    """The parts that are missing or incomplete; ``known`` has the digest of each part if the run was complete before.

    Raises RunError if the folder has a part that does not belong to the run.
    """
    if foreign := {*part_files(folder)} - {part_path(folder, number) for number in parts.numbers}:
        raise RunError(
            f"{folder} has parts that are not of this run: {', '.join(sorted(path.name for path in foreign))}.",
            f"the {len(parts)} parts of its {parts.n_clips} clips",
            "Move them out of the folder and repeat the same audit run command.",
        )

    here = {path.name: path for path in bring(part_files(folder))}
    paths = {number: here.get((path := part_path(folder, number)).name, path) for number in parts.numbers}
    missing = [part.number for part in parts if not _is_whole(paths[part.number], part, columns, known)]
    return parts.only(missing)


def _is_whole(path: Path, part: Part, columns: pa.Schema, known: Mapping[str, str]) -> bool:
    """Whether a part has the known digest or, without one, can be read and has the expected clips."""
    if not path.is_file():
        return False
    if path.name in known:
        return file_digest(path) == known[path.name]
    try:
        table = pq.read_table(path, page_checksum_verification=True)
    except (pa.ArrowException, OSError):
        return False
    return bool(table.schema.equals(columns)) and table["clip_id"].to_pylist() == part.rows["clip_id"].tolist()


def _difference(before: Any, now: Any) -> tuple[str, str]:
    """The first difference between two JSON values, in words."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            if before.get(key) != now.get(key):
                found, wanted = _difference(before.get(key), now.get(key))
                return (f"{key} {found}", f"{key} {wanted}")
    return json.dumps(before)[:120], json.dumps(now)[:120]


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
