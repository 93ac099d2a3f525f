"""S2F007: are speakers read less often as their own group in languages that the training hardly covered?

The authors of Speech2Face name this cause: gaps in the training data limit the reconstruction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit.checks import Check, Evidence, Figure, Finding, Judged, judge, not_evaluable
from audit.checks.compared import CheckCompared, Compared, measured
from audit.checks.pair import Pair, change_of_difference
from audit.checks.strata import Mask
from audit.core.sentences import group_words
from audit.stats import ALL, Curve, Estimate, difference_curve
from audit.stats.speakers import Reads, Standing

OWN_GROUP, GENDER = "read_own_group", "gender_right"
HARDLY = 0.1
"""A group and language is hardly covered if it has fewer clips than this share of the largest group and language."""


class Coverage(Check):
    """Own-group reads in languages that the training covered well, minus those in languages that it hardly covered.

    Where no group is a race label, gender read as labelled takes the place of own-group reads.

    Paired by the speakers with clips in both. Without such speakers, the two parts are compared unpaired, and their
    speakers may differ in more than coverage. The same difference is reported for every group.
    """

    code = "S2F007"
    title = "Own group read less often where the training covered little"
    question = "Are groups read less often as themselves in languages that the training hardly covered?"
    scope = "languages that the training hardly covered against those it covered well"
    not_crossed = ("language",)
    judged = (Judged("coverage_effect", "well covered minus hardly covered", "share", 0.10, "high"),)

    def measure(self, evidence: Evidence) -> Finding:
        """The effect over all groups."""
        if np.isnan(evidence.clips_trained[evidence.known]).all():
            return not_evaluable(
                self,
                "The training coverage of these groups and languages is unknown.",
                "A model that reports its training coverage in describe().",
            )
        parts = _parts(evidence)
        if parts is None:
            return not_evaluable(
                self,
                "The training covered every group of this cohort well in every language: each group and language has "
                f"at least {HARDLY:.0%} of the training clips of the largest one.",
                "A cohort with a language that the training hardly covered; for this model there may be none.",
            )
        little, well = parts
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
        speakers = "the same speakers" if same else "different speakers"
        read = "as that group" if _metric(evidence) == OWN_GROUP else "with the labelled gender"
        sentence = (
            f"In languages that the training hardly covered for a speaker's group, {figures['hardly_heard'].text} of "
            f"the rendered faces are read {read} by {evidence.instrument}, against "
            f"{figures['well_heard'].text} in languages that it covered well (difference {head.text}, {speakers}). "
            f"{_of_groups(evidence, little)}"
        )
        return judge(self, evidence, head, figures, sentence)

    def in_cells(self, evidence: Evidence, crossed: Evidence, cells: Sequence[str]) -> list[Figure]:
        """The effect in each cell with languages of both kinds."""
        parts = _parts(evidence)
        if parts is None:
            return []
        own = {cell: crossed.where(group=cell) for cell in cells}
        able = {cell: mask for cell, mask in own.items() if all((mask & part).any() for part in parts)}
        curves = {cell: _effect(crossed, *(mask & part for part in parts))[0] for cell, mask in able.items()}
        return [
            self.figure(crossed, "coverage_effect", curve.together(len(able)), group=cell)
            for cell, curve in curves.items()
        ]

    def compare(self, pair: Pair) -> CheckCompared | None:
        """The change with the same parts in both runs: by the coverage of the baseline, else of the candidate."""
        found = [(each, parts) for each in pair.each if (parts := _parts(each)) is not None]
        if not found:
            return None
        whose, (little, well) = found[0]
        metric = _metric(pair.baseline)
        who, change = pair.baseline.speakers, pair.change(metric)

        def compared(group: str, within: Mask) -> Compared:
            part = [little & within, well & within]
            own = [each.contrasted(metric, "rendered", *part) for each in pair.each]
            (hardly_ids, hardly), (well_ids, covered) = (_means(change[of], who[of]) for of in part)
            same, at, place = np.intersect1d(hardly_ids, well_ids, return_indices=True)
            if len(same):
                either = part[0] | part[1]
                clips = int((~np.isnan(change) & np.isin(who, same) & either).sum())
                alone = len(hardly_ids) + len(well_ids) - 2 * len(same)
                counts = clips, int(either.sum()) - clips, alone
                name = f"rendered.{metric} by heard"
                linked = pair.baseline.shared_by_speakers(same)
                found = change_of_difference(hardly[at], covered[place], same, pair.settings, name, counts, linked)
                return Compared(group, own[0].curve(), own[1].curve(), found)
            first, second = (pair.pairs(change, of, "rate", f"rendered.{metric}").curve() for of in part)
            unpaired = [_unpaired(each, *part) for each in pair.each]
            return Compared(group, unpaired[0], unpaired[1], difference_curve(first, second))

        of_group = {group: pair.baseline.where(group=group) for group in pair.baseline.groups}
        groups = [
            compared(group, own) for group, own in of_group.items() if (own & little).any() and (own & well).any()
        ]
        run = "baseline" if whose is pair.baseline else "candidate"
        read = "own-group reads" if metric == OWN_GROUP else "gender read as labelled"
        label = f"{read} in languages that the {run}'s training covered well, minus those it hardly covered"
        return CheckCompared(self.judged[0], compared(ALL, pair.baseline.where()), tuple(measured(groups)), label)


def _metric(evidence: Evidence) -> str:
    """The metric that is compared: own-group reads, or gender where no group is a race label."""
    return OWN_GROUP if any(map(evidence.races_of, evidence.groups)) else GENDER


def _rate(evidence: Evidence, name: str, part: Mask, group: str = ALL) -> Figure:
    label = "where the training covered the group well" if name == "well_heard" else "where it hardly covered the group"
    return evidence.figure(_metric(evidence), "rendered", part, name=name, group=group, label=label)


def _effect(evidence: Evidence, little: Mask, well: Mask) -> tuple[Curve, bool]:
    """Well minus hardly covered, at every confidence, and whether the same speakers are compared."""
    same = evidence.contrasted(_metric(evidence), "rendered", little, well)
    if len(same.sums.total):
        return same.curve(), True
    unpaired = _unpaired(evidence, little, well)

    def at(confidence: float) -> Estimate:
        estimate = unpaired.at(confidence)
        return replace(estimate, method=f"{estimate.method}; other speakers on each side")

    return Curve(at, unpaired.least), False


def _unpaired(evidence: Evidence, little: Mask, well: Mask) -> Curve:
    """Well minus hardly covered, of different speakers."""
    return difference_curve(*(evidence.figure_curve(_metric(evidence), "rendered", part) for part in (little, well)))


def _of_groups(evidence: Evidence, little: Mask) -> str:
    column = evidence.group_column
    cells = evidence.frame.loc[little, [column, "language"]].drop_duplicates()
    languages = {group: sorted(cells["language"][cells[column] == group]) for group in evidence.groups}
    parts = [f"{group_words(group)} in {', '.join(spoken)}" for group, spoken in languages.items() if spoken]
    return f"Hardly covered: {'; '.join(parts)}."


def _parts(evidence: Evidence) -> tuple[Mask, Mask] | None:
    """The clips in hardly covered and in well covered languages; ``None`` if coverage is unknown or none is low."""
    trained = evidence.clips_trained
    known = ~np.isnan(trained) & evidence.known
    if not known.any():
        return None
    little = known & (trained < HARDLY * trained[known].max())
    return (little, known & ~little) if little.any() else None


def _means(values: NDArray[np.float64], speakers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The speakers with a clip that was read in both runs, and the mean of each."""
    standing = Standing.of(speakers)
    sums = standing.gathered(Reads.of(values))
    read = sums.clips > 0
    return standing.speaker[read], sums.total[read] / sums.clips[read]


CHECK = Coverage()
