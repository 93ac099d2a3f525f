"""The model's faces: of every clip of a voice, and of one English clip under each factor."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from audit.core.attributes import Attribute, attributes
from audit.core.audio import SAMPLE_RATE, Clip
from audit.core.columns import EMBEDDING
from audit.core.languages import same_language
from audit.core.plan import RunSettings
from audit.instruments.protocol import Instrument, attributes_of
from audit.models.protocol import Reconstructor
from audit.probes.factors import ACCENT, AGAIN, ALTERED, Factor
from audit.probes.voices import FIRST
from audit.runs.harness.cache import Cache, cache_key
from audit.runs.harness.hearing import NO_PORTRAIT, LoadedPart, load_part
from audit.runs.harness.observing import Observer

UNCHANGED: Final = "unchanged"
"""The factor of unchanged clips."""
NOT_APPLICABLE: Final = "not_applicable"
"""The status of a clip that is too short for a factor."""
_OMITTED_DETAILS: Final = (NO_PORTRAIT.file.detail, NOT_APPLICABLE)
PART: Final = 32
"""Clips in one batch."""

Progress = Callable[[int, int], None]
"""Called with the number of clips done and the total."""


@dataclass(frozen=True)
class Asked:
    """The faces that a model made of the voices.

    Attributes
    ----------
    faces : DataFrame
        One row for each clip and factor: ``speaker_id``, ``group``, ``gender``, ``language``, ``clip_id``, ``factor``,
        ``base`` (whether it is, or comes from, the clip that is altered), ``of`` (the unchanged clip that it comes
        from), ``status``, ``detail``, ``lowered_db``,
        ``face``, and the reads ``race``, ``man``, ``age`` and further attributes; ``None`` where nothing was read.
    features : float array of shape (rows, D)
        The primary face feature of each row, of unit length; NaN if there is none.
    """

    faces: pd.DataFrame
    features: np.ndarray
    read: tuple[Attribute, ...] = attributes()


def ask(
    table: pd.DataFrame,
    root: Path,
    model: Reconstructor,
    instrument: Instrument,
    *,
    accented: pd.DataFrame | None = None,
    faces: Path,
    cache: Path | None,
    seed: int,
    progress: Progress | None = None,
) -> Asked:
    """Render and read every clip as it is, and the first English clip of each voice under each factor.

    Clips of the table ``accented`` (:func:`audit.cohorts.accented_clips.read_accented_clips`) are the factor accent.

    The control ``again`` is rendered last, in reverse order, and never from the cache: a random model, or one whose
    face depends on the other clips of a batch, cannot pass it. The table is that of
    :func:`audit.probes.voices.bilingual`, with paths relative to ``root``; pictures are written to ``faces``, named by
    content. The seed is part of the cache key of renderings.
    """
    english = table["language"].map(lambda code: same_language(code, FIRST))
    first = table[english].groupby("speaker_id")["clip_id"].min()
    table = table.assign(portrait="", base=table["clip_id"].isin(first), of=table["clip_id"])
    accents = _accents(table, accented)
    read = attributes_of(instrument)
    kept = None if cache is None else Cache(cache)
    model_key, instrument_key = cache_key(model, {"seed": seed}), cache_key(instrument, {})
    feature = f"rendered{EMBEDDING}{instrument.similarity_models[0].lower()}"
    with_cache, without = (
        Observer(model, instrument, faces, cache=kept, model_key=key, instrument_key=instrument_key, recheck=None)
        for key in (model_key, None)
    )
    bases = table[table["base"]]
    total, done = len(table) + len(accents) + len(ALTERED) * len(bases), 0
    rows: list[dict[str, Any]] = []
    vectors: list[np.ndarray | None] = []
    try:
        with ThreadPoolExecutor(1) as decoder:
            for factor, part, lowered in _parts(table, accents, bases, root, decoder):
                observer = without if factor == AGAIN.name else with_cache
                observed, _ = observer.read(observer.render(part))
                for seen, clip, how_much in zip(observed, part.clips, lowered, strict=True):
                    rows.append(_row(seen, clip, factor, how_much, read))
                    vectors.append(seen.get(feature))
                done += len(lowered)
                if progress:
                    progress(done, total)
    finally:
        if kept is not None:
            kept.close()
    frame = pd.DataFrame(rows)
    place = frame["factor"].map([UNCHANGED, *(factor.name for factor in (ACCENT, *ALTERED))].index)
    order = frame.assign(place=place).sort_values(["place", "clip_id"]).index.to_numpy()
    return Asked(frame.iloc[order].reset_index(drop=True), _unit(vectors)[order], read)


def _accents(table: pd.DataFrame, accented: pd.DataFrame | None) -> pd.DataFrame:
    """The accented clips of English clips in the table: the rows of these clips, with the other audio."""
    if accented is None:
        return table.iloc[:0]
    said = accented[["clip_id", "of", "audio"]].merge(table.drop(columns=["clip_id", "audio"]), on="of")
    return said[[*table]]


def _parts(
    table: pd.DataFrame, accents: pd.DataFrame, bases: pd.DataFrame, root: Path, decoder: ThreadPoolExecutor
) -> Iterator[tuple[str, LoadedPart, list[float]]]:
    """Every batch with its factor, and the attenuation of each clip in dB."""
    for name, rows in ((UNCHANGED, table), (ACCENT.name, accents)):
        for part in _loaded(rows, root, decoder):
            yield name, part, [0.0] * len(part.clips)
    for factor in ALTERED:
        for part in _loaded(bases[::-1] if factor is AGAIN else bases, root, decoder):
            clips, lowered = zip(*(_changed(clip, factor) for clip in part.clips), strict=True)
            yield factor.name, LoadedPart(part.rows, [*clips], part.portraits, part.files), [*lowered]


def _loaded(table: pd.DataFrame, root: Path, decoder: ThreadPoolExecutor) -> Iterator[LoadedPart]:
    for start in range(0, len(table), PART):
        part = load_part(table.iloc[start : start + PART], root, RunSettings(), decoder)
        yield LoadedPart(part.rows, part.clips, [NO_PORTRAIT] * len(part.clips), part.files)


def _changed(clip: Clip, factor: Factor) -> tuple[Clip, float]:
    if clip.waveform is None:
        return clip, 0.0
    waveform, lowered = factor.applied(clip.waveform)
    if waveform is None:
        return Clip("audio_too_short", None, clip.seconds, clip.sha256, NOT_APPLICABLE), 0.0
    digest = hashlib.sha256(waveform.tobytes()).hexdigest()
    return Clip("ok", waveform, len(waveform) / SAMPLE_RATE, digest), lowered


def _row(seen: dict[str, Any], clip: Clip, factor: str, lowered: float, read: tuple[Attribute, ...]) -> dict[str, Any]:
    status = str(seen["status"])
    if seen["rendered_status"] == "ok":
        status = "ok"  # a probe has no portraits
    elif clip.detail == NOT_APPLICABLE:
        status = NOT_APPLICABLE
    ok = status == "ok"
    shown = {
        column: attribute.column("rendered", "" if number == "label" else number)
        for attribute in read
        for column, number in attribute.probe_columns.items()
    }
    details = [word for word in str(seen["detail"]).split("; ") if word not in _OMITTED_DETAILS]
    return {
        **{name: seen[name] for name in ("speaker_id", "group", "gender", "language", "clip_id")},
        "factor": factor,
        "base": bool(seen["base"]),
        "of": seen["of"],
        "status": status,
        "detail": "" if ok else "; ".join(details),
        "lowered_db": lowered,
        **{column: seen[name] if ok else None for column, name in shown.items()},
        "face": seen["rendered_face"],
    }


def _unit(vectors: list[np.ndarray | None]) -> np.ndarray:
    """The features as rows of unit length."""
    size = max((len(vector) for vector in vectors if vector is not None), default=1)
    rows = np.array([np.full(size, np.nan) if vector is None else vector for vector in vectors], np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(rows / np.sqrt((rows**2).sum(axis=1, keepdims=True)))
