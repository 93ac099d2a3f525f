"""S2F010: are the faces of some groups read as some race more often when rendered than in their portraits?

S2F001 and S2F003 ask this of groups that are race labels. Here groups may be anything, such as accents: no read is
right or wrong, but the model must not add to any of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from audit.checks import Check, Evidence, Figure, Finding, GroupFigure, Judged, judge_groups, not_evaluable
from audit.checks.compared import CheckCompared, Compared, measured, worst, worst_curve
from audit.checks.pair import Pair
from audit.checks.power import Comparison, GroupClips
from audit.core.grouping import GROUP
from audit.core.sentences import group_words, listing
from audit.core.vocabulary import RACES, Stage, group_members
from audit.stats import Curve

Excesses = Mapping[str, Curve]
"""The excess of each read in one group."""
READS: Final = "reads"


class RenderedAsOther(Check):
    """For every group, the largest excess of any read: its share in the rendered faces minus that in the portraits.

    The excess of each of the six reads is paired by speaker, from the ceiling where the run has no portraits. The
    interval of the largest is Bonferroni-adjusted for groups and reads. The check is made for groupings other than by
    race labels, whose reads are judged by S2F001 and S2F003.
    """

    code = "S2F010"
    title = "Some groups rendered as another race than in their portraits"
    question = "Are some groups read as some race more often when rendered than in their portraits?"
    scope = "all languages"
    judged = (Judged("excess", "largest excess of a read over the portrait", "share", 0.10, "high", per_group=True),)

    def applies(self, evidence: Evidence) -> bool:
        """Whether the grouping is another one than by ``group``, or some of its labels are not race labels."""
        return evidence.grouping != GROUP or bool(self.groups(evidence))

    def groups(self, evidence: Evidence) -> list[str]:
        """The groups that the check is about."""
        if evidence.grouping != GROUP:
            return evidence.groups
        return [group for group in evidence.groups if not evidence.races_of(group)]

    def measure(self, evidence: Evidence) -> Finding:
        """The largest excess of each group, and the excess of every read."""
        before, groups = _before(evidence), self.groups(evidence)
        if not groups or not evidence.has(before):
            return not_evaluable(
                self,
                "There is no portrait or ceiling, or no speaker of a known group.",
                "Portraits, and speakers whose group is known.",
            )
        found = {each.group: each for each in self._largest(evidence, before, groups)}

        figures = {
            group: GroupFigure(group, each.judged, _behind(evidence, each, before)) for group, each in found.items()
        }

        def sentence(named: list[str]) -> str:
            further = [
                f"{group_words(group)} speakers (read as {group_words(found[group].race)})" for group in named[1:]
            ]
            others = f" The same is shown for {listing(further)}." if further else ""
            race = group_words(found[named[0]].race)
            return f"{_sentence(figures[named[0]], race, before, evidence.instrument)}{others}"

        return judge_groups(self, evidence, list(figures.values()), sentence)

    def in_cells(self, evidence: Evidence, crossed: Evidence, cells: Sequence[str]) -> list[Figure]:
        """The largest excess of each cell."""
        able = {*self.groups(evidence)} if evidence.grouping == GROUP else None
        chosen = [cell for cell in cells if able is None or crossed.cell_of(cell).get("group") in able]
        return [each.judged for each in self._largest(crossed, _before(crossed), chosen)]

    def compare(self, pair: Pair) -> CheckCompared | None:
        """The worst change of any read, where both runs have portraits, which cancel."""
        groups = self.groups(pair.baseline)
        if not groups or not pair.has("portrait"):
            return None

        def compared(group: str) -> Compared:
            mask, reads = pair.baseline.where(group=group), []
            for race in RACES:
                metric = f"read_{race}"
                both = mask & ~np.isnan(pair.baseline.values("portrait", metric))
                baseline, candidate = (each.changed(metric, "portrait", "rendered", both).curve() for each in pair.each)
                change = pair.pairs(pair.change(metric), both, "rate", f"rendered.{metric}")
                reads.append(Compared(race, baseline, candidate, change.curve()))
            most = worst(reads, self.judged[0].harm, READS)
            return Compared(group, most.baseline, most.candidate, most.change)

        found = measured([compared(group) for group in groups])
        if not found:
            return None
        head = worst(found, self.judged[0].harm)
        return CheckCompared(self.judged[0], head, tuple(found), self.judged[0].label, worst_of_groups=True)

    def power(self, group: GroupClips) -> Iterator[Comparison]:
        """Rendered against portrait or ceiling, paired by speaker, adjusted for the reads."""
        if not group_members(group.group):
            words = "rendered against portrait or ceiling, same speakers"
            yield Comparison(self.judged[0], words, group.n, "paired", figures=len(RACES))

    def _largest(self, evidence: Evidence, before: Stage, groups: Sequence[str]) -> list[_Largest]:
        """The largest excess of each group, adjusted for the number of groups and reads."""
        cells = evidence.cells(evidence.group_column)
        place = {str(key[0]): i for i, key in enumerate(cells.keys)}
        changes = {race: evidence.changes(f"read_{race}", before, "rendered", cells) for race in RACES}
        found = []
        for group in groups:
            excesses: Excesses = {
                race: each.one(place[group], "rate", evidence.settings, f"{before}>rendered.read_{race}").curve()
                for race, each in changes.items()
            }
            number, curve = worst_curve(excesses, self.judged[0].harm, READS, "the largest excess")
            race, curve = RACES[number], curve.together(len(groups))
            label = f"read as {group_words(race)}, rendered minus {before}"
            judged = self.figure(evidence, self.judged[0].name, curve, group=group, label=label)
            found.append(_Largest(group, race, judged, excesses))
        return found


@dataclass(frozen=True)
class _Largest:
    """The read with the largest excess in one group, its judged figure, and the excess of every read."""

    group: str
    race: str
    judged: Figure
    excesses: Excesses


def _before(evidence: Evidence) -> Stage:
    """The stage that rendered faces are compared with."""
    return "portrait" if evidence.has("portrait") else "ceiling"


def _behind(evidence: Evidence, found: _Largest, before: Stage) -> dict[str, Figure]:
    """The shares of the read with the largest excess, and the excess of every read, without adjustment."""
    mask, read = evidence.where(group=found.group), f"read_{found.race}"
    words = f"read as {group_words(found.race)}"
    shares = {
        str(stage): evidence.figure(read, stage, mask, name=stage, group=found.group, label=f"{words}, {stage}")
        for stage in (before, "rendered")
    }
    excesses = {
        f"excess_{race}": evidence.as_figure(
            curve,
            f"read_{race}",
            name=f"excess_{race}",
            group=found.group,
            label=f"read as {group_words(race)}, rendered minus {before}",
            kind="difference",
        )
        for race, curve in found.excesses.items()
    }
    return shares | excesses


def _sentence(worst: GroupFigure, race: str, before: Stage, instrument: str) -> str:
    """The shares of one group, rendered and before."""
    start = "of their portraits" if before == "portrait" else "when the decoder is given the true face"
    return (
        f"{worst.behind['rendered'].text} of {group_words(worst.group)} speakers' rendered faces are read as {race} by "
        f"{instrument}, against {worst.behind[before].text} {start} ({worst.judged.text})."
    )


CHECK = RenderedAsOther()
