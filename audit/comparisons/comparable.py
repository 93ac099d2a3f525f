"""Requirements on runs that are compared: the same clips and speakers, read by the same instrument and settings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from audit.core.errors import RunError
from audit.runs.run import Run

LABELS: Final = ("clip_id", "speaker_id", "group", "gender", "age", "language", "audio_sha256")
PORTRAIT: Final = ("portrait_status", "portrait_race", "portrait_gender")
NO_EFFECT_ON_READS: Final = frozenset({"requested", "reason", "card", "versions", "title"})
"""Keys of an instrument's description that do not affect its reads."""
READ_SETTINGS: Final = ("min_seconds", "max_seconds", "channel")
"""Harness settings that affect what is read."""


def refuse_what_differs(runs: Sequence[Run], names: Sequence[str]) -> None:
    """Refuse runs that differ in anything but the model.

    The first run is the baseline; ``names`` are those of the runs in error messages.

    Raises
    ------
    RunError
        If there are fewer than two runs, one is incomplete, or one differs from the first in cohort, instrument, seed,
        harness settings, clips, labels or the reads of the portraits.
    """
    if len(runs) < 2:
        raise RunError(f"{len(runs)} run was given to compare.", "two or more: audit compare A B -o OUT")
    refuse_incomplete(runs, names)
    for run, name in zip(runs[1:], names[1:], strict=True):
        if (found := difference(runs[0], run)) is not None:
            what, before, now = found
            raise RunError(
                f"The runs {names[0]} and {name} cannot be compared: {what} is {before} in the first and {now} in the "
                "second.",
                "runs of the same cohort by the same instrument with the same seed and settings",
                f"Read the faces of the first by the present instrument: audit read {names[0]} -o NEW."
                if what.startswith("the instrument")
                else "Run one of them again with the settings of the other.",
            )


def refuse_incomplete(runs: Sequence[Run], names: Sequence[str]) -> None:
    """Raise RunError if a run is not complete; ``names`` are those of the runs in the message."""
    for run, name in zip(runs, names, strict=True):
        if not run.complete:
            raise RunError(
                f"The run {name} is not complete: it has {len(run.coded)} of "
                f"{run.manifest['cohort']['n_clips']} clips.",
                "complete runs",
                "Finish it by running the same audit run command again.",
            )


def difference(one: Run, other: Run) -> tuple[str, str, str] | None:
    """The first difference of two runs besides the model: its name and both values; ``None`` if they are comparable."""
    first, second = _facts(one), _facts(other)
    for key in first:
        if (found := _first_difference(first[key], second[key], key)) is not None:
            return found
    a, b = one.observations, other.observations
    if len(a) != len(b):
        return "the number of clips", str(len(a)), str(len(b))
    for column in (name for name in (*LABELS, *PORTRAIT) if name in a and name in b):
        x, y = a[column], b[column]
        differ = ~((x == y) | (x.isna() & y.isna())).to_numpy(bool)
        if differ.any():
            i = int(differ.argmax())
            words = " (the same portraits were read differently)" if column in PORTRAIT else ""
            return f"{column} of clip {a['clip_id'].iloc[i]}{words}", repr(x.iloc[i]), repr(y.iloc[i])
    return None


def _facts(run: Run) -> dict[str, Any]:
    """The facts of a run's manifest, besides its model, that two runs must share."""
    manifest, settings = run.manifest, run.manifest.get("settings", {})
    return {
        "the cohort's digest": manifest["cohort"].get("digest"),
        "the instrument": _reading(manifest["instrument"]),
        "the seed": manifest.get("seed"),
        **{f"the setting {key}": settings.get(key) for key in READ_SETTINGS},
    }


def _reading(described: object) -> object:
    """The parts of an instrument's description that affect its reads."""
    if isinstance(described, Mapping):
        return {key: _reading(value) for key, value in described.items() if key not in NO_EFFECT_ON_READS}
    return described


def _first_difference(one: object, other: object, path: str) -> tuple[str, str, str] | None:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in sorted({*one, *other}):
            if (found := _first_difference(one.get(key), other.get(key), f"{path}, {key}")) is not None:
                return found
        return None
    return None if one == other else (path, json.dumps(one)[:80], json.dumps(other)[:80])


def same_model(one: Run, other: Run) -> bool:
    """Whether two runs describe the same model."""
    return bool(one.manifest["model"] == other.manifest["model"])
