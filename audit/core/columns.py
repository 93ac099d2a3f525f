"""Columns of a run's observations, which have one row per clip."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from audit.core.attributes import Attribute, attributes
from audit.core.recording import RECORDING
from audit.core.vocabulary import STAGES

if TYPE_CHECKING:
    import pandas as pd

EMBEDDING = "_embedding_"
LANDMARKS = "_landmarks"
FACES_FOUND = "_faces"
"""The end of the columns of how many faces a stage's picture has."""
_FACE = "_face"
_FACE_CHECK = "_face_check"
OF_THE_COHORT = (
    *("clip_id", "speaker_id", "group", "gender", "age", "language"),
    *("group_source", "gender_source", "language_source", "native_language"),
)
CLUSTER = "cluster"
"""Optional column of the cohort: the video, session or source voice of a clip, null or empty where none is known."""
ABOUT_LABELS = ("_source", "_maker")
"""The ends of columns that say where a label comes from."""
OF_A_CLIP = ("status", "detail", "seconds", "audio_sha256")
OF_A_RECORDING = tuple(measure.column for measure in RECORDING)
"""The recording quality of a clip; null where its audio was not decoded. Older runs do not have these columns."""
CLIP_FILES = "clip_files"
"""The cohort's files that a clip was made from, with sha256 and size; no part of a run's observations and digest."""
NEVER_NULL = ("clip_id", "speaker_id", "group", "language", "status")

_FILES = pa.list_(pa.struct([("kind", pa.string()), ("sha256", pa.string()), ("bytes", pa.int64())]))


def similarity_column(stage: str, model: str, primary: str) -> str:
    """Column of a stage's similarity to the speaker's portrait; without suffix for the primary model.

    Examples
    --------
    >>> similarity_column("rendered", "FaceRes", "FaceRes"), similarity_column("ceiling", "Dlib", "FaceRes")
    ('rendered_similarity', 'ceiling_similarity_dlib')
    """
    return f"{stage}_similarity" + ("" if model == primary else f"_{model.lower()}")


def face_column(stage: str) -> str:
    """Column of the names of a stage's pictures; see :mod:`audit.runs.faces`."""
    return f"{stage}{_FACE}"


def face_check_column(stage: str) -> str:
    """Column of what verifies a stage's pictures; runs of earlier versions do not have it."""
    return f"{stage}{_FACE_CHECK}"


def keyed_columns(names: Collection[str]) -> set[str]:
    """Those of an observation's columns that depend on a secret key, and may differ between equal runs."""
    return {face_column(stage) for stage in STAGES if face_check_column(stage) in names}


def further_columns(observed: pd.DataFrame) -> list[str]:
    """The cohort's further columns among those of observations: in :func:`schema` they precede ``status``."""
    names = list(observed.columns)
    return [name for name in names[: names.index("status")] if name not in OF_THE_COHORT]


def types_of(table: pd.DataFrame, names: Collection[str]) -> dict[str, pa.DataType]:
    """The types of a cohort's further columns in observations: numbers, else texts; clusters are always texts."""
    numeric = {name for name in names if name != CLUSTER and table[name].dtype.kind in "fiub"}
    return {name: pa.float64() if name in numeric else pa.string() for name in names}


def schema(
    similarity: Sequence[str],
    extra: Mapping[str, pa.DataType],
    *,
    optional: bool = True,
    checked: bool = True,
    read: Sequence[Attribute] = (),
) -> pa.Schema:
    """The columns of an observation.

    ``similarity`` names the similarity models, the primary one first; ``extra`` has further columns of the cohort, kept
    so that results can be stratified by them, and :data:`CLUSTER` where the cohort has it. ``optional`` adds the
    columns that older runs do not have, ``checked`` among them those that verify pictures with keyed names. The
    attributes of :data:`audit.core.attributes.ALWAYS` need not be in ``read``.
    """
    text, number = pa.string(), pa.float64()
    types = {str: text, float: number}
    every = {attribute.name: attribute for attribute in (*attributes(), *read)}.values()
    fields: list[tuple[str, pa.DataType]] = [
        *((name, number if name == "age" else text) for name in OF_THE_COHORT),
        *extra.items(),
        *((name, number if name == "seconds" else text) for name in OF_A_CLIP),
    ]
    if optional:
        fields += [(name, number) for name in OF_A_RECORDING]
        fields += [(CLIP_FILES, _FILES)]
    primary = next(iter(similarity), "")
    for stage in STAGES:
        fields += [(f"{stage}_status", text), (face_column(stage), text)]
        if optional and checked:
            fields.append((face_check_column(stage), text))
        fields += [(name, types[kind]) for attribute in every for name, kind in attribute.columns(stage).items()]
        if stage != "portrait":
            fields += [(similarity_column(stage, model, primary), number) for model in similarity]
        fields += [(f"{stage}{EMBEDDING}{model.lower()}", pa.list_(pa.float16())) for model in similarity]
        if optional:
            fields += [(f"{stage}{LANDMARKS}", pa.list_(pa.float32())), (f"{stage}{FACES_FOUND}", pa.int64())]
    return pa.schema(fields)
