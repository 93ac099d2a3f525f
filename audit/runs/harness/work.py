"""The work of a run and its parts, and the worker that processes them in every engine."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from audit.core.plan import RunSettings
from audit.instruments.protocol import Instrument
from audit.models.protocol import Playback, Reconstructor
from audit.runs.faces import FaceNames
from audit.runs.harness.answering import AT_ONCE, AT_ONCE_ON_GPU
from audit.runs.harness.cache import Cache
from audit.runs.harness.hearing import LoadedPart, load_part
from audit.runs.harness.observing import UNKEYED, Counts, Observer, RenderedPart
from audit.runs.harness.part_files import write
from audit.runs.harness.rechecking import Recheck
from audit.runs.journal import Written
from audit.runs.run import FACES


@dataclass(frozen=True)
class Work:
    """The input of workers; can be pickled if model and instrument can.

    Clips' paths are relative to ``root``; ``folder`` is the run's, and ``cache`` that of the cache. With
    ``reads_beside``, the instrument reads one part while the model renders the next, which is useful if the model runs
    on a GPU. ``cohort`` is the digest of the cohort; ``names``, with its key, names the pictures. With ``recheck``, a
    sample of the cache's answers is computed again.
    """

    root: Path
    model: Reconstructor | Playback
    instrument: Instrument
    settings: RunSettings
    folder: Path
    columns: pa.Schema
    cache: Path | None
    model_key: str | None
    instrument_key: str | None
    reads_beside: bool
    cohort: str
    names: FaceNames = UNKEYED
    recheck: Recheck | None = None


NUMBER: Final = "number of the part"
"""The column of a part's number where the rows of several parts lie in one table."""


class Part(NamedTuple):
    """Clips that are processed and written as one unit: number in the run, and rows sorted by ``clip_id``."""

    number: int
    rows: pd.DataFrame


class Parts:
    """A table of clips, sorted by ``clip_id``, split into parts of ``size`` clips, which are created lazily.

    ``numbers`` selects parts; by default all.

    Examples
    --------
    >>> parts = Parts(pd.DataFrame({"clip_id": list("abcde")}), 2)
    >>> [(part.number, "".join(part.rows["clip_id"])) for part in parts]
    [(0, 'ab'), (1, 'cd'), (2, 'e')]
    >>> parts.only([1, 2]).n_clips
    3
    """

    def __init__(self, table: pd.DataFrame, size: int, numbers: Sequence[int] | None = None) -> None:
        self._table, self._size = table, size
        self.numbers = range(-(-len(table) // size)) if numbers is None else numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[Part]:
        for number in self.numbers:
            yield self.part(number)

    def part(self, number: int) -> Part:
        """The part with this number."""
        return Part(number, self._table.iloc[number * self._size : (number + 1) * self._size])

    def in_slices(self, n_clips: int) -> Iterator[Sequence[int]]:
        """The numbers of the parts, in order, as many at a time as have about ``n_clips`` clips; at least one."""
        step = max(1, n_clips // self._size)
        for start in range(0, len(self.numbers), step):
            yield self.numbers[start : start + step]

    def in_arrow(self, numbers: Sequence[int]) -> pa.Table:
        """The rows of these parts, in order, with the part's number in the column :data:`NUMBER`."""
        places = (np.array(numbers, np.int64)[:, None] * self._size + np.arange(self._size)).ravel()
        places = places[places < len(self._table)]
        first, last = int(places[0]), int(places[-1]) + 1
        is_range = len(places) == last - first  # no part is left out, so that nothing is copied
        rows = self._table.iloc[first:last] if is_range else self._table.iloc[places]
        of_part: NDArray[np.int64] = places // self._size
        return pa.Table.from_pandas(rows, preserve_index=False).append_column(NUMBER, pa.array(of_part))

    @property
    def n_clips(self) -> int:
        """The number of clips in all parts."""
        return sum(min(self._size, len(self._table) - number * self._size) for number in self.numbers)

    def only(self, numbers: Sequence[int]) -> Parts:
        """The parts with these numbers."""
        return Parts(self._table, self._size, numbers)


@dataclass(frozen=True)
class Done:
    """A finished part, and the seconds spent on it: waiting for decoding (``load``), rendering, reading, writing.

    ``written`` has the facts about its file for the journal. ``two_voices`` is the number of clips whose two channels
    were averaged, but probably are two speakers.
    """

    number: int
    clips: int
    seconds: dict[str, float]
    counts: Counts
    written: Written
    two_voices: int = 0


class Worker:
    """Processes parts in order; a context manager.

    While a part is rendered, the next one is decoded, by default with one thread per core; on a GPU, the previous one
    is read and written at the same time. At most three parts are in memory.
    """

    def __init__(self, work: Work, threads: int | None = None) -> None:
        self.work = work
        self._cache = None if work.cache is None else Cache(work.cache)
        self._observer = Observer(
            work.model,
            work.instrument,
            work.folder / FACES if work.settings.keep_faces else None,
            names=work.names,
            cache=self._cache,
            model_key=work.model_key,
            instrument_key=work.instrument_key,
            recheck=work.recheck,
            at_once=AT_ONCE_ON_GPU if work.reads_beside else AT_ONCE,
        )
        self._decoders = ThreadPoolExecutor(threads or os.cpu_count() or 1, thread_name_prefix="audit-decoder")
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="audit-ahead")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="audit-reader")

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        for pool in (self._ahead, self._reader, self._decoders):
            pool.shutdown(cancel_futures=True)
        if self._cache is not None:
            self._cache.close()

    def do(self, parts: Iterable[Part]) -> Iterator[Done]:
        """Process these parts; yields each when it is written."""
        reading: Future[Done] | None = None
        for number, loaded, waited in self._loaded(parts):
            start = time.monotonic()
            rendered = self._observer.render(loaded)
            seconds = {"load": waited, "render": time.monotonic() - start}
            if not self.work.reads_beside:
                yield self._read(number, rendered, seconds)
                continue
            if reading is not None:
                yield reading.result()
            reading = self._reader.submit(self._read, number, rendered, seconds)
        if reading is not None:
            yield reading.result()

    def _loaded(self, parts: Iterable[Part]) -> Iterator[tuple[int, LoadedPart, float]]:
        """Each decoded part and the seconds waited for it; decodes the next part in the background."""
        begun = ((part.number, self._ahead.submit(self._load, part.rows)) for part in parts)
        waiting = next(begun, None)
        while waiting is not None:
            number, loading = waiting
            start = time.monotonic()
            loaded = loading.result()
            waited = time.monotonic() - start
            waiting = next(begun, None)
            yield number, loaded, waited

    def _load(self, rows: pd.DataFrame) -> LoadedPart:
        return load_part(rows, self.work.root, self.work.settings, self._decoders)

    def _read(self, number: int, rendered: RenderedPart, seconds: dict[str, float]) -> Done:
        start = time.monotonic()
        rows, counts = self._observer.read(rendered)
        read = time.monotonic()
        written = write(self.work.folder, number, rows, self.work.columns)
        seconds |= {"read": read - start, "write": time.monotonic() - read}
        two_voices = sum(clip.are_two_voices for clip in rendered.part.clips)
        return Done(number, len(rows), seconds, rendered.counts + counts, written, two_voices)
