"""The DeepFace instrument by its three names: which models read each attribute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from audit.core.attributes import READ_BY_DEFAULT
from audit.core.plan import SIMILARITY
from audit.instruments import offline
from audit.instruments.reader import DeepFaceInstrument, Source
from audit.instruments.registry import DETECTOR


def build(
    name: Literal["auto", "deepface", "embedded"],
    *,
    similarity: Sequence[str] = SIMILARITY,
    detector: str = DETECTOR,
    allow_download: bool = False,
    attributes: Sequence[str] = READ_BY_DEFAULT,
    mirrored: bool = True,
    threads: int | None = None,
    remember: int = 4096,
) -> DeepFaceInstrument:
    """The instrument of that name; the options are those of :class:`audit.instruments.reader.DeepFaceInstrument`."""
    return DeepFaceInstrument(
        name,
        *_sources(name, allow_download),
        similarity=similarity,
        detector=detector,
        allow_download=allow_download,
        attributes=attributes,
        mirrored=mirrored,
        threads=threads,
        remember=remember,
    )


def _sources(
    name: Literal["auto", "deepface", "embedded"], allow_download: bool
) -> tuple[dict[str, Source], dict[str, str]]:
    """Which models read each attribute, and why."""
    sources: dict[str, Source] = {}
    reasons: dict[str, str] = {}
    for attribute in offline.ATTRIBUTE_WEIGHTS:
        path = offline.attribute_file(attribute)
        if name != "auto":
            sources[attribute], reasons[attribute] = name, "asked for"
        elif path.is_file():
            sources[attribute], reasons[attribute] = "deepface", f"{path.name} is in the DeepFace home"
        elif allow_download:
            sources[attribute], reasons[attribute] = "deepface", f"{path.name} was downloaded, as allowed"
        else:
            sources[attribute], reasons[attribute] = "embedded", f"{path.name} is not in the DeepFace home"
    return sources, reasons
