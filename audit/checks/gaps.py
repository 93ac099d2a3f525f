"""A group against all other known ones: the figure of a gap that does not grow with the number of groups.

The largest difference between any two of many groups is large by chance alone; each group against the rest, at the
Bonferroni level, is not. Speakers of unknown group are in nobody's rest: they may be of the very group that is
compared.
"""

from __future__ import annotations

from audit.checks.evidence import Evidence
from audit.checks.verdicts import GroupFigure
from audit.core.vocabulary import UNKNOWN
from audit.stats import difference_curve


def gap_figures(evidence: Evidence, metric: str, stage: str) -> list[GroupFigure]:
    """For each known group its figure minus that of the other known groups' speakers.

    Empty where fewer than two groups can be compared. A group that could not be measured is among them, without a
    value: it must not be taken for one without a gap.

    Parameters
    ----------
    evidence : Evidence
        The run.
    metric, stage : str
        What is compared.
    """
    cells = evidence.cells("group")
    unknown = [place for place, key in enumerate(cells.keys) if key[0] == UNKNOWN]
    compared = zip(
        cells.keys,
        evidence.curves(metric, stage, cells),
        evidence.curves_of_rest(metric, stage, cells, apart=unknown),
        strict=True,
    )
    of_group = {key[0]: (own, rest) for key, own, rest in compared}
    figures = []
    for group in evidence.groups:
        own, rest = of_group[group]
        beside = {"own": own.at(evidence.settings.confidence), "others": rest.at(evidence.settings.confidence)}
        gap = difference_curve(rest, own).together(len(evidence.groups))
        figures.append(GroupFigure(group, gap.at(evidence.settings.confidence), beside, gap))
    measured = [figure for figure in figures if figure.held.value is not None]
    return figures if len(measured) > 1 else []
