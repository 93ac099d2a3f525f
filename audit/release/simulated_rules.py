"""Simulated rules: how often a rule of a policy passes or breaches, with a stated truth and number of speakers.

Every simulated data set is estimated and judged as a run is: by the intervals of :mod:`audit.stats` and by
:meth:`audit.release.policy.ResolvedRule.outcome`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from audit.checks import Check
from audit.checks.power import Comparison, GroupClips
from audit.checks.would_change import MOST_SPEAKERS
from audit.core.sentences import group_words, listing
from audit.release.outcomes import Outcome, worst
from audit.release.plans import Assumptions
from audit.release.policy import ResolvedRule
from audit.stats import ALL, Curve, Settings, difference_curve
from audit.stats.planning import Simulated, Speakers, scaled, scaled_clusters

SEED: Final = "planning"
"""The name of the random numbers, see :meth:`audit.stats.Settings.generator`."""
FEW: Final = 30
"""Number of data sets that are enough where a chance is far from the assumed power."""
PER_CLUSTER: Final = 20
"""Speakers for each cluster, beyond which more of them hardly add precision."""

Counts = tuple[tuple[int, int], ...]
"""Numbers of clips and of speakers, as in :class:`audit.stats.planning.Speakers`."""
Scaled = tuple[Counts, tuple[int, ...]]
"""Numbers of clips and of speakers, and each speaker's cluster."""
Split = tuple[float, float]
"""The chances of a pass and of a breach."""


@dataclass(frozen=True)
class Side:
    """The speakers of one group in a rule's comparison.

    ``n_speakers`` are compared; ``clips`` has the numbers of clips of the group's speakers, and ``clusters`` their
    clusters, or nothing where speakers share none.
    """

    group: str
    n_speakers: int
    clips: tuple[int, ...]
    clusters: tuple[int, ...] = ()

    def scaled(self, n_speakers: int | None) -> Scaled:
        """The clips and clusters of ``n_speakers`` such speakers; by default of those that are compared."""
        n = self.n_speakers if n_speakers is None else n_speakers
        return scaled(self.clips, n), scaled_clusters(self.clips, self.clusters, n) if self.clusters else ()


@dataclass(frozen=True)
class SimulatedRule:
    """The simulation of one rule.

    Attributes
    ----------
    resolved : ResolvedRule
        The rule.
    comparison : Comparison
        The comparison of its figure, of any group.
    sides : tuple of Side
        The judged groups; for gaps every known group.
    judged : tuple of str
        The judged groups.
    simultaneous : int
        The number of intervals that are adjusted together.
    assumptions, settings
        Assumptions; confidence and the minimum number of speakers.
    """

    resolved: ResolvedRule
    comparison: Comparison
    sides: tuple[Side, ...]
    judged: tuple[str, ...]
    simultaneous: int
    assumptions: Assumptions
    settings: Settings

    @property
    def sign(self) -> int:
        """Whether an effect raises (1) or lowers (-1) the figure."""
        rule = self.resolved
        low = rule.side == "at_least" or (rule.side == "within" and rule.judged.harm == "low")
        return -1 if low else 1

    @property
    def room(self) -> float:
        """The largest effect that the base rate leaves room for."""
        return 1 - self.assumptions.base_rate

    @property
    def fewest(self) -> int:
        """The smallest number of speakers in a group that can pass."""
        return max(self.resolved.rule.min_speakers, self.settings.min_speakers)

    @property
    def n_clusters(self) -> int:
        """The smallest number of clusters of a judged group; 0 where speakers share none."""
        return min(len({*side.clusters}) for side in self.sides if side.group in self.judged)

    @property
    def most(self) -> int:
        """The largest number of speakers in a group for which a pass is computed."""
        return min(MOST_SPEAKERS, PER_CLUSTER * self.n_clusters) if self.n_clusters else MOST_SPEAKERS

    def split(self, effect: float) -> Split:
        """The chances of a pass and of a breach at an effect, with the speakers that there are."""
        return self._split(effect, None, self.assumptions.data_sets)

    def passes(self, effect: float, n_speakers: int) -> float:
        """The chance of a pass at an effect with ``n_speakers`` in each group.

        From half of the data sets; where a few show that it is far from the assumed power, from those.
        """
        power = self.assumptions.power
        found = self._split(effect, n_speakers, FEW)[0]
        if found == 1 or found < power - 5 * math.sqrt(power * (1 - power) / FEW):
            return found
        return self._split(effect, n_speakers, max(FEW, self.assumptions.data_sets // 2))[0]

    def _split(self, effect: float, n_speakers: int | None, data_sets: int) -> Split:
        is_gap = self.comparison.design == "unpaired"
        return (self._gaps if is_gap else self._groups)(effect, n_speakers, data_sets)

    def _groups(self, effect: float, n_speakers: int | None, data_sets: int) -> Split:
        """Every group has the effect, and groups are independent."""
        found: dict[Scaled, Split] = {}  # groups with equal clips and clusters have equal chances
        splits = []
        for side in self.sides:
            speakers = side.scaled(n_speakers)
            if speakers not in found:
                drawn = self._drawn(speakers, effect, data_sets, is_change=True)
                found[speakers] = _shares([self._outcome(curve) for curve in drawn.curves(self.settings)])
            splits.append(found[speakers])
        return math.prod(passes for passes, _ in splits), 1 - math.prod(1 - breach for _, breach in splits)

    def _gaps(self, effect: float, n_speakers: int | None, data_sets: int) -> Split:
        """The smallest judged group has the effect, all others none; all gaps are simulated together."""
        judged = [side for side in self.sides if side.group in self.judged]
        affected = min(judged, key=lambda side: side.n_speakers).group
        rng = self.settings.generator(SEED)
        is_change = self.comparison.of_changes or self.resolved.rule.kind == "non_inferiority"
        drawn = {}
        for side in self.sides:
            of_side = effect if side.group == affected else 0.0
            drawn[side.group] = self._drawn(side.scaled(n_speakers), of_side, data_sets, is_change=is_change, rng=rng)
        sides = [(drawn[side.group], _others(drawn, side.group)) for side in judged]
        curves = Simulated.stacked([part for pair in sides for part in pair]).curves(self.settings)
        by_group = []
        for i, pair in enumerate(sides):
            first = 2 * i * data_sets
            own, others = curves[first : first + data_sets], curves[first + data_sets : first + 2 * data_sets]
            smaller = min(part.n_speakers for part in pair)
            gaps = zip(others, own, strict=True)
            by_group.append([self._outcome(difference_curve(*gap), smaller) for gap in gaps])
        return _shares([worst(each) for each in zip(*by_group, strict=True)])

    def _drawn(
        self,
        speakers: Scaled,
        effect: float,
        data_sets: int,
        *,
        is_change: bool,
        rng: np.random.Generator | None = None,
    ) -> Simulated:
        base = self.assumptions.base_rate
        clips, clusters = speakers
        truth = Speakers(
            clips,
            base + effect,
            self.assumptions.icc,
            before=base if is_change else None,
            sign=self.sign,
            one_value=self.comparison.one_value,
            clusters=clusters,
            cluster_share=self.assumptions.cluster_share,
        )
        return Simulated.draw(truth, data_sets, rng or self.settings.generator(SEED))

    def _outcome(self, curve: Curve, n_smaller: int | None = None) -> Outcome:
        rule = self.resolved
        curve = curve.together(self.simultaneous)
        figure = rule.judged.figure(curve, self.settings.confidence, abs(rule.bound))
        return rule.outcome(replace(figure, n_smaller=n_smaller))[0]


def _others(drawn: Mapping[str, Simulated], group: str) -> Simulated:
    return Simulated.joined([part for name, part in drawn.items() if name != group])


def _shares(outcomes: Sequence[Outcome]) -> Split:
    return outcomes.count("pass") / len(outcomes), outcomes.count("breach") / len(outcomes)


@dataclass(frozen=True)
class Unplanned:
    """Why a rule is not simulated, and whether the cohort cannot answer it, so that it stays inconclusive."""

    reason: str
    is_inconclusive: bool = False


def simulated_rule(
    resolved: ResolvedRule,
    parts: Sequence[GroupClips],
    assumptions: Assumptions,
    settings: Settings,
    observed: Mapping[str, int] | None = None,
) -> SimulatedRule | Unplanned:
    """The simulation of a rule, or why there is none; ``observed`` are numbers of speakers by group."""
    rule, judged = resolved.rule, resolved.judged
    if rule.figure not in (None, judged.name):
        return Unplanned(f"{rule.figure} is not a judged figure of {rule.check}")
    if judged.unit != "share":
        return Unplanned(f"computed for rates, not for {judged.unit}, whose variance between speakers is not known")
    if resolved.side == "at_least" and resolved.bound > 0:
        return Unplanned("computed for rules that limit an effect, not for rules that require one")
    if type(resolved.check).power is Check.power:
        return Unplanned(f"{rule.check} declares no comparisons")
    comparisons = {}
    for part in parts:
        compared = (each for each in resolved.check.power(part) if judged.name in each.names)
        if (first_of := next(compared, None)) is not None and first_of.design != "one":
            comparisons[part.group] = (part, first_of)
    if not comparisons:
        return Unplanned(f"no speakers of the cohort can be compared for {rule.check} {judged.name}", True)
    sides = {}
    for group, (part, each) in comparisons.items():
        clips, clusters = part.per_speaker(each.language), part.clusters(each.language)
        n = (observed or {}).get(group, each.n_speakers)
        sides[group] = Side(group, n, tuple(clips.tolist()), () if clusters is None else tuple(clusters.tolist()))
    groups, first = resolved.groups([part.group for part in parts]), next(iter(comparisons.values()))[1]
    is_gap = first.design == "unpaired"
    if groups is None and not is_gap:
        everyone = tuple(clips for side in sides.values() for clips in side.clips)
        clustered = tuple(cluster for side in sides.values() for cluster in side.clusters)
        sides = {ALL: Side(ALL, sum(side.n_speakers for side in sides.values()), everyone, clustered)}
    judged_groups = tuple(groups or sides)
    if absent := [group_words(group) for group in judged_groups if not (group in sides and sides[group].clips)]:
        return Unplanned(f"there are no speakers of the group {listing(absent)} for this comparison", True)
    if is_gap and len(sides) < 2:
        return Unplanned("there is only one known group, so there is no gap", True)
    together = len(judged_groups) if rule.kind == "non_inferiority" else len(parts) if first.simultaneous else 1
    if rule.kind == "absolute":
        together *= first.figures
    return SimulatedRule(
        resolved,
        first,
        tuple(sides.values() if is_gap else (sides[group] for group in judged_groups)),
        judged_groups,
        together,
        assumptions,
        replace(settings, confidence=rule.confidence, seed=assumptions.seed),
    )
