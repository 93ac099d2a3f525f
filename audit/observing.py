"""Observing one part of a run: render its clips, read all its pictures once, and make one row a clip."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from audit.audio import SAMPLE_RATE
from audit.errors import ModelError
from audit.hearing import LoadedPart
from audit.instruments.protocol import Instrument, Reading
from audit.models.protocol import Decoder, Picture, Playback, Reconstructor
from audit.observations import EMBEDDING, LANDMARKS, similarity_column
from audit.pictures import keep_picture, picture_digest
from audit.vocabulary import RACES

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
REMEMBERED = 8192
"""So many readings are remembered by the picture's digest, so that no portrait is read once a clip."""

Made = tuple[Picture | None, str]
"""A picture, or why there is none: empty where the model just made none."""


class Observer:
    """Observes part after part; remembers what was read in a picture.

    Parameters
    ----------
    model : Reconstructor or Playback
        What makes the faces.
    instrument : Instrument
        What reads them.
    faces : Path or None
        Where every picture is kept, named by its content; ``None`` to keep none.
    """

    def __init__(self, model: Reconstructor | Playback, instrument: Instrument, faces: Path | None) -> None:
        self.model, self.instrument, self.faces = model, instrument, faces
        self._readings: dict[str, Reading] = {}

    def observe(self, part: LoadedPart, spent: dict[str, float]) -> list[dict[str, Any]]:
        """One row for each clip of the part; ``spent`` is told the seconds of rendering and reading."""
        start = time.monotonic()
        rendered = self._render(part)
        ceiling = self._ceiling(part)
        spent["render"] += time.monotonic() - start
        start = time.monotonic()
        portraits = [(portrait.file.pixels, "") for portrait in part.portraits]
        pictures = {
            "portrait": self._digests(portraits, [portrait.digest for portrait in part.portraits]),
            "ceiling": self._digests(ceiling),
            "rendered": self._digests(rendered),
        }
        made = {"portrait": portraits, "ceiling": ceiling, "rendered": rendered}
        readings = self._read(
            {
                digest: picture
                for stage, digests in pictures.items()
                for digest, (picture, _) in zip(digests, made[stage], strict=True)
                if picture is not None
            }
        )
        spent["read"] += time.monotonic() - start
        records: list[dict[str, Any]] = [{str(k): v for k, v in row.items()} for row in part.rows.to_dict("records")]
        return [
            self._row(
                records[i], part, i, {stage: digests[i] for stage, digests in pictures.items()}, rendered[i], readings
            )
            for i in range(len(records))
        ]

    def _render(self, part: LoadedPart) -> list[Made]:
        """The rendered picture of each clip that could be heard."""
        made: list[Made] = [(None, "")] * len(part.clips)
        if isinstance(self.model, Playback):
            show = self.model.show
            ids = part.rows["clip_id"].tolist()
            todo = [i for i, clip in enumerate(part.clips) if clip.status == "ok"]
            pictures = _one_by_one_if_needed(lambda chosen: show([ids[i] for i in chosen]), todo)
        else:
            render = self.model.render
            todo = [i for i, clip in enumerate(part.clips) if clip.waveform is not None]
            waveforms = [clip.waveform for clip in part.clips]
            pictures = _one_by_one_if_needed(
                lambda chosen: render([w for i in chosen if (w := waveforms[i]) is not None], SAMPLE_RATE), todo
            )
        for i, picture in zip(todo, pictures, strict=True):
            made[i] = picture
        return made

    def _ceiling(self, part: LoadedPart) -> list[Made]:
        """The ceiling picture of each clip, where the model can show one; decoded once a portrait."""
        made: list[Made] = [(None, "")] * len(part.clips)
        if isinstance(self.model, Playback):
            show = self.model.show_ceiling
            ids = part.rows["clip_id"].tolist()
            return _one_by_one_if_needed(lambda chosen: show([ids[i] for i in chosen]), list(range(len(ids))))
        if isinstance(self.model, Decoder):
            decode = self.model.ceiling
            first = {
                portrait.digest: portrait.file.pixels for portrait in part.portraits if portrait.file.pixels is not None
            }
            digests, pixels = list(first), list(first.values())
            decoded = _one_by_one_if_needed(
                lambda chosen: decode([pixels[i] for i in chosen]), list(range(len(pixels)))
            )
            by_digest = dict(zip(digests, decoded, strict=True))
            return [by_digest.get(portrait.digest, (None, "")) for portrait in part.portraits]
        return made

    def _digests(self, made: Sequence[Made], known: Sequence[str] | None = None) -> list[str]:
        """The name of each picture, empty where there is none; keeps the pictures if asked to."""
        digests = list(known) if known else ["" if picture is None else picture_digest(picture) for picture, _ in made]
        if self.faces is not None:
            for digest, (picture, _) in zip(digests, made, strict=True):
                if picture is not None:
                    keep_picture(picture, self.faces, digest)
        return digests

    def _read(self, pictures: dict[str, Picture]) -> dict[str, Reading]:
        """The reading of each picture by its digest; a picture seen before is not read again."""
        new = [digest for digest in pictures if digest not in self._readings]
        fresh = dict(zip(new, self.instrument.read([pictures[digest] for digest in new]), strict=True)) if new else {}
        readings = {digest: fresh.get(digest) or self._readings[digest] for digest in pictures}
        self._readings |= fresh
        while len(self._readings) > REMEMBERED:
            del self._readings[next(iter(self._readings))]
        return readings

    def _row(
        self,
        record: dict[str, Any],
        part: LoadedPart,
        i: int,
        faces: dict[str, str],
        rendered: Made,
        readings: dict[str, Reading],
    ) -> dict[str, Any]:
        clip, portrait = part.clips[i], part.portraits[i]
        row: dict[str, Any] = {name: record[name] for name in KEPT_COLUMNS}
        row["age"] = _null(record["age"])
        row |= {str(name): _null(value) for name, value in record.items() if name not in KNOWN_COLUMNS}
        own = readings.get(faces["portrait"])
        for stage, digest in faces.items():
            reading = readings.get(digest)
            row |= self._stage(stage, digest, reading, own)
        if not faces["portrait"]:
            row["portrait_status"] = portrait.file.status
        if not faces["rendered"] and not isinstance(self.model, Playback):
            row["rendered_status"] = "not_rendered"
        row["status"], why = _status(clip.status, rendered[1], row["rendered_status"], row["portrait_status"])
        remarks = [clip.detail, portrait.file.detail if portrait is not None else "", why]
        return row | {
            "detail": "; ".join(filter(None, remarks)),
            "seconds": None if clip.seconds is None else round(clip.seconds, 6),
            "audio_sha256": clip.sha256,
        }

    def _stage(self, stage: str, digest: str, reading: Reading | None, own: Reading | None) -> dict[str, Any]:
        """The columns of one stage; what was not read stays null."""
        row: dict[str, Any] = {
            f"{stage}_face": digest or None,
            f"{stage}_status": "missing" if reading is None else reading.status,
        }
        if reading is None or reading.status != "ok":
            return row
        if reading.man is None or set(reading.race) != set(RACES):
            raise ModelError(
                f"The instrument {self.instrument.name!r} read a face without race or gender.",
                "a probability for every label of the vocabulary",
            )
        row |= {f"{stage}_race_{race}": float(reading.race[race]) for race in RACES}
        row[f"{stage}_race"] = max(RACES, key=lambda race: reading.race[race])
        row |= {f"{stage}_gender": "man" if reading.man >= 0.5 else "woman", f"{stage}_gender_man": float(reading.man)}
        row[f"{stage}_age"] = reading.age
        if reading.landmarks is not None:
            row[f"{stage}{LANDMARKS}"] = reading.landmarks.astype(np.float32).ravel()
        primary = self.instrument.similarity_models[0] if self.instrument.similarity_models else ""
        for model in self.instrument.similarity_models:
            feature = reading.embeddings[model]
            row[f"{stage}{EMBEDDING}{model.lower()}"] = feature.astype(np.float16)
            if stage != "portrait" and own is not None and own.status == "ok":
                cosine = float(np.dot(feature.astype(np.float64), own.embeddings[model].astype(np.float64)))
                row[similarity_column(stage, model, primary)] = round(cosine, 6)
        return row


def _one_by_one_if_needed(make: Callable[[list[int]], Sequence[Picture | None]], todo: list[int]) -> list[Made]:
    """What a model makes of some clips; if it fails on all of them together, each is tried alone, so that one bad clip
    costs only itself.
    """
    if not todo:
        return []
    try:
        pictures = list(make(todo))
    except Exception as error:  # noqa: BLE001  # a foreign model may raise anything: recorded as model_error
        if len(todo) == 1:
            return [(None, f"{type(error).__name__}: {error}")]
        return [_one_by_one_if_needed(make, [i])[0] for i in todo]
    if len(pictures) != len(todo):
        raise ModelError(
            f"The model gave {len(pictures)} pictures for {len(todo)} clips.", "one picture or None for each, in order"
        )
    return [_checked(picture) for picture in pictures]


def _checked(picture: Any) -> Made:
    """A picture in the right form, else why it is none."""
    if picture is None:
        return None, ""
    pixels = np.asarray(picture)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        return None, f"the model gave {pixels.dtype} of shape {pixels.shape}, not uint8 of shape [H, W, 3]"
    return np.ascontiguousarray(pixels), ""


def _status(audio: str, error: str, rendered: str, portrait: str) -> tuple[str, str]:
    """The status of a clip, the first that applies, and the model's own words where it failed."""
    if audio != "ok":
        return audio, ""
    if error:
        return "model_error", error
    if rendered != "ok":
        return "no_face", "" if rendered == "no_face" else "the model made no picture"
    if portrait != "ok":
        return ("portrait_no_face" if portrait == "no_face" else "portrait_missing"), ""
    return "ok", ""


def _null(value: Any) -> Any:
    return None if pd.isna(value) else value
