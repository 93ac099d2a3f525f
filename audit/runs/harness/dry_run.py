"""The dry run: what a run would do, without rendering or writing anything.

Clips and portraits are decoded, since only their content tells whether they can be read and what the cache would
answer. Of a large cohort, a sample is decoded. The time is expected from finished runs in the same parent folder.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from audit.core.addresses import is_address
from audit.core.errors import RunError
from audit.core.provenance import hardware
from audit.models.protocol import Decoder, Playback
from audit.runs.harness.answers import DATABASE
from audit.runs.harness.cache import Cache
from audit.runs.harness.folder import refuse_files_of_others, refuse_other_writers, started_run, undone
from audit.runs.harness.hearing import NO_AUDIO, LoadedPart, load_part
from audit.runs.harness.running import Ready, writer_of
from audit.runs.harness.work import Parts
from audit.runs.manifest import MANIFEST, read_manifest

MOST_DECODED: Final = 2000
"""The most clips that are decoded."""
NAMED: Final = 3
"""The most files of each kind that are named."""


class Span(NamedTuple):
    """An expected number: its smallest and largest value; equal if only one earlier run is known."""

    low: float
    high: float


@dataclass(frozen=True)
class Unusable:
    """Files of one kind that cannot be used for the same reason: how many, and the first ones."""

    file: str
    status: str
    count: int
    first: tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """How many of ``asked`` answers the cache has; ``None`` if it cannot be known."""

    known: int | None
    asked: int
    why_unknown: str = ""


@dataclass(frozen=True)
class DryRun:
    """What a run would do.

    Attributes
    ----------
    cohort, model, instrument : str
        Their names.
    n_speakers, n_clips : int
        Those to audit.
    strata : tuple of mapping
        ``group``, ``language``, ``speakers`` and ``clips``.
    n_decoded : int
        How many clips were decoded: all, or a sample drawn evenly over the clips' ids.
    unusable : tuple of Unusable
        Files among them that are missing or cannot be used.
    renderings, readings : Known
        What the cache would answer, of the clips that were decoded.
    cache : str or None
        The cache's folder.
    folder, state : str
        Where the run would be written: ``new``, ``resumed`` or ``complete``.
    n_left : int
        How many clips would still be processed.
    refused : str
        Why the run would be refused; empty if it would not.
    seconds, bytes : Span or None
        Expected time to render and read what is left, and size of the folder; ``None`` if not known.
    basis : str
        What the expectations rest on, or why there are none.
    free_bytes : int or None
        Free space where the run would be written; ``None`` at an address.
    """

    cohort: str
    model: str
    instrument: str
    n_speakers: int
    n_clips: int
    strata: tuple[Mapping[str, object], ...]
    n_decoded: int
    unusable: tuple[Unusable, ...]
    renderings: Known
    readings: Known
    cache: str | None
    folder: str
    state: str
    n_left: int
    refused: str
    seconds: Span | None
    bytes: Span | None
    basis: str
    free_bytes: int | None


def dry_run(ready: Ready, workers: int = 1) -> DryRun:
    """What a run would do that was prepared by :func:`audit.runs.harness.running.prepare`.

    Parameters
    ----------
    ready : Ready
        The prepared run.
    workers : int
        Number of worker processes, which share the time.
    """
    work, table, identity = ready.work, ready.table, ready.identity
    state, left, refused = _state(ready)
    rows = table.iloc[_spread(len(table), MOST_DECODED)]
    began = time.monotonic()
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        part = load_part(rows, work.root, work.settings, threads)
    load_s = (time.monotonic() - began) / len(rows)
    renderings, readings = _from_cache(ready, part)
    earlier = [*_earlier(ready)]
    seconds, size, basis = _expected(earlier, ready, left, (renderings, readings), len(rows), load_s, workers)
    counts = table.groupby(["group", "language"], observed=True, sort=False)["speaker_id"].agg(["nunique", "size"])
    strata = [
        {"group": str(group), "language": str(language), "speakers": int(speakers), "clips": int(clips)}
        for (group, language), speakers, clips in zip(counts.index, counts["nunique"], counts["size"], strict=True)
    ]
    return DryRun(
        cohort=str(identity["cohort"]["name"]),
        model=str(identity["model"]["name"]),
        instrument=str(identity["instrument"]["name"]),
        n_speakers=int(table["speaker_id"].nunique()),
        n_clips=len(table),
        strata=tuple(strata),
        n_decoded=len(rows),
        unusable=tuple(_unusable(part)),
        renderings=renderings,
        readings=readings,
        cache=None if work.cache is None else str(work.cache),
        folder=str(work.folder),
        state=state,
        n_left=left,
        refused=refused,
        seconds=seconds,
        bytes=size,
        basis=basis,
        free_bytes=None if is_address(work.folder) else shutil.disk_usage(_existing(work.folder)).free,
    )


def _state(ready: Ready) -> tuple[str, int, str]:
    """The state of the run's folder, the number of clips that are left, and why the run would be refused."""
    work, parts = ready.work, Parts(ready.table, ready.work.settings.part_size(len(ready.table)))
    try:
        refuse_files_of_others(work.folder)
        manifest = started_run(work.folder, ready.identity)
        if manifest is None:
            return "new", parts.n_clips, ""
        todo = undone(work.folder, parts, work.columns, manifest.get("parts", {}))
        if left := todo.n_clips:
            refuse_other_writers(work.folder, todo, writer_of(work, ready.identity))
        return ("resumed" if left else "complete"), left, ""
    except RunError as error:
        return "refused", parts.n_clips, str(error)


def _spread(n: int, most: int) -> list[int]:
    """At most that many of the numbers below ``n``, evenly spread."""
    return sorted({int(each) for each in np.linspace(0, n - 1, min(n, most))})


def _unusable(part: LoadedPart) -> Iterable[Unusable]:
    """The clips and portraits that cannot be used, by kind of file and status; each file once."""
    rows = part.rows
    found: list[tuple[str, str, str]] = [
        ("audio", str(path), clip.status)
        for path, clip in zip(rows["audio"], part.clips, strict=True)
        if clip is not NO_AUDIO
    ]
    found += [
        ("portrait", str(path), portrait.file.status)
        for path, portrait in zip(rows["portrait"], part.portraits, strict=True)
        if path
    ]
    files = pd.DataFrame(found, columns=["file", "path", "status"]).drop_duplicates()
    for (file, status), of in files[files["status"] != "ok"].groupby(["file", "status"], sort=True):
        yield Unusable(str(file), str(status), len(of), tuple(of["path"].head(NAMED)))


def _from_cache(ready: Ready, part: LoadedPart) -> tuple[Known, Known]:
    """What the cache would answer for these clips: renderings with ceilings, and readings."""
    work = ready.work
    portraits = {portrait.digest for portrait in part.portraits} - {""}
    playback = isinstance(work.model, Playback)
    heard = [] if playback else [clip.source for clip in part.clips if clip.waveform is not None]
    voices = {*heard}
    ceilings = {f"portrait {digest}" for digest in portraits} if isinstance(work.model, Decoder) else set()
    # a model whose answers are not cached renders equal clips again
    asked = len(ceilings) + len(heard if work.cache is None or work.model_key is None else voices)
    to_read = len(portraits) + asked
    if playback:
        why = "pictures of a playback are read as they are shown"
        return Known(0, 0), Known(None, to_read, why)
    if work.cache is None or not (is_address(work.cache) or (work.cache / DATABASE).is_file()):
        return Known(0, asked), Known(0, to_read)
    cache = Cache(work.cache, read_only=True)
    try:
        kept = work.model_key is not None and work.settings.keep_faces
        made = cache.renderings(voices | ceilings, str(work.model_key)) if kept else {}
        pictures = portraits | {*made.values()} - {""}
        read = cache.readings(pictures, str(work.instrument_key)) if work.instrument_key is not None else {}
    finally:
        cache.close()
    # an upper limit: two clips may have one picture
    return Known(len(made), asked), Known(len(read), len(pictures) + asked - len(made))


class _Earlier(NamedTuple):
    """A finished run of the same model or instrument: its seconds a rendering and a reading, and bytes a clip."""

    folder: Path
    render_s: float | None
    read_s: float | None
    bytes_a_clip: float | None


def _earlier(ready: Ready) -> Iterable[_Earlier]:
    """The finished runs beside this one with the same model or instrument, on a machine of the same kind."""
    parent, here = ready.work.folder.parent, json.loads(json.dumps(hardware()))
    is_here = not is_address(parent) and parent.is_dir()
    for path in sorted(parent.glob(f"*/{MANIFEST}")) if is_here else []:
        try:
            manifest = read_manifest(path.parent)
        except RunError:
            continue  # another program's file, or a damaged run, which is not this run's concern
        if manifest.get("status") != "complete" or manifest.get("hardware") != here:
            continue
        plain = json.loads(json.dumps(ready.identity))
        same_model, same_instrument = (manifest[key] == plain[key] for key in ("model", "instrument"))
        seconds, answers = manifest.get("seconds", {}), manifest.get("answers", {})
        render = _ratio(seconds.get("render"), answers.get("rendered")) if same_model else None
        read = _ratio(seconds.get("read"), answers.get("read")) if same_instrument else None
        size = _ratio(_size(path.parent), manifest["cohort"]["n_clips"]) if same_model else None
        if render is not None or read is not None or size is not None:
            yield _Earlier(path.parent, render, read, size)


def _ratio(amount: float | None, count: int | None) -> float | None:
    return amount / count if amount is not None and count else None


def _expected(
    earlier: Sequence[_Earlier],
    ready: Ready,
    left: int,
    answers: tuple[Known, Known],
    n_decoded: int,
    load_s: float,
    workers: int,
) -> tuple[Span | None, Span | None, str]:
    """The expected seconds and bytes, and what they rest on."""
    renderings, readings = answers
    scale = left / n_decoded
    to_render = (renderings.asked - (renderings.known or 0)) * scale
    to_read = (readings.asked - (readings.known or 0)) * scale
    render, read = (_span(getattr(run, name) for run in earlier) for name in ("render_s", "read_s"))
    size = _span(run.bytes_a_clip for run in earlier)
    size = None if size is None else Span(*(each * len(ready.table) for each in size))
    missing = [
        f"the seconds {what} of {name}"
        for span, amount, what, name in (
            (render, to_render, "per rendering", ready.work.model.name),
            (read, to_read, "per reading", ready.work.instrument.name),
        )
        if span is None and amount
    ]
    beside = f"beside {ready.work.folder}, on a machine like this"
    if missing:
        return None, size, f"no finished run {beside}, measured {' and '.join(missing)}"
    parts = [(render or Span(0, 0), to_render), (read or Span(0, 0), to_read), (Span(load_s, load_s), float(left))]
    low, high = (sum(span[end] * amount for span, amount in parts) / workers for end in (0, 1))
    n = len(earlier)
    spread = "; one run says nothing about how much the time varies" if n == 1 else "; the range is that of these runs"
    return Span(low, high), size, f"{n} finished run{'s' * (n != 1)} {beside}{spread if n else ''}"


def _span(values: Iterable[float | None]) -> Span | None:
    known = [value for value in values if value is not None]
    return Span(min(known), max(known)) if known else None


def _size(folder: Path) -> int:
    """The bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    folder = folder.absolute()
    return next(each for each in (folder, *folder.parents) if each.is_dir())
