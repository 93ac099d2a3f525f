"""S2F005: does the rendered face resemble its speaker less in some groups than in the others?

Similarity is taken over the baseline of impostors of the same group and gender: what is left when everything that the
demographic alone explains is taken away. Beside it stands how often a face's own portrait is found again in a gallery.
"""

from __future__ import annotations

from dataclasses import replace

from audit.checks.evidence import Evidence
from audit.checks.finding import Finding
from audit.checks.gaps import gap_figures
from audit.checks.verdicts import judge_groups, too_few
from audit.core.sentences import amount, group_words
from audit.stats import Estimate

CODE = "S2F005"
TITLE = "Likeness to the own portrait differs between groups"


def check(evidence: Evidence) -> Finding:
    """The finding of S2F005: similarity over the same-demographic impostor baseline, each group against all others."""
    if not evidence.similarity_models:
        return too_few(CODE, TITLE, "all", {}, "The instrument has no similarity model.", "An instrument with one.")
    metric = f"similarity_over_impostor_{evidence.similarity_models[0].lower()}"
    figures = gap_figures(evidence, metric, "rendered")
    if not figures:
        return too_few(
            CODE,
            TITLE,
            "all",
            {},
            "There are fewer than two groups with several portraits of each labelled gender.",
            "Portraits of at least two speakers of each group and gender.",
        )

    def sentence(named: list[str]) -> str:
        worst = next(figure for figure in figures if figure.group == named[0])
        return (
            f"The rendered faces of {group_words(worst.group)} speakers resemble their own portraits over those of "
            f"others of the same group and gender by a cosine of {amount(worst.beside['own'])} "
            f"({evidence.similarity_models[0]}), {amount(worst.held)} against all other groups."
        )

    finding = judge_groups(evidence, CODE, TITLE, figures, sentence, direction="two_sided", figure="likeness gap")
    beside: dict[str, Estimate] = {}
    for model in evidence.similarity_models:
        name = f"similarity_over_impostor_{model.lower()}"
        beside[f"{model.lower()}.all"] = evidence.figure(name, "rendered", evidence.where())
        for language in evidence.languages:
            beside[f"{model.lower()}.language.{language}"] = evidence.figure(
                name, "rendered", evidence.where(language=language)
            )
    for name in (metric for metric in evidence.metrics if metric.startswith("retrieval_at_")):
        beside[f"{name}.all"] = evidence.figure(name, "rendered", evidence.where())
        beside |= {
            f"{name}.{group}.own": evidence.figure(name, "rendered", evidence.where(group=group))
            for group in evidence.groups
        }
    return replace(finding, estimates={**finding.estimates, **beside})
