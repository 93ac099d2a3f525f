"""Removing the rows of one speaker from a run's parts, its journal and its manifest."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from audit.core.addresses import refuse_address
from audit.core.columns import CLIP_FILES
from audit.core.errors import RunError
from audit.core.files import file_digest, temporary_path, writing
from audit.core.lock import claim
from audit.core.vocabulary import STAGES
from audit.runs.content import content_of
from audit.runs.harness.folder import write_manifest
from audit.runs.harness.part_files import facts_of, with_clips
from audit.runs.journal import Entry, Forgotten, Journal
from audit.runs.manifest import read_manifest
from audit.runs.run import part_files, write_part_table


@dataclass(frozen=True)
class Removed:
    """What the run of a forgotten speaker had of that speaker alone, so that it can be removed elsewhere too.

    Attributes
    ----------
    n_clips : int
        Number of removed rows; 0 if the run had none.
    faces : frozenset of str
        Names in the columns ``<stage>_face`` that no other speaker has.
    audio, pictures : frozenset of str
        sha256 of the audio files and of the picture files that no other speaker has.
    """

    n_clips: int = 0
    faces: frozenset[str] = frozenset()
    audio: frozenset[str] = frozenset()
    pictures: frozenset[str] = frozenset()


def remove_speaker(folder: Path, speaker: str) -> Removed:
    """Remove a speaker's rows from the parts of a run, and bring journal and manifest into accordance.

    The journal then records when this was done and how many parts it changed, but not whose rows they were. It can be
    repeated if it was interrupted. What was made from the run before (audit.json, the report, faces) is not changed.

    Raises
    ------
    RunError
        If the folder is not a run, is in use, cannot be written, or a part is not the one that the run wrote.
    """
    refuse_address(folder, "The run from which a speaker is removed")
    with writing(folder, reads=True), claim(folder):
        manifest, journal = read_manifest(folder), Journal.read(folder)
        recorded = {name: entry.sha256 for name, entry in journal.entries.items()} | manifest.get("parts", {})
        new: dict[Path, Path] = {}
        gone, kept = _Traces(), _Traces()
        try:
            for path in part_files(folder):
                table = pq.read_table(path, page_checksum_verification=True)
                its = pc.equal(table["speaker_id"], speaker)
                left = table.filter(pc.invert(its))
                kept.add(left)
                gone.add(table.filter(its))
                if len(left) < len(table):
                    new[path] = temporary_path(path)
                    write_part_table(new[path], with_clips(left))
                as_recorded = (path, *filter(None, [new.get(path)]))
                if path.name in recorded and recorded[path.name] not in map(file_digest, as_recorded):
                    raise RunError(
                        f"{path} was changed after the run.",
                        "the file that the run wrote",
                        "Restore it, or run again into a new folder.",
                    )
            if "parts" in manifest:
                manifest["cohort"] |= {"n_clips": kept.n_clips, "n_speakers": len(kept.speakers)}
            _record(folder, manifest, journal, new)
            for path, filtered in new.items():
                filtered.replace(path)
        finally:
            for filtered in new.values():
                filtered.unlink(missing_ok=True)
        if "content" in manifest and (content := content_of(folder)):
            write_manifest(folder, manifest | {"content": asdict(content)})
        return Removed(gone.n_clips, *(frozenset(gone.of[kind] - kept.of[kind]) for kind in _KINDS))


_KINDS: Final = ("faces", "audio", "pictures")


class _Traces:
    """What some rows of parts have: the number of clips, the speakers, and names of faces and digests of files."""

    def __init__(self) -> None:
        self.n_clips = 0
        self.speakers: set[str] = set()
        self.of: dict[str, set[str]] = {kind: set() for kind in _KINDS}

    def add(self, table: pa.Table) -> None:
        self.n_clips += len(table)
        self.speakers |= {*table["speaker_id"].to_pylist()}
        for stage in STAGES:
            self.of["faces"] |= {*table[f"{stage}_face"].drop_null().to_pylist()}
        self.of["audio"] |= {*filter(None, table["audio_sha256"].to_pylist())}
        if CLIP_FILES in table.column_names:
            files = [file for clip in table[CLIP_FILES].to_pylist() for file in clip or ()]
            self.of["pictures"] |= {file["sha256"] for file in files if file["kind"] != "audio"} - {""}


def _record(folder: Path, manifest: dict[str, Any], journal: Journal, new: dict[Path, Path]) -> None:
    """Write the digests of the new parts into journal and manifest, before the parts replace the old ones."""
    entries: dict[str, Entry] = dict(journal.entries)
    for path, filtered in new.items():
        if path.name in entries:
            now = facts_of(filtered)
            entries[path.name] = replace(
                entries[path.name],
                sha256=now.sha256,
                rows=now.rows,
                bytes=now.bytes,
                files_sha256=now.files_sha256,
            )
    if entries != dict(journal.entries):
        note = Forgotten(dt.datetime.now(dt.UTC).date().isoformat(), len(new))
        journal = Journal(journal.writers, entries, (*journal.forgotten, note))
        journal.write(folder)
    if "parts" in manifest:
        manifest["parts"] |= {path.name: file_digest(filtered) for path, filtered in new.items()}
        if "journal" in manifest:
            manifest["journal"] = journal.digest
    write_manifest(folder, manifest)
