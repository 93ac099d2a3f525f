"""The figures of a probe: each factor against another clip of the same voice, and the shifts of the reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from audit.core.attributes import attributes
from audit.core.metric import Metric
from audit.core.vocabulary import GENDERS, ordered_groups
from audit.probes.asking import UNCHANGED
from audit.probes.changes import PROPERTIES, Property, reads_of
from audit.probes.factors import CLIP, FACTORS, Factor
from audit.stats import ALL, Curve, Estimate, Settings, benjamini_hochberg, mean, p_value, paired, rate, verdict
from audit.stats.settings import Kind

ENDS: Final = ("value", "low", "high")


@dataclass(frozen=True)
class Stratum:
    """Some of the voices: all, those of one group, or those of one sex.

    Attributes
    ----------
    group, gender : str
        The group and sex, or ``all``.
    number : int
        The number of strata of its kind, for simultaneous intervals.
    """

    group: str
    gender: str
    number: int

    def of(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of these voices."""
        for name, value in (("group", self.group), ("gender", self.gender)):
            if value != ALL:
                frame = frame[frame[name] == value]
        return frame


@dataclass(frozen=True)
class Effect:
    """The change of one property under one factor, against another clip of the same voices.

    Attributes
    ----------
    factor : Factor
        The factor.
    prop : Property
        The property.
    stratum : Stratum
        The voices.
    changed, yardstick : Estimate
        The mean change under the factor, and between two clips, over all voices with such a pair.
    excess : Estimate or None
        The first minus the second, over voices that have both; ``None`` for the yardstick itself.
    curve : Curve or None
        The excess at every confidence, adjusted for simultaneous comparisons.
    p : float or None
        The smallest error probability at which the excess still lies beyond its margin.
    """

    factor: Factor
    prop: Property
    stratum: Stratum
    changed: Estimate
    yardstick: Estimate
    excess: Estimate | None = None
    curve: Curve | None = None
    p: float | None = None

    @property
    def outcome(self) -> str:
        """The outcome of the excess; empty for the yardstick and the controls."""
        if self.excess is None or self.factor.role != "factor":
            return ""
        return verdict(self.excess, self.prop.margin, "greater").outcome


def strata(frame: pd.DataFrame) -> list[Stratum]:
    """All voices, then each group, then each sex."""
    groups = ordered_groups(frame["group"])
    genders = [gender for gender in GENDERS if gender in set(frame["gender"])]
    return [
        Stratum(ALL, ALL, 1),
        *(Stratum(group, ALL, len(groups)) for group in groups),
        *(Stratum(ALL, gender, len(genders)) for gender in genders),
    ]


def effects(changes: pd.DataFrame, settings: Settings, properties: Sequence[Property] = PROPERTIES) -> list[Effect]:
    """The effects of every factor on every property in every stratum.

    Intervals of the excess are Bonferroni-adjusted: over all voices for the factors of one family, by group or sex for
    the number of groups or sexes.

    Parameters
    ----------
    changes : DataFrame
        The changes, from :func:`audit.probes.changes.voice_changes`.
    settings : Settings
        Statistical settings; voices are the speakers.
    properties : sequence of Property
        The properties to compare.
    """
    family = pd.Series([factor.family for factor in FACTORS if factor.role == "factor"]).value_counts()
    return [
        _effect(factor, prop, stratum, changes, settings, int(family.get(factor.family, 1)))
        for stratum in strata(changes)
        for prop in properties
        for factor in FACTORS
    ]


def _effect(
    factor: Factor, prop: Property, stratum: Stratum, changes: pd.DataFrame, settings: Settings, siblings: int
) -> Effect:
    mine = stratum.of(changes)
    usual = mine[mine["factor"] == CLIP.name].set_index("speaker_id").sort_index()
    rows = mine[mine["factor"] == factor.name].set_index("speaker_id").reindex(usual.index)
    rows = rows.fillna({"n_clips": 0, "n_missing": 0})
    who, name = usual.index.tolist(), f"{prop.name} {factor.name} {stratum.group} {stratum.gender}"
    values, yardsticks = rows[prop.name].to_numpy(np.float64), usual[prop.name].to_numpy(np.float64)
    changed, yardstick = (
        _counted(of, each[prop.name].notna(), each)
        for of, each in (
            (_average(values, who, prop.kind, settings, name), rows),
            (_average(yardsticks, who, prop.kind, settings, f"{name} clip"), usual),
        )
    )
    if factor is CLIP:
        return Effect(factor, prop, stratum, changed, yardstick)
    pairs = paired(yardsticks, values, who, settings, kind=prop.kind, name=f"{name} excess")
    curve = pairs.curve().together(siblings if stratum.group == stratum.gender == ALL else stratum.number)
    both = rows[prop.name].notna().to_numpy() & usual[prop.name].notna().to_numpy()
    excess = _counted(curve.at(settings.confidence), both, rows, usual)
    p = None
    if excess.interval is not None and factor.role == "factor":
        p = p_value(curve, prop.margin, "greater", settings.confidence)
    return Effect(factor, prop, stratum, changed, yardstick, excess, curve, p)


def effect_table(found: list[Effect], settings: Settings) -> pd.DataFrame:
    """Effects as rows; p-values adjusted by Benjamini and Hochberg (1995)."""
    adjusted = benjamini_hochberg([np.nan if each.p is None else each.p for each in found])
    rows = []
    for each, p in zip(found, adjusted.tolist(), strict=True):
        estimate = each.excess or each.changed
        rows.append(
            {"factor": each.factor.name, "property": each.prop.name, **_columns(each.stratum)}
            | _ends("changed", each.changed)
            | _ends("clip", each.yardstick)
            | _ends("excess", each.excess)
            | {
                "margin": each.prop.margin,
                "outcome": each.outcome or None,
                "p_value": each.p,
                "p_adjusted": None if np.isnan(p) else p,
                "n_voices": estimate.n_speakers,
                "n_faces": estimate.n_clips,
                "n_missing": estimate.n_missing,
                "method": estimate.method,
            }
        )
    return pd.DataFrame(rows)


def read_table(
    reads: pd.DataFrame, settings: Settings, shown: Sequence[Metric] = reads_of(attributes())
) -> pd.DataFrame:
    """The reads under every factor, and their shifts from the reads before, over the same voices.

    Parameters
    ----------
    reads : DataFrame
        The reads, from :func:`audit.probes.changes.voice_reads`.
    settings : Settings
        Statistical settings; voices are the speakers.
    """
    rows = []
    for stratum in strata(reads):
        mine = stratum.of(reads)
        for read in shown:
            for factor in [UNCHANGED, *(factor.name for factor in FACTORS)]:
                of = mine[mine["factor"] == factor].sort_values("speaker_id")
                rows.append(_read_row(read, factor, stratum, of, settings))
    frame = pd.DataFrame(rows)
    p = frame["p_value"].astype(np.float64)
    frame.insert(list(frame).index("p_value") + 1, "p_adjusted", benjamini_hochberg(p.to_numpy()))
    return frame


def _read_row(metric: Metric, factor: str, stratum: Stratum, of: pd.DataFrame, settings: Settings) -> dict[str, object]:
    read, kind = metric.name, metric.kind
    who, name = of["speaker_id"].tolist(), f"{read} {factor} {stratum.group} {stratum.gender}"
    before, after = (of[f"{read}.{side}"].to_numpy(np.float64) for side in ("before", "after"))
    level = _average(after, who, kind, settings, name)
    shift, p = None, None
    if factor != UNCHANGED:
        curve = paired(before, after, who, settings, kind=kind, name=f"{name} shift").curve()
        curve = curve.together(stratum.number)
        shift = curve.at(settings.confidence)
        p = None if shift.interval is None else p_value(curve, 0.0, "two_sided", settings.confidence)
    return (
        {"factor": factor, "read": read, **_columns(stratum)}
        | _ends("level", level)
        | _ends("shift", shift)
        | {
            "p_value": p,
            "n_voices": level.n_speakers,
            "n_missing": level.n_missing,
            "method": (shift or level).method,
        }
    )


_AVERAGES: Final[dict[str, Callable[..., Estimate]]] = {"rate": rate, "mean": mean}


def _average(values: np.ndarray, who: list[str], kind: Kind, settings: Settings, name: str) -> Estimate:
    return _AVERAGES[kind](values, who, settings, name=name)


def _counted(estimate: Estimate, used: pd.Series | np.ndarray, *rows: pd.DataFrame) -> Estimate:
    """The estimate with the number of its faces, and of missing faces of the same voices."""
    used = np.asarray(used, bool)
    n_clips = sum(int(of["n_clips"].to_numpy()[used].sum()) for of in rows)
    expected = sum(int((of["n_clips"] + of["n_missing"]).sum()) for of in rows)
    return replace(estimate, n_clips=n_clips, n_missing=expected - n_clips)


def _columns(stratum: Stratum) -> dict[str, object]:
    return {"group": stratum.group, "gender": stratum.gender}


def _ends(name: str, estimate: Estimate | None) -> dict[str, object]:
    return {
        name if end == "value" else f"{name}_{end}": None if estimate is None else getattr(estimate, end)
        for end in ENDS
    }
