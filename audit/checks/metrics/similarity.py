"""Similarity of faces to their speakers' portraits by face features: ranks, identification, distances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FIRST: Final = (1, 5, 10)
"""The values of k in recall@k."""

AT_ONCE: Final = 4096
"""The number of faces compared at a time: 32 MB of cosines with a gallery of 1,000."""

# cosines are compared in steps of a millionth, so that ranks do not depend on a machine's order of addition
_STEPS: Final = 1e6

Floats = NDArray[np.float64]


class Distances(NamedTuple):
    """Distances of unit features: degrees from 0 to 180, L2 from 0 to 2, L1 from 0 to 2 sqrt(D)."""

    angle: Floats
    l2: Floats
    l1: Floats


class Ranks(NamedTuple):
    """Each clip's rank, from 1 to the size of the gallery or NaN, and the size of the gallery."""

    rank: Floats
    gallery: int


def feature_distances(features: NDArray[np.float32], portraits: NDArray[np.float32]) -> Distances:
    """Distances between each clip's face and its portrait (Oh et al. 2019, who use VGG-Face features).

    For ``a`` and ``b`` normalized to unit length: ``l2 = |a - b|``, ``l1 = sum(|a_i - b_i|)``, and the angle
    ``2 asin(l2 / 2)``, the paper's cosine distance in degrees.

    ``features`` and ``portraits`` have shape [n_clips, D], with a row of NaN where there is no face. The distances, of
    shape [n_clips] each, are rounded to six decimals; NaN where either face is missing.

    Examples
    --------
    >>> one, other = np.array([[1.0, 0.0]], np.float32), np.array([[0.0, 2.0]], np.float32)
    >>> [part.tolist() for part in feature_distances(one, other)]  # 90 degrees, sqrt(2), 1 + 1
    [[90.0], [1.414214], [2.0]]
    """
    found = Distances(*(np.full(len(features), np.nan) for _ in Distances._fields))
    if not (features.shape[1] and portraits.shape[1]):
        return found
    able = np.flatnonzero(~(np.isnan(features[:, 0]) | np.isnan(portraits[:, 0])))
    for start in range(0, len(able), AT_ONCE):
        rows = able[start : start + AT_ONCE]
        difference = _unit(features[rows]) - _unit(portraits[rows])
        length = np.sqrt((difference**2).sum(axis=1))
        found.l2[rows] = length
        found.l1[rows] = np.abs(difference).sum(axis=1)
        found.angle[rows] = np.degrees(2 * np.arcsin(np.minimum(length / 2, 1)))
    return Distances(*(np.round(part, 6) for part in found))


def portrait_ranks(
    features: NDArray[np.float32],
    portraits: NDArray[np.float32],
    speakers: pd.Series,
    most: int,
    rng: np.random.Generator,
) -> Ranks:
    """The rank of the speaker's own portrait for each clip's face, by cosine to the portraits of a gallery.

    The gallery has one portrait of every speaker with any: the unit mean of their features. With more than ``most``
    speakers it is a sample, which depends on features and not on names; a speaker outside the sample replaces its last
    portrait, so that every face is compared with a gallery of the same size. Cosines are compared in steps of a
    millionth; a tie counts against the own portrait.

    ``features`` and ``portraits`` are as in :func:`feature_distances`, ``speakers`` has the speaker of each clip, and
    ``rng`` draws the sample. A rank is NaN where the face is missing or its speaker has no portrait.

    Examples
    --------
    >>> portraits = np.eye(3, dtype=np.float32)
    >>> faces = np.array([[0.9, 0.1, 0.0], [0.9, 0.5, 0.0], [0.5, 0.5, 0.5]], np.float32)
    >>> portrait_ranks(faces, portraits, pd.Series([*"abc"]), 1000, np.random.default_rng(0)).rank.tolist()
    [1.0, 2.0, 3.0]
    """
    ranks = np.full(len(features), np.nan)
    if not (features.shape[1] and portraits.shape[1]):
        return Ranks(ranks, 0)
    people, speaker = _people(portraits, speakers)
    able = np.flatnonzero((speaker >= 0) & ~np.isnan(features[:, 0]))
    chosen = _drawn(len(people), most, rng)
    # the index of each speaker's portrait in the gallery; speakers outside it replace the last portrait
    place = np.full(len(people), len(chosen) - 1)
    place[chosen] = np.arange(len(chosen))
    across = _STEPS * people[chosen].T
    for start in range(0, len(able), AT_ONCE):
        rows = able[start : start + AT_ONCE]
        faces, who = _unit(features[rows]), speaker[rows]
        own = np.rint(_STEPS * np.einsum("ij,ij->i", faces, people[who]))
        others = faces @ across
        before = np.rint(others, out=others) >= own[:, None]
        before[np.arange(len(rows)), place[who]] = False
        ranks[rows] = 1 + np.count_nonzero(before, axis=1)
    return Ranks(ranks, len(chosen))


def identification_shares(
    features: NDArray[np.float32],
    portraits: NDArray[np.float32],
    speakers: pd.Series,
    demographic: pd.Series,
    most: int,
    generator: Callable[[str], np.random.Generator],
) -> Floats:
    """The share of impostor portraits that are less similar to each clip's face than the speaker's own portrait.

    Impostors are the other speakers of the same demographic. Ties count half, so the share is the probability of
    superiority of the own portrait (Mann and Whitney 1947): 0.5 is chance, 1 is perfect. Cosines are compared in steps
    of a millionth. Each speaker has one portrait: the unit mean of their features. A demographic with more than
    ``most`` speakers is represented by a sample of them, which depends on features and not on names.

    Parameters
    ----------
    features, portraits : float32 arrays of shape [n_clips, D]
        The features of each clip's face and portrait, with a row of NaN where there is no face.
    speakers, demographic : Series of shape [n_clips]
        The speaker of each clip, and their demographic: a label such as ``asian/woman``, missing where it is unknown.
    most : int
        The maximum number of portraits of one demographic that a face is compared with.
    generator : callable
        The random generator of a name, for the samples: :meth:`audit.stats.Settings.generator`.

    Returns
    -------
    float array of shape [n_clips]
        Shares in [0, 1], rounded to six decimals. NaN where the face or the demographic is missing, the speaker has no
        portrait, or no other speaker of the demographic has one.

    Examples
    --------
    >>> portraits = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)
    >>> faces = np.array([[0, 1], [1, 0], [0, 1]], np.float32)
    >>> of = pd.Series(["asian/woman"] * 3)
    >>> identification_shares(faces, portraits, pd.Series([*"abc"]), of, 1000, lambda name: np.random.default_rng(0))
    array([0. , 0.5, 1. ])
    """
    shares = np.full(len(features), np.nan)
    if not (features.shape[1] and portraits.shape[1]):
        return shares
    cells, names = pd.factorize(demographic, sort=True)
    for cell, name in enumerate(names):
        here = np.flatnonzero(cells == cell)
        people, speaker = _people(portraits[here], speakers.iloc[here])
        if len(people) < 2:
            continue
        chosen = _drawn(len(people), most, generator(f"impostors {name}"))
        compared = np.isin(np.arange(len(people)), chosen)
        across = _STEPS * people[chosen].T
        able = np.flatnonzero((speaker >= 0) & ~np.isnan(features[here, 0]))
        for start in range(0, len(able), AT_ONCE):
            rows = able[start : start + AT_ONCE]
            faces, who = _unit(features[here[rows]]), speaker[rows]
            own = np.rint(_STEPS * np.einsum("ij,ij->i", faces, people[who]))[:, None]
            others = faces @ across
            np.rint(others, out=others)
            less, ties = np.count_nonzero(others < own, axis=1), np.count_nonzero(others == own, axis=1)
            # the own portrait ties with itself where it is in the sample
            shares[here[rows]] = (less + (ties - compared[who]) / 2) / (len(chosen) - compared[who])
    return np.round(shares, 6)


def _drawn(number: int, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The indices of all portraits, or of a sample of ``most``."""
    if number <= most:
        return np.arange(number)
    return np.sort(rng.choice(number, most, replace=False))


def _people(portraits: NDArray[np.float32], speakers: pd.Series) -> tuple[Floats, NDArray[np.int64]]:
    """The unit features of each speaker with a portrait, sorted, and the index of each clip's speaker or -1."""
    there = np.flatnonzero(~np.isnan(portraits[:, 0]))
    codes, names = pd.factorize(speakers.iloc[there])
    means = np.zeros((len(names), portraits.shape[1]))
    if not len(names):
        return means, np.full(len(speakers), -1)
    order = np.argsort(codes, kind="stable")
    starts = np.r_[np.flatnonzero(np.r_[True, np.diff(codes[order]) > 0]), len(order)]
    for first in range(0, len(names), AT_ONCE):
        ends = starts[first : first + AT_ONCE + 1]
        rows = portraits[there[order[ends[0] : ends[-1]]]]
        means[first : first + AT_ONCE] = np.add.reduceat(rows, ends[:-1] - ends[0], axis=0, dtype=np.float64)
    means = _unit(means)
    by_numbers = np.lexsort(np.round(means[:, 15::-1], 6).T)
    return means[by_numbers], np.asarray(pd.Index(names[by_numbers]).get_indexer(pd.Index(speakers)), np.int64)


def _unit(features: NDArray[np.float32] | Floats) -> Floats:
    """The rows normalized to unit length; rows of zeros stay zero."""
    wide = features.astype(np.float64)
    length = np.sqrt((wide**2).sum(axis=1, keepdims=True))
    return np.asarray(np.divide(wide, length, out=wide, where=length > 0))
