"""Tipping points: the smallest number of changed observations at which a conclusion changes.

A tipping-point analysis (Yan, Lee and Li 2009; Liublinska and Rubin 2014) asks how many observations would have to be
different, instead of assuming how many are. The conclusion is recomputed for each number by the caller, with its
interval. Which observations are changed is chosen so that the number is small.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from audit.stats.speakers import Floats, Ints


def tipping_point(reached: Callable[[int], bool], fewest: int, most: int, *, lasting: bool = False) -> int | None:
    """The smallest number for which a condition holds; ``None`` if it holds for none that is examined.

    If the condition lasts, holding for all larger numbers once it holds, bisection finds the smallest one. Otherwise
    numbers are examined from ``fewest`` to ``most`` in steps of half the number so far, and then by bisection: the
    condition does not hold for the number before the result, but might hold for one that was stepped over.

    Parameters
    ----------
    reached : callable
        Whether the condition holds for a number.
    fewest, most : int
        The range, both included.
    lasting : bool
        Whether the condition lasts.

    Examples
    --------
    >>> tipping_point(lambda number: number >= 37, 0, 100), tipping_point(lambda number: number >= 37, 0, 30)
    (37, None)
    >>> tipping_point(lambda number: number >= 37, 0, 100, lasting=True)
    37
    >>> tipping_point(lambda number: True, 1, 9), tipping_point(lambda number: True, 1, 0)
    (1, None)
    """
    if fewest > most:
        return None
    below, number = fewest - 1, most if lasting else fewest
    while not reached(number):
        if number == most:
            return None
        below, number = number, min(number + max(1, (number - fewest) // 2), most)
    while number - below > 1:
        middle = (below + number) // 2
        below, number = (below, middle) if reached(middle) else (middle, number)
    return number


def filling_order(speakers: Ints, clips: Ints, *further: Floats | Ints) -> Ints:
    """The order in which missing clips are filled: first those of speakers with the fewest clips, one by one.

    In a speaker-averaged rate with every missing clip filled, a clip of a speaker with ``c`` clips moves the estimate
    by ``1 / (c * speakers)``, so this order needs the fewest clips to reach any value.

    Parameters
    ----------
    speakers, clips : int arrays of shape (missing,)
        The speaker of each missing clip, and the number of that speaker's clips, missing ones included.
    *further : arrays of shape (missing,)
        Values that decide between speakers with equally many clips, lowest first.

    Returns
    -------
    int array of shape (missing,)
        Indices of the clips.

    Examples
    --------
    >>> filling_order(np.array([0, 1, 0]), np.array([3, 1, 3])).tolist()
    [1, 0, 2]
    """
    return np.lexsort((speakers, *reversed(further), clips))


def even_order(speakers: Ints, *further: Floats | Ints) -> Ints:
    """An order of clips in which every beginning has about the same share of each speaker's clips.

    It represents an error that affects all clips with one probability, without random numbers. A speaker's clip number
    ``i`` of ``c`` has the place ``(i + u) / c``; ``u`` is the speaker's number in the van der Corput sequence, which
    spreads evenly over [0, 1).

    Parameters
    ----------
    speakers : int array of shape (clips,)
        The speaker of each clip.
    *further : arrays of shape (clips,)
        Values by which speakers are numbered, and then their clips, instead of by their codes.

    Examples
    --------
    >>> order = even_order(np.array([0, 0, 1, 1, 2, 2, 3, 3]))
    >>> order.tolist()  # one clip of each speaker, then the others
    [0, 4, 2, 6, 1, 5, 3, 7]
    """
    sorted_clips = np.lexsort((speakers, *reversed(further)))
    _, first, number = np.unique(speakers[sorted_clips], return_index=True, return_inverse=True)
    ranks = np.empty(len(first), np.int64)
    ranks[np.argsort(first)] = np.arange(len(first))
    grouped = np.argsort(number, kind="stable")
    counts = np.bincount(number)
    within = np.empty(len(speakers), np.int64)
    within[grouped] = np.arange(len(speakers)) - np.repeat(np.cumsum(counts) - counts, counts)
    place = (within + _van_der_corput(ranks)[number]) / counts[number] if len(speakers) else np.zeros(0)
    return sorted_clips[np.lexsort((ranks[number], place))]


def _van_der_corput(numbers: Ints) -> Floats:
    """Members of the van der Corput sequence in base 2, in [0, 1)."""
    found, left, scale = np.zeros(len(numbers)), numbers.copy(), 0.5
    while left.any():
        found, left, scale = found + scale * (left & 1), left >> 1, scale / 2
    return found


def relabelled(members: Floats, others: Floats, number: int, *, upwards: bool) -> Ints:
    """The speakers who leave or join a group so that its mean rises (or falls) most with that number of changes.

    Those with the lowest values leave and those with the highest join (for a falling mean the reverse); how many of
    each is the best of all ``number + 1`` splits.

    Parameters
    ----------
    members, others : float arrays
        One value per speaker, in the group and outside it.
    number : int
        The number of changes, less than the number of members.
    upwards : bool
        Whether the mean shall rise.

    Returns
    -------
    int array of shape (number,)
        Indices into the members and then the others: ``i`` below ``len(members)`` leaves, ``i`` from there on joins.

    Examples
    --------
    >>> relabelled(np.array([0.0, 0.0, 1.0]), np.array([0.0, 0.5]), 2, upwards=True).tolist()
    [0, 1]
    >>> relabelled(np.zeros(4), np.array([0.8, 1.0]), 2, upwards=True).tolist()  # 1.8 / 6 instead of 1 / 4
    [5, 4]
    """
    sign = 1.0 if upwards else -1.0
    leaving = np.argsort(sign * members, kind="stable")
    joining = np.argsort(-sign * others, kind="stable")
    left = np.arange(max(0, number - len(others)), min(number, len(members) - 1) + 1)
    joined = number - left
    lost, won = (np.r_[0.0, np.cumsum(part)] for part in (sign * members[leaving], sign * others[joining]))
    means = (sign * members.sum() - lost[left] + won[joined]) / (len(members) - left + joined)
    best = left[np.flatnonzero(means >= means.max() - 1e-12)[-1]] if len(left) else 0
    found = [leaving[:best], len(members) + joining[: number - best if len(left) else 0]]
    return np.concatenate(found).astype(np.int64)
