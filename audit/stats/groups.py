"""Several groups at once: whether they differ at all, by how much, and each against the middle of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from audit.stats.estimate import Estimate
from audit.stats.rates import Moments, effective_reads, moments, rate_intervals, shortened, weighing
from audit.stats.settings import Kind, Settings
from audit.stats.speakers import Floats, Ints, SpeakerSums

_MANY = 500
_DISSENT = 25
"""With so many speakers in every group, and so many whose reads of a rate dissent, groups' values are normal."""
_CHUNK = 4_000_000
_LEVELS, _FEW = 64, 5000
"""Above ``_FEW`` speakers, real values are exchanged as so many levels."""


@dataclass(frozen=True)
class GroupTest:
    """A test of "no group differs" on speakers.

    Attributes
    ----------
    p : float or None
        None where there are fewer than two groups to compare; the method says so.
    n_groups, n_speakers : int
        What was compared: groups of at least ``min_speakers`` speakers.
    method : str
        Which test.
    """

    p: float | None
    n_groups: int
    n_speakers: int
    method: str


@dataclass(frozen=True)
class _Compared:
    """The groups of one metric that have enough speakers, in an order of their numbers, not of their names.

    ``cells`` are their numbers in the sums, ``value`` and ``variance`` are those of the estimates, ``drawn`` is the
    variance that their intervals rest on, ``left_out`` says in words which groups are too small.
    """

    cells: Ints
    value: Floats
    variance: Floats
    drawn: Floats
    n_speakers: int
    left_out: str

    @property
    def lacking(self) -> str:
        """Why there is nothing to compare; empty where there is."""
        number = len(self.cells)
        if number > 1:
            return ""
        return f"not estimable: {number} group{'' if number == 1 else 's'} with enough speakers, 2 needed"

    @property
    def between(self) -> float:
        """The variance of the groups' values, their sampling noise included."""
        return float(self.value.var(ddof=1))

    def noise(self, settings: Settings, name: str) -> Floats:
        """Sampling errors of the groups' values, drawn anew: floats of shape (resamples, groups)."""
        draws = settings.generator(f"{name} between groups").normal(size=(settings.resamples, len(self.cells)))
        return np.asarray(draws * np.sqrt(self.drawn), np.float64)


def group_tests(
    sums: SpeakerSums, n_groups: int, kind: Kind, settings: Settings, names: Sequence[str]
) -> list[GroupTest]:
    """Permutation tests that no group differs from any other, speakers being exchanged between groups.

    The statistic is the variance between the groups' values over their mean sampling variance, the ANOVA-type
    statistic of Brunner, Dette and Munk (1997). Permuting it is exact where speakers can be exchanged; where only the
    values are equal and groups differ in size or variance, docs/method.md has what was measured (for two groups it is
    the studentised test of Chung and Romano 2013). A group whose speakers all agree adds no noise; no group's own
    variance is divided by. ``p = (1 + as extreme) / (1 + drawn)`` (Phipson and Smyth 2010). With at least 500 speakers
    in every group, and of a rate 25 who dissent, the statistic's limit is drawn instead: normal errors of the groups'
    values.

    Parameters
    ----------
    sums : SpeakerSums
        The cell of metric ``j`` and group ``k`` is ``j * n_groups + k``; no speaker is in two groups.
    n_groups : int
        Groups of each metric.
    kind : {"rate", "mean"}
        As :func:`audit.stats.paired`.
    settings : Settings
        ``resamples`` are the permutations. Groups below ``min_speakers`` are left out, and the method says so.
    names : sequence of str
        One for each metric, which seeds its permutations.

    Examples
    --------
    >>> from audit.stats.speakers import speaker_sums
    >>> sums = speaker_sums(np.repeat([0.0, 1.0], 5), np.arange(10), np.repeat([0, 1], 5), 2)
    >>> (found,) = group_tests(sums, 2, "rate", Settings(resamples=9999), [""])
    >>> round(found.p, 2), found.n_groups, found.n_speakers  # 2 of the 252 ways to part them
    (0.01, 2, 10)
    """
    compared = _compared(sums, n_groups, kind, settings)
    return [_tested(sums, groups, kind, settings, name) for groups, name in zip(compared, names, strict=True)]


def spreads(sums: SpeakerSums, n_groups: int, kind: Kind, settings: Settings, names: Sequence[str]) -> list[Estimate]:
    """How much the groups of each metric differ: the standard deviation of their true values, without sampling noise.

    With the values ``p_k`` of ``K`` groups and their sampling variances ``v_k``, ``V = sum((p_k - mean(p))**2) /
    (K - 1) - mean(v_k)`` is unbiased for the variance of the true values, whatever ``K`` is; max minus min is not (Lum,
    Zhang and Bower 2022). Values drawn again carry the noise twice and are corrected twice: ``V* = sum((p*_k -
    mean(p*))**2) / (K - 1) - mean(v_k) - mean(w_k)``, ``p*_k`` being normal about ``p_k`` with ``w_k``, the variance
    that the group's own interval rests on. The interval is that of ``V*``'s percentiles. The point and both ends are
    square roots; a variance below 0 is shown as 0, and the method says so. Parameters are those of :func:`group_tests`.

    Examples
    --------
    >>> from audit.stats.speakers import speaker_sums
    >>> sums = speaker_sums(np.array([0.0] * 4 + [1] * 5 + [0]), np.arange(10), np.repeat([0, 1], 5), 2)
    >>> round(spreads(sums, 2, "rate", Settings(), [""])[0].value ** 2, 6)  # rates .2 and .8, V = .18 - .16 / 4
    0.14
    """
    compared = _compared(sums, n_groups, kind, settings)
    return [_spread(sums, groups, kind, settings, name) for groups, name in zip(compared, names, strict=True)]


def ratios(sums: SpeakerSums, n_groups: int, settings: Settings) -> list[Estimate]:
    """Each group's rate over the geometric mean of all groups' rates: one Estimate a cell, as in :func:`group_tests`.

    The intervals are simultaneous over the groups (Bonferroni). They are MOVER's (Zou and Donner 2008) on the
    logarithm, ``log p_k - mean_j(log p_j)``, from the logarithms of the groups' own intervals. Not estimable where any
    rate is 0.
    """
    m = moments(sums, settings)
    found: list[Estimate] = []
    intervals: dict[int, tuple[Floats, Floats, list[str]]] = {}
    for j, groups in enumerate(_compared(sums, n_groups, "rate", settings)):
        number = len(groups.cells)
        if number not in intervals:
            together = replace(settings, confidence=1 - (1 - settings.confidence) / max(number, 1))
            intervals[number] = rate_intervals(sums, m, together, [""] * sums.n_cells)
        low, high, methods = intervals[number]
        why = groups.lacking or ("not estimable: the rate of a group is 0" if (groups.value <= 0).any() else "")
        made: dict[int, tuple[float, float, float]] = {}
        if not why:
            point, down, up = (np.log(x[groups.cells]) for x in (m.value, low, high))
            for i, cell in enumerate(groups.cells):
                share = np.full(number, -1 / number)
                share[i] += 1
                below, above = np.where(share > 0, (point - down, up - point), (up - point, point - down)) * share
                middle = float((share * point).sum())
                arms = float(np.sqrt((below**2).sum())), float(np.sqrt((above**2).sum()))
                made[int(cell)] = (middle, middle - arms[0], middle + arms[1])
        for cell in range(j * n_groups, (j + 1) * n_groups):
            counts = (int(m.speakers[cell]), int(m.clips[cell]), int(sums.missing[cell]))
            if cell in made:
                value, *ends = (shortened(float(np.exp(x))) for x in made[cell])
                told = f"MOVER of logarithms over {number} groups together ({methods[cell]}){groups.left_out}"
                found.append(Estimate(value, ends[0], ends[1], *counts, told))
            else:
                few = m.speakers[cell] < settings.min_speakers
                found.append(Estimate(None, None, None, *counts, methods[cell] if few and not groups.lacking else why))
    return found


def _compared(sums: SpeakerSums, n_groups: int, kind: Kind, settings: Settings) -> list[_Compared]:
    m = moments(sums, settings)
    enough = m.speakers >= settings.min_speakers
    drawn = _sampling(sums, m, kind, settings)
    found = []
    for first in range(0, sums.n_cells, n_groups):
        all_of = np.arange(first, first + n_groups)
        cells = all_of[enough[all_of]]
        cells = cells[np.lexsort((drawn[cells], m.variance[cells], m.value[cells], m.speakers[cells]))]
        few = int(((m.speakers[all_of] > 0) & ~enough[all_of]).sum())
        told = f"; groups of fewer than {settings.min_speakers} speakers, left out: {few}" if few else ""
        found.append(
            _Compared(cells, m.value[cells], m.variance[cells], drawn[cells], int(m.speakers[cells].sum()), told)
        )
    return found


def _sampling(sums: SpeakerSums, m: Moments, kind: Kind, settings: Settings) -> Floats:
    """The variance that each cell's interval rests on: wider for few speakers, and of a rate never zero."""
    if kind == "mean":
        wider = special.stdtrit(np.maximum(m.size - 1, 1), 1 - settings.tail) / special.ndtri(1 - settings.tail)
        return np.asarray(np.nan_to_num(m.variance) * wider**2, np.float64)
    size, rate = effective_reads(sums, m, settings), np.nan_to_num(m.value)
    pulled = (rate * size + 0.5) / (size + 1)  # half a yes and half a no more (Jeffreys), for reads that all agree
    return np.asarray(np.maximum(rate * (1 - rate) / size, pulled * (1 - pulled) / (size + 2)), np.float64)


def _spread(sums: SpeakerSums, groups: _Compared, kind: Kind, settings: Settings, name: str) -> Estimate:
    at, number = groups.cells, len(groups.cells)
    clips = int(sums.sum(sums.clips)[at].sum())
    counts = (groups.n_speakers, clips, int(sums.missing[at].sum()))
    if groups.lacking:
        return Estimate(None, None, None, *counts, groups.lacking + groups.left_out)
    noise = float(groups.variance.mean())
    variance = groups.between - noise
    told = " (variance below 0, shown as 0)" if variance < 0 else ""
    value = float(np.sqrt(max(variance, 0.0)))
    if (groups.drawn <= (1e-12 * np.maximum(1, np.abs(groups.value))) ** 2).any():
        why = "no interval: all speakers of a group have the same value"
        return Estimate(shortened(value), None, None, *counts, f"{why}{told}{groups.left_out}")
    errors = groups.noise(settings, name)
    levels, twice = [settings.tail, 1 - settings.tail], noise + float(groups.drawn.mean())
    ends = np.quantile((groups.value + errors).var(axis=1, ddof=1) - twice, levels)
    # groups that are more alike than chance makes them do not tell that they are equal
    equal = np.quantile(errors.var(axis=1, ddof=1), levels[1]) - float(groups.drawn.mean())
    most = (number // 2) * ((number + 1) // 2) / number / (number - 1) if kind == "rate" else np.inf
    low, high = np.sqrt(np.clip([ends[0], max(ends[1], equal)], 0, most))
    method = f"between {number} groups, doubly corrected, {settings.resamples} draws{told}{groups.left_out}"
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
    total = total - weight * (total.sum() / weight.sum())  # so that sums of squares lose no digits
    dissent = np.minimum(sums.sum((sums.mean > 0).astype(float)), sums.sum((sums.mean < 1).astype(float)))
    if sizes.min() >= _MANY and (kind == "mean" or dissent[groups.cells].min() >= _DISSENT):
        extreme = int((groups.noise(settings, name).var(axis=1, ddof=1) >= groups.between).sum())
        how = f"{settings.resamples} draws of the permutations' limit"
    else:
        extreme = _exchanged(total, weight, sizes, settings.resamples, settings.generator(f"{name} exchanged"))
        how = f"{settings.resamples} permutations of {groups.n_speakers} speakers"
    p = (1 + extreme) / (1 + settings.resamples)
    return GroupTest(shortened(p), *counts, f"variance between {number} groups over noise, {how}{groups.left_out}")


def _exchanged(total: Floats, weight: Floats, sizes: Ints, resamples: int, rng: np.random.Generator) -> int:
    """How many of so many permutations of the speakers part the groups at least as far as they are parted.

    Where speakers have few distinct numbers a permutation is one random table of levels by groups with the margins
    that were seen (Patefield 1981); otherwise speakers are drawn by index. Both are the same test.
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
    parted = _parted(lambda x: np.add.reduceat(x, starts)[None], total, weight, sizes, scale)[0]
    few, cells = 6 * len(levels) * number <= n, len(levels) * number
    if few:
        from scipy import stats  # its import takes a second, which a gate that needs no such test should not spend
    extreme, rows = 0, max(1, _CHUNK // (cells if few else n))
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start)
        if few:
            tables = stats.random_table.rvs(times, sizes, size=size, random_state=rng).reshape(size, -1, number)
            # summed without BLAS, whose order of addition depends on the machine
            drawn = _parted(lambda x, t=tables: (t * x[:, None]).sum(axis=1), levels[:, 0], levels[:, 1], sizes, scale)  # type: ignore[misc]  # a default that binds the loop's value
        else:
            index = rng.permuted(np.tile(np.arange(n, dtype=np.int32), (size, 1)), axis=1)
            drawn = _parted(lambda x, i=index: np.add.reduceat(x[i], starts, axis=1), total, weight, sizes, scale)  # type: ignore[misc]  # likewise
        extreme += int((drawn >= parted * (1 - 1e-9)).sum())
    return extreme


def _parted(sum_of: Callable[[Floats], Floats], total: Floats, weight: Floats, sizes: Ints, scale: float) -> Floats:
    """The variance between groups over their mean sampling variance, for every draw.

    ``sum_of`` adds up numbers of the speakers (or levels) to floats of shape (draws, groups).
    """
    totals, squares = sum_of(total), sum_of(total**2)
    alike = bool((weight == 1).all())
    weights, crossed, weights2 = (
        (sizes, totals, sizes) if alike else (sum_of(weight), sum_of(total * weight), sum_of(weight**2))
    )
    value = totals / weights
    within = np.maximum(squares - 2 * value * crossed + value**2 * weights2, 0)
    between, noise = value.var(axis=1, ddof=1), (sizes / (sizes - 1) * within / weights**2).mean(axis=1)
    between, noise = (np.where(x > 1e-13 * scale, x, 0.0) for x in (between, noise))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(between > 0, between / noise, 0.0)
