"""S2F004: are gender and age read less accurately in the faces of some groups than in their portraits?

Judged is the change from the portrait, paired by speaker, so that the instrument's own errors cancel: the portrait has
them too. The change to the ceiling shows what the decoder loses of a true face, that to the rendered face what the
whole model loses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from audit.checks import Check, Evidence, Figure, Finding, GroupFigure, Judged, judge_groups, not_evaluable
from audit.checks.compared import CheckCompared
from audit.checks.gaps import by_language, change_gaps, compare_gaps, gap_figure, group_gaps
from audit.checks.pair import Pair
from audit.checks.power import Comparison, GroupClips
from audit.core.sentences import group_words, listing
from audit.core.vocabulary import STAGES, Stage

FACES: Final[dict[Stage, str]] = {
    "portrait": "portraits",
    "ceiling": "ceiling faces (the decoder given the true face)",
    "rendered": "rendered faces",
}
"""The pictures of each stage, in a sentence."""


@dataclass(frozen=True)
class Gap:
    """A judged figure: the gap between groups of one metric at one stage.

    Attributes
    ----------
    judged : Judged
        Its declaration.
    metric : str
        The name of the metric.
    stage : {"ceiling", "rendered"}
        The stage.
    about : str
        The figure in two or three words.
    sentence, of : str
        The value of the metric in a sentence, and the preposition before the faces.
    """

    judged: Judged
    metric: str
    stage: Stage
    about: str
    sentence: str
    of: str

    def label(self, before: Stage | None) -> str:
        """A short description: of the change from the stage ``before``, or of the metric itself."""
        return self.judged.label if before else f"{self.about}, minus all other groups (no portraits)"


def _gender(name: str, stage: Stage, quantities: tuple[str, ...] = ()) -> Gap:
    label = f"gender read as labelled, {stage} minus portrait, minus all other groups"
    judged = Judged(name, label, "share", 0.10, "low", two_sided=True, per_group=True, quantities=quantities)
    return Gap(judged, "gender_right", stage, f"gender ({stage})", "Gender is read as labelled in", "of")


def _age(name: str, stage: Stage, quantities: tuple[str, ...] = ()) -> Gap:
    label = f"age error, {stage} minus portrait, minus all other groups"
    judged = Judged(name, label, "years", 2.0, "high", two_sided=True, per_group=True, quantities=quantities)
    return Gap(judged, "age_error", stage, f"age ({stage})", "The age error is", "in")


GAPS: Final = (
    _gender("gender_gap", "rendered", ("gender_right",)),
    _gender("gender_gap_ceiling", "ceiling"),
    _age("age_gap", "rendered", ("age_error",)),
    _age("age_gap_ceiling", "ceiling"),
)
"""The judged figures. The first one is compared between runs, and is that of a gate rule without ``figure``."""


class AttributeGaps(Check):
    """The change of gender read as labelled and of age error from the portrait, each group against all others.

    Without portraits, the rates themselves are compared, with the instrument's own errors.
    """

    code = "S2F004"
    title = "Gender and age read less accurately in some groups"
    question = "Are gender and age read less accurately in some groups?"
    scope = "all languages"
    judged = tuple(gap.judged for gap in GAPS)

    def measure(self, evidence: Evidence) -> Finding:
        """The gaps of each group, simultaneous over the groups and the figures that can be compared."""
        before = _before(evidence)
        asked = [gap for gap in GAPS if evidence.has(gap.stage)]
        found = {
            gap: (
                change_gaps(evidence, gap.metric, before, gap.stage, largest=_largest_change_in_age(evidence))
                if before
                else group_gaps(evidence, gap.metric, gap.stage)
            )
            for gap in asked
        }
        able = {gap: groups for gap, groups in found.items() if groups}
        if not able:
            return not_evaluable(
                self,
                "There are fewer than two groups whose gender or age is labelled and whose faces were read.",
                "Labels of gender or age for speakers of two groups or more.",
            )
        figures = [
            GroupFigure(
                each.group,
                gap_figure(
                    self,
                    evidence,
                    gap.judged.name,
                    replace(each, gap=each.gap.together(len(able) * len(groups))),
                    gap.label(before),
                ),
            )
            for gap, groups in able.items()
            for each in groups
        ]
        finding = judge_groups(self, evidence, figures, lambda named: "")
        estimates = {**finding.estimates, **_absolute(evidence)}
        lacking = [gap.about for gap in GAPS if gap not in able]
        notes = [] if before else ["There are no portraits, so the instrument's own errors do not cancel."]
        notes += (
            [f"Not judged, because it was measured in fewer than two groups: {listing(lacking)}."] if lacking else []
        )
        return replace(
            finding,
            estimates=estimates,
            sentence=_sentence(finding, estimates, before),
            reason=" ".join([finding.reason, *notes]),
        )

    def in_cells(self, evidence: Evidence, crossed: Evidence, cells: Sequence[str]) -> list[Figure]:
        """The gaps in gender and age of each cell's rendered faces."""
        before, largest = _before(crossed), _largest_change_in_age(crossed)
        found = {
            gap: (
                change_gaps(crossed, gap.metric, before, gap.stage, largest=largest, groups=cells)
                if before
                else group_gaps(crossed, gap.metric, gap.stage, groups=cells)
            )
            for gap in GAPS
            if gap.stage == "rendered" and crossed.has(gap.stage)
        }
        number = sum(map(len, found.values()))
        return [
            gap_figure(
                self,
                crossed,
                gap.judged.name,
                replace(each, gap=each.gap.together(number)),
                gap.label(before),
            )
            for gap, gaps in found.items()
            for each in gaps
        ]

    def compare(self, pair: Pair) -> CheckCompared | None:
        """The change of the gap in gender at the rendered face; the portraits, which both runs share, cancel."""
        before = "portrait" if pair.has("portrait") else ""
        return compare_gaps(pair, self.judged[0], GAPS[0].metric, before)

    def power(self, group: GroupClips) -> Iterator[Comparison]:
        """The group against all others, for gender and age."""
        for gap in GAPS:
            if gap.stage == "rendered":
                words = f"{gap.about}, the group against all others"
                yield Comparison(
                    gap.judged,
                    words,
                    group.n,
                    "unpaired",
                    other_speakers=group.n_others,
                    of_changes=True,
                    figures=len(GAPS),
                )


def _largest_change_in_age(evidence: Evidence) -> float | None:
    """The largest possible change of a clip's age error within the range of the ages read, as a mean over the clips.

    With ages read from ``low`` to ``high``, the error of a speaker labelled ``age`` lies in [0, max(high - age, age -
    low)], and so does its change. The mean is taken, as if speakers of every age changed equally often.
    """
    reads = evidence.frame[[f"{stage}_age" for stage in STAGES]].to_numpy(np.float64)
    ages = evidence.frame["age"].to_numpy(np.float64)
    ages = ages[np.isfinite(ages)]
    if not (len(ages) and np.isfinite(reads).any()):
        return None
    return float(np.maximum(np.nanmax(reads) - ages, ages - np.nanmin(reads)).mean()) or None


def _before(evidence: Evidence) -> Stage | None:
    """The stage from which the change is measured."""
    return "portrait" if evidence.has("portrait") else None


def _sentence(finding: Finding, estimates: dict[str, Figure], before: Stage | None) -> str:
    """The rates of the headline's group and its gap, and the other figures and groups for which it is shown."""
    head, group = finding.estimate, finding.group
    assert head is not None  # by judge_groups
    gap = next(gap for gap in GAPS if gap.judged.name == head.name)
    value = {stage: estimates[_key(gap.metric, group, stage)].text for stage in STAGES if stage in (before, gap.stage)}
    words = f"{gap.sentence} {value[gap.stage]} {gap.of} {group_words(group)} speakers' {FACES[gap.stage]}"
    if before:
        words += f", against {value[before]} {gap.of} their {FACES[before]}"
    words += f", {head.text} compared with {'the change in ' if before else ''}all other groups."
    also = []
    for other in GAPS:
        shown = [
            group_words(figure.group)
            for figure in estimates.values()
            if figure.name == other.judged.name and figure != head and figure.verdict.outcome == "shown"
        ]
        also += [f"{other.about} for {listing(shown)}"] if shown else []
    return f"{words} Also shown: {'; '.join(also)}." if also else words


def _key(metric: str, group: str, stage: Stage) -> str:
    """The key of a group's own rate or error at a stage."""
    name = "own" if stage == "rendered" else stage
    return f"{group}.{name}" if metric == "gender_right" else f"{metric}.{group}.{name}"


def _absolute(evidence: Evidence) -> dict[str, Figure]:
    """Rates and errors of every group at every stage, their gaps in the rendered faces, and both by language."""
    found: dict[str, Figure] = {}
    for metric, label in (("gender_right", "gender read as labelled"), ("age_error", "age error")):
        cells = evidence.cells(evidence.group_column)
        place = {key[0]: i for i, key in enumerate(cells.keys)}
        for stage in STAGES:
            curves = evidence.curves(metric, stage, cells)
            for group in evidence.groups:
                found[_key(metric, group, stage)] = evidence.as_figure(
                    curves[place[group]],
                    metric,
                    stage,
                    name="own" if stage == "rendered" else stage,
                    group=group,
                    label=f"{label}, {stage}",
                )
        gaps = group_gaps(evidence, metric)
        for each in gaps:
            gap = each.gap.together(len(gaps))
            found[f"{metric}.{each.group}"] = evidence.as_figure(
                gap, metric, name=metric, group=each.group, label=f"{label}, minus all other groups", kind="difference"
            )
            others = _key(metric, each.group, "rendered").removesuffix("own") + "others"
            found[others] = replace(each.others, label=f"{label}, all other groups")
    return (
        found
        | by_language(evidence, "gender_right", "gender_right.")
        | by_language(evidence, "age_error", "age_error.")
    )


CHECK = AttributeGaps()
