"""Differences of the same speakers seen twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from audit.stats.curves import Curve
from audit.stats.estimate import Estimate
from audit.stats.intervals import mover
from audit.stats.rates import Drawn, Moments, estimates, least_error, moments, rate_intervals, shortened
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
    """A test of "no change" on speakers.

    Attributes
    ----------
    p : float or None
        Two-sided p-value; None where no speaker was seen twice.
    gained, lost, n_speakers : int
        Speakers whose value rose, fell, and all that were seen twice.
    method : str
        Which test.
    """

    p: float | None
    gained: int
    lost: int
    n_speakers: int
    method: str


@dataclass(frozen=True)
class Pairs:
    """Speakers seen twice: their differences as sums of one cell, the counts they rest on, how to estimate from them.

    From :func:`paired`, whose arguments ``kind``, ``settings`` and ``name`` are kept.
    """

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

    def curve(self) -> Curve:
        """The difference at every confidence."""
        drawn: Drawn = {}
        return Curve(
            lambda confidence: self._at(replace(self.settings, confidence=confidence), drawn),
            **least_error(self.sums, self.kind, self.settings),
        )

    def _at(self, settings: Settings, drawn: Drawn) -> Estimate:
        counts = (np.array([each]) for each in (self.n_clips, self.n_missing, self.n_unpaired))
        return paired_estimates(PairSums(self.sums, *counts), self.kind, settings, [self.name], drawn)[0]

    def permutation(self) -> PairedTest:
        """Test of no mean change that exchanges first and second within each speaker, all of their clips together.

        The statistic is ``|sum_s d_s|``. All sign changes count where they have at most ``2**16`` different sums, as
        those of up to 16 speakers and of many with few sizes of change do; otherwise ``settings.resamples`` random
        ones, with the observed one counted in (Phipson and Smyth 2010), or from 1000 speakers who changed on their
        normal limit.
        """
        gained, lost, n = self._signs
        if not n:
            return PairedTest(None, 0, 0, 0, "sign-flip permutation of speakers")
        (change,), settings = self.sums.singly(0, self.sums.mean), self.settings
        size, number = np.unique(np.round(np.abs(change[np.abs(change) > 1e-12]), 12), return_counts=True)
        seen = abs(float(np.round(change, 12).sum())) - 1e-9
        moved = int(number.sum())
        if np.log1p(number).sum() <= _ENUMERATED * np.log(2):
            # how many of each size keep their sign decides the sum: 2**moved sign changes are few different ones
            sums, chance = np.zeros(1), np.ones(1)
            for each, of in zip(size, number, strict=True):
                kept = np.arange(of + 1)
                sums = np.add.outer(sums, (2 * kept - of) * each).ravel()
                ways = special.gammaln(of + 1) - special.gammaln(kept + 1) - special.gammaln(of - kept + 1)
                chance = np.multiply.outer(chance, np.exp(ways - of * np.log(2))).ravel()
            p, how = min(1.0, float(chance[np.abs(sums) >= seen].sum())), f"all 2^{moved} sign changes"
        elif moved >= _MANY:
            spread = float(np.sqrt((number * size**2).sum()))
            p, how = 2 * float(special.ndtr(-abs(float(change.sum())) / spread)), f"{moved} sign changes, their limit"
        else:
            shape = (settings.resamples, len(size))
            rng = settings.generator(self.name)
            flips = rng.binomial(number, 0.5, size=shape) if number.max() > 1 else rng.integers(0, 2, size=shape)
            drawn = np.abs(((2 * flips - number) * size).sum(axis=1))
            p = (float(np.sum(drawn >= seen)) + 1) / (settings.resamples + 1)
            how = f"{settings.resamples} random sign changes"
        return PairedTest(shortened(p), gained, lost, n, f"sign-flip permutation of speakers, {how}")

    @property
    def _signs(self) -> tuple[int, int, int]:
        (change,) = self.sums.singly(0, self.sums.mean)
        return int((change > 1e-12).sum()), int((change < -1e-12).sum()), len(change)


@dataclass(frozen=True)
class PairSums:
    """Per-speaker differences, cell by cell, with the counts of what they rest on.

    Attributes
    ----------
    sums : SpeakerSums
        One entry a speaker who has both readings; its mean is their difference.
    n_clips, n_missing, n_unpaired : int arrays of shape (cells,)
        Clips used, clips not used, speakers without a counterpart.
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
    """Pairs of the same clips read twice, from the change of each; a clip takes part if both its values are there."""
    sums = standing.sums(change, alike_as_one=alike_as_one)
    heard = np.bincount(standing.cell, minlength=standing.n_cells)
    return PairSums(sums, sums.sum(sums.clips).astype(np.int64), sums.missing, heard - sums.sum().astype(np.int64))


def matched_pairs(first: Reads, second: Reads, standing: Standing) -> PairSums:
    """Pairs of the same speakers in different clips, row by row of one standing, each clip in one of the two reads."""
    a, b = standing.gathered(first), standing.gathered(second)
    both = (a.clips > 0) & (b.clips > 0)
    cell, n_cells = standing.cell[both], standing.n_cells
    worth = np.minimum(a.clips, b.clips)[both]
    change = (b.total[both] / b.clips[both] - a.total[both] / a.clips[both]) * worth
    sums = sorted_sums(cell, change, worth, np.zeros(n_cells, np.int64))
    used, everything = (
        np.bincount(standing.cell, of, minlength=n_cells).astype(np.int64)
        for of in ((a.clips + b.clips) * both, a.clips + a.missing + b.clips + b.missing)
    )
    everyone = np.bincount(standing.cell, minlength=n_cells)
    return PairSums(sums, used, everything - used, everyone - np.bincount(cell, minlength=n_cells))


def paired(
    first: ArrayLike,
    second: ArrayLike,
    speakers: SpeakerIds,
    settings: Settings | None = None,
    *,
    second_speakers: SpeakerIds | None = None,
    kind: Kind = "rate",
    name: str = "",
) -> Pairs:
    """The speakers who were seen twice, put together once for an interval, its curve and a test.

    Two shapes. *The same clip read twice* (portrait and rendered): the arrays are aligned, and a clip takes part if
    both values are there. *The same speaker in different clips* (two languages): ``second_speakers`` says who is
    heard in the second array, which may have another length. Either way each speaker has one difference ``d_s``, mean
    of the second minus mean of the first, and the point is its mean over the speakers who have both.

    Parameters
    ----------
    first, second : arrays of shape (clips,)
        NaN (or None) for a clip that was not read.
    speakers, second_speakers : arrays of shape (clips,)
        Who is heard in the first array, and in the second where that is not aligned with it.
    settings : Settings, optional
        The default settings if left out. Where ``second_speakers`` is given the figure is always speaker-averaged.
    kind : {"rate", "mean"}
        ``rate``: values in [0, 1]. The interval is that of mean gain ``max(d, 0)`` minus mean loss ``max(-d, 0)``, two
        rates of the same speakers, put together by MOVER (Zou and Donner 2008) with their estimated correlation; it is
        never of zero width. ``mean``: any values; Student's t on ``d_s``, BCa bootstrap from 30 speakers on.
    name : str
        Seeds the bootstrap and the permutations, where there are any.

    Returns
    -------
    Pairs
        Of its estimates, ``n_clips`` counts the clips used, ``n_missing`` all others: not read, or of a speaker without
        a counterpart. The method says how many speakers had none.

    Raises
    ------
    ValueError
        As :func:`rate`; also where aligned arrays differ in length.

    Examples
    --------
    >>> found = paired([0] * 8, [1, 1, 1, 1, 1, 1, 0, 0], [*"abcdefgh"])
    >>> found.difference().value, found.permutation().p
    (0.75, 0.03125)
    >>> portrait, rendered, who = [0, 0, 0, 0, 0, 0], [1, 1, 1, 0, 1, None], [*"abcdef"]
    >>> found = paired(portrait, rendered, who).difference()
    >>> found.value, round(found.low, 3), round(found.high, 3), found.n_speakers, found.n_missing
    (0.8, 0.066, 0.995, 5, 1)
    """
    settings = settings or Settings()
    if second_speakers is not None and settings.estimand == "clip":
        settings = replace(settings, estimand="speaker")
    return _paired(first, second, speakers, second_speakers, kind).one(0, kind, settings, name)


def _paired(
    first: ArrayLike, second: ArrayLike, speakers: SpeakerIds, second_speakers: SpeakerIds | None, kind: Kind
) -> PairSums:
    a, b = checked_values(first, kind), checked_values(second, kind)
    if second_speakers is None:
        if len(a) != len(b):
            raise ValueError(f"{len(a)} first values but {len(b)} second ones")
        return aligned_pairs(Reads.of(b - a), Standing.of(codes_of(speakers, len(a))))
    ids = ids_of(speakers)
    if len(ids) != len(a):
        raise ValueError(f"{len(a)} first values but {len(ids)} speakers")
    standing = Standing.of(codes_of(np.concatenate([ids, ids_of(second_speakers)]), len(a) + len(b)))
    reads, of_second = Reads.of(np.concatenate([a, b])), np.arange(len(a) + len(b)) >= len(a)
    return matched_pairs(reads.where(~of_second), reads.where(of_second), standing)


def paired_estimates(
    pairs: PairSums, kind: Kind, settings: Settings, names: Sequence[str], drawn: Drawn | None = None
) -> list[Estimate]:
    """The estimate of every cell's mean difference; ``names`` seed the random numbers of those that need any.

    The rules are those of :func:`paired`; ``drawn`` is that of :func:`audit.stats.rates.estimates`.
    """
    m = moments(pairs.sums, settings)
    as_means = m.speakers < settings.min_speakers
    if kind == "mean":
        as_means = np.ones_like(as_means)
    elif settings.interval != "auto":
        as_means |= (m.size >= LARGE) & (m.variance > 0)
    parts: list[tuple[float | None, float | None, float | None, str]] = [(None, None, None, "")] * len(as_means)
    if as_means.any():
        places = np.flatnonzero(as_means)
        found = estimates(pairs.sums.only(as_means), "mean", settings, [names[i] for i in places.tolist()], drawn)
        for i, each in zip(places.tolist(), found, strict=True):
            parts[i] = (each.value, each.low, each.high, each.method)
    if not as_means.all():
        sums = pairs.sums.only(~as_means)
        point, low, high, told = paired_rate_intervals(sums, moments(sums, settings), settings)
        for i, each_ends in zip(
            np.flatnonzero(~as_means).tolist(), zip(point, low, high, told, strict=True), strict=True
        ):
            parts[i] = (*(shortened(end) for end in each_ends[:3]), each_ends[3])  # type: ignore[assignment]  # three ends
    made = []
    for i, (value, low_end, high_end, method) in enumerate(parts):
        alone = int(pairs.n_unpaired[i])
        told_of = f"{method}; speakers without a counterpart, left out: {alone}" if alone else method
        counts = (int(m.speakers[i]), int(pairs.n_clips[i]), int(pairs.n_missing[i]))
        made.append(Estimate(value, low_end, high_end, *counts, told_of))
    return made


def paired_rate_intervals(
    sums: SpeakerSums, m: Moments, settings: Settings
) -> tuple[Floats, Floats, Floats, list[str]]:
    """Value, low, high and method of each cell's mean difference, the entries' means being differences in [-1, 1].

    The interval is that of mean gain minus mean loss, by MOVER; see :func:`paired`.
    """
    settings = replace(settings, interval="auto")
    parts, spreads, methods = [], [], []
    for sign in (-1.0, 1.0):
        part = sorted_sums(
            sums.cell,
            np.maximum(sign * sums.total, 0),
            sums.clips,
            sums.missing,
            weight=sums.weight,
            number=sums.number,
        )
        own = moments(part, settings)
        low, high, method = rate_intervals(part, own, settings, [""] * sums.n_cells)
        parts.append((own.value, low, high))
        spreads.append(own.variance)
        methods.append(method)
    # var(gain - loss) = var(gain) + var(loss) - 2 cov, all three linearised in the same way
    covariance = (spreads[0] + spreads[1] - m.variance) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.nan_to_num(covariance / np.sqrt(spreads[0] * spreads[1]), nan=0.0, posinf=0.0, neginf=0.0)
        value, low, high = mover(parts[0], parts[1], np.clip(correlation, -1, 0))
        low, high = np.clip(np.minimum(low, value), -1, 1), np.clip(np.maximum(high, value), -1, 1)
    told = [
        f"MOVER of gains and losses ({gain if gain == loss else f'gains: {gain}; losses: {loss}'})"
        for loss, gain in zip(*methods, strict=True)
    ]
    return value, low, high, told
