"""Two-way clustering: speakers who share a second unit, such as a video or a session."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Sharing:
    """How much speakers depend on one another through clusters that they share; arrays of shape (cells,).

    Attributes
    ----------
    clusters : int array
        Number of clusters.
    effect : float array
        Design effect: the variance of the estimate with speakers and clusters over that with speakers only, at least 1.
    crowding : float array
        Number of speakers over Kish's effective number of clusters: the design effect if all speakers of a cluster
        agree. Below 1 where speakers have many clusters each.
    """

    clusters: Ints
    effect: Floats
    crowding: Floats

    @property
    def divisor(self) -> Floats:
        """What the number of speakers is divided by for the effective number.

        The design effect, times the squared ratio of the quantiles at 0.975 of Student's t, with one degree of freedom
        less than there are clusters, and of the normal distribution, since it is estimated. At least the crowding: a
        cluster in which all speakers are misread may not have been drawn, and the variance does not know of it.
        """
        student = special.stdtrit(np.maximum(self.clusters - 1, 1), 0.975)
        return np.maximum(self.effect * (student / special.ndtri(0.975)) ** 2, self.crowding)

    def only(self, cells: NDArray[np.bool_]) -> Sharing:
        """The chosen cells."""
        return Sharing(self.clusters[cells], self.effect[cells], self.crowding[cells])

    def placed(self, place: Ints, n_cells: int) -> Sharing:
        """The cells at the indices ``place`` of ``n_cells`` cells; the others have no cluster."""
        clusters, effect, crowding = np.zeros(n_cells, np.int64), np.ones(n_cells), np.ones(n_cells)
        clusters[place], effect[place], crowding[place] = self.clusters, self.effect, self.crowding
        return Sharing(clusters, effect, crowding)

    def parted(self, cell: int) -> Sharing:
        """Two cells: all others together, with their largest effect and crowding, and one cell."""
        others = np.arange(len(self.clusters)) != cell
        columns = (self.clusters[others].sum(), self.effect[others].max(), self.crowding[others].max())
        own = (self.clusters[cell], self.effect[cell], self.crowding[cell])
        clusters, effect, crowding = (np.array(pair) for pair in zip(columns, own, strict=True))
        return Sharing(clusters, effect, crowding)

    @classmethod
    def joined(cls, parts: list[Sharing]) -> Sharing:
        """Concatenate the cells of several."""
        columns = ([getattr(each, name) for each in parts] for name in ("clusters", "effect", "crowding"))
        return cls(*map(np.concatenate, columns))

    @classmethod
    def of(cls, influence: Floats, share: Floats, unit: Ints, cluster: Ints, cell: Ints, n_cells: int) -> Sharing:
        """The design effect of clusters from the influence of each row on its cell's estimate.

        The variance with two-way clustering is ``V_speaker + V_cluster - V_both`` (Cameron, Gelbach and Miller 2011,
        equation 2.8), sums of squared influences by speaker, by cluster, and by speaker within a cluster; never less
        than ``V_speaker``. Where all speakers agree the variance is unknown, and the effect 1.

        Parameters
        ----------
        influence, share : float arrays of shape (rows,)
            Contribution of each row to its speaker's deviation from the estimate, and share of the row in the speaker's
            weight of 1.
        unit, cluster : int arrays of shape (rows,)
            Indices of each row's unit (one speaker in one cell), and of its cluster.
        cell : int array of shape (units,)
            Cell of each unit.
        n_cells : int
            Number of cells.

        Examples
        --------
        Four speakers in two videos, who agree within each video: the variance doubles.

        >>> rows, ones = np.arange(4), np.ones(4)
        >>> videos, cell = np.array([0, 0, 1, 1]), np.zeros(4, np.int64)
        >>> Sharing.of(np.array([0.5, 0.5, -0.5, -0.5]), ones, rows, videos, cell, 1).effect.tolist()
        [2.0]
        """
        n_clusters = int(cluster.max(initial=-1)) + 1
        of_cell = cell[unit]
        both, in_both = np.unique(unit * n_clusters + cluster, return_inverse=True)
        joint, in_joint = np.unique(of_cell * n_clusters + cluster, return_inverse=True)
        joint_cell = joint // max(n_clusters, 1)

        def squares(place: Ints, n: int, cells: Ints, values: Floats) -> Floats:
            return np.bincount(cells, np.bincount(place, values, n) ** 2, n_cells).astype(np.float64)

        by_speaker = squares(unit, len(cell), cell, influence)
        by_cluster = squares(in_joint, len(joint), joint_cell, influence)
        by_both = squares(in_both, len(both), cell[both // max(n_clusters, 1)], influence)
        speakers = np.bincount(cell, np.bincount(unit, minlength=len(cell)) > 0, n_cells)
        crowding = squares(in_joint, len(joint), joint_cell, share) / np.maximum(speakers, 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            effect = (by_speaker + by_cluster - by_both) / by_speaker
        effect = np.where(by_speaker > 1e-12, effect, 1.0)
        return cls(np.bincount(joint_cell, minlength=n_cells).astype(np.int64), np.maximum(effect, 1.0), crowding)
