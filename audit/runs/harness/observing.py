"""Rendering and reading one part of a run, with one row per clip as the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from audit.core.arrays import Picture
from audit.core.audio import SAMPLE_RATE, Clip
from audit.core.columns import EMBEDDING, LANDMARKS, similarity_column
from audit.core.pictures import keep_picture, picture_digest
from audit.instruments.protocol import Instrument, Reading, attributes_of
from audit.models.protocol import Decoder, Playback, Reconstructor
from audit.runs.harness.answering import Made, pictures_of, readings_of
from audit.runs.harness.cache import Cache
from audit.runs.harness.hearing import LoadedPart, Portrait

KNOWN_COLUMNS = frozenset(
    {
        "clip_id",
        "speaker_id",
        "group",
        "gender",
        "age",
        "language",
        "group_source",
        "gender_source",
        "language_source",
        "native_language",
        "audio",
        "portrait",
        "rendered",
        "ceiling",
        "split",
        "status",
        "detail",
        "seconds",
        "audio_sha256",
    }
)
KEPT_COLUMNS = (
    "clip_id",
    "speaker_id",
    "group",
    "gender",
    "language",
    "group_source",
    "gender_source",
    "language_source",
    "native_language",
)
OF_A_SPEAKER = ("portrait", "ceiling")
"""The stages whose pictures all clips of a speaker share; their readings are kept in memory."""
REMEMBERED = 2048
"""The number of readings that are kept in memory."""
INSTRUMENT_ERROR = "instrument_error"
"""The status of a picture on which the instrument failed."""


@dataclass
class Counts:
    """The numbers of renderings (including ceilings) and readings that were made, and that came from the cache."""

    rendered: int = 0
    rendered_before: int = 0
    read: int = 0
    read_before: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(Counts)))


@dataclass(frozen=True)
class RenderedPart:
    """One part after rendering.

    Attributes
    ----------
    part : LoadedPart
        Its clips and portraits.
    faces : mapping of str to list of str
        By stage, the digest of each row's picture; empty if there is none.
    errors : mapping of str to list of str
        For ceiling and rendered, the model's error on each row; empty if there was none.
    pictures : dict of str to ndarray
        The pictures in memory, by digest; the others are in the cache.
    counts : Counts
        The numbers of pictures made, and taken from the cache.
    """

    part: LoadedPart
    faces: Mapping[str, list[str]]
    errors: Mapping[str, list[str]]
    pictures: dict[str, Picture]
    counts: Counts


class Observer:
    """Renders and reads the parts of a run, with a cache of earlier renderings and readings.

    Parameters
    ----------
    model : Reconstructor or Playback
        Makes the faces.
    instrument : Instrument
        Reads the faces.
    faces : Path or None
        The folder for all pictures, named by their digests; ``None`` to keep none.
    cache : Cache or None
        The cache.
    model_key, instrument_key : str or None
        Their keys in the cache (:func:`audit.runs.harness.cache.cache_key`); ``None`` to bypass it.
    """

    def __init__(
        self,
        model: Reconstructor | Playback,
        instrument: Instrument,
        faces: Path | None,
        *,
        cache: Cache | None = None,
        model_key: str | None = None,
        instrument_key: str | None = None,
    ) -> None:
        self.model, self.instrument, self.faces = model, instrument, faces
        self._attributes = attributes_of(instrument)
        self._cache = cache
        self._model_key = model_key if cache and faces and not isinstance(model, Playback) else None
        self._instrument_key = instrument_key if cache else None
        self._readings: dict[str, Reading | str] = {}

    def render(self, part: LoadedPart) -> RenderedPart:
        """The faces of a part: portraits, ceilings and rendered ones."""
        portraits = {p.digest: p.file.pixels for p in part.portraits if p.file.pixels is not None}
        pictures, counts = dict(portraits), Counts()
        rendered, rendered_errors = self._rendered(part, pictures, counts)
        ceilings, ceiling_errors = self._ceilings(part, portraits, pictures, counts)
        faces = {
            "portrait": [portrait.digest for portrait in part.portraits],
            "ceiling": ceilings,
            "rendered": rendered,
        }
        if self.faces is not None:
            for digest in sorted({digest for digests in faces.values() for digest in digests} - {""}):
                if digest in portraits or self._model_key is None or self._cache is None:
                    keep_picture(pictures[digest], self.faces, digest)
                else:
                    self._cache.lend_picture(digest, self.faces)
        errors = {"ceiling": ceiling_errors, "rendered": rendered_errors}
        return RenderedPart(part, faces, errors, pictures, counts)

    def read(self, rendered: RenderedPart) -> tuple[list[dict[str, Any]], Counts]:
        """One row for each clip of a rendered part, and the counts of readings."""
        part, counts = rendered.part, Counts()
        digests = {digest for faces in rendered.faces.values() for digest in faces} - {""}
        readings = self._read(sorted(digests), rendered.pictures, counts)
        self._remember(
            {digest: readings[digest] for stage in OF_A_SPEAKER for digest in rendered.faces[stage] if digest}
        )
        records: list[dict[str, Any]] = [{str(k): v for k, v in row.items()} for row in part.rows.to_dict("records")]
        rows = []
        for i, record in enumerate(records):
            faces = {stage: digests[i] for stage, digests in rendered.faces.items()}
            errors = {stage: words[i] for stage, words in rendered.errors.items()}
            rows.append(self._row(record, part.clips[i], part.portraits[i], faces, errors, readings))
        return rows, counts

    def _rendered(self, part: LoadedPart, pictures: dict[str, Picture], counts: Counts) -> tuple[list[str], list[str]]:
        """The digest of the rendered picture of each readable clip, and the model's error."""
        faces, errors = [""] * len(part.clips), [""] * len(part.clips)
        if isinstance(self.model, Playback):
            show, ids = self.model.show, part.rows["clip_id"].tolist()
            todo = [i for i, clip in enumerate(part.clips) if clip.status == "ok"]
            made = pictures_of(lambda chosen: show([ids[i] for i in chosen]), todo)
            for i, (picture, why) in zip(todo, made, strict=True):
                faces[i], errors[i] = _named(picture, pictures), why
            return faces, errors
        render = self.model.render
        waveforms = {i: clip.waveform for i, clip in enumerate(part.clips) if clip.waveform is not None}
        sources = {i: f"voice {part.clips[i].sha256} {len(waveform)}" for i, waveform in waveforms.items()}
        made_of = self._made_of(
            sources,
            lambda chosen: pictures_of(lambda some: render([waveforms[i] for i in some], SAMPLE_RATE), chosen),
            pictures,
            counts,
        )
        for i, (digest, why) in made_of.items():
            faces[i], errors[i] = digest, why
        return faces, errors

    def _ceilings(
        self, part: LoadedPart, portraits: dict[str, Picture], pictures: dict[str, Picture], counts: Counts
    ) -> tuple[list[str], list[str]]:
        """The digest of the ceiling of each clip, computed once per portrait, and the model's error."""
        if isinstance(self.model, Playback):
            show, ids = self.model.show_ceiling, part.rows["clip_id"].tolist()
            made = pictures_of(lambda chosen: show([ids[i] for i in chosen]), list(range(len(ids))))
            return [_named(picture, pictures) for picture, _ in made], [why for _, why in made]
        if not isinstance(self.model, Decoder):
            return [""] * len(part.portraits), [""] * len(part.portraits)
        decode = self.model.ceiling
        digests = list(portraits)
        made_of = self._made_of(
            {i: f"portrait {digest}" for i, digest in enumerate(digests)},
            lambda chosen: pictures_of(lambda some: decode([portraits[digests[i]] for i in some]), chosen),
            pictures,
            counts,
        )
        ceilings = {digests[i]: made for i, made in made_of.items()}
        of_clips = [ceilings.get(portrait.digest, ("", "")) for portrait in part.portraits]
        return [digest for digest, _ in of_clips], [why for _, why in of_clips]

    def _made_of(
        self,
        sources: Mapping[int, str],
        make: Callable[[list[int]], list[Made]],
        pictures: dict[str, Picture],
        counts: Counts,
    ) -> dict[int, tuple[str, str]]:
        """The digest of the picture made from each source, by the cache or the model, and the model's error."""
        if self._cache is None or self._model_key is None:
            counts.rendered += len(sources)
            anew = zip(sources, make([*sources]), strict=True)
            return {i: (_named(picture, pictures), why) for i, (picture, why) in anew}
        known = self._cache.renderings(sources.values(), self._model_key)
        first = {source: i for i, source in reversed([*sources.items()]) if source not in known}
        made = dict(zip(first, make([*first.values()]), strict=True))
        found = {source: (digest, "") for source, digest in known.items()}
        found |= {source: (_named(picture, pictures), why) for source, (picture, why) in made.items()}
        fresh = {source: found[source][0] for source in made if not found[source][1]}
        self._cache.keep_renderings(fresh, self._model_key, pictures)
        counts.rendered += len(made)
        counts.rendered_before += len(known)
        return {i: found[source] for i, source in sources.items()}

    def _read(self, digests: list[str], pictures: Mapping[str, Picture], counts: Counts) -> dict[str, Reading | str]:
        """The reading of each picture, or the error, from memory, the cache or the instrument."""
        readings = {digest: self._readings[digest] for digest in digests if digest in self._readings}
        wanted = [digest for digest in digests if digest not in readings]
        known: dict[str, Reading] = {}
        if self._cache is not None and self._instrument_key is not None:
            known = self._cache.readings(wanted, self._instrument_key)
        todo = [digest for digest in wanted if digest not in known]
        shown = [pictures[digest] if digest in pictures else self._from_cache(digest) for digest in todo]
        fresh = dict(zip(todo, readings_of(self.instrument, shown), strict=True))
        if self._cache is not None and self._instrument_key is not None:
            kept = {digest: reading for digest, reading in fresh.items() if isinstance(reading, Reading)}
            self._cache.keep_readings(kept, self._instrument_key)
        counts.read += len(todo)
        counts.read_before += len(known)
        return readings | known | fresh

    def _remember(self, readings: Mapping[str, Reading | str]) -> None:
        self._readings |= readings
        while len(self._readings) > REMEMBERED:
            del self._readings[next(iter(self._readings))]

    def _from_cache(self, digest: str) -> Picture:
        assert self._cache is not None
        return self._cache.picture(digest)

    def _row(
        self,
        record: dict[str, Any],
        clip: Clip,
        portrait: Portrait,
        faces: Mapping[str, str],
        errors: Mapping[str, str],
        readings: Mapping[str, Reading | str],
    ) -> dict[str, Any]:
        row: dict[str, Any] = {name: record[name] for name in KEPT_COLUMNS}
        row["age"] = _null(record["age"])
        row |= {str(name): _null(value) for name, value in record.items() if name not in KNOWN_COLUMNS}
        found = {stage: readings.get(digest) for stage, digest in faces.items()}
        for stage, digest in faces.items():
            row |= self._stage(stage, digest, found[stage], found["portrait"])
        if not faces["portrait"]:
            row["portrait_status"] = portrait.file.status
        if not faces["rendered"] and not isinstance(self.model, Playback):
            row["rendered_status"] = "not_rendered"
        row["status"], why = _status(clip.status, errors["rendered"], row["rendered_status"], row["portrait_status"])
        details = [clip.detail, portrait.file.detail, why]
        details += [f"ceiling: {errors['ceiling']}"] if errors["ceiling"] else []
        details += [f"{stage}: {reading}" for stage, reading in found.items() if isinstance(reading, str)]
        return row | {
            "detail": "; ".join(filter(None, details)),
            "seconds": None if clip.seconds is None else round(clip.seconds, 6),
            "audio_sha256": clip.sha256,
        }

    def _stage(
        self, stage: str, digest: str, reading: Reading | str | None, own: Reading | str | None
    ) -> dict[str, Any]:
        """The columns of one stage; null where it was not read."""
        status = reading.status if isinstance(reading, Reading) else INSTRUMENT_ERROR if reading else "missing"
        row: dict[str, Any] = {f"{stage}_face": digest or None, f"{stage}_status": status}
        if not isinstance(reading, Reading) or reading.status != "ok":
            return row
        for attribute in self._attributes:
            row |= attribute.row(stage, reading.attributes.get(attribute.name))
        if reading.landmarks is not None:
            row[f"{stage}{LANDMARKS}"] = reading.landmarks.astype(np.float32).ravel()
        primary = self.instrument.similarity_models[0] if self.instrument.similarity_models else ""
        for model in self.instrument.similarity_models:
            feature = reading.embeddings[model]
            row[f"{stage}{EMBEDDING}{model.lower()}"] = feature.astype(np.float16)
            if stage != "portrait" and isinstance(own, Reading) and own.status == "ok":
                cosine = float(np.dot(feature.astype(np.float64), own.embeddings[model].astype(np.float64)))
                row[similarity_column(stage, model, primary)] = round(cosine, 6)
        return row


def _named(picture: Picture | None, pictures: dict[str, Picture]) -> str:
    """The digest of a picture, empty if there is none; adds the picture to ``pictures``."""
    if picture is None:
        return ""
    digest = picture_digest(picture)
    pictures[digest] = picture
    return digest


def _status(audio: str, error: str, rendered: str, portrait: str) -> tuple[str, str]:
    """The first status that applies to a clip, and the model's error."""
    if audio != "ok":
        return audio, ""
    if error:
        return "model_error", error
    if INSTRUMENT_ERROR in (rendered, portrait):
        return INSTRUMENT_ERROR, ""
    if rendered != "ok":
        return "no_face", "" if rendered == "no_face" else "the model made no picture"
    if portrait != "ok":
        return ("portrait_no_face" if portrait == "no_face" else "portrait_missing"), ""
    return "ok", ""


def _null(value: Any) -> Any:
    return None if pd.isna(value) else value
