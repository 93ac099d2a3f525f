"""S2F003: does a group stop being read as itself between the decoder's best face and the face made from the voice?"""

from __future__ import annotations

from audit.checks.evidence import Evidence
from audit.checks.finding import Finding
from audit.checks.verdicts import GroupFigure, judge_groups, too_few
from audit.core.sentences import group_words, listing, percent
from audit.core.vocabulary import STAGES
from audit.stats import Estimate

CODE = "S2F003"
TITLE = "Groups no longer read as themselves"
METRIC = "read_own_group"


def check(evidence: Evidence) -> Finding:
    """The finding of S2F003: for every group the fall of its own-group rate from ceiling (or portrait) to rendered.

    The groups are held together by intervals at the Bonferroni level, so that naming any one of them is right as often
    as the audit's confidence says.
    """
    before = "ceiling" if evidence.has("ceiling") else "portrait"
    if not evidence.groups or not evidence.has(before):
        return too_few(
            CODE,
            TITLE,
            "all",
            {},
            "There is no portrait or ceiling, or no speaker of a known group.",
            "Portraits, and speakers whose group is known.",
        )
    cells = evidence.cells("group")
    falls = evidence.changes(METRIC, "rendered", before, cells)
    rates = {stage: evidence.figures(METRIC, stage, cells) for stage in STAGES}
    place = {key[0]: i for i, key in enumerate(cells.keys)}
    figures = []
    for group in evidence.groups:
        i = place[group]
        fall = falls.one(i, "rate", evidence.settings).curve().together(len(evidence.groups))
        beside: dict[str, Estimate] = {stage: found[i] for stage, found in rates.items()}
        figures.append(GroupFigure(group, fall.at(evidence.settings.confidence), beside, fall))

    def sentence(named: list[str]) -> str:
        worst = next(figure for figure in figures if figure.group == named[0])
        others = f" So it is with {listing([group_words(group) for group in named[1:]])}." if len(named) > 1 else ""
        return (
            f"Of {group_words(worst.group)} speakers, {percent(worst.beside['rendered'])} of the rendered faces are "
            f"read as their own group by {evidence.instrument}, against {percent(worst.beside[before])} at the stage "
            f"{before}.{others}"
        )

    return judge_groups(
        evidence, CODE, TITLE, figures, sentence, direction="greater", figure=f"fall from {before} to rendered"
    )
