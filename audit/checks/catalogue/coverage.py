"""S2F007: are speakers read less well as themselves in the languages that the training hardly covered?

The cause that Speech2Face's authors name: what the training data lack, the reconstruction cannot show.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit.checks.check import Check
from audit.checks.compared import CheckCompared, Compared, measured
from audit.checks.evidence import Evidence
from audit.checks.figure import Figure, Judged
from audit.checks.finding import Finding
from audit.checks.judging import judge, not_evaluable
from audit.checks.pair import Pair, Twofold
from audit.checks.strata import Mask
from audit.core.sentences import group_words
from audit.stats import ALL, Curve, Estimate, difference_curve
from audit.stats.speakers import Reads, Standing

METRIC = "read_own_group"
HARDLY = 0.1
"""A group's language is hardly covered where it has fewer clips than this share of the group and language with most."""


class Coverage(Check):
    """Own-group reads in the languages that the training covered well, minus in those it hardly covered.

    Paired by the speakers with clips in both parts; where there are none, a difference of two parts, whose speakers may
    differ in more than coverage. The same for every group is reported with it.
    """

    code = "S2F007"
    title = "Read less well where the training covered little"
    question = "Are groups read less well in languages that the training hardly covered?"
    scope = "languages that the training hardly covered against those it covered well"
    judged = (Judged("coverage_effect", "well covered minus hardly covered", "share", 0.10, "high"),)

    def measure(self, evidence: Evidence) -> Finding:
        """The effect over all groups."""
        trained = evidence.clips_trained
        known = ~np.isnan(trained) & evidence.known
        if not known.any():
            return not_evaluable(
                self,
                "The training coverage of these groups and languages is not known.",
                "A model that reports its training coverage in describe().",
            )
        little = known & (trained < HARDLY * trained[known].max())
        well = known & ~little
        if not little.any():
            return not_evaluable(
                self,
                f"The training covered every group here in every language: none has fewer than {HARDLY:.0%} of the "
                "clips of the one with most.",
                "A cohort with a language that the training hardly covered; for this model there may be none.",
            )
        effect, same = _effect(evidence, little, well)
        head = self.figure(evidence, "coverage_effect", effect)
        figures: dict[str, Figure] = {
            "coverage_effect": head,
            "hardly_heard": _rate(evidence, "hardly_heard", little),
            "well_heard": _rate(evidence, "well_heard", well),
        }
        for group in evidence.groups:
            own = evidence.where(group=group)
            if (own & little).any() and (own & well).any():
                curve = _effect(evidence, own & little, own & well)[0]
                figures[group] = self.figure(evidence, "coverage_effect", curve, group=group)
            for name, part in (("hardly_heard", own & little), ("well_heard", own & well)):
                if part.any():
                    figures[f"{group}.{name}"] = _rate(evidence, name, part, group)
        whom = "the same speakers" if same else "other speakers"
        sentence = (
            f"In languages in which the training hardly covered a speaker's group, {figures['hardly_heard'].text} of "
            f"the rendered faces are read as that group by {evidence.instrument}, against "
            f"{figures['well_heard'].text} where it covered it well ({head.text}, {whom}). "
            f"{_of_groups(evidence, little)}"
        )
        return judge(self, evidence, head, figures, sentence)

    def compare(self, pair: Pair) -> CheckCompared | None:
        """The same parts in both runs: those that the baseline's training hardly covered, else the candidate's."""
        found = [(each, parts) for each in pair.each if (parts := _parts(each)) is not None]
        if not found:
            return None
        whose, (little, well) = found[0]
        who, change = pair.baseline.speakers, pair.change(METRIC)

        def compared(group: str, within: Mask) -> Compared:
            part = [little & within, well & within]
            own = [each.contrasted(METRIC, "rendered", *part) for each in pair.each]
            (hardly_ids, hardly), (well_ids, heard) = (_means(change[of], who[of]) for of in part)
            same, at, place = np.intersect1d(hardly_ids, well_ids, return_indices=True)
            if len(same):
                both = Twofold.of(hardly[at], heard[place], same, pair.settings, f"rendered.{METRIC} by heard")
                clips = int((~np.isnan(change) & np.isin(who, same) & (part[0] | part[1])).sum())
                alone = len(hardly_ids) + len(well_ids) - 2 * len(same)
                both = both.counted(clips, int((part[0] | part[1]).sum()) - clips, alone)
                return Compared(group, own[0].curve(), own[1].curve(), both.curve(), both.both)
            first, second = (pair.pairs(change, of, "rate", f"rendered.{METRIC}").curve() for of in part)
            apart = [
                difference_curve(*(each.figure_curve(METRIC, "rendered", of) for of in part)) for each in pair.each
            ]
            return Compared(group, apart[0], apart[1], difference_curve(first, second))

        groups = []
        for group in pair.baseline.groups:
            own = pair.baseline.where(group=group)
            if (own & little).any() and (own & well).any():
                groups.append(compared(group, own))
        run = "baseline" if whose is pair.baseline else "candidate"
        label = f"own-group reads in languages that the {run}'s training covered well, minus those it hardly covered"
        return CheckCompared(self.judged[0], compared(ALL, pair.baseline.where()), tuple(measured(groups)), label)


def _rate(evidence: Evidence, name: str, part: Mask, group: str = ALL) -> Figure:
    label = "where the training covered the group well" if name == "well_heard" else "where it hardly covered the group"
    return evidence.figure(METRIC, "rendered", part, name=name, group=group, label=label)


def _effect(evidence: Evidence, little: Mask, well: Mask) -> tuple[Curve, bool]:
    """Well minus hardly covered, at every confidence, and whether the same speakers are compared."""
    same = evidence.contrasted(METRIC, "rendered", little, well)
    if len(same.sums.total):
        return same.curve(), True
    apart = difference_curve(*(evidence.figure_curve(METRIC, "rendered", part) for part in (little, well)))

    def at(confidence: float) -> Estimate:
        estimate = apart.at(confidence)
        return replace(estimate, method=f"{estimate.method}; other speakers on each side")

    return Curve(at, apart.least), False


def _of_groups(evidence: Evidence, little: Mask) -> str:
    cells = evidence.frame.loc[little, ["group", "language"]].drop_duplicates()
    parts = []
    for group in evidence.groups:
        languages = sorted(cells["language"][cells["group"] == group])
        if languages:
            parts.append(f"{group_words(group)} in {', '.join(languages)}")
    return f"Hardly covered: {'; '.join(parts)}."


def _parts(evidence: Evidence) -> tuple[Mask, Mask] | None:
    """The clips of a language that the training hardly covered for the group, and those of one it covered well."""
    trained = evidence.clips_trained
    known = ~np.isnan(trained) & evidence.known
    if not known.any():
        return None
    little = known & (trained < HARDLY * trained[known].max())
    return (little, known & ~little) if little.any() else None


def _means(values: NDArray[np.float64], speakers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The speakers with a clip that was read in both runs, and each one's mean."""
    sums = Standing.of(speakers).gathered(Reads.of(values))
    there, ids = sums.clips > 0, Standing.of(speakers).speaker
    return ids[there], sums.total[there] / sums.clips[there]


CHECK = Coverage()
