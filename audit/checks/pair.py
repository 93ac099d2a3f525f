"""Pairs of runs: a baseline and a candidate on the same clips."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audit.checks.evidence import Evidence
from audit.checks.strata import Cells, Mask
from audit.stats import Curve, Estimate, Pairs, Settings
from audit.stats.intervals import mover
from audit.stats.pairs import PairSums, aligned_pairs
from audit.stats.rates import moments, shortened
from audit.stats.settings import Kind
from audit.stats.speakers import Reads, Standing


@dataclass(frozen=True)
class Pair:
    """A baseline and a candidate, row by row the same clips; groups and languages are read from the baseline.

    The runs differ in their model only; see :mod:`audit.comparisons.comparable`.
    """

    baseline: Evidence
    candidate: Evidence

    @property
    def each(self) -> tuple[Evidence, Evidence]:
        """Baseline, then candidate."""
        return self.baseline, self.candidate

    @property
    def settings(self) -> Settings:
        """Of the statistics."""
        return self.baseline.settings

    def has(self, stage: str) -> bool:
        """Whether both runs read any face at a stage."""
        return all(evidence.has(stage) for evidence in self.each)

    def kind(self, metric: str) -> Kind:
        """Whether a metric is a rate or a mean."""
        return self.baseline.metrics[metric].kind

    def change(self, metric: str, stage: str = "rendered") -> NDArray[np.float64]:
        """Candidate minus baseline, clip by clip; NaN for a clip that was not read in both."""
        first, second = (evidence.values(stage, metric) for evidence in self.each)
        return second - first

    def pairs(self, change: NDArray[np.float64], mask: Mask, kind: Kind, name: str) -> Pairs:
        """The speakers of a part of the clips, from the change of each clip: the same clips read in two runs."""
        return pairs_of(change[mask], self.baseline.speakers[mask], kind, self.settings, name)

    def changes(self, metric: str, cells: Cells) -> PairSums:
        """The speakers of every cell, seen in both runs."""
        return aligned_pairs(Reads.of(self.change(metric)), cells.clips, alike_as_one=True)


def pairs_of(
    change: NDArray[np.float64], speakers: NDArray[np.int64], kind: Kind, settings: Settings, name: str
) -> Pairs:
    """Pairs from changes that are known row by row; NaN where there is none."""
    return aligned_pairs(Reads.of(change), Standing.of(speakers)).one(0, kind, settings, f"{name} by run")


@dataclass(frozen=True)
class Twofold:
    """How a difference of two shares changed: the change of the one minus the change of the other, same speakers.

    Each speaker's change of such a difference lies in [-2, 2]; of either share it lies in [-1, 1], where the rule for
    paired rates holds. Attributes are the pairs of the first, of the second, and of second minus first.
    """

    first: Pairs
    second: Pairs
    both: Pairs

    @classmethod
    def of(
        cls,
        first: NDArray[np.float64],
        second: NDArray[np.float64],
        speakers: NDArray[np.int64],
        settings: Settings,
        name: str,
    ) -> Twofold:
        """From the changes of both shares, row by row; a row takes part where it has both."""
        change = second - first
        rows = (np.where(np.isnan(change), np.nan, of) for of in (first, second, change))
        return cls(*(pairs_of(of, speakers, "rate", settings, name) for of in rows))

    def curve(self) -> Curve:
        """The change at every confidence.

        MOVER (Zou and Donner 2008, equations 8 and 9) of the two changes' own intervals, with the correlation that
        leaving out one speaker after the other tells: ``cov = (v1 + v2 - v) / 2``, ``v`` being the variances of the
        first, the second and their difference. A positive correlation, which would narrow the interval, is not used.
        """
        curves = [pairs.curve() for pairs in (self.first, self.second)]
        v1, v2, v = (float(moments(p.sums, p.settings).variance[0]) for p in (self.first, self.second, self.both))
        spread = np.sqrt(v1 * v2)
        correlation = float(np.clip((v1 + v2 - v) / 2 / spread, -1, 0)) if spread > 0 else 0.0

        def at(confidence: float) -> Estimate:
            one, two = (curve.at(confidence) for curve in curves)
            point = shortened(float(moments(self.both.sums, self.both.settings).value[0]))
            counts = (one.n_speakers, self.both.n_clips, self.both.n_missing)
            if point is None or one.interval is None or two.interval is None:
                return Estimate(point, None, None, *counts, one.method)
            a, b = (tuple(np.array([x]) for x in (each.value, each.low, each.high)) for each in (one, two))
            _, low, high = mover(a, b, correlation)  # type: ignore[arg-type]  # three ends each
            ends = float(max(-2.0, min(low[0], point))), float(min(2.0, max(high[0], point)))
            method = f"MOVER of two changes of the same speakers (first: {one.method}; second: {two.method})"
            return Estimate(point, shortened(ends[0]), shortened(ends[1]), *counts, method)

        return Curve(at, max(curve.least for curve in curves))

    def counted(self, n_clips: int, n_missing: int, n_unpaired: int = 0) -> Twofold:
        """The same with the clips that stand behind it, where rows are speakers."""
        return replace(self, both=replace(self.both, n_clips=n_clips, n_missing=n_missing, n_unpaired=n_unpaired))
