"""Prediction-powered rates: a cheap reading of all speakers, corrected by a trusted reading of some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from audit.stats.estimate import Estimate
from audit.stats.intervals import mover
from audit.stats.pairs import paired, paired_rate_intervals
from audit.stats.rates import Moments, estimates, figure_curve, moments, shortened
from audit.stats.settings import Estimand, Settings
from audit.stats.speakers import Floats, Ints, SpeakerIds, SpeakerSums, checked_values, codes_of, ids_of, sorted_sums

Where = NDArray[np.bool_]


class Predicted(NamedTuple):
    """Estimates of one cell: from the trusted reading of the labelled speakers alone, and from both readings."""

    human: Estimate
    powered: Estimate


@dataclass(frozen=True)
class Design:
    """Sampling weights of the labelled clips.

    Attributes
    ----------
    weight : float array of shape (clips,)
        Weight of the clip in its cell, in (0, 1], the largest being 1; 0 for clips without a label.
    uncovered, strata : int arrays of shape (cells,)
        Number of the cell's strata without a labelled clip, and of all its strata.
    """

    weight: Floats
    uncovered: Ints
    strata: Ints


def design(
    read: Where,
    labelled: Where,
    speakers: Ints,
    strata: Ints,
    cells: Ints | None = None,
    n_cells: int = 1,
    *,
    estimand: Estimand = "speaker",
) -> Design:
    """Sampling weights of a stratified sample for whole cells.

    In a cell every read clip has the weight ``1 / (read clips of its speaker)`` for the estimand ``speaker``, and 1 for
    ``clip``. The labelled clips of a stratum have the total weight of its read clips, in proportion to the weight of
    their speaker's clips in that stratum (a ratio estimator in each stratum; Cochran 1977, section 6.2). The estimate
    of a cell over several strata is therefore valid under unequal sampling.

    Parameters
    ----------
    read, labelled : bool arrays of shape (clips,)
        Whether a clip has the cheap reading, and whether it also has the trusted one.
    speakers, strata, cells : int arrays of shape (clips,)
        Indices of each clip's speaker, of the stratum within which labelled clips were drawn at random, and of its cell
        (default 0).

    Examples
    --------
    One of four speakers of stratum 0 is labelled, and one of two of stratum 1:

    >>> everyone, drawn = np.ones(6, bool), np.array([1, 0, 0, 0, 1, 0], bool)
    >>> design(everyone, drawn, np.arange(6), np.array([0, 0, 0, 0, 1, 1])).weight.tolist()
    [1.0, 0.0, 0.0, 0.0, 0.5, 0.0]
    """
    cell = np.zeros(len(read), np.int64) if cells is None else cells
    rows = np.flatnonzero(read)
    n_people, n_strata = (int(of.max(initial=-1)) + 1 for of in (speakers, strata))
    person = cell[rows] * n_people + speakers[rows]
    stratum = cell[rows] * n_strata + strata[rows]
    place, units = pd.factorize(stratum * n_people + speakers[rows])  # unit: one speaker in one stratum of one cell
    first = np.unique(place, return_index=True)[1]
    own = np.bincount(place, minlength=len(units)).astype(np.float64)
    if estimand == "speaker":
        of_person, _ = pd.factorize(person)
        own /= np.bincount(of_person)[of_person[first]]
    n_labelled = np.bincount(place, labelled[rows], minlength=len(units))
    # sorted by value, so that sums do not depend on the order of rows
    order = np.lexsort((n_labelled, own, stratum[first]))
    where, n_all = stratum[first][order], n_cells * n_strata
    whole = np.bincount(where, own[order], minlength=n_all)
    seen = np.bincount(where, (own * (n_labelled > 0))[order], minlength=n_all)
    weight = np.zeros(len(read))
    chosen = labelled[rows]
    of = place[chosen]
    weight[rows[chosen]] = whole[stratum[chosen]] / seen[stratum[chosen]] * own[of] / n_labelled[of]
    largest = np.zeros(n_cells)
    np.maximum.at(largest, cell[rows[chosen]], weight[rows[chosen]])
    with np.errstate(invalid="ignore"):
        weight = np.where(weight > 0, np.round(weight / largest[cell], 12), 0.0)
    uncovered, there = (of.reshape(n_cells, n_strata).sum(axis=1) for of in ((whole > 0) & ~(seen > 0), whole > 0))
    return Design(weight, uncovered, there)


def prediction_powered(
    instrument: ArrayLike,
    human: ArrayLike,
    speakers: SpeakerIds,
    settings: Settings | None = None,
    *,
    strata: SpeakerIds | None = None,
    readers: int | None = None,
    name: str = "",
    clusters: Ints | None = None,
) -> Estimate:
    """Prediction-powered rate of human readings, from an instrument's reading of all clips and people's of some.

    ``theta = mean_all(instrument) + mean_labelled(human - instrument)``: the second mean, the rectifier, removes the
    instrument's error (Angelopoulos et al. 2023, arXiv 2301.09633, section 2.1). The labelled speakers must be a random
    sample within each stratum; nothing is assumed about the instrument.

    The interval combines the two parts by MOVER (Zou and Donner 2008): a rate's interval for the first, that of a
    paired difference for the second, and their correlation, since the labelled speakers belong to both. Value and ends
    are clipped to [0, 1]. The interval is never narrower than that of the same number of unanimous speakers.

    Parameters
    ----------
    instrument, human : arrays of shape (clips,)
        Values in [0, 1] of the instrument and of people (the share of them, if several read one clip). NaN (or None)
        if there is no reading. People's readings of clips that the instrument did not read are left out.
    speakers, settings, name
        As :func:`rate`.
    strata : array of shape (clips,), optional
        Sampling stratum of each clip; default: one stratum. See :func:`design`.
    readers : int, optional
        Number of people who read; named in the method.
    clusters : int array of shape (clips,), optional
        Numbers of the clips' clusters where speakers share some; the rectifier's part does not use them.

    Returns
    -------
    Estimate
        Counts are those of the instrument's part; the method has the number of speakers that people read. Below
        ``min_speakers`` of these there is no interval; if a stratum has no human reading there is no value either.

    Raises
    ------
    ValueError
        As :func:`rate`; also if the arrays differ in length.

    Examples
    --------
    The instrument reads yes for 6 of 12 speakers; people read 6 of them, and yes for one:

    >>> instrument, human = [1, 0] * 6, [1, 0, 0, 0, 0, 0] + [None] * 6
    >>> found = prediction_powered(instrument, human, range(12), readers=2)
    >>> round(found.value, 4), found.n_speakers  # 1/2 + (1/6 - 1/2)
    (0.1667, 12)
    >>> found.method.partition(";")[0]
    'prediction-powered: faces of 6 speakers read by 2 people'
    """
    settings = settings or Settings()
    f, h = checked_values(instrument, "rate"), checked_values(human, "rate")
    if len(f) != len(h):
        raise ValueError(f"{len(f)} values of the instrument but {len(h)} of people")
    codes, plan = _sampled(f, h, speakers, strata, settings)
    everyone = figure_curve(f, codes, settings, name=name, clusters=clusters).at(settings.confidence)
    return predicted_cells([everyone], f, h, codes, plan, np.zeros(len(f), np.int64), settings, readers=readers)[0][1]


def prediction_powered_change(
    before: ArrayLike,
    instrument: ArrayLike,
    human: ArrayLike,
    speakers: SpeakerIds,
    settings: Settings | None = None,
    *,
    strata: SpeakerIds | None = None,
    readers: int | None = None,
    name: str = "",
    clusters: Ints | None = None,
) -> Estimate:
    """Prediction-powered change of a rate: of human readings, minus an earlier reading by the instrument.

    ``theta = mean_all(instrument - before) + mean_labelled(human - instrument)``, as :func:`prediction_powered` with
    the paired change in place of the instrument's rate. Nothing is assumed about the instrument's second reading; its
    errors in the earlier one, which people did not read, are not corrected.

    Parameters
    ----------
    before : array of shape (clips,)
        The instrument's earlier reading of the same clips, in [0, 1]. Clips without it are left out.
    instrument, human, speakers, settings, strata, readers, name, clusters
        As :func:`prediction_powered`.

    Returns
    -------
    Estimate
        Value and ends lie in [-1, 1]. The interval is never narrower than that of a rate of the same number of
        unanimous speakers, on either side of the value.

    Raises
    ------
    ValueError
        As :func:`prediction_powered`.

    Examples
    --------
    The instrument reads yes for 6 of 12 speakers, and before that for none; people read 6 of them, and yes for one:

    >>> instrument, human = [1, 0] * 6, [1, 0, 0, 0, 0, 0] + [None] * 6
    >>> round(prediction_powered_change([0] * 12, instrument, human, range(12)).value, 4)  # 1/2 - 0 + (1/6 - 1/2)
    0.1667
    """
    settings = settings or Settings()
    a, f, h = checked_values(before, "rate"), checked_values(instrument, "rate"), checked_values(human, "rate")
    if not len(a) == len(f) == len(h):
        raise ValueError(f"{len(a)} earlier values and {len(f)} of the instrument but {len(h)} of people")
    f = np.where(np.isnan(a), np.nan, f)
    codes, plan = _sampled(f, h, speakers, strata, settings)
    everyone = paired(a, f, codes, replace(settings, interval="auto"), name=name, clusters=clusters).difference()
    cells = np.zeros(len(f), np.int64)
    return predicted_cells([everyone], f, h, codes, plan, cells, settings, readers=readers, before=a)[0].powered


def _sampled(
    instrument: Floats, human: Floats, speakers: SpeakerIds, strata: SpeakerIds | None, settings: Settings
) -> tuple[Ints, Design]:
    """The number of each clip's speaker, and the sampling design of the human readings of clips that were read."""
    codes, read = codes_of(speakers, len(instrument)), ~np.isnan(instrument)
    drawn = np.zeros(len(read), np.int64) if strata is None else np.asarray(pd.factorize(ids_of(strata))[0], np.int64)
    return codes, design(read, read & ~np.isnan(human), codes, drawn, estimand=settings.estimand)


def predicted_cells(
    everyone: Sequence[Estimate],
    instrument: Floats,
    human: Floats,
    speakers: Ints,
    plan: Design,
    cells: Ints,
    settings: Settings,
    *,
    readers: int | None = None,
    before: Floats | None = None,
) -> list[Predicted]:
    """:func:`prediction_powered` for many cells at once, and the estimates from the trusted reading alone.

    Parameters
    ----------
    everyone : sequence of Estimate
        The instrument's rate of each cell.
    instrument, human, speakers, cells : arrays of shape (clips,)
        At least all clips of every speaker with a labelled clip; NaN if there is no reading.
    plan : Design
        Sampling weights of these clips and cells.
    settings : Settings
        Settings of the intervals, which are always the closed-form ones.
    readers : int, optional
        Number of people who read; named in the method.
    before : array of shape (clips,), optional
        The instrument's earlier reading, for changes instead of rates; ``everyone`` are then paired differences.
    """
    n_cells = len(everyone)
    estimated = instrument if before is None else instrument - before
    labelled = _LabelledSpeakers.of(instrument, human, estimated, speakers, cells, plan.weight)
    plain = replace(settings, interval="auto")
    alone = estimates(labelled.sums(labelled.human, n_cells), "rate", plain, [""] * n_cells)
    rectifier = labelled.sums(labelled.human - labelled.instrument, n_cells)
    m = moments(rectifier, plain)
    point, low, high, methods = paired_rate_intervals(rectifier, m, plain)
    shared = labelled.correlation(n_cells, m, np.array([each.n_speakers for each in everyone], np.float64))
    f = np.array([(each.value, each.low, each.high) for each in everyone], np.float64).reshape(-1, 3).T
    found = zip(*mover((-f[0], -f[2], -f[1]), (point, low, high), -shared), strict=True)
    lacking = [
        f"in {without} of {strata} strata no face was read by people" if 0 < without < strata else ""
        for without, strata in zip(plan.uncovered.tolist(), plan.strata.tolist(), strict=True)
    ]
    columns = zip(everyone, alone, found, methods, lacking, strict=True)
    return [_combined(*of_cell, settings.tail, readers, changes=before is not None) for of_cell in columns]


def _combined(
    everyone: Estimate,
    alone: Estimate,
    found: tuple[float, float, float],
    rectifier_method: str,
    lacking: str,
    tail: float,
    readers: int | None,
    *,
    changes: bool,
) -> Predicted:
    if not alone.n_speakers or lacking:
        method = f"not estimable: {lacking or 'no face was read by people'}"
        return Predicted(*(replace(x, value=None, low=None, high=None, method=method) for x in (alone, everyone)))
    if everyone.value is None:
        return Predicted(alone, everyone)
    bottom = -1.0 if changes else 0.0
    value = shortened(float(np.clip(found[0], bottom, 1)))
    if alone.interval is None or everyone.interval is None:
        method = f"{alone.method}, whose faces people read" if alone.interval is None else everyone.method
        return Predicted(alone, replace(everyone, value=value, low=None, high=None, method=method))
    # never narrower than for the same number of speakers whose reads all agree
    least = 1 - tail ** (1 / everyone.n_speakers)
    if changes:
        low, high = min(found[1], found[0] - least), max(found[2], found[0] + least)
    else:
        low, high = min(found[1], 1 - least), max(found[2], least)
    low, high = np.clip(low, bottom, 1), np.clip(high, bottom, 1)
    people = "" if readers is None else f" by {readers} {'person' if readers == 1 else 'people'}"
    method = (
        f"prediction-powered: faces of {alone.n_speakers} speakers read{people}; MOVER (instrument: "
        f"{everyone.method}; human minus instrument: {rectifier_method})"
    )
    powered = replace(everyone, value=value, low=shortened(float(low)), high=shortened(float(high)), method=method)
    return Predicted(alone, powered)


@dataclass(frozen=True)
class _LabelledSpeakers:
    """One entry per labelled speaker in a cell, sorted by value.

    ``human`` and ``instrument`` are weighted means over the labelled clips, ``usual`` is the mean of the instrument's
    estimate over all of the speaker's clips in the cell.
    """

    cell: Ints
    human: Floats
    instrument: Floats
    usual: Floats
    weight: Floats
    clips: Ints

    @classmethod
    def of(
        cls, instrument: Floats, human: Floats, estimated: Floats, speakers: Ints, cells: Ints, weight: Floats
    ) -> _LabelledSpeakers:
        unit = cells * (int(speakers.max(initial=0)) + 1) + speakers
        rows = np.flatnonzero(weight > 0)
        rows = rows[np.lexsort((weight[rows], instrument[rows], human[rows], unit[rows]))]
        known, first, place = np.unique(unit[rows], return_index=True, return_inverse=True)
        whole = np.bincount(place, weight[rows], minlength=len(known)).astype(np.float64)
        h, f = (np.bincount(place, weight[rows] * x[rows], minlength=len(known)) / whole for x in (human, instrument))
        at = np.searchsorted(known, unit)
        clip = np.flatnonzero((at < len(known)) & ~np.isnan(estimated))
        clip = clip[known[at[clip]] == unit[clip]]
        clip = clip[np.lexsort((estimated[clip], unit[clip]))]
        number = np.bincount(at[clip], minlength=len(known))
        usual = np.bincount(at[clip], estimated[clip], minlength=len(known)) / np.maximum(number, 1)
        cell, clips = cells[rows][first], np.bincount(place, minlength=len(known)).astype(np.int64)
        order = np.lexsort((whole, usual, f, h, cell))
        return cls(cell[order], h[order], f[order], usual[order], whole[order], clips[order])

    def sums(self, values: Floats, n_cells: int) -> SpeakerSums:
        return sorted_sums(self.cell, values * self.clips, self.clips, np.zeros(n_cells, np.int64), weight=self.weight)

    def correlation(self, n_cells: int, m: Moments, everyone: Floats) -> Floats:
        """Correlation of the instrument's rate with the rectifier; the labelled speakers belong to both.

        ``cov(mean_all f, mean_labelled d) = cov(f, d) / N``, so it is ``corr(f, d) * sqrt(n / N)`` with Kish's
        effective number ``n`` of labelled speakers.
        """

        def total(values: Floats | float) -> Floats:
            return np.bincount(self.cell, self.weight * values, minlength=n_cells).astype(np.float64)

        with np.errstate(divide="ignore", invalid="ignore"):
            whole = total(1.0)
            f = self.usual - (total(self.usual) / whole)[self.cell]
            change = self.human - self.instrument
            d = change - (total(change) / whole)[self.cell]
            squares = total(f * f) * total(d * d)
            constant = squares <= 1e-18 * whole**2
            shared = np.where(constant, 0.0, total(f * d) / np.sqrt(squares) * np.sqrt(m.size / everyone))
        return np.asarray(np.clip(np.nan_to_num(shared), -1, 1), np.float64)
