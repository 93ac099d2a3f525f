"""S2F007: are speakers read less well as themselves in the languages of theirs that the training hardly heard?

The failure's cause, by the word of Speech2Face's authors: what the training data lack, the reconstruction cannot show.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from audit.checks.evidence import Evidence
from audit.checks.finding import Finding
from audit.checks.strata import Mask
from audit.checks.verdicts import judge, too_few
from audit.core.sentences import group_words, percent, points
from audit.stats import Curve, Estimate, difference_curve

CODE = "S2F007"
TITLE = "Read less well where the training heard little"
METRIC = "read_own_group"
HARDLY = 0.1
"""A group's language is hardly heard where its clips are fewer than this share of the most heard one's."""


def check(evidence: Evidence) -> Finding:
    """The finding of S2F007: own-group reads in well heard minus in hardly heard groups' languages.

    Paired by the speakers who stand in both parts; where nobody does, a difference of two parts, whose speakers may
    differ in more than coverage. Beside it the same for every group.
    """
    trained = evidence.clips_trained
    told = ~np.isnan(trained) & evidence.known
    if not told.any():
        return too_few(
            CODE,
            TITLE,
            "all",
            {},
            "What the model's training heard of these groups and languages is not known.",
            "A model that tells its training coverage in describe().",
        )
    little = told & (trained < HARDLY * trained[told].max())
    well = told & ~little
    if not little.any():
        return too_few(
            CODE,
            TITLE,
            "all",
            {},
            f"The training heard every group here in every language: none with fewer than {HARDLY:.0%} of the clips of "
            "the most heard.",
            "A cohort with a language that the training hardly heard; for this model there may be none.",
        )
    effect, how = _effect(evidence, little, well)
    held = effect.at(evidence.settings.confidence)
    estimates: dict[str, Estimate] = {
        "coverage_effect": held,
        "hardly_heard": evidence.figure(METRIC, "rendered", little),
        "well_heard": evidence.figure(METRIC, "rendered", well),
    }
    for group in evidence.groups:
        own = evidence.where(group=group)
        if (own & little).any() and (own & well).any():
            estimates[group] = _effect(evidence, own & little, own & well)[0].at(evidence.settings.confidence)
        for word, part in (("hardly_heard", own & little), ("well_heard", own & well)):
            if part.any():
                estimates[f"{group}.{word}"] = evidence.figure(METRIC, "rendered", part)
    sentence = (
        f"In languages in which the training hardly heard a speaker's group, {percent(estimates['hardly_heard'])} of "
        f"the rendered faces are read as that group by {evidence.instrument}, against "
        f"{percent(estimates['well_heard'])} where it heard it well ({points(held)}, {how}). "
        f"{_of_groups(evidence, little)}"
    )
    return judge(
        evidence,
        CODE,
        TITLE,
        "all",
        held,
        estimates,
        sentence,
        direction="greater",
        figure="coverage effect",
        curve=effect,
    )


def _effect(evidence: Evidence, little: Mask, well: Mask) -> tuple[Curve, str]:
    """Well minus hardly heard, at every confidence, and in words who is compared."""
    same = evidence.contrasted(METRIC, "rendered", little, well)
    if len(same.sums.total):
        return same.curve(), "the same speakers"
    apart = difference_curve(*(evidence.figure_curve(METRIC, "rendered", part) for part in (little, well)))

    def told(confidence: float) -> Estimate:
        estimate = apart.at(confidence)
        return replace(estimate, method=f"{estimate.method}; other speakers on each side")

    return Curve(told, apart.least), "other speakers"


def _of_groups(evidence: Evidence, little: Mask) -> str:
    cells = evidence.frame.loc[little, ["group", "language"]].drop_duplicates()
    parts = []
    for group in evidence.groups:
        languages = sorted(cells["language"][cells["group"] == group])
        if languages:
            parts.append(f"{group_words(group)} in {', '.join(languages)}")
    return f"Hardly heard: {'; '.join(parts)}."
