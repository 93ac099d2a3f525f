"""The stratified random sample of faces for human readers, reproducible from run, seed and number of faces."""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.core.blind_page import picture_name
from audit.core.columns import face_check_column, face_column
from audit.core.vocabulary import ordered_groups
from audit.runs.run import Run

STRATUM = ["group", "language"]
STAGE: Final = "rendered"
"""The stage whose pictures people read."""


def draw(run: Run, faces: int, seed: int) -> pd.DataFrame:
    """A stratified random sample of speakers, with one random clip of each.

    In each stratum of group and language, all speakers with a rendered face that the instrument read have the same
    probability, and so have all clips of a drawn speaker in the stratum. Strata have equal sizes as far as possible. A
    speaker may be drawn in several languages.

    The sample depends on the run, the seed and the ids, never on reads. It has all speakers of all strata if they are
    fewer than ``faces``.

    Returns
    -------
    DataFrame
        clip_id, speaker_id, group, language, what is recorded of the rendered face, and ``picture``, an opaque name:
        the first 16 hex digits of the SHA-256 of the seed, the run's digest and the clip's id. Sorted by ``picture``.
    """
    seen = run.observations
    recorded = [name for name in (face_column(STAGE), face_check_column(STAGE)) if name in seen]
    able = seen.loc[seen["rendered_status"] == "ok", ["clip_id", "speaker_id", *STRATUM, *recorded]]
    units = able[["speaker_id", *STRATUM]].drop_duplicates()
    names = zip(*(units[column].to_numpy(object) for column in (*STRATUM, "speaker_id")), strict=True)
    units = units.assign(lot=[_lot(seed, *name) for name in names]).sort_values("lot")
    strata = sorted(units.groupby(STRATUM), key=lambda item: _lot(seed, *item[0]))
    sizes = shares([len(part) for _, part in strata], faces)
    chosen = [part.head(size) for (_, part), size in zip(strata, sizes, strict=True)]
    drawn = able.merge(pd.concat(chosen) if chosen else units)
    drawn = drawn.assign(lot=[_lot(seed, clip) for clip in drawn["clip_id"]]).sort_values("lot")
    drawn = drawn.drop_duplicates(["speaker_id", *STRATUM]).drop(columns="lot")
    pictures = [picture_name(seed, run.digest, clip) for clip in drawn["clip_id"]]
    return drawn.assign(picture=pictures).sort_values("picture", ignore_index=True)


def strata_of(run: Run, drawn: pd.DataFrame) -> pd.DataFrame:
    """The numbers of available and of drawn speakers in each stratum."""
    able = run.observations.loc[run.observations["rendered_status"] == "ok", ["speaker_id", *STRATUM]].drop_duplicates()
    speakers = able.groupby(STRATUM).size().rename("speakers")
    table = pd.concat([speakers, drawn.groupby(STRATUM).size().rename("drawn")], axis=1).fillna(0).astype(int)
    order = {group: i for i, group in enumerate(ordered_groups(set(able["group"])))}
    return table.reset_index().sort_values(
        STRATUM, key=lambda values: values.map(order) if values.name == "group" else values, ignore_index=True
    )


def shares(able: list[int], total: int) -> list[int]:
    """Split ``total`` as equally as possible with upper limits ``able``; the first ones get the remainder.

    Examples
    --------
    >>> shares([10, 2, 10], 12), shares([1, 1], 5), shares([5, 5, 5], 4)
    ([5, 2, 5], [1, 1], [2, 1, 1])
    """
    sizes: NDArray[np.int64] = np.zeros(len(able), np.int64)
    limit = np.asarray(able, np.int64)
    left = min(total, int(limit.sum()))
    while left:
        open_ = np.flatnonzero(sizes < limit)
        each = max(1, left // len(open_))
        for i in open_[:left]:
            more = min(each, int(limit[i] - sizes[i]))
            sizes[i] += more
            left -= more
    return [int(size) for size in sizes]


def _lot(seed: int, *names: object) -> str:
    return hashlib.sha256("\0".join(map(str, (seed, *names))).encode()).hexdigest()
