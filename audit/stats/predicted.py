"""Rates of which a cheap reading is known of all speakers and a trusted one of some: prediction-powered estimates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from audit.stats.estimate import Estimate
from audit.stats.intervals import mover
from audit.stats.pairs import paired_rate_intervals
from audit.stats.rates import Moments, estimates, moments, rate, shortened
from audit.stats.settings import Estimand, Settings
from audit.stats.speakers import Floats, Ints, SpeakerIds, SpeakerSums, checked_values, codes_of, ids_of, sorted_sums

Where = NDArray[np.bool_]


class Predicted(NamedTuple):
    """One cell: the trusted reading alone, on the labelled speakers, and both readings together."""

    human: Estimate
    powered: Estimate


@dataclass(frozen=True)
class Design:
    """How much each labelled clip stands for.

    Attributes
    ----------
    weight : float array of shape (clips,)
        Its weight in its cell, in (0, 1], the largest being 1; 0 for clips that are not labelled.
    uncovered, strata : int arrays of shape (cells,)
        How many of the cell's strata have no labelled clip, and how many strata it has.
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
    """What a sample that was drawn within strata says of whole cells.

    In a cell every read clip weighs ``1 / (read clips of its speaker)`` where speakers count alike, and 1 where clips
    do. The labelled clips of a stratum stand for all of it: together they weigh what its read clips do, each in
    proportion to what its speaker's clips of that stratum weigh (a ratio estimator in each stratum; Cochran 1977,
    section 6.2). So a cell over several strata is right however unequally they were sampled.

    Parameters
    ----------
    read, labelled : bool arrays of shape (clips,)
        Which clips have the cheap reading, and which of these the trusted one too.
    speakers, strata : int arrays of shape (clips,)
        Whose clip it is, and the stratum within which the labelled ones were drawn at random, as numbers from 0.
    cells : int array of shape (clips,), optional
        Number of each clip's cell; all 0 if left out.
    n_cells : int
        How many cells there are.
    estimand : {"speaker", "clip"}
        What counts alike.

    Examples
    --------
    Stratum 0 has four speakers, one of them labelled, stratum 1 two, one of them labelled:

    >>> everyone, drawn = np.ones(6, bool), np.array([1, 0, 0, 0, 1, 0], bool)
    >>> design(everyone, drawn, np.arange(6), np.array([0, 0, 0, 0, 1, 1])).weight.tolist()
    [1.0, 0.0, 0.0, 0.0, 0.5, 0.0]
    """
    cell = np.zeros(len(read), np.int64) if cells is None else cells
    rows = np.flatnonzero(read)
    n_people = int(speakers.max(initial=-1)) + 1
    n_strata = int(strata.max(initial=-1)) + 1
    person = cell[rows] * n_people + speakers[rows]
    stratum = cell[rows] * n_strata + strata[rows]
    place, units = pd.factorize(stratum * n_people + speakers[rows])  # a unit: one speaker in one stratum of one cell
    first = np.unique(place, return_index=True)[1]
    own = np.bincount(place, minlength=len(units)).astype(np.float64)
    if estimand == "speaker":
        whom, _ = pd.factorize(person)
        own /= np.bincount(whom)[whom[first]]
    told = np.bincount(place, labelled[rows], minlength=len(units))
    # in the order of their numbers, so that sums do not depend on the order of rows
    order = np.lexsort((told, own, stratum[first]))
    where, n_all = stratum[first][order], n_cells * n_strata
    whole = np.bincount(where, own[order], minlength=n_all)
    seen = np.bincount(where, (own * (told > 0))[order], minlength=n_all)
    weight = np.zeros(len(read))
    chosen = labelled[rows]
    of = place[chosen]
    weight[rows[chosen]] = whole[stratum[chosen]] / seen[stratum[chosen]] * own[of] / told[of]
    largest = np.zeros(n_cells)
    np.maximum.at(largest, cell[rows[chosen]], weight[rows[chosen]])
    with np.errstate(invalid="ignore"):
        weight = np.where(weight > 0, np.round(weight / largest[cell], 12), 0.0)
    there = (whole > 0).reshape(n_cells, n_strata)
    lacking = there & ~(seen > 0).reshape(n_cells, n_strata)
    return Design(weight, lacking.sum(axis=1).astype(np.int64), there.sum(axis=1).astype(np.int64))


def prediction_powered(
    instrument: ArrayLike,
    human: ArrayLike,
    speakers: SpeakerIds,
    settings: Settings | None = None,
    *,
    strata: SpeakerIds | None = None,
    readers: int | None = None,
    name: str = "",
) -> Estimate:
    """What people would have read, from an instrument's reading of all clips and people's readings of some.

    ``theta = mean_all(instrument) + mean_labelled(human - instrument)``: the second mean, the rectifier, takes out what
    the instrument gets wrong, whatever that is (Angelopoulos et al. 2023, arXiv 2301.09633, section 2.1). It needs the
    labelled speakers to be a random part of all, within each stratum; nothing is assumed of the instrument.

    The interval puts the two parts together by MOVER (Zou and Donner 2008): a rate's interval for the first, that of a
    paired difference for the second, and the correlation that they have because the labelled speakers are among all.
    Value and ends are kept within [0, 1]. It is never narrower than that of as many unanimous speakers.

    Parameters
    ----------
    instrument, human : arrays of shape (clips,)
        Values in [0, 1]: what the instrument read, and what people did (the share of them, where several read one
        clip). NaN (or None) where there is no reading. People's readings of clips that the instrument did not read
        are left out.
    speakers : array of shape (clips,)
        Who is heard.
    settings : Settings, optional
        The default settings if left out.
    strata : array of shape (clips,), optional
        Within which stratum the labelled clips were drawn; one stratum if left out. See :func:`design`.
    readers : int, optional
        How many people read; named in the method.
    name : str
        Seeds the bootstrap of the instrument's part, where the settings ask for one.

    Returns
    -------
    Estimate
        Its counts are those of the instrument's part; the method says how many speakers people read. Below
        ``min_speakers`` of these there is a value without an interval; with a stratum of which nothing was read there
        is neither.

    Raises
    ------
    ValueError
        As :func:`rate`; also where the arrays differ in length.

    Examples
    --------
    Twelve speakers; the instrument says yes to half, people, asked for six, to a sixth:

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
    codes = codes_of(speakers, len(f))
    drawn = np.zeros(len(f), np.int64) if strata is None else np.asarray(pd.factorize(ids_of(strata))[0], np.int64)
    read = ~np.isnan(f)
    plan = design(read, read & ~np.isnan(h), codes, drawn, estimand=settings.estimand)
    everyone = rate(f, codes, settings, name=name)
    return predicted_cells([everyone], f, h, codes, plan, np.zeros(len(f), np.int64), settings, readers=readers)[0][1]


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
) -> list[Predicted]:
    """:func:`prediction_powered` for many cells at once, and the trusted reading alone beside it.

    Parameters
    ----------
    everyone : sequence of Estimate
        The instrument's rate of each cell.
    instrument, human : float arrays of shape (clips,)
        At least the clips of every speaker who has a labelled one; NaN where there is no reading.
    speakers, cells : int arrays of shape (clips,)
        Numbers of each clip's speaker and cell.
    plan : Design
        Of the same clips and cells.
    settings : Settings
        Of the intervals, which are the closed-form ones.
    readers : int, optional
        How many people read; named in the method.
    """
    n_cells = len(everyone)
    labelled = _LabelledSpeakers.of(instrument, human, speakers, cells, plan.weight)
    plain = replace(settings, interval="auto")
    alone = estimates(labelled.sums(labelled.human, n_cells), "rate", plain, [""] * n_cells)
    rectifier = labelled.sums(labelled.human - labelled.instrument, n_cells)
    m = moments(rectifier, plain)
    point, low, high, told = paired_rate_intervals(rectifier, m, plain)
    shared = labelled.correlation(n_cells, m, np.array([each.n_speakers for each in everyone], np.float64))
    f = tuple(
        np.array([np.nan if x is None else x for x in part], np.float64)
        for part in zip(*((each.value, each.low, each.high) for each in everyone), strict=True)
    )
    value, low, high = mover((-f[0], -f[2], -f[1]), (point, low, high), -shared)
    return [
        _together(
            everyone[i], alone[i], (value[i], low[i], high[i]), told[i], _lacking(plan, i), settings.tail, readers
        )
        for i in range(n_cells)
    ]


def _together(
    everyone: Estimate,
    alone: Estimate,
    found: tuple[float, float, float],
    told: str,
    lacking: str,
    tail: float,
    readers: int | None,
) -> Predicted:
    counts = (everyone.n_speakers, everyone.n_clips, everyone.n_missing)
    if not alone.n_speakers or lacking:
        method = f"not estimable: {lacking or 'no face was read by people'}"
        nothing = Estimate(None, None, None, alone.n_speakers, alone.n_clips, alone.n_missing, method)
        return Predicted(nothing, Estimate(None, None, None, *counts, method))
    if everyone.value is None:
        return Predicted(alone, Estimate(None, None, None, *counts, everyone.method))
    value = shortened(float(np.clip(found[0], 0, 1)))
    if alone.interval is None:
        return Predicted(alone, Estimate(value, None, None, *counts, f"{alone.method}, whose faces people read"))
    if everyone.interval is None:
        return Predicted(alone, Estimate(value, None, None, *counts, everyone.method))
    # nothing can be known better than from as many speakers who all read alike
    least = 1 - tail ** (1 / everyone.n_speakers)
    low, high = np.clip(min(found[1], 1 - least), 0, 1), np.clip(max(found[2], least), 0, 1)
    people = "" if readers is None else f" by {readers} {'person' if readers == 1 else 'people'}"
    method = (
        f"prediction-powered: faces of {alone.n_speakers} speakers read{people}; MOVER (instrument: "
        f"{everyone.method}; human minus instrument: {told})"
    )
    return Predicted(alone, Estimate(value, shortened(float(low)), shortened(float(high)), *counts, method))


def _lacking(plan: Design, i: int) -> str:
    if not plan.uncovered[i] or plan.uncovered[i] == plan.strata[i]:
        return ""
    return f"in {plan.uncovered[i]} of {plan.strata[i]} strata no face was read by people"


@dataclass(frozen=True)
class _LabelledSpeakers:
    """One entry a labelled speaker in a cell, in an order that depends on the numbers alone.

    ``human`` and ``instrument`` are weighted means over the labelled clips, ``usual`` is the instrument's mean over all
    of the speaker's clips in the cell.
    """

    cell: Ints
    human: Floats
    instrument: Floats
    usual: Floats
    weight: Floats
    clips: Ints

    @classmethod
    def of(cls, instrument: Floats, human: Floats, speakers: Ints, cells: Ints, weight: Floats) -> _LabelledSpeakers:
        unit = cells * (int(speakers.max(initial=0)) + 1) + speakers
        rows = np.flatnonzero(weight > 0)
        rows = rows[np.lexsort((weight[rows], instrument[rows], human[rows], unit[rows]))]
        known, first, place = np.unique(unit[rows], return_index=True, return_inverse=True)
        whole = np.bincount(place, weight[rows], minlength=len(known)).astype(np.float64)
        h, f = (np.bincount(place, weight[rows] * x[rows], minlength=len(known)) / whole for x in (human, instrument))
        at = np.searchsorted(known, unit)
        beside = np.flatnonzero((at < len(known)) & ~np.isnan(instrument))
        beside = beside[known[at[beside]] == unit[beside]]
        beside = beside[np.lexsort((instrument[beside], unit[beside]))]
        number = np.bincount(at[beside], minlength=len(known))
        usual = np.bincount(at[beside], instrument[beside], minlength=len(known)) / np.maximum(number, 1)
        cell, clips = cells[rows][first], np.bincount(place, minlength=len(known)).astype(np.int64)
        order = np.lexsort((whole, usual, f, h, cell))
        return cls(cell[order], h[order], f[order], usual[order], whole[order], clips[order])

    def sums(self, values: Floats, n_cells: int) -> SpeakerSums:
        return sorted_sums(self.cell, values * self.clips, self.clips, np.zeros(n_cells, np.int64), weight=self.weight)

    def correlation(self, n_cells: int, m: Moments, everyone: Floats) -> Floats:
        """Of the instrument's rate with the rectifier, both estimates: the labelled speakers stand in both.

        ``cov(mean_all f, mean_labelled d) = cov(f, d) / N``, so that it is ``corr(f, d) * sqrt(n / N)``, ``n`` being
        Kish's effective number of labelled speakers.
        """

        def total(values: Floats) -> Floats:
            return np.bincount(self.cell, self.weight * values, minlength=n_cells).astype(np.float64)

        with np.errstate(divide="ignore", invalid="ignore"):
            whole = total(np.ones(len(self.cell)))
            f = self.usual - (total(self.usual) / whole)[self.cell]
            change = self.human - self.instrument
            d = change - (total(change) / whole)[self.cell]
            spread = total(f * f) * total(d * d)
            flat = spread <= 1e-18 * whole**2
            shared = np.where(flat, 0.0, total(f * d) / np.sqrt(spread) * np.sqrt(m.size / everyone))
        return np.asarray(np.clip(np.nan_to_num(shared), -1, 1), np.float64)
