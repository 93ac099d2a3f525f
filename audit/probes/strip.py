"""The sample of faces of a probe: one voice of each group and sex under every factor, drawn by the seed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from audit.core.attributes import Attribute
from audit.core.vocabulary import GENDERS, ordered_groups, same_language
from audit.probes.asking import UNCHANGED, Asked
from audit.probes.factors import ALTERED, CLIP, LANGUAGE
from audit.probes.voices import FIRST, lot
from audit.runs.run import FACES


def strip(asked: Asked, seed: int) -> pd.DataFrame:
    """The faces of the sample.

    Parameters
    ----------
    asked : Asked
        The model's faces.
    seed : int
        Seed of the choice of voices, which does not depend on reads or statuses.

    Returns
    -------
    DataFrame
        One row for each face: voice, clip, factor, the picture's path inside the probe's folder, and its reads;
        ``None`` if there is none.
    """
    frame = asked.faces
    rows, shown = [], {f"read_{attribute.name}": _shown(attribute, frame) for attribute in asked.read}
    for group in ordered_groups(frame["group"]):
        for gender in (*GENDERS, "unknown"):
            mine = frame[(frame["group"] == group) & (frame["gender"] == gender)]
            if mine.empty:
                continue
            name = min(mine["speaker_id"].unique(), key=lambda each: lot(seed, each))
            for factor, face in _faces(mine[mine["speaker_id"] == name]):
                rows.append(_row(group, gender, factor, face) | {name: of[face.name] for name, of in shown.items()})
    return pd.DataFrame(rows)


def _faces(mine: pd.DataFrame) -> list[tuple[str, pd.Series]]:
    natural = mine[mine["factor"] == UNCHANGED]
    english = natural["language"].map(lambda code: same_language(code, FIRST))
    chosen = [
        (UNCHANGED, natural[natural["base"]]),
        (CLIP.name, natural[english & ~natural["base"]]),
        (LANGUAGE.name, natural[~english]),
        *((factor.name, mine[mine["factor"] == factor.name]) for factor in ALTERED),
    ]
    return [(name, of.sort_values("clip_id").iloc[0]) for name, of in chosen if len(of)]


def _row(group: str, gender: str, factor: str, face: pd.Series) -> dict[str, object]:
    has_face = isinstance(face["face"], str)
    return {
        "group": group,
        "gender": gender,
        "speaker_id": face["speaker_id"],
        "clip_id": face["clip_id"],
        "language": face["language"],
        "factor": factor,
        "picture": f"{FACES}/{face['face']}.png" if has_face else None,
        "status": face["status"],
    }


def _shown(attribute: Attribute, frame: pd.DataFrame) -> dict[object, object]:
    """The label or, without labels, the first number read in each face; ``None`` if none was read."""
    reads = attribute.probe_reads(frame)
    values: list[object]
    if attribute.labels:
        values = [attribute.labels[place] if place >= 0 else None for place in reads.label]
    else:
        numbers = reads.number(attribute.numbers[0].name)
        values = [None if np.isnan(value) else round(float(value), 9) for value in reads.where_read(numbers)]
    return dict(zip(frame.index, values, strict=True))
