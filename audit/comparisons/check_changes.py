"""Every check's figure in two runs, and how it changed: candidate minus baseline, the same clips and speakers in both.

A change has the sign and the unit of the check's figure; :data:`WORSE` says which direction is harm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from audit.checks.catalogue.coverage import HARDLY
from audit.checks.evidence import Evidence
from audit.checks.flips import flip_figures, flips, languages_spoken, repeated
from audit.checks.strata import Mask
from audit.comparisons.both import Both, Twofold
from audit.core.vocabulary import group_members
from audit.stats import Curve, Estimate, Pairs, difference_curve
from audit.stats.speakers import Reads, Standing

Direction = Literal["high", "low"]
WORSE: Final[Mapping[str, Direction]] = {
    "S2F001": "high",
    "S2F002": "high",
    "S2F003": "high",
    "S2F004": "low",
    "S2F005": "low",
    "S2F006": "high",
    "S2F007": "high",
}
"""Which end of a check's figure is bad for the group that it is about: a change in this direction is harm."""
HELD_TOGETHER: Final = frozenset({"S2F002", "S2F003", "S2F004", "S2F005", "S2F006"})
"""Checks of all groups at once: their headline is the worst change of any group."""


@dataclass(frozen=True)
class Compared:
    """One figure in two runs.

    Attributes
    ----------
    group : str
        Whom it is about.
    baseline, candidate : Curve
        The figure in each run, at every confidence.
    change : Curve
        Candidate minus baseline, paired.
    pairs : Pairs or None
        The speakers of the change, for a permutation test; None where it is no mean over them.
    """

    group: str
    baseline: Curve
    candidate: Curve
    change: Curve
    pairs: Pairs | None = None

    def together(self, number: int) -> Compared:
        """The same as one of so many figures that are to be right together."""
        baseline, candidate, change = (c.together(number) for c in (self.baseline, self.candidate, self.change))
        return Compared(self.group, baseline, candidate, change, self.pairs)


@dataclass(frozen=True)
class CheckCompared:
    """A check's headline figure and the groups' own in two runs; ``told`` says in words what is compared."""

    code: str
    headline: Compared
    groups: tuple[Compared, ...]
    told: str


def checks_compared(both: Both) -> list[CheckCompared]:
    """Every check that both runs can answer, in the order of the codes; groups in the fixed order."""
    makers = (_white, _flips, _falls, _gender, _likeness, _failures, _coverage)
    return [found for make in makers if (found := make(both)) is not None]


def _white(both: Both) -> CheckCompared | None:
    """S2F001. The portrait is the same picture in both runs, so that it cancels out of the change of the excess."""
    portraits = both.baseline.has("portrait")

    def compared(group: str, mask: Mask) -> Compared:
        if portraits:
            mask = mask & ~np.isnan(both.baseline.values("portrait", "read_white"))
            own = [each.changed("read_white", "portrait", "rendered", mask).curve() for each in both.each]
        else:
            own = [each.figure_curve("read_white", "rendered", mask) for each in both.each]
        pairs = both.pairs(both.change("read_white"), mask, "rate", "rendered.read_white")
        return Compared(group, own[0], own[1], pairs.curve(), pairs)

    english = both.baseline.where(race="asian", but="white", english=True)
    if not english.any():
        return None
    groups = [
        compared(group, both.baseline.where(group=group, english=True))
        for group in both.baseline.groups
        if "white" not in group_members(group)
    ]
    told = "excess over the portrait" if portraits else "rendered faces read as white"
    return CheckCompared(
        "S2F001", compared("asian", english), tuple(_measured(groups)), f"read as white in English: {told}"
    )


def _flips(both: Both) -> CheckCompared | None:
    """S2F002: the change of each speaker's flips between languages over those within one, from clips read in both."""
    reads = [each.reads("rendered") for each in both.each]
    spoken, who = languages_spoken(both.baseline), both.baseline.speakers
    together = (reads[0] >= 0) & (reads[1] >= 0) & (spoken >= 0)

    def compared(group: str) -> Compared:
        mask = both.baseline.where(group=group)
        own = [flip_figures(each, mask).excess.curve() for each in both.each]
        read = repeated(np.where(together & mask, 0, -1), who, spoken)
        (able, *before), (_, *after) = (flips(each[read], who[read], spoken[read]) for each in reads)
        within, between = (late - early for early, late in zip(before, after, strict=True))
        found = Twofold.of(within, between, able, both.settings, "flips")
        # clips, not speakers, are what stands behind the figure
        clips = int(np.isin(who[read], able[~np.isnan(between - within)]).sum())
        found = found.counted(clips, int(mask.sum()) - clips)
        return Compared(group, own[0], own[1], found.curve(), found.both)

    return _of_groups("S2F002", both, compared, "flips between languages over those within one")


def _falls(both: Both) -> CheckCompared | None:
    """S2F003: the fall from ceiling to rendered, where both runs have one; else from the portrait, which cancels."""
    before = "ceiling" if both.has("ceiling") else "portrait"
    if not both.has(before):
        return None
    metric, decoders = "read_own_group", before == "ceiling"
    rendered, start = both.change(metric), both.change(metric, before)

    def compared(group: str) -> Compared:
        mask = both.baseline.where(group=group)
        own = [each.changed(metric, "rendered", before, mask).curve() for each in both.each]
        name = f"rendered>{before}.{metric}"
        if not decoders:
            pairs = both.pairs(start - rendered, mask, "rate", name)
            return Compared(group, own[0], own[1], pairs.curve(), pairs)
        found = Twofold.of(rendered[mask], start[mask], both.baseline.speakers[mask], both.settings, name)
        return Compared(group, own[0], own[1], found.curve(), found.both)

    return _of_groups("S2F003", both, compared, f"fall of own-group reads from {before} to rendered")


def _gender(both: Both) -> CheckCompared | None:
    return _gaps("S2F004", both, "gender_right", "gender read as labelled, minus all other groups")


def _likeness(both: Both) -> CheckCompared | None:
    models = both.baseline.similarity_models
    if not models:
        return None
    metric = f"similarity_over_impostor_{models[0].lower()}"
    return _gaps("S2F005", both, metric, "likeness over impostors, minus all other groups")


def _failures(both: Both) -> CheckCompared | None:
    return _gaps("S2F006", both, "no_face", "clips without a face, minus all other groups")


def _gaps(code: str, both: Both, metric: str, told: str) -> CheckCompared | None:
    """A group against all other known ones: its change minus theirs, of other speakers (MOVER; Zou and Donner 2008)."""

    def gap(evidence: Evidence, mask: Mask) -> Curve:
        others, own = (evidence.figure_curve(metric, "rendered", part) for part in (evidence.known & ~mask, mask))
        return difference_curve(others, own)

    def compared(group: str) -> Compared:
        mask = both.baseline.where(group=group)
        return Compared(group, gap(both.baseline, mask), gap(both.candidate, mask), gap_change(both, metric, group))

    found = _of_groups(code, both, compared, told)
    return found if found and len(found.groups) > 1 else None


def gap_change(both: Both, metric: str, group: str) -> Curve:
    """How a group's rendered figure changed, minus how that of all others did."""
    mask, change = both.baseline.where(group=group), both.change(metric)
    parts = (both.baseline.known & ~mask, mask)
    others, own = (both.pairs(change, part, both.kind(metric), f"rendered.{metric}").curve() for part in parts)
    return difference_curve(others, own)


def _coverage(both: Both) -> CheckCompared | None:
    """S2F007: the same parts in both runs: those that the baseline's training hardly heard, else the candidate's."""
    told = [(each, parts) for each in both.each if (parts := _heard(each)) is not None]
    if not told:
        return None
    whose, (little, well) = told[0]
    metric, who = "read_own_group", both.baseline.speakers
    change = both.change(metric)

    def compared(group: str, within: Mask) -> Compared:
        part = [little & within, well & within]
        own = [each.contrasted(metric, "rendered", *part) for each in both.each]
        (hardly_ids, hardly), (well_ids, heard) = (_means(change[of], who[of]) for of in part)
        same, at, place = np.intersect1d(hardly_ids, well_ids, return_indices=True)
        if len(same):
            found = Twofold.of(hardly[at], heard[place], same, both.settings, f"rendered.{metric} by heard")
            clips = int((~np.isnan(change) & np.isin(who, same) & (part[0] | part[1])).sum())
            alone = len(hardly_ids) + len(well_ids) - 2 * len(same)
            found = found.counted(clips, int((part[0] | part[1]).sum()) - clips, alone)
            return Compared(group, own[0].curve(), own[1].curve(), found.curve(), found.both)
        first, second = (both.pairs(change, of, "rate", f"rendered.{metric}").curve() for of in part)
        apart = [difference_curve(*(each.figure_curve(metric, "rendered", of) for of in part)) for each in both.each]
        return Compared(group, apart[0], apart[1], difference_curve(first, second))

    groups = []
    for group in both.baseline.groups:
        own = both.baseline.where(group=group)
        if (own & little).any() and (own & well).any():
            groups.append(compared(group, own))
    whole = compared("all", both.baseline.where())
    run = "baseline" if whose is both.baseline else "candidate"
    words = f"own-group reads in languages that the {run}'s training heard well, minus those it hardly heard"
    return CheckCompared("S2F007", whole, tuple(_measured(groups)), words)


def _heard(evidence: Evidence) -> tuple[Mask, Mask] | None:
    """Which clips are of a language that the training hardly heard of the group, and well, as S2F007 parts them."""
    trained = evidence.clips_trained
    told = ~np.isnan(trained) & evidence.known
    if not told.any():
        return None
    little = told & (trained < HARDLY * trained[told].max())
    return (little, told & ~little) if little.any() else None


def _means(values: NDArray[np.float64], speakers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The speakers of whom a clip was read in both runs, and each one's mean."""
    sums = Standing.of(speakers).gathered(Reads.of(values))
    there, ids = sums.clips > 0, Standing.of(speakers).speaker
    return ids[there], sums.total[there] / sums.clips[there]


def _of_groups(code: str, both: Both, compared: Callable[[str], Compared], told: str) -> CheckCompared | None:
    """A check of all groups at once, each as one of so many; None where no group can be measured."""
    groups = _measured([compared(group) for group in both.baseline.groups])
    if not groups:
        return None
    return CheckCompared(code, worst(groups, WORSE[code]), tuple(groups), told)


def _measured(groups: Sequence[Compared]) -> list[Compared]:
    """The groups of which either run has a figure; one that neither can measure is not part of the check."""
    return [group for group in groups if any(_point(curve) is not None for curve in (group.baseline, group.candidate))]


def worst(groups: Sequence[Compared], worse: Direction) -> Compared:
    """The worst change of any group, held together.

    Value, low and high are the largest (smallest where low is worse) of the groups' own, with intervals at the
    Bonferroni level: as often as the confidence says, all groups' changes lie in theirs, and so does the worst one in
    this. Baseline and candidate are those of the group with the worst value. Where a group's change has no interval
    there is none here, since that group could be the worst.

    Parameters
    ----------
    groups : sequence of Compared
        One or more, of a check whose figure is read in the direction ``worse``.
    worse : {"high", "low"}
        Which direction is harm.

    Examples
    --------
    >>> one = Curve(lambda confidence: Estimate(0.2, 0.1, 0.3, 9, 9, 0, "x"))
    >>> other = Curve(lambda confidence: Estimate(0.1, -0.4, 0.6, 9, 9, 0, "x"))
    >>> found = worst([Compared("asian", one, one, one), Compared("black", one, one, other)], "high")
    >>> found.group, found.change.at(0.95).value, found.change.at(0.95).interval
    ('asian', 0.2, (0.1, 0.6))
    """
    held = [group.together(len(groups)) for group in groups]
    most = max if worse == "high" else min
    points = [_point(group.change) for group in groups]
    known = [point for point in points if point is not None]
    named = held[points.index(most(known))] if known else held[0]

    def change(confidence: float) -> Estimate:
        own = named.change.at(confidence)
        others = {group.group: group.change.at(confidence) for group in held}
        lacking = [name for name, found in others.items() if found.interval is None]
        if lacking:
            method = f"no interval for the worst change: {lacking[0]}: {others[lacking[0]].method}"
            return replace(own, low=None, high=None, method=method)
        ends = [found.interval for found in others.values() if found.interval is not None]
        low, high = most(low for low, _ in ends), most(high for _, high in ends)
        return replace(own, low=low, high=high, method=f"worst of {len(held)} groups held together: {own.method}")

    return Compared(named.group, named.baseline, named.candidate, Curve(change, named.change.least))


def _point(curve: Curve) -> float | None:
    return curve.at(0.95).value  # the same at every confidence
