"""A group against all the others: the figure of a gap that does not grow with the number of groups.

The largest difference between any two of many groups is large by chance alone; each group against the rest, at the
Bonferroni level, is not.
"""

from __future__ import annotations

from audit.checks.verdicts import GroupFigure
from audit.evidence import Evidence
from audit.stats import difference_curve


def gap_figures(evidence: Evidence, metric: str, stage: str) -> list[GroupFigure]:
    """For each known group its figure minus that of all other speakers; empty where fewer than two can be compared.

    Parameters
    ----------
    evidence : Evidence
        The run.
    metric, stage : str
        What is compared.
    """
    cells = evidence.cells("group")
    compared = zip(
        cells.keys,
        evidence.curves(metric, stage, cells),
        evidence.curves_of_rest(metric, stage, cells),
        strict=True,
    )
    of_group = {key[0]: (own, rest) for key, own, rest in compared}
    figures = []
    for group in evidence.groups:
        own, rest = of_group[group]
        beside = {"own": own.at(evidence.settings.confidence), "others": rest.at(evidence.settings.confidence)}
        if any(estimate.value is None for estimate in beside.values()):
            continue
        gap = difference_curve(rest, own).together(len(evidence.groups))
        figures.append(GroupFigure(group, gap.at(evidence.settings.confidence), beside, gap))
    return figures if len(figures) > 1 else []
