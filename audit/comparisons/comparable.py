"""Which runs may be compared: the same clips of the same people, read by the same instrument in the same way."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from audit.core.errors import RunError
from audit.runs.run import Run

LABELS: Final = ("clip_id", "speaker_id", "group", "gender", "age", "language", "audio_sha256")
PORTRAIT: Final = ("portrait_status", "portrait_race", "portrait_gender")
NOT_READ_BY: Final = frozenset({"requested", "reason", "card", "versions", "title"})
"""What an instrument tells of itself that decides no read."""
HEARD_BY: Final = ("min_seconds", "max_seconds")
"""The harness's settings that decide what is read; the length of a part and what is kept do not."""


def refuse_what_differs(runs: Sequence[Run], names: Sequence[str]) -> None:
    """Let pass only runs whose every difference is the model's.

    Parameters
    ----------
    runs : sequence of Run
        The first is the baseline.
    names : sequence of str
        What each run is called in the error.

    Raises
    ------
    RunError
        If there are fewer than two runs, one is incomplete, or another than the first has another cohort, instrument,
        seed or harness setting, other clips or labels, or portraits that were read otherwise.
    """
    if len(runs) < 2:
        raise RunError(f"There is {len(runs)} run to compare.", "two or more: audit compare A B -o OUT")
    for run, name in zip(runs, names, strict=True):
        if not run.complete:
            raise RunError(
                f"The run {name} is not complete: it has {len(run.observations)} of "
                f"{run.manifest['cohort']['n_clips']} clips.",
                "complete runs",
                "Finish it: the same audit run command again.",
            )
    first = runs[0]
    for run, name in zip(runs[1:], names[1:], strict=True):
        found = _difference(first, run)
        if found is not None:
            what, before, now = found
            raise RunError(
                f"The runs {names[0]} and {name} cannot be compared: {what} is {before} in the one and {now} in the "
                "other.",
                "runs of the same cohort by the same instrument with the same seed and settings",
                "Run one of them again as the other was run.",
            )


def _difference(one: Run, other: Run) -> tuple[str, str, str] | None:
    """The first thing beside the model in which two runs differ, and what it is in each."""
    told = [_told(run) for run in (one, other)]
    for key in told[0]:
        found = _first_difference(told[0][key], told[1][key], key)
        if found is not None:
            return found
    a, b = one.observations, other.observations
    if len(a) != len(b):
        return "the number of clips", str(len(a)), str(len(b))
    for columns, words in ((LABELS, ""), (PORTRAIT, " (the instrument reads the same portraits otherwise)")):
        for column in columns:
            if column not in a or column not in b:
                continue
            x, y = a[column], b[column]
            differ = np.flatnonzero(~((x == y) | (x.isna() & y.isna())).to_numpy(bool))
            if len(differ):
                i = int(differ[0])
                return f"{column} of clip {a['clip_id'].iloc[i]}{words}", repr(x.iloc[i]), repr(y.iloc[i])
    return None


def _told(run: Run) -> dict[str, Any]:
    """What a run's manifest says of all but its model."""
    manifest = run.manifest
    settings = manifest.get("settings", {})
    return {
        "the cohort's digest": manifest["cohort"].get("digest"),
        "the instrument": _reading(manifest["instrument"]),
        "the seed": manifest.get("seed"),
        **{f"the setting {key}": settings.get(key) for key in HEARD_BY},
    }


def _reading(described: object) -> object:
    """What decides the reads of an instrument: its parts, backends and weights' digests."""
    if isinstance(described, Mapping):
        return {key: _reading(value) for key, value in described.items() if key not in NOT_READ_BY}
    return described


def _first_difference(one: object, other: object, path: str) -> tuple[str, str, str] | None:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in sorted({*one, *other}):
            found = _first_difference(one.get(key), other.get(key), f"{path}, {key}")
            if found is not None:
                return found
        return None
    return None if one == other else (path, json.dumps(one)[:80], json.dumps(other)[:80])


def same_model(one: Run, other: Run) -> bool:
    """Whether two runs are of one model, by what it says of itself."""
    return bool(one.manifest["model"] == other.manifest["model"])
