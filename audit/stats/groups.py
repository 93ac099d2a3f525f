"""Comparison of several groups: permutation test, between-group standard deviation, ratios to the geometric mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from audit.stats.estimate import Estimate
from audit.stats.rates import Moments, moments, rate_intervals, shortened, weighing
from audit.stats.settings import Kind, Settings
from audit.stats.speakers import Floats, Ints, SpeakerSums

_MANY = 500
_MINORITY = 25
"""Groups' values count as normal from ``_MANY`` speakers and, for a rate, ``_MINORITY`` with a read of the rarer kind
in every group."""
_CHUNK = 4_000_000
_LEVELS, _FEW = 64, 5000
"""Above ``_FEW`` speakers, real values are permuted after binning into ``_LEVELS`` levels."""


@dataclass(frozen=True)
class GroupTest:
    """A test of the hypothesis that no group differs, with speakers as sampling unit.

    Attributes
    ----------
    p : float or None
        None if there are fewer than two groups to compare; the method says so.
    n_groups, n_speakers : int
        Number of groups with at least ``min_speakers`` speakers, and of their speakers.
    """

    p: float | None
    n_groups: int
    n_speakers: int
    method: str


@dataclass(frozen=True)
class _Compared:
    """The groups of one metric that have enough speakers, sorted by their statistics and not by name.

    ``cells`` are their indices in the sums, ``value`` and ``variance`` those of the estimates, ``interval_variance`` is
    the variance that their intervals are based on, ``left_out`` is a note on groups that are too small.
    """

    cells: Ints
    value: Floats
    variance: Floats
    interval_variance: Floats
    n_speakers: int
    left_out: str

    @property
    def lacking(self) -> str:
        """Why the groups cannot be compared; empty if they can."""
        number = len(self.cells)
        few = f"not estimable: {number} group{'' if number == 1 else 's'} with enough speakers, 2 needed"
        return "" if number > 1 else few

    @property
    def between(self) -> float:
        """The variance of the groups' values, including their sampling noise."""
        return float(self.value.var(ddof=1))

    def noise(self, settings: Settings, name: str) -> Floats:
        """Random sampling errors of the groups' values: floats of shape (resamples, groups)."""
        draws = settings.generator(f"{name} between groups").normal(size=(settings.resamples, len(self.cells)))
        return np.asarray(draws * np.sqrt(self.interval_variance), np.float64)


def group_tests(
    sums: SpeakerSums, n_groups: int, kind: Kind, settings: Settings, names: Sequence[str]
) -> list[GroupTest]:
    """Permutation test that no group differs from any other, with speakers permuted between groups.

    The statistic is the variance between the groups' values divided by their mean sampling variance, the ANOVA-type
    statistic of Brunner, Dette and Munk (1997). The test is exact if speakers are exchangeable. If only the values are
    equal and groups differ in size or variance, docs/validation/many-groups.md has its measured error rate (for two
    groups it is the studentised test of Chung and Romano 2013). Dividing by the mean variance allows groups whose
    speakers all agree.
    ``p = (1 + as extreme) / (1 + drawn)`` (Phipson and Smyth 2010). With at least 500 speakers in every group, and for
    a rate 25 with a read of the rarer kind, the statistic's limit is drawn instead, from normal errors of the values.

    Parameters
    ----------
    sums : SpeakerSums
        The cell of metric ``j`` and group ``k`` is ``j * n_groups + k``; each speaker is in one group.
    n_groups, kind
        Number of groups of each metric; as :func:`audit.stats.paired`.
    settings : Settings
        ``resamples`` is the number of permutations. Groups below ``min_speakers`` are left out; the method says so.
    names : sequence of str
        One per metric; seeds its permutations.

    Examples
    --------
    >>> from audit.stats.speakers import speaker_sums
    >>> sums = speaker_sums(np.repeat([0.0, 1.0], 5), np.arange(10), np.repeat([0, 1], 5), 2)
    >>> (found,) = group_tests(sums, 2, "rate", Settings(resamples=9999), [""])
    >>> round(found.p, 2), found.n_groups, found.n_speakers  # 2 of the 252 ways to divide them
    (0.01, 2, 10)
    """
    compared = zip(_compared(sums, n_groups, kind, settings), names, strict=True)
    return [_tested(sums, groups, kind, settings, name) for groups, name in compared]


def spreads(sums: SpeakerSums, n_groups: int, kind: Kind, settings: Settings, names: Sequence[str]) -> list[Estimate]:
    """Between-group standard deviation of each metric: that of the groups' true values, without sampling noise.

    With the values ``p_k`` of ``K`` groups and their sampling variances ``v_k``, ``V = sum((p_k - mean(p))**2) /
    (K - 1) - mean(v_k)`` is unbiased for the variance of the true values for every ``K``; max minus min is not (Lum,
    Zhang and Bower 2022). Resampled values contain the noise twice and are corrected twice: ``V* = sum((p*_k -
    mean(p*))**2) / (K - 1) - mean(v_k) - mean(w_k)``, where ``p*_k`` is normal with mean ``p_k`` and variance ``w_k``,
    the variance that the group's interval is based on. The interval is given by percentiles of ``V*``. Point and
    interval are square roots; a negative variance is shown as 0, and the method says so. Parameters are those of
    :func:`group_tests`.

    Examples
    --------
    >>> from audit.stats.speakers import speaker_sums
    >>> sums = speaker_sums(np.array([0.0] * 4 + [1] * 5 + [0]), np.arange(10), np.repeat([0, 1], 5), 2)
    >>> round(spreads(sums, 2, "rate", Settings(), [""])[0].value ** 2, 6)  # rates .2 and .8, V = .18 - .16 / 4
    0.14
    """
    compared = zip(_compared(sums, n_groups, kind, settings), names, strict=True)
    return [_between(sums, groups, kind, settings, name) for groups, name in compared]


def ratios(sums: SpeakerSums, n_groups: int, settings: Settings) -> list[Estimate]:
    """Ratio of each group's rate to the geometric mean of all groups' rates; one Estimate per cell.

    Cells are those of :func:`group_tests`. The intervals are simultaneous over the groups (Bonferroni), by MOVER (Zou
    and Donner 2008) on the logarithm, ``log p_k - mean_j(log p_j)``, from the logarithms of the groups' intervals. Not
    estimable if any rate is 0.
    """
    m = moments(sums, settings)
    found: list[Estimate] = []
    intervals: dict[int, tuple[Floats, Floats, list[str]]] = {}
    for j, groups in enumerate(_compared(sums, n_groups, "rate", settings)):
        number = len(groups.cells)
        if number not in intervals:
            adjusted = replace(settings, confidence=1 - (1 - settings.confidence) / max(number, 1))
            intervals[number] = rate_intervals(sums, m, adjusted, [""] * sums.n_cells)
        low, high, methods = intervals[number]
        why = groups.lacking or ("not estimable: the rate of a group is 0" if (groups.value <= 0).any() else "")
        made: dict[int, tuple[float, float, float]] = {}
        if not why:
            point, down, up = (np.log(x[groups.cells]) for x in (m.value, low, high))
            for i, cell in enumerate(groups.cells.tolist()):
                share = np.full(number, -1 / number)
                share[i] += 1
                arms = np.where(share > 0, (point - down, up - point), (up - point, point - down)) * share
                below, above = np.sqrt((arms**2).sum(axis=1)).tolist()
                middle = float((share * point).sum())
                made[cell] = (middle, middle - below, middle + above)
        for cell in range(j * n_groups, (j + 1) * n_groups):
            counts = (int(m.speakers[cell]), int(m.clips[cell]), int(sums.missing[cell]))
            if cell in made:
                value, *ends = (shortened(float(np.exp(x))) for x in made[cell])
                method = f"MOVER on logarithms, simultaneous over {number} groups ({methods[cell]}){groups.left_out}"
                found.append(Estimate(value, ends[0], ends[1], *counts, method))
            else:
                few = m.speakers[cell] < settings.min_speakers
                found.append(Estimate(None, None, None, *counts, methods[cell] if few and not groups.lacking else why))
    return found


def _compared(sums: SpeakerSums, n_groups: int, kind: Kind, settings: Settings) -> list[_Compared]:
    m = moments(sums, settings)
    enough = m.speakers >= settings.min_speakers
    variance = _interval_variance(sums, m, kind, settings)
    found = []
    for first in range(0, sums.n_cells, n_groups):
        all_cells = np.arange(first, first + n_groups)
        cells = all_cells[enough[all_cells]]
        cells = cells[np.lexsort((variance[cells], m.variance[cells], m.value[cells], m.speakers[cells]))]
        few = int(((m.speakers[all_cells] > 0) & ~enough[all_cells]).sum())
        note = f"; groups of fewer than {settings.min_speakers} speakers, left out: {few}" if few else ""
        n_speakers = int(m.speakers[cells].sum())
        found.append(_Compared(cells, m.value[cells], m.variance[cells], variance[cells], n_speakers, note))
    return found


def _interval_variance(sums: SpeakerSums, m: Moments, kind: Kind, settings: Settings) -> Floats:
    """The variance of a normal distribution with each cell's interval: never zero for a rate."""
    if kind == "mean":
        wider = special.stdtrit(np.maximum(m.size - 1, 1), 1 - settings.tail) / special.ndtri(1 - settings.tail)
        return np.asarray(np.nan_to_num(m.variance) * wider**2, np.float64)
    low, high, _ = rate_intervals(sums, m, replace(settings, interval="auto"), [""] * sums.n_cells)
    return np.asarray(((np.nan_to_num(high) - np.nan_to_num(low)) / (2 * special.ndtri(1 - settings.tail))) ** 2)


def _between(sums: SpeakerSums, groups: _Compared, kind: Kind, settings: Settings, name: str) -> Estimate:
    at, number = groups.cells, len(groups.cells)
    clips = int(sums.sum(sums.clips)[at].sum())
    counts = (groups.n_speakers, clips, int(sums.missing[at].sum()))
    if groups.lacking:
        return Estimate(None, None, None, *counts, groups.lacking + groups.left_out)
    noise = float(groups.variance.mean())
    variance = groups.between - noise
    note = " (variance below 0, shown as 0)" if variance < 0 else ""
    value = float(np.sqrt(max(variance, 0.0)))
    if (groups.interval_variance <= (1e-12 * np.maximum(1, np.abs(groups.value))) ** 2).any():
        why = "no interval: all speakers of a group have the same value"
        return Estimate(shortened(value), None, None, *counts, f"{why}{note}{groups.left_out}")
    errors = groups.noise(settings, name)
    levels, twice = [settings.tail, 1 - settings.tail], noise + float(groups.interval_variance.mean())
    ends = np.quantile((groups.value + errors).var(axis=1, ddof=1) - twice, levels)
    # groups that are more similar than chance explains are not evidence that they are equal
    equal = np.quantile(errors.var(axis=1, ddof=1), levels[1]) - float(groups.interval_variance.mean())
    most = (number // 2) * ((number + 1) // 2) / number / (number - 1) if kind == "rate" else np.inf
    low, high = np.sqrt(np.clip([ends[0], max(ends[1], equal)], 0, most))
    method = f"between {number} groups, doubly corrected, {settings.resamples} draws{note}{groups.left_out}"
    return Estimate(shortened(value), shortened(min(low, value)), shortened(max(high, value)), *counts, method)


def _tested(sums: SpeakerSums, groups: _Compared, kind: Kind, settings: Settings, name: str) -> GroupTest:
    number, counts = len(groups.cells), (len(groups.cells), groups.n_speakers)
    if groups.lacking:
        return GroupTest(None, *counts, groups.lacking + groups.left_out)
    place = np.full(sums.n_cells, -1)
    place[groups.cells] = np.arange(number)
    of = place[sums.cell]
    order = np.argsort(of, kind="stable")[int((of < 0).sum()) :]
    sizes = np.bincount(of[order], minlength=number)
    total, weight = (part[order] for part in weighing(sums, settings))
    total = total - weight * (total.sum() / weight.sum())  # centred, so that sums of squares lose no digits
    minority = np.minimum(sums.sum((sums.mean > 0).astype(float)), sums.sum((sums.mean < 1).astype(float)))
    if sizes.min() >= _MANY and (kind == "mean" or minority[groups.cells].min() >= _MINORITY):
        extreme = int((groups.noise(settings, name).var(axis=1, ddof=1) >= groups.between).sum())
        how = f"{settings.resamples} draws of the permutations' limit"
    else:
        extreme = _n_as_extreme(total, weight, sizes, settings.resamples, settings.generator(f"{name} exchanged"))
        how = f"{settings.resamples} permutations of {groups.n_speakers} speakers"
    p = (1 + extreme) / (1 + settings.resamples)
    return GroupTest(shortened(p), *counts, f"variance between {number} groups over noise, {how}{groups.left_out}")


def _n_as_extreme(total: Floats, weight: Floats, sizes: Ints, resamples: int, rng: np.random.Generator) -> int:
    """Number of permutations of the speakers whose statistic is at least as large as the observed one.

    If speakers have few distinct values, a permutation is one random table of levels by groups with the observed
    margins (Patefield 1981); otherwise speakers are drawn by index. Both are the same test.
    """
    n, number = len(total), len(sizes)
    starts = np.r_[0, np.cumsum(sizes)[:-1]]
    scale = float((total**2).sum()) / n
    if scale <= 1e-24:
        return resamples
    levels, of, times = np.unique(np.column_stack([total, weight]), axis=0, return_inverse=True, return_counts=True)
    of = of.reshape(-1)
    if len(levels) > _LEVELS and n > _FEW:  # a function of the values alone: the test stays exact
        block = of * _LEVELS // len(levels)
        times = np.bincount(block, minlength=_LEVELS)
        levels = np.column_stack([np.bincount(block, x, _LEVELS) / times for x in (total, weight)])
        total, weight = levels[block].T
    observed = _statistic(lambda x: np.add.reduceat(x, starts)[None], total, weight, sizes, scale)[0]
    few, cells = 6 * len(levels) * number <= n, len(levels) * number
    if few:
        from scipy import stats  # imported late: it takes a second, and the gate does not need it
    extreme, rows, columns = 0, max(1, _CHUNK // (cells if few else n)), (levels[:, 0], levels[:, 1])
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start)
        if few:
            tables = stats.random_table.rvs(times, sizes, size=size, random_state=rng).reshape(size, -1, number)
            # summed without BLAS, whose order of addition depends on the machine
            drawn = _statistic(lambda x, t=tables: (t * x[:, None]).sum(axis=1), *columns, sizes, scale)  # type: ignore[misc]  # a default that binds the loop's value
        else:
            index = rng.permuted(np.tile(np.arange(n, dtype=np.int32), (size, 1)), axis=1)
            drawn = _statistic(lambda x, i=index: np.add.reduceat(x[i], starts, axis=1), total, weight, sizes, scale)  # type: ignore[misc]  # a default that binds the loop's value
        extreme += int((drawn >= observed * (1 - 1e-9)).sum())
    return extreme


def _statistic(sum_of: Callable[[Floats], Floats], total: Floats, weight: Floats, sizes: Ints, scale: float) -> Floats:
    """The variance between groups divided by their mean sampling variance, for every draw.

    ``sum_of`` sums values of the speakers (or levels) to floats of shape (draws, groups).
    """
    totals, squares = sum_of(total), sum_of(total**2)
    unweighted = bool((weight == 1).all())
    weights, crossed, weights2 = (
        (sizes, totals, sizes) if unweighted else (sum_of(weight), sum_of(total * weight), sum_of(weight**2))
    )
    value = totals / weights
    within = np.maximum(squares - 2 * value * crossed + value**2 * weights2, 0)
    between, noise = value.var(axis=1, ddof=1), (sizes / (sizes - 1) * within / weights**2).mean(axis=1)
    between, noise = (np.where(x > 1e-13 * scale, x, 0.0) for x in (between, noise))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(between > 0, between / noise, 0.0)
