"""S2F006: are some groups' clips more often left without a face that can be read?

A detector and a model may fail unevenly (Dooley et al., arXiv 2211.15937); a missing face is an outcome of its own.
"""

from __future__ import annotations

from dataclasses import replace

from audit.checks.evidence import Evidence
from audit.checks.finding import Finding
from audit.checks.gaps import gap_figures
from audit.checks.verdicts import judge_groups, too_few
from audit.core.sentences import group_words, percent, points

CODE = "S2F006"
TITLE = "Some groups more often left without a face"
METRIC = "no_face"


def check(evidence: Evidence) -> Finding:
    """The finding of S2F006: the rate of clips without a usable face, each group against all others.

    Clips that could not be heard are the data's failure, not the model's, and are counted apart.
    """
    figures = gap_figures(evidence, METRIC, "rendered")
    if not figures:
        return too_few(
            CODE, TITLE, "all", {}, "There are fewer than two known groups.", "Speakers of two known groups or more."
        )

    def sentence(named: list[str]) -> str:
        worst = next(figure for figure in figures if figure.group == named[0])
        return (
            f"{percent(worst.beside['own'])} of {group_words(worst.group)} speakers' clips end without a face that can "
            f"be read, {points(worst.held)} against all other groups."
        )

    finding = judge_groups(evidence, CODE, TITLE, figures, sentence, direction="two_sided", figure="failure gap")
    beside = {
        f"language.{language}": evidence.figure(METRIC, "rendered", evidence.where(language=language))
        for language in evidence.languages
    }
    return replace(finding, estimates={**finding.estimates, **beside})
