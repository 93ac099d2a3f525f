"""The evidence of a run with one row per part instead of one per clip, for figures that are computed many times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from audit.checks.evidence import Evidence
from audit.checks.strata import Mask
from audit.stats import Curve, Pairs
from audit.stats.pairs import aligned_pairs
from audit.stats.rates import sums_curve
from audit.stats.speakers import Floats, Ints, Reads, Standing


@dataclass(frozen=True)
class Summed(Evidence):
    """Evidence whose rows are parts, the clips of a speaker with equal labels, with the sums of their reads.

    A mask has one entry for each part. :meth:`figure_curve` and :meth:`changed` give exactly the results of the same
    clips one by one. Values of single clips are not available.

    Attributes
    ----------
    of : Evidence
        The clips.
    moved : float array of shape (parts,), optional
        What is added to each part's sum of the values of :attr:`metric_moved` at the stage ``rendered``.
    metric_moved : str
        The metric of which some clips are read otherwise.
    """

    of: Evidence | None = None
    moved: Floats | None = None
    metric_moved: str = ""

    @classmethod
    def made(cls, of: Evidence) -> Self:
        """The parts of the clips; their labels are those of their first clip."""
        first, _ = of.parts
        names = [name for name in of.frame if "." not in str(name)]
        fields = {name: getattr(of, name) for name in of.__dataclass_fields__}
        return cls(**fields | {"frame": of.frame[names].iloc[first].reset_index(drop=True)}, of=of)

    def with_changes(self, metric: str, parts: Ints, change: int) -> Self:
        """These parts with other reads of some clips at the stage ``rendered``, whose values differ by ``change``.

        ``parts`` has the part of each of these clips, which all have a value there and at the stages it is compared
        with.
        """
        moved = np.bincount(parts, minlength=len(self.frame)) * float(change)
        return self._alike(moved=moved, metric_moved=metric)

    @classmethod
    def exact(cls, of: Evidence, masks: tuple[Mask, ...], metric: str, stages: tuple[str, ...]) -> bool:
        """Whether sums over parts give the same digits as the clips: the parts of masks are whole, and sums exact."""
        before = stages[0] if len(stages) > 1 else ""
        is_exact = bool(of._reads_of_clips(metric, stages[-1], before).scale)
        return is_exact and not of.shares_clusters and cls.are_whole(of, masks)

    @classmethod
    def are_whole(cls, of: Evidence, masks: tuple[Mask, ...]) -> bool:
        """Whether subsets of the clips have all or none of each part's."""
        first, standing = of.parts
        return all(np.array_equal(mask[first][standing.unit], mask) for mask in masks)

    def figure_curve(self, metric: str, stage: str, mask: Mask) -> Curve:
        """:meth:`Evidence.figure_curve` for a mask of parts."""
        sums = Standing.of(self.speakers[mask]).sums(self._sums(metric, stage, "", mask))
        return sums_curve(sums, self.metrics[metric].kind, self.settings, f"{stage}.{metric}")

    def changed(self, metric: str, before: str, after: str, mask: Mask) -> Pairs:
        """:meth:`Evidence.changed` for a mask of parts."""
        pairs = aligned_pairs(self._sums(metric, after, before, mask), Standing.of(self.speakers[mask]))
        return pairs.one(0, self.metrics[metric].kind, self.settings, f"{before}>{after}.{metric}")

    def _sums(self, metric: str, stage: str, before: str, mask: Mask) -> Reads:
        assert self.of is not None
        reads = self.of._reads_of_parts(metric, stage, before)
        total = reads.total
        if self.moved is not None and metric == self.metric_moved:
            total = total + ((stage == "rendered") - (before == "rendered")) * self.moved
        return Reads(total[mask], reads.clips[mask], reads.missing[mask])
