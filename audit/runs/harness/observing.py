"""Rendering and reading one part of a run, with one row per clip as the result."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from audit.core.arrays import Picture
from audit.core.attributes import Attribute
from audit.core.audio import SAMPLE_RATE, Clip
from audit.core.clean_text import without_addresses
from audit.core.columns import (
    CLIP_FILES,
    EMBEDDING,
    FACES_FOUND,
    LANDMARKS,
    OF_A_CLIP,
    OF_A_RECORDING,
    similarity_column,
)
from audit.core.pictures import PictureFile, picture_digest
from audit.core.recording import recording_columns
from audit.core.transfer import at_once
from audit.core.vocabulary import FILE_STATUSES, STAGES
from audit.instruments.protocol import Instrument, Reading, attributes_of
from audit.models.protocol import Decoder, Playback, Reconstructor
from audit.runs.faces import FaceNames, face_file, keep_face
from audit.runs.harness.answering import AT_ONCE, Made, pictures_of, readings_of
from audit.runs.harness.cache import Cache
from audit.runs.harness.hearing import LoadedPart
from audit.runs.harness.rechecking import Recheck, picture_difference, reading_difference, refuse

LEFT_OUT = frozenset(("audio", "portrait", "rendered", "ceiling", "split", *OF_A_CLIP, *OF_A_RECORDING))
"""Columns of a cohort that its observations do not keep."""
Key = TypeVar("Key")
OF_A_SPEAKER = ("portrait", "ceiling")
"""The stages whose pictures all clips of a speaker share; their readings are kept in memory."""
LATER = ("ceiling", "rendered")
REMEMBERED = 2048
INSTRUMENT_ERROR = "instrument_error"
UNKEYED: Final = FaceNames()


class Face(NamedTuple):
    """The picture of one clip at one stage.

    Attributes
    ----------
    digest : str
        The digest of the picture; empty if there is none.
    error : str
        The model's error; empty if there was none.
    file : PictureFile or None
        The cohort's file that the picture comes from, without its pixels.
    """

    digest: str
    error: str = ""
    file: PictureFile | None = None

    @property
    def status(self) -> str:
        """The stage's status where there is no picture to read."""
        return "missing" if self.file is None else self.file.status

    @property
    def file_detail(self) -> str:
        """What is wrong with the file, or how it was converted; empty for a blank one."""
        return "" if self.file is None or self.file.status == "missing" else self.file.detail


NO_FACE: Final = Face("")


@dataclass
class Counts:
    """The numbers of renderings (including ceilings) and readings that were made, and that came from the cache.

    ``rechecked`` is the number of answers from the cache that were computed again.
    """

    rendered: int = 0
    rendered_before: int = 0
    read: int = 0
    read_before: int = 0
    rechecked: int = 0

    @property
    def from_cache(self) -> int:
        """The number of renderings and readings that came from the cache."""
        return self.rendered_before + self.read_before

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(Counts)))


@dataclass(frozen=True)
class RenderedPart:
    """One part after rendering: by stage, the face of each row.

    ``pictures`` has those in memory by digest; the others are in the cache.
    """

    part: LoadedPart
    faces: Mapping[str, list[Face]]
    pictures: dict[str, Picture]
    counts: Counts


class Observer:
    """Renders and reads the parts of a run, with a cache of earlier renderings and readings.

    ``faces`` is the folder for all pictures, or ``None`` to keep none; ``names`` names them. A key of ``None``
    (:func:`audit.runs.harness.cache.cache_key`) bypasses the cache for the model or the instrument. With ``recheck``,
    a sample of the cache's answers is computed again; RecheckFailed is raised if one differs. The model gets at most
    ``at_once`` clips in a call.
    """

    def __init__(
        self,
        model: Reconstructor | Playback,
        instrument: Instrument,
        faces: Path | None,
        *,
        names: FaceNames = UNKEYED,
        cache: Cache | None,
        model_key: str | None,
        instrument_key: str | None,
        recheck: Recheck | None = None,
        at_once: int = AT_ONCE,
    ) -> None:
        self._at_once = at_once
        self._recheck = recheck
        self.model, self.instrument, self.faces, self._names = model, instrument, faces, names
        self._attributes = attributes_of(instrument)
        self._cache = cache
        self._model_key = model_key if cache and faces and not isinstance(model, Playback) else None
        self._instrument_key = instrument_key if cache else None
        self._readings: dict[str, Reading | str] = {}

    def render(self, part: LoadedPart) -> RenderedPart:
        """The faces of a part: portraits, ceilings and rendered ones."""
        portraits = {p.digest: p.file.pixels for p in part.portraits if p.file.pixels is not None}
        pictures, counts = dict(portraits), Counts()
        rendered = self._rendered(part, pictures, counts)
        ceilings = self._ceilings(part, portraits, pictures, counts)
        shown = [Face(p.digest, "", p.file) for p in part.portraits]
        faces = {"portrait": shown, "ceiling": ceilings, "rendered": rendered}
        made = RenderedPart(part, faces, pictures, counts)
        if self.faces is not None:
            faces_folder, lender = self.faces, None if self._model_key is None else self._cache

            def keep(digest: str) -> None:
                if digest in portraits or lender is None:
                    keep_face(pictures[digest], faces_folder, self._names.name(digest))
                else:
                    lender.lend_picture(digest, face_file(faces_folder, self._names.name(digest)))

            at_once(keep, _digests(made), faces_folder)
        return made

    def read(self, rendered: RenderedPart) -> tuple[list[dict[str, Any]], Counts]:
        """One row for each clip of a rendered part, and the counts of readings."""
        part, counts = rendered.part, Counts()
        readings = self._read(_digests(rendered), rendered.pictures, counts)
        of_speakers = [face.digest for stage in OF_A_SPEAKER for face in rendered.faces[stage]]
        self._readings |= {digest: readings[digest] for digest in of_speakers if digest}
        while len(self._readings) > REMEMBERED:
            del self._readings[next(iter(self._readings))]
        rows = []
        for i, record in enumerate(part.rows.to_dict("records")):
            faces = {stage: of_rows[i] for stage, of_rows in rendered.faces.items()}
            files = {CLIP_FILES: [file._asdict() for file in part.files[i]]}
            rows.append(self._row(record, part.clips[i], faces, readings) | files)
        return rows, counts

    def _rendered(self, part: LoadedPart, pictures: dict[str, Picture], counts: Counts) -> list[Face]:
        """The rendered face of each readable clip."""
        if isinstance(self.model, Playback):
            show, ids = self.model.show, part.rows["clip_id"].tolist()
            shown = {i: ids[i] for i, clip in enumerate(part.clips) if clip.status == "ok"}
            made = self._made_of(shown, lambda some: show([ids[i] for i in some]), pictures, counts)
        else:
            render = self.model.render
            waveforms = {i: clip.waveform for i, clip in enumerate(part.clips) if clip.waveform is not None}
            sources = {i: part.clips[i].source for i in waveforms}
            made = self._made_of(
                sources, lambda some: render([waveforms[i] for i in some], SAMPLE_RATE), pictures, counts
            )
        return [made.get(i, NO_FACE) for i in range(len(part.clips))]

    def _ceilings(
        self, part: LoadedPart, portraits: dict[str, Picture], pictures: dict[str, Picture], counts: Counts
    ) -> list[Face]:
        """The ceiling of each clip, computed once per portrait."""
        if isinstance(self.model, Playback):
            show, ids = self.model.show_ceiling, part.rows["clip_id"].tolist()
            made = self._made_of(dict(enumerate(ids)), lambda some: show([ids[i] for i in some]), pictures, counts)
            return [*made.values()]
        ceilings: dict[str, Face] = {}
        if isinstance(self.model, Decoder):
            decode = self.model.ceiling
            sources = {digest: f"portrait {digest}" for digest in portraits}
            ceilings = self._made_of(sources, lambda some: decode([portraits[of] for of in some]), pictures, counts)
        return [ceilings.get(portrait.digest, NO_FACE) for portrait in part.portraits]

    def _made_of(
        self,
        sources: Mapping[Key, str],
        make: Callable[[list[Key]], Sequence[Picture | PictureFile | None]],
        pictures: dict[str, Picture],
        counts: Counts,
    ) -> dict[Key, Face]:
        """The face made from each source, by the cache or the model."""
        if self._cache is None or self._model_key is None:
            if not isinstance(self.model, Playback):
                counts.rendered += len(sources)
            anew = pictures_of(make, [*sources], self._at_once)
            return {key: _face(made, pictures) for key, made in zip(sources, anew, strict=True)}
        known = self._cache.renderings(sources.values(), self._model_key)
        counts.rechecked += self._render_again(known, {of: key for key, of in sources.items()}, make)
        first = {source: key for key, source in reversed([*sources.items()]) if source not in known}
        anew = pictures_of(make, [*first.values()], self._at_once)
        faces = {source: _face(made, pictures) for source, made in zip(first, anew, strict=True)}
        fresh = {source: face.digest for source, face in faces.items() if not face.error}
        self._cache.keep_renderings(fresh, self._model_key, pictures)
        counts.rendered += len(faces)
        counts.rendered_before += len(known)
        faces |= {source: Face(digest) for source, digest in known.items()}
        return {key: faces[source] for key, source in sources.items()}

    def _read(self, digests: list[str], pictures: Mapping[str, Picture], counts: Counts) -> dict[str, Reading | str]:
        """The reading of each picture, or the error, from memory, the cache or the instrument."""
        readings = {digest: self._readings[digest] for digest in digests if digest in self._readings}
        todo = [digest for digest in digests if digest not in readings]
        known: dict[str, Reading] = {}
        if self._cache is not None and self._instrument_key is not None:
            known = self._cache.readings(todo, self._instrument_key)
            counts.rechecked += self._read_again(known, pictures)
            todo = [digest for digest in todo if digest not in known]
        shown = [pictures[of] if of in pictures or self._cache is None else self._cache.picture(of) for of in todo]
        fresh = dict(zip(todo, readings_of(self.instrument, shown), strict=True))
        if self._cache is not None and self._instrument_key is not None:
            kept = {digest: reading for digest, reading in fresh.items() if isinstance(reading, Reading)}
            self._cache.keep_readings(kept, self._instrument_key)
        counts.read += len(todo)
        counts.read_before += len(known)
        return readings | known | fresh

    def _render_again(
        self,
        known: Mapping[str, str],
        keys: Mapping[str, Key],
        make: Callable[[list[Key]], Sequence[Picture | PictureFile | None]],
    ) -> int:
        """Compare a sample of renderings from the cache with what the model makes now; returns their number."""
        if self._recheck is None or self._cache is None:
            return 0
        drawn = self._recheck.drawn(known)
        different = {}
        for source, made in zip(drawn, pictures_of(make, [keys[source] for source in drawn]), strict=True):
            stored = self._cache.picture(known[source]) if known[source] else None
            if how := picture_difference(stored, known[source], made):
                different[source] = how
        refuse(self._recheck, "renderings", different, len(drawn))
        return len(drawn)

    def _read_again(self, known: Mapping[str, Reading], pictures: Mapping[str, Picture]) -> int:
        """Compare a sample of readings from the cache with what the instrument reads now; returns their number."""
        if self._recheck is None or self._cache is None:
            return 0
        drawn = self._recheck.drawn(known)
        shown = [pictures[of] if of in pictures else self._cache.picture(of) for of in drawn]
        made = zip(drawn, readings_of(self.instrument, shown), strict=True)
        different = {of: how for of, reading in made if (how := reading_difference(known[of], reading))}
        refuse(self._recheck, "readings", different, len(drawn))
        return len(drawn)

    def _row(
        self,
        record: Mapping[Hashable, Any],
        clip: Clip,
        faces: Mapping[str, Face],
        readings: Mapping[str, Reading | str],
    ) -> dict[str, Any]:
        row: dict[str, Any] = {
            str(name): None if pd.isna(value) else value for name, value in record.items() if name not in LEFT_OUT
        }
        found = {stage: readings.get(face.digest) for stage, face in faces.items()}
        for stage, face in faces.items():
            row |= stage_columns(self.instrument, self._attributes, stage, found[stage], found["portrait"])
            row |= self._names.columns(str(record["clip_id"]), stage, face.digest)
            if not face.digest:
                row[f"{stage}_status"] = face.status
        if not faces["rendered"].digest and not isinstance(self.model, Playback):
            row["rendered_status"] = "not_rendered"
        portrait, ceiling, rendered = (faces[stage] for stage in STAGES)
        statuses = {stage: row[f"{stage}_status"] for stage in STAGES}
        row["status"], why = status_of(clip.status, rendered.error, **statuses)
        details = [clip.detail, portrait.file.detail if portrait.file else "", why]
        details += [f"ceiling: {ceiling.error}"] if ceiling.error else []
        details += [f"{stage}: {text}" for stage in LATER if (text := faces[stage].file_detail)]
        details += [f"{stage}: {reading}" for stage, reading in found.items() if isinstance(reading, str)]
        return row | {
            "detail": without_addresses("; ".join(filter(None, details))),
            "seconds": None if clip.seconds is None else round(clip.seconds, 6),
            "audio_sha256": clip.sha256,
            **recording_columns(clip.recording),
        }


def stage_columns(
    instrument: Instrument,
    attributes: Sequence[Attribute],
    stage: str,
    reading: Reading | str | None,
    own: Reading | str | None,
) -> dict[str, Any]:
    """The readings of one stage; null where it was not read. ``own`` is the reading of the speaker's portrait."""
    status = reading.status if isinstance(reading, Reading) else INSTRUMENT_ERROR if reading else "missing"
    row: dict[str, Any] = {f"{stage}_status": status}
    if isinstance(reading, Reading):
        row[f"{stage}{FACES_FOUND}"] = reading.faces
    if not isinstance(reading, Reading) or reading.status != "ok":
        return row
    for attribute in attributes:
        row |= attribute.row(stage, reading.attributes.get(attribute.name))
    if reading.landmarks is not None:
        row[f"{stage}{LANDMARKS}"] = reading.landmarks.astype(np.float32).ravel()
    primary = instrument.similarity_models[0] if instrument.similarity_models else ""
    for model in instrument.similarity_models:
        feature = reading.embeddings[model]
        row[f"{stage}{EMBEDDING}{model.lower()}"] = feature.astype(np.float16)
        if stage != "portrait" and isinstance(own, Reading) and own.status == "ok":
            cosine = float(np.dot(feature.astype(np.float64), own.embeddings[model].astype(np.float64)))
            row[similarity_column(stage, model, primary)] = round(cosine, 6)
    return row


def _digests(rendered: RenderedPart) -> list[str]:
    """The digests of all pictures of a part, in order."""
    return sorted({face.digest for faces in rendered.faces.values() for face in faces} - {""})


def _face(made: Made, pictures: dict[str, Picture]) -> Face:
    """The face that a model made; adds its picture to ``pictures``."""
    file = None if made.file is None else replace(made.file, pixels=None)
    if made.picture is None:
        return Face("", made.error, file)
    digest = picture_digest(made.picture)
    pictures[digest] = made.picture
    return Face(digest, made.error, file)


def status_of(audio: str, error: str, *, rendered: str, portrait: str, ceiling: str) -> tuple[str, str]:
    """The first status that applies to a clip, and the model's error.

    Where a rendered or ceiling picture is a file of the cohort that cannot be read, the clip is
    ``picture_unreadable``: the model is not judged by it.
    """
    if audio != "ok":
        return audio, ""
    if error:
        return "model_error", error
    if INSTRUMENT_ERROR in (rendered, portrait):
        return INSTRUMENT_ERROR, ""
    if rendered in FILE_STATUSES:
        return "picture_unreadable", ""
    if rendered != "ok":
        return "no_face", "" if rendered == "no_face" else "the model made no picture"
    if ceiling in FILE_STATUSES:
        return "picture_unreadable", ""
    if portrait != "ok":
        return ("portrait_no_face" if portrait == "no_face" else "portrait_missing"), ""
    return "ok", ""
