"""The columns of a run's observations: one row a clip."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from audit.core.vocabulary import RACES, STAGES

EMBEDDING = "_embedding_"
LANDMARKS = "_landmarks"
NEVER_NULL = ("clip_id", "speaker_id", "group", "language", "status")


def similarity_column(stage: str, model: str, primary: str) -> str:
    """The column of a stage's similarity to the own portrait: the primary model's bears no further name.

    Examples
    --------
    >>> similarity_column("rendered", "FaceRes", "FaceRes"), similarity_column("ceiling", "Dlib", "FaceRes")
    ('rendered_similarity', 'ceiling_similarity_dlib')
    """
    return f"{stage}_similarity" + ("" if model == primary else f"_{model.lower()}")


def schema(similarity: Mapping[str, int], extra: Mapping[str, pa.DataType], *, landmarks: bool = True) -> pa.Schema:
    """The columns of an observation.

    Parameters
    ----------
    similarity : mapping of str to int
        The similarity models, the primary one first, each with the length of its face feature.
    extra : mapping of str to DataType
        Further columns of the cohort, kept so that results can be stratified by them.
    landmarks : bool
        Whether there is a column for the landmarks of every stage.
    """
    text, number = pa.string(), pa.float64()
    fields: list[tuple[str, pa.DataType]] = [
        *((name, text) for name in ("clip_id", "speaker_id", "group", "gender")),
        ("age", number),
        *((name, text) for name in ("language", "group_source", "gender_source", "language_source", "native_language")),
        *extra.items(),
        ("status", text),
        ("detail", text),
        ("seconds", number),
        ("audio_sha256", text),
    ]
    primary = next(iter(similarity), "")
    for stage in STAGES:
        fields += [(f"{stage}_status", text), (f"{stage}_face", text), (f"{stage}_race", text)]
        fields += [(f"{stage}_race_{race}", number) for race in RACES]
        fields += [(f"{stage}_gender", text), (f"{stage}_gender_man", number), (f"{stage}_age", number)]
        if stage != "portrait":
            fields += [(similarity_column(stage, model, primary), number) for model in similarity]
        fields += [(f"{stage}{EMBEDDING}{model.lower()}", pa.list_(pa.float16())) for model in similarity]
        if landmarks:
            fields += [(f"{stage}{LANDMARKS}", pa.list_(pa.float32()))]
    return pa.schema(fields)
