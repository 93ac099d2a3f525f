"""Paired differences: two readings of the same speakers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from audit.stats.clusters import Sharing
from audit.stats.curves import Curve
from audit.stats.estimate import Estimate
from audit.stats.intervals import mover
from audit.stats.rates import Drawn, Moments, RateForm, estimates, estimates_of, least_error, moments, shortened
from audit.stats.settings import LARGE, Kind, Settings
from audit.stats.speakers import (
    Floats,
    Ints,
    Reads,
    SpeakerIds,
    SpeakerSums,
    Standing,
    checked_values,
    codes_of,
    ids_of,
    sorted_sums,
)

_ENUMERATED = 16
_MANY = 1000


@dataclass(frozen=True)
class PairedTest:
    """A test of the hypothesis of no mean change, with speakers as sampling unit.

    Attributes
    ----------
    p : float or None
        Two-sided p-value; None if no speaker has both readings.
    gained, lost, n_speakers : int
        Number of speakers whose value rose, fell, and of all that have both readings.
    """

    p: float | None
    gained: int
    lost: int
    n_speakers: int
    method: str


@dataclass(frozen=True)
class Pairs:
    """Differences of the speakers with both readings, in one cell, with counts; made by :func:`paired`."""

    sums: SpeakerSums
    n_clips: int
    n_missing: int
    n_unpaired: int
    kind: Kind
    settings: Settings
    name: str

    def difference(self) -> Estimate:
        """The mean difference at the settings' confidence."""
        return self.curve().at(self.settings.confidence)

    def curve(self, largest: float | None = None) -> Curve:
        """The difference at every confidence.

        Parameters
        ----------
        largest : float, optional
            Of a mean, the largest possible change of a speaker, in either direction. Student's t and the bootstrap know
            only the changes that were drawn, and have no interval if there are none. With ``largest``, the curve
            without adjustment (:attr:`Curve.alone`), by which a mean is ``not_shown``, is also at least as wide as that
            of a rate (:func:`paired`) of the changes as shares of ``largest``, and the curve is that one if there is no
            other.
        """
        drawn: Drawn = {}
        plain = Curve(
            lambda confidence: self._at(replace(self.settings, confidence=confidence), drawn),
            least_error(self.sums, self.kind, self.settings),
        )
        if self.kind == "rate" or largest is None:
            return plain
        share = np.clip(self.sums.total / largest, -self.sums.clips, self.sums.clips)
        shares = replace(self, sums=replace(self.sums, total=share), kind="rate").curve()

        def bounded(confidence: float) -> Estimate:
            found = shares.at(confidence)
            value, low, high = (
                None if end is None else shortened(largest * end) for end in (found.value, found.low, found.high)
            )
            method = f"{found.method}, as shares of at most {largest:.4g} a speaker"
            return replace(found, value=value, low=low, high=high, method=method)

        def at(confidence: float) -> Estimate:
            found = plain.at(confidence)
            return found if found.interval is not None else bounded(confidence)

        def wider(confidence: float) -> Estimate:
            found, other = at(confidence), bounded(confidence)
            if found.interval is None or other.interval is None:
                return found
            (low, high), (least, most) = found.interval, other.interval
            return replace(found, low=min(low, least), high=max(high, most), method=f"{found.method}; {other.method}")

        return Curve(at, plain.least, Curve(wider, plain.least))

    def _at(self, settings: Settings, drawn: Drawn) -> Estimate:
        counts = (np.array([each]) for each in (self.n_clips, self.n_missing, self.n_unpaired))
        return paired_estimates(PairSums(self.sums, *counts), self.kind, settings, [self.name], drawn)[0]

    def permutation(self) -> PairedTest:
        """Permutation test of no mean change: first and second are swapped per speaker, for all clips at once.

        The statistic is ``|sum_s d_s|``. All sign changes are enumerated if they have at most ``2**16`` different sums,
        as for up to 16 speakers or for few sizes of change. Otherwise ``settings.resamples`` random sign changes and
        the observed one are used (Phipson and Smyth 2010), or the normal limit from 1000 speakers with a change.
        """
        (change,), settings = self.sums.singly(0, self.sums.mean), self.settings
        if not len(change):
            return PairedTest(None, 0, 0, 0, "sign-flip permutation of speakers")
        gained, lost = int((change > 1e-12).sum()), int((change < -1e-12).sum())
        size, number = np.unique(np.round(np.abs(change[np.abs(change) > 1e-12]), 12), return_counts=True)
        seen = abs(float(np.round(change, 12).sum())) - 1e-9
        moved = int(number.sum())
        if np.log1p(number).sum() <= _ENUMERATED * np.log(2):
            # the sum depends only on how many changes of each size keep their sign
            sums, chance = np.zeros(1), np.ones(1)
            for each, of in zip(size, number, strict=True):
                kept = np.arange(of + 1)
                sums = np.add.outer(sums, (2 * kept - of) * each).ravel()
                ways = special.gammaln(of + 1) - special.gammaln(kept + 1) - special.gammaln(of - kept + 1)
                chance = np.multiply.outer(chance, np.exp(ways - of * np.log(2))).ravel()
            p, how = min(1.0, float(chance[np.abs(sums) >= seen].sum())), f"all 2^{moved} sign changes"
        elif moved >= _MANY:
            deviation = float(np.sqrt((number * size**2).sum()))
            p = 2 * float(special.ndtr(-abs(float(change.sum())) / deviation))
            how = f"normal limit of {moved} sign changes"
        else:
            shape = (settings.resamples, len(size))
            rng = settings.generator(self.name)
            flips = rng.binomial(number, 0.5, size=shape) if number.max() > 1 else rng.integers(0, 2, size=shape)
            drawn = np.abs(((2 * flips - number) * size).sum(axis=1))
            p = (float(np.sum(drawn >= seen)) + 1) / (settings.resamples + 1)
            how = f"{settings.resamples} random sign changes"
        return PairedTest(shortened(p), gained, lost, len(change), f"sign-flip permutation of speakers, {how}")


@dataclass(frozen=True)
class PairSums:
    """Differences per speaker and cell, with counts.

    Attributes
    ----------
    sums : SpeakerSums
        One entry per speaker with both readings; its mean is the difference.
    n_clips, n_missing, n_unpaired : int arrays of shape (cells,)
        Clips used, clips not used, speakers with one reading only.
    """

    sums: SpeakerSums
    n_clips: Ints
    n_missing: Ints
    n_unpaired: Ints

    def one(self, i: int, kind: Kind, settings: Settings, name: str = "") -> Pairs:
        """The pairs of one cell."""
        clips, missing, unpaired = (int(each[i]) for each in (self.n_clips, self.n_missing, self.n_unpaired))
        return Pairs(self.sums.one(i), clips, missing, unpaired, kind, settings, name)


def aligned_pairs(change: Reads, standing: Standing, *, alike_as_one: bool = False) -> PairSums:
    """Pairs of two readings of the same clips, from the change of each clip; clips without both are left out."""
    sums = standing.sums(change, alike_as_one=alike_as_one)
    speakers = np.bincount(standing.cell, minlength=standing.n_cells)
    return PairSums(sums, sums.sum(sums.clips).astype(np.int64), sums.missing, speakers - sums.sum().astype(np.int64))


def matched_pairs(first: Reads, second: Reads, standing: Standing) -> PairSums:
    """Pairs of the same speakers in different clips; each clip belongs to one of the two readings."""
    a, b = standing.gathered(first), standing.gathered(second)
    both = (a.clips > 0) & (b.clips > 0)
    cell, n_cells = standing.cell[both], standing.n_cells
    fewer = np.minimum(a.clips, b.clips)[both]
    change = (b.total[both] / b.clips[both] - a.total[both] / a.clips[both]) * fewer
    sums = sorted_sums(cell, change, fewer, np.zeros(n_cells, np.int64))
    if standing.cluster is not None:
        sums = replace(sums, sharing=_sharing(first, second, standing, (a, b), both, sums.macro_average()))
    used, all_clips = (
        np.bincount(standing.cell, of, minlength=n_cells).astype(np.int64)
        for of in ((a.clips + b.clips) * both, a.clips + a.missing + b.clips + b.missing)
    )
    speakers = np.bincount(standing.cell, minlength=n_cells)
    return PairSums(sums, used, all_clips - used, speakers - np.bincount(cell, minlength=n_cells))


def _sharing(
    first: Reads,
    second: Reads,
    standing: Standing,
    of_unit: tuple[Reads, Reads],
    both: NDArray[np.bool_],
    value: Floats,
) -> Sharing | None:
    """The design effect of shared clusters on the difference of two readings in different clips."""
    place = np.append(both, False)[standing.unit]  # rows of speakers with both readings
    unit = np.minimum(standing.unit, len(standing.cell) - 1)
    total, clips = np.zeros(len(unit)), (first.clips + second.clips) * place
    for sign, reads, whole in ((-1, first, of_unit[0]), (1, second, of_unit[1])):
        total += sign * reads.total / np.maximum(whole.clips, 1)[unit]
    all_clips = of_unit[0].clips + of_unit[1].clips
    # a row's part of its speaker's difference, such that dividing by the speaker's clips gives it back
    return standing.sharing(total * all_clips[unit] * place, clips, all_clips, value)


def paired(
    first: ArrayLike,
    second: ArrayLike,
    speakers: SpeakerIds,
    settings: Settings | None = None,
    *,
    second_speakers: SpeakerIds | None = None,
    kind: Kind = "rate",
    name: str = "",
    clusters: Ints | None = None,
    second_clusters: Ints | None = None,
) -> Pairs:
    """Pairs of two readings of the same speakers, for an interval, its confidence curve and a test.

    Two designs. *The same clip read twice* (portrait and rendered): the arrays are aligned, and clips without both
    values are left out. *The same speaker in different clips* (two languages): ``second_speakers`` are the speakers of
    the second array, which may have another length. In both, each speaker has one difference ``d_s``, mean of the
    second minus mean of the first, and the point is its mean over the speakers with both.

    Parameters
    ----------
    first, second : arrays of shape (clips,)
        NaN (or None) for a clip that was not read.
    speakers, second_speakers : arrays of shape (clips,)
        Speaker of each clip of the first array, and of the second if it is not aligned with the first.
    settings : Settings, optional
        Default: ``Settings()``. With ``second_speakers`` the estimate is always speaker-averaged.
    kind : {"rate", "mean"}
        ``rate``: values in [0, 1]. The interval is that of mean gain ``max(d, 0)`` minus mean loss ``max(-d, 0)``, two
        rates of the same speakers, combined by MOVER (Zou and Donner 2008) with their estimated correlation; its width
        is never zero. ``mean``: any values; Student's t on ``d_s``, BCa bootstrap from 30 speakers on.
    name : str
        Seeds the bootstrap and the permutations.
    clusters, second_clusters : int arrays of shape (clips,), optional
        Where speakers share clusters, the number of each clip's cluster: of the first array's clips, and of the second
        one's with ``second_speakers``.

    Returns
    -------
    Pairs
        In its estimates ``n_clips`` counts the clips used, ``n_missing`` all others: not read, or of a speaker with one
        reading only. The method has the number of such speakers.

    Raises
    ------
    ValueError
        As :func:`rate`; also if aligned arrays differ in length.

    Examples
    --------
    >>> found = paired([0] * 8, [1, 1, 1, 1, 1, 1, 0, 0], [*"abcdefgh"])
    >>> found.difference().value, found.permutation().p
    (0.75, 0.03125)
    >>> portrait, rendered, who = [0, 0, 0, 0, 0, 0], [1, 1, 1, 0, 1, None], [*"abcdef"]
    >>> found = paired(portrait, rendered, who).difference()
    >>> found.value, round(found.low, 3), round(found.high, 3), found.n_speakers, found.n_missing
    (0.8, 0.129, 0.992, 5, 1)
    """
    settings = settings or Settings()
    if second_speakers is not None and settings.estimand == "clip":
        settings = replace(settings, estimand="speaker")
    a, b = checked_values(first, kind), checked_values(second, kind)
    if second_speakers is None:
        if len(a) != len(b):
            raise ValueError(f"{len(a)} first values but {len(b)} second ones")
        pairs = aligned_pairs(Reads.of(b - a), Standing.of(codes_of(speakers, len(a)), clusters=clusters))
    else:
        ids = ids_of(speakers)
        if len(ids) != len(a):
            raise ValueError(f"{len(a)} first values but {len(ids)} speakers")
        shared = None
        if clusters is not None and second_clusters is not None:
            shared = np.concatenate([clusters, second_clusters])
        codes = codes_of(np.concatenate([ids, ids_of(second_speakers)]), len(a) + len(b))
        standing = Standing.of(codes, clusters=shared)
        reads, of_second = Reads.of(np.concatenate([a, b])), np.arange(len(a) + len(b)) >= len(a)
        pairs = matched_pairs(reads.where(~of_second), reads.where(of_second), standing)
    return pairs.one(0, kind, settings, name)


def paired_estimates(
    pairs: PairSums, kind: Kind, settings: Settings, names: Sequence[str], drawn: Drawn | None = None
) -> list[Estimate]:
    """Mean difference of every cell by the rules of :func:`paired`; ``names`` seed the random numbers.

    ``drawn`` is that of :func:`audit.stats.rates.estimates`.
    """
    m = moments(pairs.sums, settings)
    as_means = m.speakers < settings.min_speakers
    if kind == "mean":
        as_means = np.ones_like(as_means)
    elif settings.interval != "auto":
        as_means |= (m.size >= LARGE) & (m.variance > 0)
    found: dict[int, Estimate] = {}
    if as_means.any():
        places = np.flatnonzero(as_means).tolist()
        made = estimates(pairs.sums.only(as_means), "mean", settings, [names[i] for i in places], drawn)
        found |= zip(places, made, strict=True)
    if not as_means.all():
        sums, own = pairs.sums, m
        if as_means.any():
            sums = pairs.sums.only(~as_means)
            own = moments(sums, settings)
        value, low, high, methods = paired_rate_intervals(sums, own, settings)
        made = estimates_of((value, low, high), (own.speakers, own.clips, sums.missing), methods)
        found |= zip(np.flatnonzero(~as_means).tolist(), made, strict=True)
    for i, unpaired in enumerate(pairs.n_unpaired.tolist()):
        note = f"; speakers with one reading only, left out: {unpaired}" if unpaired else ""
        counts = {"n_clips": int(pairs.n_clips[i]), "n_missing": int(pairs.n_missing[i])}
        found[i] = replace(found[i], method=found[i].method + note, **counts)
    return [found[i] for i in range(len(as_means))]


def _losses_and_gains(sums: SpeakerSums, settings: Settings) -> RateForm:
    """The losses of each cell's speakers, and then the gains of each cell's."""
    sides = []
    for sign in (-1.0, 1.0):
        total = np.maximum(sign * sums.total, 0)
        part = sorted_sums(sums.cell, total, sums.clips, sums.missing, weight=sums.weight, number=sums.number)
        sides.append(replace(part, sharing=sums.sharing))  # the design effect of the difference
    return RateForm.of(SpeakerSums.joined(sides), settings)


def paired_rate_intervals(
    sums: SpeakerSums, m: Moments, settings: Settings
) -> tuple[Floats, Floats, Floats, list[str]]:
    """Value, low, high and method of each cell's mean difference; entries' means are differences in [-1, 1].

    The interval is that of mean gain minus mean loss, by MOVER; see :func:`paired`.
    """
    kept = ("losses and gains", settings.estimand, settings.min_speakers)
    both = sums.once(kept, lambda: _losses_and_gains(sums, settings))
    own, named, (low, high) = both.moments, both.methods, both.interval(settings.tail)
    loss, gain = slice(0, sums.n_cells), slice(sums.n_cells, None)
    parts = [(own.value[side], low[side], high[side]) for side in (loss, gain)]
    variances, methods = [own.variance[side] for side in (loss, gain)], [named[loss], named[gain]]
    # var(gain - loss) = var(gain) + var(loss) - 2 cov, all three linearised in the same way
    covariance = (variances[0] + variances[1] - m.variance) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = covariance / np.sqrt(variances[0] * variances[1])
        correlation = np.nan_to_num(correlation, nan=0.0, posinf=0.0, neginf=0.0)
        value, low, high = mover(parts[0], parts[1], np.clip(correlation, -1, 0))
        low, high = np.clip(np.minimum(low, value), -1, 1), np.clip(np.maximum(high, value), -1, 1)
    combined = [
        f"MOVER of gains and losses ({won if won == lost else f'gains: {won}; losses: {lost}'})"
        for lost, won in zip(*methods, strict=True)
    ]
    return value, low, high, combined
