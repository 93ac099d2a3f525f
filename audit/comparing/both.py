"""Two runs on the same clips, clip by clip beside one another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Evidence
from audit.stats import Curve, Pairs, Settings
from audit.stats.pairs import PairSums, aligned_pairs
from audit.stats.settings import Kind
from audit.stats.speakers import Reads, Standing
from audit.strata import Cells, Mask

HALVED = "of halved changes"


@dataclass(frozen=True)
class Both:
    """A baseline and a candidate, row by row the same clips; who stands where is told by the baseline.

    The runs are such as :func:`audit.comparing.comparable.refuse_what_differs` lets pass.
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


def wide(pairs: Pairs) -> Curve:
    """The curve of changes that lie in [-2, 2], from pairs of half of them.

    A change of a figure that is itself a difference of two shares goes from -2 to 2. Half of it lies in [-1, 1], as
    the rule for paired rates asks for: mean gain minus mean loss by MOVER (Zou and Donner 2008), which has never zero
    width. Value and interval are twice as large.
    """
    return pairs.curve().times(2, HALVED)
