"""The figures of a probe: each factor against another clip of the same voice, and the shifts of the reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from audit.core.metric import Metric
from audit.core.vocabulary import GENDERS, ordered_groups
from audit.probes.asking import UNCHANGED
from audit.probes.changes import VOICE_GENDER, Property
from audit.probes.factors import CLIP, FACTORS, Factor
from audit.stats import ALL, Curve, Estimate, Settings, benjamini_hochberg, figure_curve, holm, p_value, paired, verdict


@dataclass(frozen=True)
class Stratum:
    """Some of the voices: all, those of one group, or those of one sex.

    ``number`` is the number of strata of its kind, for simultaneous intervals.
    """

    group: str
    gender: str
    number: int

    @property
    def everyone(self) -> bool:
        """Whether it has all voices."""
        return self.group == self.gender == ALL

    def of(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of these voices."""
        for name, value in (("group", self.group), (VOICE_GENDER, self.gender)):
            if value != ALL:
                frame = frame[frame[name] == value]
        return frame


@dataclass(frozen=True)
class Effect:
    """The change of one property under one factor, against another clip of the same voices.

    Attributes
    ----------
    changed, yardstick : Estimate
        The mean change under the factor, and between two clips, over all voices with such a pair. Voices to which the
        factor does not apply, because they have no accented clip, are in neither.
    excess : Estimate or None
        The first minus the second, over voices that have both; ``None`` for the yardstick itself.
    curve : Curve or None
        The excess at every confidence, adjusted for simultaneous comparisons.
    p : float or None
        The smallest error probability at which the excess still lies beyond its margin.
    p_adjusted : float or None
        The same, adjusted for its family of tests (see :func:`effects`).
    """

    factor: Factor
    prop: Property
    stratum: Stratum
    changed: Estimate
    yardstick: Estimate
    excess: Estimate | None = None
    curve: Curve | None = None
    p: float | None = None
    p_adjusted: float | None = None

    @property
    def outcome(self) -> str:
        """The outcome of the excess; empty for the yardstick and the controls."""
        if self.excess is None or self.factor.role != "factor":
            return ""
        return verdict(self.excess, self.prop.margin, "greater").outcome


def strata(frame: pd.DataFrame) -> list[Stratum]:
    """All voices, then each group, then each sex."""
    groups = ordered_groups(frame["group"])
    genders = [gender for gender in GENDERS if gender in set(frame[VOICE_GENDER])]
    return [
        Stratum(ALL, ALL, 1),
        *(Stratum(group, ALL, len(groups)) for group in groups),
        *(Stratum(ALL, gender, len(genders)) for gender in genders),
    ]


def effects(changes: pd.DataFrame, settings: Settings, properties: Sequence[Property]) -> list[Effect]:
    """The effects of every factor on every property in every stratum.

    Intervals of the excess are Bonferroni-adjusted: over all voices for the factors of one family, by group or sex for
    the number of groups or sexes. The changes are those of :func:`audit.probes.changes.voice_changes`.

    Every effect is in one family of tests, so that it has one adjusted p. Over all voices, the questions (each family
    of factors by each property) are adjusted by Holm (1979); the p of a question is the smallest of its factors, and
    the factors share its multiplier. The effects by group, and those by sex, are exploratory and adjusted by Benjamini
    and Hochberg (1995).
    """
    made = []
    for stratum in strata(changes):
        rows = {name: of.set_index("speaker_id").sort_index() for name, of in stratum.of(changes).groupby("factor")}
        none = changes.iloc[:0].set_index("speaker_id")
        pairs = {
            factor: (mine := rows.get(factor.name, none), rows.get(CLIP.name, none).reindex(mine.index))
            for factor in FACTORS
        }
        made += [_effect(factor, prop, stratum, *pairs[factor], settings) for prop in properties for factor in FACTORS]
    return _adjusted(made)


def _adjusted(found: Sequence[Effect]) -> list[Effect]:
    p = np.array([np.nan if each.p is None else each.p for each in found])
    made = np.full(len(found), np.nan)
    for of in ([each.stratum.gender != ALL for each in found], [each.stratum.group != ALL for each in found]):
        made[of] = benjamini_hochberg(p[of])
    questions: dict[tuple[str, str], list[int]] = {}
    for i, each in enumerate(found):
        if each.stratum.everyone and each.p is not None:
            questions.setdefault((each.factor.family, each.prop.name), []).append(i)
    least = np.array([p[places].min() for places in questions.values()])
    for places, smallest, question in zip(questions.values(), least, holm(least), strict=True):
        made[places] = np.minimum(1, p[places] * (question / smallest if smallest else 1))
    return [
        each if np.isnan(q) else replace(each, p_adjusted=float(f"{max(q, each.p or 0.0):.12g}"))
        for each, q in zip(found, made.tolist(), strict=True)
    ]


def _effect(
    factor: Factor, prop: Property, stratum: Stratum, rows: pd.DataFrame, usual: pd.DataFrame, settings: Settings
) -> Effect:
    """The effect of one factor on one property; ``rows`` are the voices under it, ``usual`` between two clips."""
    who, name = usual.index.tolist(), f"{prop.name} {factor.name} {stratum.group} {stratum.gender}"
    values, yardsticks = (of[prop.name].to_numpy(np.float64) for of in (rows, usual))
    changed, yardstick = (
        _counted(
            figure_curve(of, who, settings, kind=prop.kind, name=seed).at(settings.confidence), ~np.isnan(of), counts
        )
        for of, counts, seed in ((values, rows, name), (yardsticks, usual, f"{name} clip"))
    )
    if factor is CLIP:
        return Effect(factor, prop, stratum, changed, yardstick)
    siblings = sum(each.family == factor.family and each.role == "factor" for each in FACTORS)
    number = max(siblings, 1) if stratum.everyone else stratum.number
    curve = paired(yardsticks, values, who, settings, kind=prop.kind, name=f"{name} excess").curve().together(number)
    excess = _counted(curve.at(settings.confidence), ~np.isnan(values + yardsticks), rows, usual)
    p = None
    if excess.interval is not None and factor.role == "factor":
        p = p_value(curve, prop.margin, "greater", settings.confidence)
    return Effect(factor, prop, stratum, changed, yardstick, excess, curve, p)


def effect_table(found: Sequence[Effect]) -> pd.DataFrame:
    """Effects as rows."""
    rows = []
    for each in found:
        estimate = each.excess or each.changed
        rows.append(
            {
                "factor": each.factor.name,
                "property": each.prop.name,
                "group": each.stratum.group,
                "gender": each.stratum.gender,
                **_ends("changed", each.changed),
                **_ends("clip", each.yardstick),
                **_ends("excess", each.excess),
                "margin": each.prop.margin,
                "outcome": each.outcome or None,
                "p_value": each.p,
                "p_adjusted": each.p_adjusted,
                "n_voices": estimate.n_speakers,
                "n_faces": estimate.n_clips,
                "n_missing": estimate.n_missing,
                "method": estimate.method,
            }
        )
    return pd.DataFrame(rows)


def read_table(reads: pd.DataFrame, settings: Settings, metrics: Sequence[Metric]) -> pd.DataFrame:
    """The reads under every factor, and their shifts from the reads before, over the same voices.

    The reads are those of :func:`audit.probes.changes.voice_reads`.
    """
    rows = []
    for stratum in strata(reads):
        mine = {name: of.sort_values("speaker_id") for name, of in stratum.of(reads).groupby("factor")}
        for metric in metrics:
            for factor in (UNCHANGED, *(factor.name for factor in FACTORS)):
                rows.append(_read_row(metric, factor, stratum, mine.get(factor, reads.iloc[:0]), settings))
    frame = pd.DataFrame(rows)
    p = frame["p_value"].astype(np.float64)
    frame.insert(list(frame).index("p_value") + 1, "p_adjusted", benjamini_hochberg(p.to_numpy()))
    return frame


def _read_row(metric: Metric, factor: str, stratum: Stratum, of: pd.DataFrame, settings: Settings) -> dict[str, object]:
    who, name = of["speaker_id"].tolist(), f"{metric.name} {factor} {stratum.group} {stratum.gender}"
    before, after = (of[f"{metric.name}.{side}"].to_numpy(np.float64) for side in ("before", "after"))
    level = figure_curve(after, who, settings, kind=metric.kind, name=name).at(settings.confidence)
    shift, p = None, None
    if factor != UNCHANGED:
        curve = paired(before, after, who, settings, kind=metric.kind, name=f"{name} shift").curve()
        curve = curve.together(stratum.number)
        shift = curve.at(settings.confidence)
        p = None if shift.interval is None else p_value(curve, 0.0, "two_sided", settings.confidence)
    return {
        "factor": factor,
        "read": metric.name,
        "group": stratum.group,
        "gender": stratum.gender,
        **_ends("level", level),
        **_ends("shift", shift),
        "p_value": p,
        "n_voices": level.n_speakers,
        "n_missing": level.n_missing,
        "method": (shift or level).method,
    }


def _counted(estimate: Estimate, used: np.ndarray, *rows: pd.DataFrame) -> Estimate:
    """The estimate with the number of its faces, and of missing faces of the same voices."""
    n_clips = sum(int(of["n_clips"].to_numpy()[used].sum()) for of in rows)
    expected = sum(int((of["n_clips"] + of["n_missing"]).sum()) for of in rows)
    return replace(estimate, n_clips=n_clips, n_missing=expected - n_clips)


def _ends(name: str, estimate: Estimate | None) -> dict[str, float | None]:
    value, low, high = (None, None, None) if estimate is None else (estimate.value, estimate.low, estimate.high)
    return {name: value, f"{name}_low": low, f"{name}_high": high}
