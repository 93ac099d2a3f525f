"""S2F002: is a speaker read as another race when only the language changes?

Two clips of one speaker may be read differently by chance, so flips between languages are compared with flips within
one language, of the same speakers. All groups and all pairs of reads count, in either direction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from audit.checks import Check, Evidence, Figure, Finding, GroupFigure, Judged, judge_groups, not_evaluable
from audit.checks.compared import CheckCompared, Compared, compare_groups
from audit.checks.flips import flip_figures, flips, repeated, speaker_flips
from audit.checks.pair import Pair, change_of_difference
from audit.checks.power import Comparison, GroupClips
from audit.checks.sensitivity import Sensitivity
from audit.checks.strata import Mask
from audit.core.sentences import group_words
from audit.core.vocabulary import RACES
from audit.stats import Pairs


class LanguageFlip(Check):
    """Flips between languages minus flips within a language, for every group; Bonferroni-adjusted over the groups."""

    code = "S2F002"
    title = "The read race changes with the language"
    question = "Is a speaker read as another race when only the language changes?"
    scope = "between two languages"
    not_crossed = ("language",)
    judged = (Judged("excess", "flips between languages minus those within", "share", 0.10, "high", per_group=True),)

    def measure(self, evidence: Evidence) -> Finding:
        """The excess of each group."""
        if not evidence.groups:
            return not_evaluable(self, "No speaker's group is known.", "Speakers whose group is known.")
        figures, of_speakers = {}, speaker_flips(evidence)
        for group in evidence.groups:
            found = of_speakers.of_clips(evidence.where(group=group))
            excess = self._judged(evidence, found.excess, group, len(evidence.groups))
            behind = {
                name: Figure.of(
                    curve.at(evidence.settings.confidence),
                    name=name,
                    unit="share",
                    kind="rate",
                    group=group,
                    cell=evidence.cell_of(group),
                    stage="rendered",
                    label=f"two clips in {languages} read differently",
                    curve=curve,
                )
                for name, curve, languages in (
                    ("within", found.within, "one language"),
                    ("between", found.between, "two languages"),
                )
            }
            figures[group] = GroupFigure(group, excess, behind)
        if not any(figure.judged.n_speakers for figure in figures.values()):
            return not_evaluable(
                self,
                "No speaker has two clips in each of two languages, so a change with the language cannot be "
                "distinguished from a change between two clips.",
                "At least two clips in each of two languages from the same speakers.",
                figures={f"{group}.between": figure.behind["between"] for group, figure in figures.items()},
            )

        def sentence(named: list[str]) -> str:
            worst = figures[named[0]]
            return (
                f"Two clips of the same {group_words(worst.group)} speaker are read as different races in "
                f"{worst.behind['between'].text} of pairs in two languages, against {worst.behind['within'].text} of "
                f"pairs in one language (difference {worst.judged.text})."
            )

        return judge_groups(self, evidence, list(figures.values()), sentence)

    def in_cells(self, evidence: Evidence, crossed: Evidence, cells: Sequence[str]) -> list[Figure]:
        """The excess of each cell."""
        of_speakers = speaker_flips(crossed)
        found = {cell: of_speakers.of_clips(crossed.where(group=cell)) for cell in cells}
        return [self._judged(crossed, flips_of.excess, cell, len(cells)) for cell, flips_of in found.items()]

    def _judged(self, evidence: Evidence, excess: Pairs, group: str, n_groups: int) -> Figure:
        """The judged figure of one group, simultaneous over ``n_groups``."""
        return self.figure(evidence, "excess", excess.curve().together(n_groups), group=group)

    def sensitivity(self, evidence: Evidence) -> Iterator[Sensitivity]:
        """The excess of each group, for wrong labels only: a read is compared with all others of its speaker."""
        n_groups, of_speakers = len(evidence.groups), speaker_flips(evidence)
        within, between = of_speakers.of_repeated
        for group in evidence.groups:
            members = evidence.where(group=group)
            are_whole = of_speakers.are_whole(members)

            def judge(of: Evidence, mask: Mask, group: str = group, are_whole: bool = are_whole) -> Figure:
                excess = of_speakers.excess(of, mask) if are_whole else flip_figures(of, mask).excess
                return self._judged(of, excess, group, n_groups)

            yield Sensitivity.of(
                evidence,
                judge(evidence, members),
                judge,
                members,
                ~members,
                contribution=(between - within)[evidence.speakers],
                columns=() if are_whole else [f"rendered.read_{race}" for race in RACES],
                of_sums=are_whole,
            )

    def compare(self, pair: Pair) -> CheckCompared | None:
        """The change of the excess, from clips read in both runs."""
        reads = [each.reads("rendered") for each in pair.each]
        spoken, who = pair.baseline.spoken, pair.baseline.speakers
        in_both = (reads[0] >= 0) & (reads[1] >= 0) & (spoken >= 0)

        def compared(group: str) -> Compared:
            mask = pair.baseline.where(group=group)
            baseline, candidate = (flip_figures(each, mask).excess.curve() for each in pair.each)
            read = repeated(np.where(in_both & mask, 0, -1), who, spoken)
            (able, *before), (_, *after) = (flips(each[read], who[read], spoken[read]) for each in reads)
            within, between = (late - early for early, late in zip(before, after, strict=True))
            clips = int(np.isin(who[read], able[~np.isnan(between - within)]).sum())
            counts = clips, int(mask.sum()) - clips, 0
            found = change_of_difference(
                within, between, able, pair.settings, "flips", counts, pair.baseline.shared_by_speakers(able)
            )
            return Compared(group, baseline, candidate, found)

        return compare_groups(pair, self.judged[0], compared, "flips between languages minus those within one")

    def power(self, group: GroupClips) -> Iterator[Comparison]:
        """Two languages against one, over speakers with two clips in each of two languages."""
        words = "two languages against one, same speakers"
        yield Comparison(self.judged[0], words, group.repeated(), "paired", one_value=True)


CHECK = LanguageFlip()
