"""Opening a run's folder for a new or resumed run, filling it, and closing it with the digest of every part."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from audit.core.addresses import is_address
from audit.core.errors import RunError
from audit.core.files import file_digest, make_folder, sync_file, sync_folder, writing
from audit.core.lock import claim
from audit.core.plan import Plan
from audit.core.provenance import code_version, hardware, versions
from audit.core.transfer import at_hand, bring, exists
from audit.core.written_files import refuse_foreign_files, remove_temporary_files, write_files
from audit.runs.content import content_of
from audit.runs.faces import subfolders
from audit.runs.harness.part_files import is_whole
from audit.runs.harness.rechecking import RecheckFailed
from audit.runs.harness.work import Parts
from audit.runs.journal import JOURNAL, Journal, OpenJournal, Writer, digests_differ
from audit.runs.manifest import MANIFEST, read_manifest
from audit.runs.run import FACES, OBSERVATIONS, PLAN, Run, check_parts, part_files, part_path

_ATTEMPTS = 3
"""How often parts are written until their bytes on disk are those that were written."""
_log = logging.getLogger(__name__)


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
    names = () if exists(folder / MANIFEST) else (PLAN, JOURNAL)
    refuse_foreign_files(folder, names, folders=(OBSERVATIONS, FACES, *subfolders(folder)))


@contextmanager
def writable(folder: Path, *, shared: bool = False) -> Iterator[None]:
    """A run's folder, made if it does not exist; raises RunError as :func:`refuse_files_of_others`.

    A new folder is private unless ``shared``; an existing one keeps its permissions.
    """
    with writing(folder):
        refuse_files_of_others(folder)
        make_folder(folder, shared=shared)
        yield


def started_run(folder: Path, identity: Mapping[str, Any]) -> dict[str, Any] | None:
    """The manifest of the run to resume; ``None`` for a new one. Raises RunError if the folder has another run."""
    if not at_hand(folder / MANIFEST).is_file():
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
    if manifest.get("recheck", {}).get("different"):
        raise RunError(
            f"Answers of the cache that {folder} was made with differed when they were computed again.",
            next_step="Delete the cache, and run into a new folder.",
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
        write_files(folder, {PLAN: written, MANIFEST: json.dumps(manifest, indent=1) + "\n"}, durable=True)
    remove_temporary_files(folder, (OBSERVATIONS, FACES, *subfolders(folder)))
    return manifest


def fill_folder(
    folder: Path,
    identity: Mapping[str, Any],
    plan: Plan,
    parts: Parts,
    columns: pa.Schema,
    process: Callable[[Parts, OpenJournal], Mapping[str, Any]],
    *,
    given: bool,
    shared: bool = False,
    writer: Writer,
    cache: str | None = None,
    continue_with_other_code: bool = False,
) -> Run:
    """The run in a folder, after the parts that it lacks were processed.

    ``process`` writes the parts that it is given, records each in the journal, and returns the time spent, for the
    manifest; the others as in :func:`open_folder`, :func:`undone`, :func:`refuse_other_writers` and
    :class:`audit.runs.journal.OpenJournal`. A part whose bytes are not those of the journal is processed again.
    """
    with claim(folder):
        manifest = open_folder(folder, identity, plan, given=given)
        for name in (OBSERVATIONS, FACES):
            make_folder(folder / name, shared=shared)
        pa.default_memory_pool().release_unused()  # memory used for reading the cohort
        known = manifest.get("parts", {})
        todo = undone(folder, parts, columns, known)
        spent: Mapping[str, Any] = {}
        for _ in range(_ATTEMPTS):
            if todo.numbers:
                if not continue_with_other_code:
                    refuse_other_writers(folder, todo, writer)
                identify(folder, manifest, writer)
                try:
                    with OpenJournal(folder, writer, cache) as journal:
                        spent = process(todo, journal)
                except RecheckFailed as error:
                    write_manifest(folder, manifest | {"recheck": error.result})
                    raise
            damaged = _damaged(folder, parts, known)
            if not damaged.numbers:
                break
            todo = damaged
        else:
            names = ", ".join(part_path(folder, number).name for number in todo.numbers[:3])
            raise RunError(
                f"Parts of {folder} change while they are written: {names}.",
                "a disk without errors, and no other program that writes there",
                "Check the disk, or choose another folder for -o.",
            )
        close_folder(folder, manifest, spent)
    return Run(None, read_manifest(folder), folder)


def identify(folder: Path, manifest: dict[str, Any], writer: Writer) -> None:
    """Store the writer of the next parts in the manifest, outside of what the digest of the run covers."""
    identity = {
        "model_sha256": writer.model,
        "instrument_sha256": writer.instrument,
        "package_sha256": writer.code,
        "source_sha256": writer.packages["source"],
    }
    if manifest.get("code_identity") != identity:
        manifest["code_identity"] = identity
        write_manifest(folder, manifest)


def refuse_other_writers(folder: Path, todo: Parts, writer: Writer) -> None:
    """Raise RunError if another model, instrument or code wrote the parts that are kept."""
    redone = {part_path(folder, number).name for number in todo.numbers}
    for other in Journal.read(folder).without(redone).used:
        if difference := other.difference(writer):
            raise RunError(
                f"{folder} was begun with other code than now: {difference}.",
                "the model, instrument, code and package versions with which the run was begun",
                "Go back to them, or choose another folder for -o. To mix them nevertheless: "
                "--continue-with-other-code; audit gate then blocks the run unless its policy allows it.",
            )


def close_folder(folder: Path, manifest: dict[str, Any], spent: Mapping[str, Any]) -> None:
    """Mark the run as complete, with the digests of every part, of the journal and of the cohort's content.

    The digests of the parts are those of the journal, which :func:`fill_folder` has compared with the files.
    """
    journal, names = Journal.read(folder), [path.name for path in part_files(folder)]
    recorded = {name: entry.sha256 for name, entry in journal.entries.items()}
    parts = {name: recorded.get(name) or file_digest(folder / OBSERVATIONS / name) for name in names}
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
    if "recheck" in spent:  # of all parts, of this and of earlier calls
        entries = journal.entries.values()
        totals = {"from_cache": sum(e.from_cache for e in entries), "checked": sum(e.rechecked for e in entries)}
        manifest["recheck"] = spent["recheck"] | totals
    for key in ("journal", "writers", "content"):
        manifest.pop(key, None)
    if recorded == parts:  # parts of earlier versions have no line in the journal
        manifest |= {"journal": journal.digest, "writers": len(journal.used)}
        if content := content_of(folder):
            manifest["content"] = asdict(content)
    _sync(folder)
    write_manifest(folder, manifest)


def _sync(folder: Path) -> None:
    """Wait until all faces and names of a run are on the disk; its parts are there since they were written."""
    if is_address(folder):
        return  # what is written there is kept when the request has ended
    faces = [path for path in sorted((folder / FACES).rglob("*")) if not path.is_symlink()]
    for path in faces:
        if path.is_file():
            sync_file(path)
    for place in (*(path for path in faces if path.is_dir()), folder / FACES, folder / OBSERVATIONS, folder):
        sync_folder(place)


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest of a run; it is on the disk when this returns."""
    write_files(folder, {MANIFEST: json.dumps(manifest, indent=1) + "\n"}, durable=True)


def undone(folder: Path, parts: Parts, columns: pa.Schema, known: Mapping[str, str]) -> Parts:
    """The parts that are missing, incomplete, or not in the journal.

    ``known`` has the digest of each part if the run was complete before; a part of an earlier version, which is not in
    the journal, is then kept if it has that digest. Raises RunError if the folder has a part that does not belong to
    the run.
    """
    check_parts(folder, part_files(folder))
    if foreign := {*part_files(folder)} - {part_path(folder, number) for number in parts.numbers}:
        raise RunError(
            f"{folder} has parts that are not of this run: {', '.join(sorted(path.name for path in foreign))}.",
            f"the {len(parts)} parts of its {parts.n_clips} clips",
            "Move them out of the folder and repeat the same audit run command.",
        )
    entries, missing, unrecorded = Journal.read(folder).entries, [], 0
    if other := entries.keys() - {part_path(folder, number).name for number in parts.numbers}:
        raise RunError(
            f"{folder / JOURNAL} has parts that are not of this run: {', '.join(sorted(other)[:3])}.",
            f"the {len(parts)} parts of its {parts.n_clips} clips",
            "Restore the journal, or choose another folder for -o.",
        )
    here = {path.name: path for path in bring(part_files(folder))}
    for number in parts.numbers:
        path = here.get(part_path(folder, number).name)
        if path is None:
            missing.append(number)
            continue
        if path.name not in entries and path.name in known:
            whole = path.is_file() and file_digest(path) == known[path.name]
        else:
            whole = is_whole(path, parts.part(number).rows["clip_id"].tolist(), columns, entries.get(path.name))
        if not whole:
            missing.append(number)
            unrecorded += path.is_file() and path.name not in entries
    if unrecorded:
        _log.warning("%d parts have no line in %s and are computed again", unrecorded, JOURNAL)
    return parts.only(missing)


def _damaged(folder: Path, parts: Parts, known: Mapping[str, str]) -> Parts:
    """The parts whose bytes are not those that the journal says; ``known`` as in :func:`undone`."""
    journal = Journal.read(folder)
    legacy = {name for name in known if name not in journal.entries}
    changed = {*digests_differ(folder, journal)} - legacy
    return parts.only([number for number in parts.numbers if part_path(folder, number).name in changed])


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
