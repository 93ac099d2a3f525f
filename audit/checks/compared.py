"""The change of a judged figure between two runs: candidate minus baseline, on the same clips and speakers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from audit.checks.figure import Harm, Judged
from audit.checks.pair import Pair
from audit.stats import Curve, Estimate


@dataclass(frozen=True)
class Compared:
    """One figure in two runs.

    Attributes
    ----------
    group : str
        The group of the figure.
    baseline, candidate : Curve
        The figure in each run.
    change : Curve
        Candidate minus baseline, paired.
    """

    group: str
    baseline: Curve
    candidate: Curve
    change: Curve

    def adjusted(self, number: int) -> Compared:
        """The same figure with intervals adjusted for ``number`` simultaneous comparisons (Bonferroni)."""
        baseline, candidate, change = (c.together(number) for c in (self.baseline, self.candidate, self.change))
        return Compared(self.group, baseline, candidate, change)


@dataclass(frozen=True)
class CheckCompared:
    """The change of a check's judged figure between two runs.

    Attributes
    ----------
    judged : Judged
        The declaration of the figure.
    headline : Compared
        The change of the headline figure, or the worst change of any group.
    groups : tuple of Compared
        The change of each group, not adjusted for the number of groups.
    label : str
        A short description of the compared quantity.
    worst_of_groups : bool
        Whether the headline is the worst change of any group, adjusted for the number of groups.
    """

    judged: Judged
    headline: Compared
    groups: tuple[Compared, ...]
    label: str
    worst_of_groups: bool = False


def compare_groups(pair: Pair, judged: Judged, compared: Callable[[str], Compared], label: str) -> CheckCompared | None:
    """Compare a figure that is judged for each group; ``None`` where no group can be measured."""
    groups = measured([compared(group) for group in pair.baseline.groups])
    if not groups:
        return None
    return CheckCompared(judged, worst(groups, judged.harm), tuple(groups), label, worst_of_groups=True)


def measured(groups: Sequence[Compared]) -> list[Compared]:
    """The groups for which at least one run has a figure."""
    return [group for group in groups if any(_point(curve) is not None for curve in (group.baseline, group.candidate))]


def worst(groups: Sequence[Compared], harm: Harm, what: str = "groups") -> Compared:
    """The worst change of any group, with a simultaneous interval.

    The interval is that of :func:`worst_curve`. Baseline and candidate are those of the group with the worst value.
    ``what`` says what is compared, where it is not groups.

    Examples
    --------
    >>> one = Curve(lambda confidence: Estimate(0.2, 0.1, 0.3, 9, 9, 0, "x"))
    >>> other = Curve(lambda confidence: Estimate(0.1, -0.4, 0.6, 9, 9, 0, "x"))
    >>> found = worst([Compared("asian", one, one, one), Compared("black", one, one, other)], "high")
    >>> found.group, found.change.at(0.95).value, found.change.at(0.95).interval
    ('asian', 0.2, (0.1, 0.6))
    """
    place, change = worst_curve({group.group: group.change for group in groups}, harm, what, "the worst change")
    named = groups[place].adjusted(len(groups))
    return Compared(named.group, named.baseline, named.candidate, change)


def worst_curve(curves: Mapping[str, Curve], harm: Harm, what: str, of: str) -> tuple[int, Curve]:
    """The place of the worst of some figures, and its curve, whose interval is adjusted for having been selected.

    Value, low and high are the maxima (minima where low is harm) over the Bonferroni-adjusted intervals. These cover
    all figures simultaneously with at least the stated confidence, so the result covers the worst one. The curve
    without adjustment, by which no figure is worse than a margin, is that of the figures' own intervals. If any figure
    has no interval, the worst one has none either, since that figure could be the worst.

    Parameters
    ----------
    curves : mapping of str to Curve
        The figures by name.
    harm : {"high", "low"}
        Which end is worse.
    what, of : str
        What the figures are of, such as ``groups``, and what the worst one is, such as ``the worst change``.
    """
    most = max if harm == "high" else min
    points = [_point(curve) for curve in curves.values()]
    known = [value for value in points if value is not None]
    place = points.index(most(known)) if known else 0

    def combined(each: Mapping[str, Curve], words: str, alone: Curve | None = None) -> Curve:
        own_curve = [*each.values()][place]

        def at(confidence: float) -> Estimate:
            own, ends = own_curve.at(confidence), []
            for name, curve in each.items():
                found = curve.at(confidence)
                if found.interval is None:
                    return replace(own, low=None, high=None, method=f"no interval for {of}: {name}: {found.method}")
                ends.append(found.interval)
            low, high = map(most, zip(*ends, strict=True))
            return replace(own, low=low, high=high, method=f"worst of {len(each)} {what}{words}: {own.method}")

        return Curve(at, own_curve.least, alone)

    adjusted = {name: curve.together(len(curves)) for name, curve in curves.items()}
    return place, combined(adjusted, ", simultaneous", combined(curves, ""))


def _point(curve: Curve) -> float | None:
    """The value of a curve, which is the same at every confidence."""
    return curve.at(0.95).value
