"""Pairs of runs: a baseline and a candidate on the same clips."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audit.checks.evidence import Evidence
from audit.checks.strata import Cells, Mask
from audit.core.grouping import Grouping
from audit.stats import Curve, Estimate, Pairs, Settings
from audit.stats.intervals import mover
from audit.stats.pairs import PairSums, aligned_pairs
from audit.stats.rates import moments, shortened
from audit.stats.settings import Kind
from audit.stats.speakers import Reads, Standing


@dataclass(frozen=True)
class Pair:
    """A baseline and a candidate with the same clips in the same rows; groups and languages are the baseline's.

    The runs differ only in the model; see :mod:`audit.comparisons.comparable`.
    """

    baseline: Evidence
    candidate: Evidence

    def by(self, grouping: Grouping) -> Pair:
        """The same clips, grouped by other columns."""
        return Pair(*(evidence.by(grouping) for evidence in self.each))

    @property
    def each(self) -> tuple[Evidence, Evidence]:
        """Baseline, then candidate."""
        return self.baseline, self.candidate

    @property
    def settings(self) -> Settings:
        """The settings of the statistics."""
        return self.baseline.settings

    def has(self, stage: str) -> bool:
        """Whether both runs read any face at a stage."""
        return all(evidence.has(stage) for evidence in self.each)

    def kind(self, metric: str) -> Kind:
        """Whether a metric is a rate or a mean."""
        return self.baseline.metrics[metric].kind

    def change(self, metric: str, stage: str = "rendered") -> NDArray[np.float64]:
        """Candidate minus baseline for each clip; NaN for a clip that was not read in both."""
        first, second = (evidence.values(stage, metric) for evidence in self.each)
        return second - first

    def span(self, metric: str, *stages: str) -> float | None:
        """The largest difference between the runs' changes of a mean that their values allow; ``None`` for a rate."""
        spans = [each.span(metric, *stages) for each in self.each]
        return sum(span or 0.0 for span in spans) or None

    def pairs(self, change: NDArray[np.float64], mask: Mask, kind: Kind, name: str) -> Pairs:
        """The speakers' pairs in a subset of the clips, from the change of each clip between the runs."""
        speakers, shared = self.baseline.speakers[mask], self.baseline.shared(mask)
        return _pairs_of(change[mask], speakers, kind, self.settings, name, shared)

    def changes(self, metric: str, cells: Cells) -> PairSums:
        """The speakers' pairs in every cell."""
        return aligned_pairs(Reads.of(self.change(metric)), cells.clips, alike_as_one=True)


def _pairs_of(
    change: NDArray[np.float64],
    speakers: NDArray[np.int64],
    kind: Kind,
    settings: Settings,
    name: str,
    clusters: NDArray[np.int64] | None = None,
) -> Pairs:
    """Pairs from the change of each row; NaN where there is none."""
    standing = Standing.of(speakers, clusters=clusters)
    return aligned_pairs(Reads.of(change), standing).one(0, kind, settings, f"{name} by run")


def change_of_difference(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    speakers: NDArray[np.int64],
    settings: Settings,
    name: str,
    counts: tuple[int, int, int] | None = None,
    clusters: NDArray[np.int64] | None = None,
) -> Curve:
    """The change of the difference of two shares over the same speakers, at every confidence.

    ``first`` and ``second`` are the changes of the two shares in each row; rows without both are left out. Where rows
    are speakers, ``counts`` are the numbers of clips used and missing, and of unpaired speakers. ``clusters`` are the
    numbers of the rows' clusters where speakers share some.

    A speaker's change of either share lies in [-1, 1], where the interval for paired rates applies; the change of the
    difference lies in [-2, 2]. The interval is MOVER (Zou and Donner 2008, equations 8 and 9) of the intervals of the
    two changes, with the correlation from jackknife variances: ``cov = (v1 + v2 - v) / 2``, for the first, the second
    and their difference. A positive correlation, which would narrow the interval, is set to zero.
    """
    change = second - first
    rows = (np.where(np.isnan(change), np.nan, of) for of in (first, second, change))
    parts = [_pairs_of(of, speakers, "rate", settings, name, clusters) for of in rows]
    curves, both = [part.curve() for part in parts[:2]], parts[2]
    if counts:
        both = replace(both, n_clips=counts[0], n_missing=counts[1], n_unpaired=counts[2])
    v1, v2, v = (float(moments(part.sums, settings).variance[0]) for part in parts)
    scale = np.sqrt(v1 * v2)
    correlation = float(np.clip((v1 + v2 - v) / 2 / scale, -1, 0)) if scale > 0 else 0.0
    point = shortened(float(moments(both.sums, settings).value[0]))

    def at(confidence: float) -> Estimate:
        one, two = (curve.at(confidence) for curve in curves)
        numbers = (one.n_speakers, both.n_clips, both.n_missing)
        if point is None or one.interval is None or two.interval is None:
            return Estimate(point, None, None, *numbers, one.method)
        a, b = (tuple(np.array([x]) for x in (each.value, each.low, each.high)) for each in (one, two))
        _, low, high = mover(a, b, correlation)  # type: ignore[arg-type]  # three ends each
        ends = float(max(-2.0, min(low[0], point))), float(min(2.0, max(high[0], point)))
        method = f"MOVER of two changes of the same speakers (first: {one.method}; second: {two.method})"
        return Estimate(point, shortened(ends[0]), shortened(ends[1]), *numbers, method)

    return Curve(at, max(curve.least for curve in curves))
