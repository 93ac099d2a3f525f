"""How often two clips of one speaker are read as different races, within one language and between two."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audit.checks.evidence import Evidence
from audit.checks.strata import Mask
from audit.stats import Curve, Pairs, figure_curve, paired


def flips(
    reads: NDArray[np.int64], speakers: NDArray[np.int64], languages: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Disagreement of a speaker's reads within a language and between languages.

    If a speaker's reads have the distribution ``p_l`` in language ``l``, two clips in language ``l`` differ with
    probability ``1 - sum_r p_l(r)**2`` (Gini 1912), and two clips in languages ``l`` and ``m`` with
    ``1 - sum_r p_l(r) * p_m(r)`` (Lieberson 1969). Both are estimated without bias from all pairs of read clips.

    The second minus the mean of the first over ``l`` and ``m`` is ``sum_r (p_l(r) - p_m(r))**2 / 2``: zero where the
    language has no effect, and never negative. The same is true of the difference of the returned shares if both are
    over the same languages: pass only the clips of :func:`repeated`.

    Parameters
    ----------
    reads : int array of shape (clips,)
        The read race, from 0; negative where the clip was not read.
    speakers, languages : int arrays of shape (clips,)
        Numbers from 0. Clips of an unknown language (-1) are in no pair.

    Returns
    -------
    speakers, within, between : arrays of shape (speakers with a read,)
        ``within``: the share of differing pairs in one language, averaged over the languages with a pair. ``between``:
        the share of differing pairs in two languages, averaged over pairs of languages. In [0, 1]; NaN without a pair.

    Examples
    --------
    >>> who, within, between = flips(np.array([0, 0, 1, 1]), np.zeros(4, int), np.array([0, 0, 1, 1]))
    >>> within.tolist(), between.tolist()
    ([0.0], [1.0])
    """
    read = (reads >= 0) & (languages >= 0)
    who, who_code = np.unique(speakers[read], return_inverse=True)
    n, n_languages, n_reads = len(who), int(languages.max(initial=-1)) + 1, int(reads.max(initial=-1)) + 1
    spoken = who_code * n_languages + languages[read]
    same = np.bincount(spoken * n_reads + reads[read], minlength=n * n_languages * n_reads)
    same = same.reshape(n, n_languages, n_reads)
    clips = same.sum(axis=2)
    pairs, alike = _pairs(clips), _pairs(same).sum(axis=2)
    spoken_by = (clips > 0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        differing = np.where(pairs > 0, 1 - alike / pairs, 0.0)
        within = differing.sum(axis=1) / (pairs > 0).sum(axis=1)
        shares = np.where(clips[:, :, None] > 0, same / clips[:, :, None], 0.0)
        # sum of products over pairs of languages: (square of the sum - sum of the squares) / 2
        crossing = (np.square(shares.sum(axis=1)).sum(axis=1) - np.square(shares).sum(axis=(1, 2))) / 2
        between = np.where(spoken_by > 1, np.round(1 - crossing / _pairs(spoken_by), 12), np.nan)
    return who, within, between


def repeated(reads: NDArray[np.int64], speakers: NDArray[np.int64], languages: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The clips that were read and whose speaker was read in that language at least twice.

    Examples
    --------
    >>> repeated(np.array([0, 1, 0]), np.zeros(3, int), np.array([0, 0, 1])).tolist()
    [True, True, False]
    """
    often = (reads >= 0) & (languages >= 0)
    # only clips that were read are numbered, since an unknown language (-1) would get the number of another cell
    spoken = speakers[often] * (int(languages.max(initial=-1)) + 1) + languages[often]
    often[often] = np.bincount(spoken)[spoken] > 1
    return np.asarray(often, np.bool_)


def _pairs(number: NDArray[np.int64]) -> NDArray[np.float64]:
    """The number of pairs of ``number`` clips."""
    return np.asarray(number * (number - 1) / 2, np.float64)


@dataclass(frozen=True)
class FlipFigures:
    """The rates at which two clips of one speaker are read as different races.

    ``within`` one language and ``between`` two, over all speakers with such a pair; ``excess`` is between minus within
    over the speakers with at least two reads in each of two languages.
    """

    within: Curve
    between: Curve
    excess: Pairs


def flip_figures(evidence: Evidence, mask: Mask) -> FlipFigures:
    """The flips of the rendered faces of a subset of the clips; regional variants count as one language."""
    reads, who = evidence.reads("rendered")[mask], evidence.speakers[mask]
    spoken = evidence.spoken[mask]
    twice = repeated(reads, who, spoken)

    def n_clips(of: Mask, able: NDArray[np.int64], shares: NDArray[np.float64]) -> int:
        """The number of clips behind the shares of speakers."""
        return int(np.isin(who[of], able[~np.isnan(shares)]).sum())

    def counted(name: str, shares: NDArray[np.float64]) -> Curve:
        n, linked = n_clips(read, able, shares), evidence.shared_by_speakers(able)
        curve = figure_curve(shares, able, evidence.settings, name=name, clusters=linked)
        return Curve(lambda confidence: replace(curve.at(confidence), n_clips=n, n_missing=len(who) - n), curve.least)

    read = (reads >= 0) & (spoken >= 0)
    able, within, between = flips(reads, who, spoken)
    both, first, second = flips(np.where(twice, reads, -1), who, spoken)
    linked = evidence.shared_by_speakers(both)
    n, excess = (
        n_clips(twice, both, second),
        paired(first, second, both, evidence.settings, name="flips", clusters=linked),
    )
    excess = replace(excess, n_clips=n, n_missing=len(who) - n)
    return FlipFigures(counted("flips within", within), counted("flips between", between), excess)
