"""Changes of each voice's face under each factor, before averaging over voices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations, product
from typing import Final

import numpy as np
import pandas as pd

from audit.core.attributes import Attribute
from audit.core.languages import same_language
from audit.core.metric import Metric
from audit.probes.asking import UNCHANGED, Asked
from audit.probes.factors import ACCENT, ALTERED, CLIP, LANGUAGE
from audit.probes.voices import FIRST
from audit.stats.settings import Kind
from audit.stats.speakers import Floats

VOICE_GENDER: Final = "voice_gender"
"""The column of a voice's own gender; the column ``gender`` is the change of the read one."""


@dataclass(frozen=True)
class Property:
    """A property of a face that may change; see :class:`audit.core.attributes.Probed`.

    ``kind`` is ``rate`` if a change lies in [0, 1]; ``unit`` is that of a change.
    """

    name: str
    title: str
    kind: Kind
    margin: float
    unit: str
    sentence: str


FACE: Final = Property(
    "face", "the face itself", "mean", 0.05, "cosine", "the face moves by {} (one minus the cosine of its features)"
)


def properties_of(read: Sequence[Attribute]) -> tuple[Property, ...]:
    """The face itself and every attribute that a probe compares."""
    found = [FACE]
    for attribute in read:
        if how := attribute.probed:
            kind: Kind = "rate" if how.number is None else "mean"
            unit = next((number.unit for number in attribute.numbers if number.name == how.number), "share")
            found.append(Property(attribute.name, how.title, kind, how.margin, unit, how.sentence))
    return tuple(found)


def reads_of(read: Sequence[Attribute]) -> tuple[Metric, ...]:
    """The reads that show the direction of a change; gender comes first."""
    in_order = sorted(read, key=lambda attribute: attribute.name != "gender")
    return tuple(metric for each in in_order if each.probed is not None for metric in each.probed.metrics)


def voice_changes(asked: Asked) -> pd.DataFrame:
    """The changes of each voice's faces under each factor, one row for each voice and factor.

    For every property, the distance ``d`` of two faces is 1 or 0 (read differently or not), the difference in years, or
    one minus the cosine of their features. For an altered clip it is ``d(clip, altered clip)``; for ``accent`` the mean
    of that over the accented clips of the voice, and a voice without any has no such row. For ``language`` it is
    the mean over all pairs of an English and another clip, for ``clip`` the mean over the pairs in one language, then
    over the languages. The expected difference of the last two is never negative, and zero if the language changes
    nothing: it is half of the energy distance of Székely and Rizzo (2013), each ``d`` being of negative type. Every
    pair of distinct clips is used, so that there is no bias with few clips.

    Returns
    -------
    DataFrame
        ``speaker_id``, ``group``, ``voice_gender``, ``factor``, a column for each property (NaN where there is no pair
        that was read), ``n_clips`` (faces that were read) and ``n_missing``.
    """
    distances = _distances(asked)
    read = (asked.faces["status"] == "ok").to_numpy()
    rows = []
    for voice in _voices(asked.faces):
        first, other = voice.first, voice.other
        within = [list(combinations(clips, 2)) for clips in (first, other)]
        pairs = {CLIP.name: within, LANGUAGE.name: [list(product(first, other))]}
        pairs |= {name: [of] for name, of in voice.altered.items()}
        for factor, parts in pairs.items():
            used = sorted({place for part in parts for pair in part for place in pair})
            moved = {
                name: _mean([_mean([distance(*pair) for pair in part]) for part in parts])
                for name, distance in distances.items()
            }
            n_read = int(read[used].sum())
            rows.append(voice.who | {"factor": factor} | moved | {"n_clips": n_read, "n_missing": len(used) - n_read})
    return pd.DataFrame(rows)


def voice_reads(asked: Asked) -> pd.DataFrame:
    """The reads before and after each factor, one row for each voice and factor.

    ``before`` an altered clip is the clip itself; before ``language`` it is the mean of the English clips, before
    ``clip`` the one English clip that is altered, against the others.

    Returns
    -------
    DataFrame
        ``speaker_id``, ``group``, ``voice_gender``, ``factor``, and for each metric of :func:`reads_of` two columns,
        ``.before`` and ``.after``; the factor ``unchanged`` has the altered clip itself in both.
    """
    scores: dict[str, Floats] = {}
    for attribute in asked.read:
        if attribute.probed is not None:
            scores |= attribute.probed.score(attribute.probe_reads(asked.faces))
    names = [metric.name for metric in reads_of(asked.read)]
    rows = []
    for voice in _voices(asked.faces):
        others = [place for place in voice.first if place != voice.base]
        sides = {
            UNCHANGED: ([voice.base], [voice.base]),
            CLIP.name: ([voice.base], others),
            LANGUAGE.name: (voice.first, voice.other),
            **{name: tuple(map(list, zip(*of, strict=True))) for name, of in voice.altered.items()},
        }
        for factor, places in sides.items():
            values = {
                f"{name}.{side}": _mean(scores[name][of].tolist())
                for name in names
                for side, of in zip(("before", "after"), places, strict=True)
            }
            rows.append(voice.who | {"factor": factor} | values)
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class _Voice:
    """The row numbers of a voice's faces."""

    who: dict[str, object]
    base: int
    first: list[int]
    other: list[int]
    altered: dict[str, list[tuple[int, int]]]
    """By factor, each altered clip after the clip that it comes from."""


def _voices(frame: pd.DataFrame) -> Iterator[_Voice]:
    natural = (frame["factor"] == UNCHANGED).to_numpy()
    english = frame["language"].map(lambda code: same_language(code, FIRST)).to_numpy()
    base = frame["base"].to_numpy()
    order = [factor.name for factor in (ACCENT, *ALTERED)]
    factor, clip, origin = (frame[name].to_numpy() for name in ("factor", "clip_id", "of"))
    for name, places in sorted(frame.groupby("speaker_id", sort=True).indices.items()):
        of = np.sort(places)
        own = of[natural[of]]
        place_of = {clip[place]: int(place) for place in own}
        changed: dict[str, list[tuple[int, int]]] = {}
        for place in of[~natural[of]].tolist():
            changed.setdefault(factor[place], []).append((place_of[origin[place]], place))
        row = frame.iloc[int(of[0])]
        yield _Voice(
            {"speaker_id": name, "group": row["group"], VOICE_GENDER: row["gender"]},
            int(own[base[own]][0]),
            own[english[own]].tolist(),
            own[~english[own]].tolist(),
            {name: changed[name] for name in order if name in changed},
        )


def _distances(asked: Asked) -> dict[str, Callable[[int, int], float]]:
    """The distance of two faces in each property; NaN if one was not read."""
    read = (asked.faces["status"] == "ok").to_numpy()
    features = np.where(read[:, None], asked.features, np.nan)
    # one minus the cosine of unit vectors, in the form that is exactly 0 for the same ones
    found: dict[str, Callable[[int, int], float]] = {
        FACE.name: lambda one, two: float(((features[one] - features[two]) ** 2).sum() / 2)
    }
    for attribute in asked.read:
        if how := attribute.probed:
            reads = attribute.probe_reads(asked.faces)
            if how.number is None:
                values, most = np.where(read & (reads.label >= 0), reads.label, np.nan), 1.0
            else:
                values, most = reads.where_read(reads.number(how.number)), np.inf
            found[attribute.name] = partial(_distance, values, most)
    return found


def _distance(values: Floats, most: float, one: int, two: int) -> float:
    return float(np.minimum(abs(values[one] - values[two]), most))


def _mean(values: list[float]) -> float:
    """The mean without NaN; NaN if nothing is left."""
    there = [value for value in values if not np.isnan(value)]
    return sum(there) / len(there) if there else float("nan")
