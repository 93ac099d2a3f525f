"""Gaps between a group and its complement, unadjusted and adjusted for covariates by standardisation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from audit.stats.covariates import Covariate, Design
from audit.stats.e_value import EValue, e_value, e_value_of_means
from audit.stats.estimate import Estimate
from audit.stats.overlap import Overlap, overlap
from audit.stats.rates import shortened
from audit.stats.regression import Floats, Ints, NotEstimable
from audit.stats.settings import Kind, Settings
from audit.stats.standardised import Contrast, Standardised, standardised

Harm = Literal["low", "high"]
Counts = tuple[int, int, int]
FEWEST_OUTCOMES = 3
"""Fewest speakers with an outcome above 0, and below 1, in a group and in all others, for an interval."""


@dataclass(frozen=True)
class AdjustedGap:
    """The gap of one group: its mean minus that of all other groups.

    Attributes
    ----------
    unadjusted, adjusted : Estimate
        Without and with adjustment, from the same clips; their counts are those of the group.
    e_value : EValue or None
        Of the adjusted gap; ``None`` without one, or without overlap.
    n_left_out : int
        Number of clips of the group that have an outcome, but not every covariate.
    overlap : Overlap
        How much the group's covariates overlap with those of the others.
    """

    unadjusted: Estimate
    adjusted: Estimate
    e_value: EValue | None
    n_left_out: int
    overlap: Overlap


@dataclass(frozen=True)
class Adjustment:
    """Groups and covariates of some clips, for adjusted gaps of any outcome.

    Attributes
    ----------
    group : int array of shape (clips,)
        Number of each clip's group, -1 where it is unknown; such clips are not used.
    n_groups : int
        Number of groups.
    speakers, units : int arrays of shape (clips,)
        Number of each clip's speaker, and of its sampling unit: the speaker, or all speakers linked by clusters.
    covariates : sequence of Covariate
        What to adjust for.
    settings : Settings
        Confidence, estimand and minimum number of speakers.

    Examples
    --------
    The value depends on noise only, and the second group is noisier:

    >>> rng = np.random.default_rng(0)
    >>> group, number = np.repeat([0, 1], 100), np.arange(200)
    >>> noise = rng.normal(group, 1.0)
    >>> made = Adjustment(group, 2, number, number, [Covariate("noise", noise)], Settings())
    >>> gap = made.gaps(noise + rng.normal(size=200), "mean")[1]
    >>> gap.unadjusted.low > 0.4, gap.adjusted.low < 0 < gap.adjusted.high
    (True, True)
    """

    group: Ints
    n_groups: int
    speakers: Ints
    units: Ints
    covariates: Sequence[Covariate]
    settings: Settings

    @cached_property
    def design(self) -> Design:
        """The columns of the covariates."""
        return Design.of(self.covariates, self.group, self.n_groups, self.speakers)

    @cached_property
    def overlaps(self) -> list[Overlap]:
        """The overlap of each group, over all its clips with covariates."""
        rows, design = self.design.complete, self.design
        if design.determined:
            return [Overlap(None, None, design.determined)] * self.n_groups
        fewest = self.settings.min_speakers
        return overlap(self.group[rows], self.n_groups, self.speakers[rows], design.columns[rows], fewest)

    def gaps(self, values: Floats, kind: Kind, harm: Harm = "high") -> list[AdjustedGap]:
        """The gaps of every group in an outcome.

        The gap of group g is ``m_g - sum_(h != g) w_h m_h``, with the shares ``w_h`` of the other groups' speakers. The
        standardised mean ``m_h`` is the mean prediction over the covariates of all speakers, as if all were in group h
        (g-formula: Lane and Nelder 1982; Hernan and Robins 2020, chapter 13), by a regression on indicators of all
        groups and the covariates. All groups have an indicator, so that the slopes of the covariates are those within
        groups. Without covariates it is the difference of the means.

        The variance is the sum over sampling units of the squared influence on the gap: through the coefficients
        (:func:`audit.stats.regression.regression`), the covariates of the speakers drawn, and the shares. The interval
        is Student's t, with the degrees of freedom of Welch (1947) and Satterthwaite (1946) from the parts of the
        group's units and of all others.

        Groups with fewer than ``min_speakers`` speakers are one group in the complement of the others, and left out if
        they have fewer together. A rate has no interval and no adjusted gap with fewer than 3 speakers with an outcome
        above 0, or below 1, in the group or in all others. A group whose outcomes are all 0 or all 1 has no finite
        coefficient in a logistic regression: in the complement of others it keeps its rate, with the variance of the
        rate ``(x + 2) / (n + 4)`` (Agresti and Coull 1998).

        Parameters
        ----------
        values : float array of shape (clips,)
            The outcome, NaN where it was not read.
        kind : {"rate", "mean"}
            Logistic or linear regression.
        harm : {"low", "high"}
            Which end of a rate is harm: the E-value is of the risk ratio of harm.
        """
        group, known = np.maximum(self.group, 0), self.group >= 0
        read = known & ~np.isnan(values)
        rows, unread = read & self.design.complete, known & self.design.complete & np.isnan(values)
        n_clips, n_unread, left_out = (
            np.bincount(group[each], minlength=self.n_groups) for each in (rows, unread, read & ~rows)
        )
        pairs = np.unique(np.column_stack([group[rows], self.speakers[rows]]), axis=0)
        n_speakers = np.bincount(pairs[:, 0], minlength=self.n_groups)
        sample = _Sample.of(self, values, rows, n_speakers)
        made = []
        for g in range(self.n_groups):
            counts = (int(n_speakers[g]), int(n_clips[g]), int(n_unread[g]))
            unadjusted, adjusted, strength = sample.gap(g, counts, self, kind, harm)
            made.append(AdjustedGap(unadjusted, adjusted, strength, int(left_out[g]), self.overlaps[g]))
        return made


class _Sample:
    """The clips of one outcome, with small groups pooled, and their standardised means."""

    def __init__(self, values: Floats, group: Ints, units: Ints, weights: Floats, columns: Floats, place: Ints) -> None:
        self.values, self.group, self.units, self.weights, self.columns = values, group, units, weights, columns
        self.place = place
        self._found: dict[bool, Standardised | str] = {}

    @classmethod
    def of(cls, made: Adjustment, values: Floats, rows: np.ndarray, n_speakers: Ints) -> _Sample:
        large = n_speakers >= made.settings.min_speakers
        place = np.where(large, np.cumsum(large) - 1, int(large.sum()))
        pooled = int(n_speakers[~large].sum()) >= made.settings.min_speakers
        kept = np.flatnonzero(rows)
        kept = kept if pooled else kept[large[made.group[kept]]]
        weights = np.ones(len(kept))
        if made.settings.estimand == "speaker":
            member = made.speakers[kept] * made.n_groups + made.group[kept]
            weights = 1.0 / np.bincount(member, minlength=1)[member]
        return cls(
            values[kept],
            place[made.group[kept]],
            made.units[kept],
            weights,
            made.design.columns[kept],
            np.where(large, place, -1),
        )

    def means(self, kind: Kind, adjusted: bool) -> Standardised | str:
        """The standardised means, or why there are none."""
        if adjusted not in self._found:
            n_groups = int(self.group.max(initial=-1)) + 1
            columns = self.columns if adjusted else self.columns[:, :0]
            try:
                if n_groups < 2:
                    raise NotEstimable("too few speakers of other groups")
                found: Standardised | str = standardised(
                    self.values, self.group, n_groups, self.units, self.weights, columns, kind
                )
            except NotEstimable as error:
                found = str(error)
            self._found[adjusted] = found
        return self._found[adjusted]

    def gap(
        self, g: int, counts: Counts, made: Adjustment, kind: Kind, harm: Harm
    ) -> tuple[Estimate, Estimate, EValue | None]:
        """The gap of a group without and with adjustment, and its E-value."""
        place, fewest = int(self.place[g]), made.settings.min_speakers
        if place < 0:
            reason = f"{counts[0]} speakers, fewer than {fewest}"
            return _nothing(counts, reason), _nothing(counts, reason), None
        plain, adjusted = self.means(kind, False), self.means(kind, True)
        if isinstance(plain, str):
            return _nothing(counts, plain), _nothing(counts, f"not adjusted: {plain}"), None
        without = _estimate(plain.difference(place), counts, made.settings, kind, "difference of means")
        if rare := self._rare(place) if kind == "rate" else "":
            return replace(without, low=None, high=None, method=rare), _nothing(counts, f"not adjusted: {rare}"), None
        model = "logistic regression" if kind == "rate" else "linear regression"
        reason = (
            made.design.determined
            or ("" if made.design.used else "no covariate is known for most speakers and varies")
            or (adjusted if isinstance(adjusted, str) else "")
        )
        if reason or isinstance(adjusted, str):
            return without, _nothing(counts, f"not adjusted: {reason}"), None
        change = adjusted.difference(place)
        if not change.error > 0:
            return without, _nothing(counts, "not adjusted: all outcomes are equal"), None
        found = _estimate(change, counts, made.settings, kind, model)
        if not made.overlaps[g].enough:
            return without, replace(found, method=f"{made.overlaps[g].reason}; {found.method}"), None
        return without, found, self._strength(adjusted, place, change, made.settings, kind, harm)

    def _rare(self, place: int) -> str:
        """Why an outcome of 0 and 1 is too rare, in the group or in the others; empty if it is not."""
        for word, found in self._with_outcome.items():
            inside = int(found[:, place].sum())
            outside = int((found.sum(axis=1) > found[:, place]).sum())
            for n, whose in ((inside, "the group"), (outside, "other groups")):
                if n < FEWEST_OUTCOMES:
                    return f"speakers of {whose} with an outcome {word}: {n}, fewer than {FEWEST_OUTCOMES}"
        return ""

    @cached_property
    def _with_outcome(self) -> dict[str, NDArray[np.int64]]:
        """Which units, by group, have an outcome above 0, and one below 1: arrays of 0 and 1."""
        made = {}
        for word, rows in (("above 0", self.values > 0), ("below 1", self.values < 1)):
            made[word] = np.zeros((int(self.units.max()) + 1, int(self.group.max()) + 1), np.int64)
            made[word][self.units[rows], self.group[rows]] = 1
        return made

    def _strength(
        self, means: Standardised, place: int, change: Contrast, settings: Settings, kind: Kind, harm: Harm
    ) -> EValue | None:
        if kind == "rate":
            try:
                ratio = means.log_ratio(place, of_complement=harm == "low")
            except NotEstimable:
                return None
            low, high = _ends(ratio, settings)
            return e_value(*(math.exp(max(-300.0, min(300.0, end))) for end in (ratio.value, low, high)))
        total = np.bincount(self.group, self.weights)
        centre = np.bincount(self.group, self.weights * self.values) / total
        deviation = float(np.sqrt(self.weights @ (self.values - centre[self.group]) ** 2 / self.weights.sum()))
        return e_value_of_means(change.value, deviation, *_ends(change, settings)) if deviation > 0 else None


def _ends(change: Contrast, settings: Settings) -> tuple[float, float]:
    reach = change.error * float(special.stdtrit(change.freedom, 1 - settings.tail))
    return change.value - reach, change.value + reach


def _estimate(change: Contrast, counts: Counts, settings: Settings, kind: Kind, method: str) -> Estimate:
    low, high = _ends(change, settings)
    if kind == "rate":
        low, high = max(low, -1.0), min(high, 1.0)
    words = f"{method}; t with {change.freedom:.0f} degrees of freedom"
    return Estimate(shortened(change.value), shortened(low), shortened(high), *counts, words)


def _nothing(counts: Counts, reason: str) -> Estimate:
    return Estimate(None, None, None, *counts, reason)
