"""S2F002: is a speaker read as another race as soon as the language changes?

Two clips of one speaker are read differently by chance alone, so the flips between languages are held against the flips
within one language, of the same speakers. Any group, any two reads, either direction.
"""

from __future__ import annotations

from audit.checks.evidence import Evidence
from audit.checks.finding import Finding
from audit.checks.flips import flip_figures
from audit.checks.verdicts import GroupFigure, judge_groups, too_few
from audit.core.sentences import group_words, percent, points

CODE = "S2F002"
TITLE = "The read race changes with the language"


def check(evidence: Evidence) -> Finding:
    """The finding of S2F002: flips between languages over flips within a language, for every group.

    The groups are held together by intervals at the Bonferroni level, as in S2F003.
    """
    if not evidence.groups:
        return too_few(CODE, TITLE, "all", {}, "No speaker's group is known.", "Speakers whose group is known.")
    figures = []
    for group in evidence.groups:
        found = flip_figures(evidence, evidence.where(group=group))
        excess = found.excess.curve().together(len(evidence.groups))
        beside = {"within": found.within, "between": found.between}
        figures.append(GroupFigure(group, excess.at(evidence.settings.confidence), beside, excess))
    if not any(figure.held.n_speakers for figure in figures):
        return too_few(
            CODE,
            TITLE,
            "all",
            {f"{figure.group}.between": figure.beside["between"] for figure in figures},
            "No speaker is heard twice in each of two languages, so that a change with the language cannot be told "
            "from one between two clips.",
            "Two clips or more in each of two languages, of the same speakers.",
        )

    def sentence(named: list[str]) -> str:
        worst = next(figure for figure in figures if figure.group == named[0])
        return (
            f"Two clips of one {group_words(worst.group)} speaker are read as different races in "
            f"{percent(worst.beside['between'])} where their languages differ, against "
            f"{percent(worst.beside['within'])} where they do not ({points(worst.held)})."
        )

    return judge_groups(
        evidence, CODE, TITLE, figures, sentence, direction="greater", figure="flips between languages over within"
    )
