"""S2F004: are gender and age read less well in the rendered faces of some groups than of the others?"""

from __future__ import annotations

from dataclasses import replace

from audit.checks.evidence import Evidence
from audit.checks.finding import Finding
from audit.checks.gaps import gap_figures
from audit.checks.verdicts import judge_groups, too_few
from audit.core.sentences import group_words, points
from audit.stats import Estimate

CODE = "S2F004"
TITLE = "Gender and age read less well in some groups"


def check(evidence: Evidence) -> Finding:
    """The finding of S2F004: gender read as labelled, each group against all others.

    Beside the verdict stand the gaps in years of age error, and both by language.
    """
    figures = gap_figures(evidence, "gender_right", "rendered")
    if not figures:
        return too_few(
            CODE,
            TITLE,
            "all",
            {},
            "There are fewer than two groups whose gender is labelled and whose faces were read.",
            "Gender labels for speakers of two groups or more.",
        )

    def sentence(named: list[str]) -> str:
        worst = next(figure for figure in figures if figure.group == named[0])
        return (
            f"Gender is read as labelled in {group_words(worst.group)} speakers' rendered faces "
            f"{points(worst.held)} against all other groups."
        )

    finding = judge_groups(evidence, CODE, TITLE, figures, sentence, direction="two_sided", figure="gender gap")
    beside: dict[str, Estimate] = {}
    for item in gap_figures(evidence, "age_error", "rendered"):
        beside[f"age_error.{item.group}"] = item.held
        beside |= {f"age_error.{item.group}.{name}": estimate for name, estimate in item.beside.items()}
    for metric in ("gender_right", "age_error"):
        for language in evidence.languages:
            beside[f"{metric}.language.{language}"] = evidence.figure(
                metric, "rendered", evidence.where(language=language)
            )
    return replace(finding, estimates={**finding.estimates, **beside})
