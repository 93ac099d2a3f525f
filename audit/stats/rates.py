"""Rates and means with the speaker as sampling unit, one at a time or for every cell of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from audit.stats.bootstrap import BootstrapRule, bootstrap_ends, resampled_means
from audit.stats.curves import LEAST, Curve
from audit.stats.estimate import Estimate
from audit.stats.intervals import BoundedMean, skewed, student
from audit.stats.settings import LARGE, MANY, Kind, Settings
from audit.stats.speakers import (
    Floats,
    Ints,
    SpeakerIds,
    SpeakerSums,
    checked_values,
    codes_of,
    divided,
    numbered,
    speaker_sums,
)

ALL = "all"
"""Value of every key column in the row of :func:`cells` for all clips."""

Drawn = dict[int, Floats]


@dataclass(frozen=True)
class Moments:
    """Statistics of each cell for closed-form intervals; arrays of shape (cells,).

    ``value`` and ``variance`` are those of the estimate. ``size`` is the effective number of speakers: Kish's (their
    number if weights are equal), divided by the design effect where speakers share clusters. ``speakers``, ``clips``
    and ``clusters`` are counts; the number of clusters is that of speakers where they share none.
    """

    value: Floats
    variance: Floats
    size: Floats
    speakers: Ints
    clips: Ints
    clusters: Ints


def shortened(value: float) -> float | None:
    """The value with twelve significant digits, beyond which machines may differ; None for NaN."""
    return None if np.isnan(value) else float(f"{value:.12g}")


def weighing(sums: SpeakerSums, settings: Settings) -> tuple[Floats, Floats]:
    """Weighted total and weight of each entry: ``(mean, 1)`` speaker-averaged, ``(total, clips)`` clip-averaged.

    Explicit weights of the entries take precedence.
    """
    if sums.weight is not None:
        return sums.mean * sums.weight, sums.weight
    if settings.estimand == "clip":
        return sums.total, sums.clips.astype(np.float64)
    return sums.mean, np.ones(len(sums.total))


def moments(sums: SpeakerSums, settings: Settings) -> Moments:
    """Value of each cell and its jackknife variance over speakers (Efron and Stein 1981), times the design effect."""
    return sums.once(("moments", settings.estimand), lambda: _moments(sums, settings))


def _moments(sums: SpeakerSums, settings: Settings) -> Moments:
    total, weight = weighing(sums, settings)
    n, weights = sums.sum(), sums.sum(weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = sums.sum(total) / weights
        change = (total - weight * value[sums.cell]) / (weights[sums.cell] - weight)  # if the speaker is left out
        variance = sums.sum(change**2) * (n - 1) / n
        size = weights**2 / sums.sum(weight**2)
    speakers, clips = n.astype(np.int64), sums.sum(sums.clips).astype(np.int64)
    if sums.sharing is None:
        return Moments(value, variance, size, speakers, clips, speakers)
    sharing = sums.sharing
    return Moments(value, variance * sharing.effect, size / sharing.divisor, speakers, clips, sharing.clusters)


def estimates(
    sums: SpeakerSums, kind: Kind, settings: Settings, names: Sequence[str], drawn: Drawn | None = None
) -> list[Estimate]:
    """An Estimate for every cell; ``names`` seed the random numbers.

    ``drawn`` caches the bootstrap resamples by cell, for calls that differ in the confidence only.
    """
    m = moments(sums, settings)
    low, high, methods = (rate_intervals if kind == "rate" else _mean_intervals)(sums, m, settings, names, drawn)
    return estimates_of((m.value, low, high), (m.speakers, m.clips, sums.missing), methods)


def estimates_of(
    ends: tuple[Floats, Floats, Floats], counts: tuple[Ints, Ints, Ints], methods: Sequence[str]
) -> list[Estimate]:
    """Estimates from columns: value, low and high; numbers of speakers, clips and missing clips."""
    columns = (*(map(shortened, column) for column in ends), *(column.tolist() for column in counts), methods)
    return [Estimate(*row) for row in zip(*columns, strict=True)]


@dataclass(frozen=True)
class RateForm:
    """What the closed-form interval of each cell's rate needs, at any confidence; small beside the speakers' sums.

    ``enough`` has the cells with an interval, and ``methods`` how each is computed.
    """

    moments: Moments
    enough: NDArray[np.bool_]
    mean: BoundedMean
    methods: list[str]

    @classmethod
    def of(cls, sums: SpeakerSums, settings: Settings) -> RateForm:
        """That of the speakers' means, as values in [0, 1]."""
        m, total = moments(sums, settings), weighing(sums, settings)[1]
        enough = _enough(m, settings)
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = np.where(enough, m.size / sums.sum(total), 0.0)
        mean = np.clip(sums.mean, 0, 1)
        below, above = (
            np.array([scale * sums.sum(total * distance**power) for power in (1, 2, 3)])
            for distance in (mean, 1 - mean)
        )
        methods = [
            _lacking(m, i, settings) or f"bounded mean on {_counted(m, i)}{_averaged(settings)}"
            for i in range(sums.n_cells)
        ]
        return cls(m, enough, BoundedMean.of(below, above, np.where(enough, m.size, 1.0)), methods)

    def interval(self, tail: float) -> tuple[Floats, Floats]:
        """Low and high of each cell; NaN without an interval."""
        return _masked(self.moments.value, *self.mean.interval(tail), self.enough)


def rate_intervals(
    sums: SpeakerSums, m: Moments, settings: Settings, names: Sequence[str], drawn: Drawn | None = None
) -> tuple[Floats, Floats, list[str]]:
    """Low, high and method of each cell's rate: :class:`BoundedMean` of the speakers' means; never of zero width."""
    form = sums.once(("rate", settings.estimand, settings.min_speakers), lambda: RateForm.of(sums, settings))
    (low, high), methods = form.interval(settings.tail), [*form.methods]
    if settings.interval != "auto" and sums.sharing is None:  # a bootstrap over speakers ignores clusters
        for i in np.flatnonzero((m.size >= LARGE) & (m.variance > 0)).tolist():
            low[i], high[i], methods[i] = _bootstrapped(sums, i, settings, names, settings.interval, drawn)
        low, high = _masked(m.value, low, high, form.enough)
    return low, high, methods


def _mean_intervals(
    sums: SpeakerSums, m: Moments, settings: Settings, names: Sequence[str], drawn: Drawn | None = None
) -> tuple[Floats, Floats, list[str]]:
    enough, independent = _enough(m, settings), sums.sharing is None
    size = m.size if sums.sharing is None else np.minimum(m.size * sums.sharing.divisor, m.clusters)
    low, high = student(m.value, m.variance, size, settings.tail)
    many = (m.size >= MANY) & (settings.interval == "auto") & independent
    if many.any():
        skewness = sums.once(("skewness", settings.estimand), lambda: _skewness(sums, m, settings))
        corrected = skewed(m.value, m.variance, skewness, m.size, settings.tail)
        low, high = (np.where(many, *ends) for ends in zip(corrected, (low, high), strict=True))
    rule: BootstrapRule = "bca" if settings.interval == "auto" else settings.interval
    methods = []
    for i, n in enumerate(m.speakers.tolist()):
        method = _lacking(m, i, settings)
        if not method and m.variance[i] <= (1e-12 * max(1.0, abs(m.value[i]))) ** 2:
            method, enough[i] = f"no interval: all {n} speakers have the same value", False
        elif not method and m.size[i] >= LARGE and not many[i] and independent:
            low[i], high[i], method = _bootstrapped(sums, i, settings, names, rule, drawn)
        name = "skewness-corrected" if many[i] else "Student's t"
        methods.append(method or f"{name} on {_counted(m, i)}{_averaged(settings)}")
    return *_masked(m.value, low, high, enough), methods


def _skewness(sums: SpeakerSums, m: Moments, settings: Settings) -> Floats:
    """Skewness of the speakers' influences on each cell's mean."""
    total, weight = weighing(sums, settings)
    influence = total - weight * m.value[sums.cell]
    n, second, third = sums.sum(), sums.sum(influence**2), sums.sum(influence**3)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(np.sqrt(n) * third / second**1.5, nan=0.0, posinf=0.0, neginf=0.0)


def _bootstrapped(
    sums: SpeakerSums, i: int, settings: Settings, names: Sequence[str], rule: BootstrapRule, drawn: Drawn | None
) -> tuple[float, float, str]:
    """Low, high and method of one cell."""
    kept = {} if drawn is None else drawn
    total, weight = sums.singly(i, *weighing(sums, settings))
    if i not in kept:
        kept[i] = resampled_means(total, weight, settings.resamples, settings.generator(names[i]))
    method = f"{rule} bootstrap of {len(total)} speakers{_averaged(settings)}"
    return *bootstrap_ends(kept[i], total, weight, tail=settings.tail, rule=rule), method


def _masked(value: Floats, low: Floats, high: Floats, enough: np.ndarray) -> tuple[Floats, Floats]:
    """Set intervals of cells with too few speakers to NaN, and make intervals include the value despite rounding."""
    with np.errstate(invalid="ignore"):
        low, high = np.minimum(low, value), np.maximum(high, value)
    return np.where(enough, low, np.nan), np.where(enough, high, np.nan)


def _enough(m: Moments, settings: Settings) -> NDArray[np.bool_]:
    """The cells with enough speakers, and enough clusters where speakers share them, for an interval."""
    return np.asarray(np.minimum(m.speakers, m.clusters) >= settings.min_speakers)


def _lacking(m: Moments, i: int, settings: Settings) -> str:
    """Why a cell has no interval; empty if it has one."""
    if m.speakers[i] == 0:
        return "not estimable: no speaker was read"
    number = min(int(m.speakers[i]), int(m.clusters[i]))
    word = "cluster" if number < m.speakers[i] else "speaker"
    if number < settings.min_speakers:
        return f"not estimable: {number} {word}{'' if number == 1 else 's'}, at least {settings.min_speakers} needed"
    return ""


def _counted(m: Moments, i: int) -> str:
    """The number of speakers of a cell, and of clusters and the effective number where they differ."""
    n, size, clusters = int(m.speakers[i]), float(m.size[i]), int(m.clusters[i])
    shared = f" in {clusters} clusters" if clusters != n else ""
    return f"{n} speakers{shared}" + ("" if abs(size - n) < 0.05 else f", effective number {size:.1f}")


def _averaged(settings: Settings) -> str:
    return ", clip-averaged" if settings.estimand == "clip" else ""


def rate(values: ArrayLike, speakers: SpeakerIds, settings: Settings | None = None, *, name: str = "") -> Estimate:
    """A rate with its interval; the speaker is the sampling unit.

    The point is the mean over speakers of each speaker's mean over clips: ``sum_s(mean_c(x_sc)) / n``. The interval is
    :class:`audit.stats.intervals.BoundedMean` of the speakers' means, which assumes no distribution. More clips make
    each speaker's mean more precise, but never replace speakers.

    Parameters
    ----------
    values : array of shape (clips,)
        Values in [0, 1]; NaN (or None) for a clip that was not read.
    speakers : array of shape (clips,)
        Speaker of each clip.
    settings : Settings, optional
        Default: ``Settings()``.
    name : str
        Seeds the bootstrap, if the settings ask for one.

    Returns
    -------
    Estimate
        Clips of a speaker without a read clip count in ``n_missing``, the speaker not in ``n_speakers``. Below
        ``min_speakers`` there is no interval; without any speaker there is no value either.

    Raises
    ------
    ValueError
        If values lie outside [0, 1] or are infinite, speaker ids are missing, or lengths differ.

    Examples
    --------
    >>> found = rate([0, 0, 0, 0, 0, 0], ["a", "b", "c", "d", "e", "e"])
    >>> found.value, found.low, round(found.high, 4), found.n_speakers, found.method
    (0.0, 0.0, 0.4704, 5, 'bounded mean on 5 speakers')
    """
    settings = settings or Settings()
    return figure_curve(values, speakers, settings, name=name).at(settings.confidence)


def mean(values: ArrayLike, speakers: SpeakerIds, settings: Settings | None = None, *, name: str = "") -> Estimate:
    """A mean of real values (an age error, a similarity) with its interval; the speaker is the sampling unit.

    Student's t on the speakers' means below 30 speakers, the BCa bootstrap over speakers (Efron 1987) from there on,
    and from 500 on the skewness-corrected interval, to which BCa converges (Hall 1988). There is no interval if all
    speakers have the same value, since the variance is then unknown.

    Parameters, errors and counts are those of :func:`rate`, but values may be any finite numbers.

    Examples
    --------
    >>> found = mean([1.0, 2.0, 3.0, 4.0, 5.0, 7.0], ["a", "b", "c", "d", "e", "e"])  # speakers: 1, 2, 3, 4, 6
    >>> found.value, round(found.low, 3), round(found.high, 3), found.method
    (3.2, 0.812, 5.588, "Student's t on 5 speakers")
    """
    settings = settings or Settings()
    return figure_curve(values, speakers, settings, kind="mean", name=name).at(settings.confidence)


def figure_curve(
    values: ArrayLike,
    speakers: SpeakerIds,
    settings: Settings,
    *,
    kind: Kind = "rate",
    name: str = "",
    clusters: Ints | None = None,
) -> Curve:
    """Confidence curve of :func:`rate` or :func:`mean`; clips are aggregated and resampled once.

    ``clusters``, of shape (clips,), are numbers of the clips' clusters where speakers share some.

    Examples
    --------
    >>> curve = figure_curve([0, 0, 0, 0, 1, 1], [*"abcdee"], Settings())
    >>> curve.at(0.95) == rate([0, 0, 0, 0, 1, 1], [*"abcdee"])
    True
    """
    array = checked_values(values, kind)
    return sums_curve(speaker_sums(array, codes_of(speakers, len(array)), clusters=clusters), kind, settings, name)


def sums_curve(sums: SpeakerSums, kind: Kind, settings: Settings, name: str) -> Curve:
    """:func:`figure_curve` of one cell, from the speakers' sums."""
    drawn: Drawn = {}
    return Curve(
        lambda confidence: estimates(sums, kind, replace(settings, confidence=confidence), [name], drawn)[0],
        least_error(sums, kind, settings),
    )


def least_error(sums: SpeakerSums, kind: Kind, settings: Settings) -> float:
    """The smallest error probability that the intervals of one cell resolve; see :class:`Curve`."""
    of_bootstrap = 1 / (settings.resamples + 1)
    if sums.sharing is not None or (settings.interval == "auto" and kind == "rate"):
        return LEAST
    most = MANY if settings.interval == "auto" else np.inf
    return of_bootstrap if LARGE <= moments(sums, settings).size[0] < most else LEAST


def cells(
    frame: pd.DataFrame,
    by: Sequence[str],
    value: str,
    *,
    speaker: str = "speaker_id",
    kind: Kind = "rate",
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Estimates for every cell of a table, and for all clips.

    Parameters
    ----------
    frame : DataFrame
        One row per clip.
    by : sequence of str
        Columns whose combinations define the cells. Missing entries form a separate cell; no row is dropped.
        Categorical columns keep their order; others are sorted.
    value, speaker : str
        Columns of the values (NaN: not read) and of the speakers' ids. A speaker may be in several cells.
    kind : {"rate", "mean"}
        Whether to use :func:`rate` or :func:`mean`.

    Returns
    -------
    DataFrame
        The columns of ``by``, then value, low, high, n_speakers, n_clips, n_missing, method; one row per cell that
        occurs, then one with ``"all"`` in every column of ``by``. Rows do not depend on each other.

    Raises
    ------
    ValueError
        As :func:`rate`; also if a column does not exist.

    Examples
    --------
    >>> clips = pd.DataFrame({"speaker_id": [*"abcdef"], "group": [*"xxxxxy"], "white": [0, 0, 0, 0, 1, 1]})
    >>> cells(clips, ["group"], "white")[["group", "value", "n_speakers"]].to_dict("list")
    {'group': ['x', 'y', 'all'], 'value': [0.2, 1.0, 0.333333333333], 'n_speakers': [5, 1, 6]}
    """
    settings = settings or Settings()
    absent = [column for column in (*by, value, speaker) if column not in frame.columns]
    if absent:
        raise ValueError(f"the table has no column {', '.join(absent)}")
    array = checked_values(frame[value].to_numpy(), kind)
    codes = codes_of(frame[speaker], len(array))
    keys: list[tuple[object, ...]] = []
    made: list[Estimate] = []
    if by:
        keys, where = divided([numbered(frame[column]) for column in by], len(array))
        names = [f"{value}/" + "/".join(map(str, key)) for key in keys]
        made = estimates(speaker_sums(array, codes, where, len(keys)), kind, settings, names)
    keys.append((ALL,) * len(by))
    made += estimates(speaker_sums(array, codes), kind, settings, [f"{value}/" + "/".join([ALL] * len(by))])
    rows = [(*key, *astuple(each)) for key, each in zip(keys, made, strict=True)]
    table = pd.DataFrame(rows, columns=[*by, *(field.name for field in fields(Estimate))])
    return table.astype({"value": float, "low": float, "high": float})
