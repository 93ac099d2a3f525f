"""Plans: the chances of a policy's exit codes at stated true values, and the speakers that a pass needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from audit.core.sentences import group_words, listing
from audit.release.wording import Side, write_bound, write_difference
from audit.stats import ALL

Case = Literal["no effect", "half the limit", "the limit", "twice the limit", "as observed"]
"""How a true value is chosen."""
MULTIPLES: Final[dict[Case, float]] = {"no effect": 0, "half the limit": 0.5, "the limit": 1, "twice the limit": 2}
"""The true values of a plan, as multiples of the limit."""


@dataclass(frozen=True)
class Assumptions:
    """What a plan assumes about the data, and how it is computed.

    Attributes
    ----------
    base_rate : float
        The rate of errors without an effect: in the earlier reading of a pair, and in groups without an effect.
    base_source : {"assumed", "observed"}
        Whether the base rate is that of a run.
    icc : float
        Intra-class correlation of the clips of a speaker, in [0, 1].
    cluster_share : float
        Where speakers share clusters: of the variance between speakers, the share between clusters, in [0, 1].
    data_sets : int
        Number of simulated data sets for each chance.
    seed : int
        Seed of the simulation.
    power : float
        The chance of a pass for which the number of speakers is found.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    base_rate: float = 0.05
    base_source: Literal["assumed", "observed"] = "assumed"
    icc: float = 0.3
    cluster_share: float = 0.5
    data_sets: int = 200
    seed: int = 0
    power: float = 0.8

    def __post_init__(self) -> None:
        if not 0 <= self.base_rate < 1 or not 0 <= self.icc <= 1 or not 0 < self.power < 1 or self.data_sets < 1:
            raise ValueError(f"The base rate lies in [0, 1), the icc in [0, 1] and the power in (0, 1): {self}.")
        if not 0 <= self.cluster_share <= 1:
            raise ValueError(f"The share of the variance between clusters lies in [0, 1]: {self.cluster_share}.")

    @property
    def of_clusters(self) -> str:
        """What is assumed of speakers who share clusters."""
        return (
            f"Where speakers share clusters (source voices, videos or sessions), {self.cluster_share:.0%} of the "
            "variance between speakers lies between clusters, and further speakers share the same clusters, so that "
            "no number of speakers may be enough."
        )

    @property
    def sentence(self) -> str:
        """How the chances are computed, and what is assumed besides the base rate."""
        return (
            f"Chances are from {self.data_sets} simulated data sets (seed {self.seed}); numbers of speakers are known "
            f"to about a tenth. Assumed: an intra-class correlation of {self.icc:g} between a speaker's clips, no "
            "missing clips, and two readings of a pair that err independently."
        )


@dataclass(frozen=True)
class PlannedGroup:
    """The speakers of one group that a rule judges, their mean number of clips, and the clusters that they share."""

    group: str
    n_speakers: int
    clips: float
    clusters: int = 0


@dataclass(frozen=True)
class Chance:
    """The chances of one rule's outcomes at one true value.

    Attributes
    ----------
    case : str
        How the true value was chosen, such as ``half the limit``.
    true_value : float
        The true value, in the figure's unit.
    passes, breach, inconclusive : float
        The chances; their sum is 1.
    speakers : int or None
        The number of speakers in each group with which a pass has the assumed power; ``None`` if there is none.
    speakers_reason : str
        Why there is no such number; empty if there is one.
    """

    case: Case
    true_value: float
    passes: float
    breach: float
    inconclusive: float
    speakers: int | None = None
    speakers_reason: str = ""

    @property
    def needed(self) -> str:
        """The number of speakers, or why there is none."""
        return self.speakers_reason if self.speakers is None else f"{self.speakers:,}"


@dataclass(frozen=True)
class RulePlan:
    """The plan of one rule.

    Attributes
    ----------
    rule, check, figure : str
        The rule's id, its check's code, and the judged figure.
    unit, side : str
        Unit of the figure, and the required side of the limit.
    limit : float
        The limit, in that unit.
    comparison : str
        The comparison that the figure is of, in words; empty if the rule cannot be planned.
    groups : tuple of PlannedGroup
        The judged speakers; one for all of them if the rule is not about single groups.
    chances : tuple of Chance
        One for each true value; empty if the rule cannot be planned.
    reason : str
        Why the rule cannot be planned or, with chances, why it stays inconclusive for certain; otherwise empty.
    assumptions : Assumptions
        What was assumed.
    """

    rule: str
    check: str
    figure: str
    unit: str
    side: Side
    limit: float
    comparison: str = ""
    groups: tuple[PlannedGroup, ...] = ()
    chances: tuple[Chance, ...] = ()
    reason: str = ""
    assumptions: Assumptions = Assumptions()

    @property
    def title(self) -> str:
        """The rule in words."""
        return f"{self.rule}: {self.check} {self.figure}, {write_bound(self.side, self.limit, self.unit, signed=True)}"

    @property
    def speakers(self) -> str:
        """The speakers and clips of every group in words."""
        alike: dict[tuple[int, float], list[str]] = {}
        for each in self.groups:
            alike.setdefault((each.n_speakers, each.clips), []).append(group_words(each.group))
        parts = []
        for (n, clips), names in alike.items():
            of = "" if names == [ALL] else f" in each of {listing(names)}" if len(names) > 1 else f" in {names[0]}"
            parts.append(f"{_counted(n, 'speaker')}{of}, {_counted(clips, 'clip')} a speaker")
        if (fewest := min((each.clusters for each in self.groups), default=0)) > 0:
            most = max(each.clusters for each in self.groups)
            span = f"{fewest}" if most == fewest else f"{fewest} to {most}"
            parts.append(f"the speakers of a group share {span} clusters")
        return "; ".join(parts)

    @property
    def obstacle(self) -> str:
        """Why there is no plan, or no chance but inconclusive, in words; empty if there is none."""
        start = "Inconclusive for certain" if self.chances else "Not planned"
        return f"{start}: {self.reason}." if self.reason else ""

    @property
    def sentence(self) -> str:
        """The chance of a pass and the number of speakers that it needs, in words."""
        if self.reason:
            return self.obstacle
        parts = []
        for each in self.chances:
            if each.speakers is None and each.case not in ("no effect", "as observed"):
                continue
            of = f"{each.passes:.0%} at a true value of {self.value(each)} ({each.case})"
            needed = f"about {each.needed} speakers a group" if each.speakers else f"no number ({each.needed})"
            parts.append(f"{of}, {self.assumptions.power:.0%} with {needed}")
        base = f"error rate without an effect {self.assumptions.base_rate:.1%} ({self.assumptions.base_source})"
        return f"Chance of a pass with {self.speakers}: {'; '.join(parts)}; {base}."

    def value(self, chance: Chance) -> str:
        """A true value with its unit."""
        return write_difference(chance.true_value, self.unit)


def assumed(plans: Sequence[RulePlan]) -> str:
    """How the chances of plans are computed, and what is assumed besides the base rate; empty without a plan."""
    if not plans:
        return ""
    assumptions = plans[0].assumptions
    clustered = any(group.clusters for plan in plans for group in plan.groups)
    return f"{assumptions.sentence} {assumptions.of_clusters}" if clustered else assumptions.sentence


def _counted(n: float, what: str) -> str:
    return f"{n if isinstance(n, int) else format(n, '.3g')} {what}" + ("" if n == 1 else "s")


@dataclass(frozen=True)
class PolicyChance:
    """The chances of the exit codes of a whole policy, where every rule has its own true value of one case.

    Attributes
    ----------
    passes, breach, inconclusive : float
        Chances of the exit codes 0, 10 and 11 if the rules are independent.
    passes_bounds, breach_bounds, inconclusive_bounds : (float, float)
        The smallest and largest chances under any dependence between the rules (Fréchet 1935).
    speakers, speakers_reason
        As in :class:`Chance`, for all rules at once, if they are independent.
    """

    case: Case
    passes: float
    breach: float
    inconclusive: float
    passes_bounds: tuple[float, float]
    breach_bounds: tuple[float, float]
    inconclusive_bounds: tuple[float, float]
    speakers: int | None = None
    speakers_reason: str = ""

    @classmethod
    def of(cls, chances: Sequence[Chance]) -> PolicyChance:
        """Combine the rules' chances: one breach is exit code 10, and exit code 0 needs every rule to pass.

        Examples
        --------
        >>> both = PolicyChance.of([Chance("no effect", 0, 0.9, 0, 0.1), Chance("no effect", 0, 0.5, 0, 0.5)])
        >>> both.passes, [round(bound, 3) for bound in both.passes_bounds]
        (0.45, [0.4, 0.5])
        """
        passes, breach = [each.passes for each in chances], [each.breach for each in chances]
        all_pass, any_breach = math.prod(passes), 1 - math.prod(1 - each for each in breach)
        pass_bounds = max(0.0, sum(passes) - len(passes) + 1), min(passes)
        breach_bounds = max(breach), min(1.0, sum(breach))
        rest = max(0.0, 1 - pass_bounds[1] - breach_bounds[1]), max(0.0, 1 - pass_bounds[0] - breach_bounds[0])
        inconclusive = max(0.0, 1 - all_pass - any_breach)
        return cls(chances[0].case, all_pass, any_breach, inconclusive, pass_bounds, breach_bounds, rest)

    @property
    def needed(self) -> str:
        """The number of speakers, or why there is none."""
        return self.speakers_reason if self.speakers is None else f"{self.speakers:,}"


@dataclass(frozen=True)
class PolicyPlan:
    """The plan of a policy for a cohort.

    Attributes
    ----------
    policy, sha256 : str
        The policy's name and digest.
    rules : tuple of RulePlan
        One for each rule.
    whole : tuple of PolicyChance
        The whole policy, one for each case; empty if no rule can be planned. Rules without a plan are left out.
    assumptions : Assumptions
        What was assumed.
    """

    policy: str
    sha256: str
    rules: tuple[RulePlan, ...]
    whole: tuple[PolicyChance, ...]
    assumptions: Assumptions

    @property
    def left_out(self) -> list[str]:
        """The ids of the rules that cannot be planned."""
        return [rule.rule for rule in self.rules if not rule.chances]
