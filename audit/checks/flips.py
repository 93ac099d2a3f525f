"""How often two clips of one speaker are read as different races, within one language and between two."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from audit.checks.evidence import Evidence
from audit.checks.strata import Mask, computed_once
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
    shape = [int(part.max(initial=0)) + 1 for part in (speakers, languages, reads)]
    cell = np.ravel_multi_index([part[read] for part in (speakers, languages, reads)], shape)
    same = np.bincount(cell, minlength=math.prod(shape)).reshape(shape)
    who = np.flatnonzero(same.any(axis=(1, 2)))
    same = same[who]
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


@dataclass(frozen=True)
class SpeakerFlips:
    """The flips of each speaker's rendered faces; regional variants count as one language.

    Attributes
    ----------
    evidence : Evidence
        The clips of the run.
    mask : bool array of shape (clips,)
        Those of which the flips are.
    clips, read, repeated : int arrays of shape (speakers,)
        By speaker, the number of clips, of those that were read and whose language is known, and of those of
        :func:`repeated`.
    of_read, of_repeated : float arrays of shape (2, speakers)
        The results of :func:`flips`, within a language and between two, for these two kinds of clips; NaN without.
    """

    evidence: Evidence
    mask: Mask
    clips: NDArray[np.int64]
    read: NDArray[np.int64]
    repeated: NDArray[np.int64]
    of_read: NDArray[np.float64]
    of_repeated: NDArray[np.float64]

    @classmethod
    def of(cls, evidence: Evidence, mask: Mask) -> Self:
        """The flips in a subset of the clips."""
        reads, who, spoken = (each[mask] for each in (evidence.reads("rendered"), evidence.speakers, evidence.spoken))
        n = int(evidence.speakers.max(initial=-1)) + 1
        twice = repeated(reads, who, spoken)

        def by_speaker(reads: NDArray[np.int64]) -> NDArray[np.float64]:
            shares = np.full((2, n), np.nan)
            able, *found = flips(reads, who, spoken)
            shares[:, able] = found
            return shares

        clips, read, often = (
            np.bincount(who[of], minlength=n) for of in (slice(None), (reads >= 0) & (spoken >= 0), twice)
        )
        return cls(evidence, mask, clips, read, often, by_speaker(reads), by_speaker(np.where(twice, reads, -1)))

    def are_whole(self, mask: Mask) -> bool:
        """Whether a subset of the run's clips has all or none of each speaker's."""
        return np.array_equal(self._speakers(self.evidence, mask)[self.evidence.speakers], mask)

    def of_clips(self, mask: Mask) -> FlipFigures:
        """The figures of these clips that are in another subset of the run's, too."""
        if not self.are_whole(mask):
            return flip_figures(self.evidence, mask & self.mask)
        return self.figures(self._speakers(self.evidence, mask))

    def figures(self, chosen: Mask | None = None) -> FlipFigures:
        """The figures of all speakers, or of some."""
        chosen = np.ones(len(self.clips), bool) if chosen is None else chosen
        able, n_all = np.flatnonzero(chosen & (self.read > 0)), int(self.clips[chosen].sum())
        linked, settings = self.evidence.shared_by_speakers(able), self.evidence.settings

        def counted(name: str, shares: NDArray[np.float64]) -> Curve:
            n = int(self.read[able][~np.isnan(shares)].sum())
            curve = figure_curve(shares, able, settings, name=name, clusters=linked)
            return Curve(lambda confidence: replace(curve.at(confidence), n_clips=n, n_missing=n_all - n), curve.least)

        within, between = self.of_read[:, able]
        return FlipFigures(counted("flips within", within), counted("flips between", between), self._excess(chosen))

    def excess(self, evidence: Evidence, mask: Mask) -> Pairs:
        """The excess of whole speakers; ``mask`` is of ``evidence``, the run's clips or parts."""
        return self._excess(self._speakers(evidence, mask))

    def _excess(self, chosen: Mask) -> Pairs:
        able = np.flatnonzero(chosen & (self.repeated > 0))
        first, second = self.of_repeated[:, able]
        linked, settings = self.evidence.shared_by_speakers(able), self.evidence.settings
        n = int(self.repeated[able][~np.isnan(second)].sum())
        found = paired(first, second, able, settings, name="flips", clusters=linked)
        return replace(found, n_clips=n, n_missing=int(self.clips[chosen].sum()) - n)

    def _speakers(self, evidence: Evidence, mask: Mask) -> Mask:
        """The speakers of a subset, by number."""
        chosen = np.zeros(len(self.clips), bool)
        chosen[evidence.speakers[mask]] = True
        return chosen


@computed_once
def speaker_flips(evidence: Evidence) -> SpeakerFlips:
    """The flips in all clips of the run."""
    return SpeakerFlips.of(evidence, evidence.where())


def flip_figures(evidence: Evidence, mask: Mask) -> FlipFigures:
    """The flips of the rendered faces of a subset of the clips."""
    return SpeakerFlips.of(evidence, mask).figures()
