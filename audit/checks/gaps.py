"""A group against all the others: the figure of a gap that does not grow with the number of groups.

The largest difference between any two of many groups is large by chance alone; each group against the rest, at the
Bonferroni level, is not.
"""

from __future__ import annotations

from audit.checks.verdicts import GroupFigure
from audit.evidence import Evidence
from audit.stats import difference


def gap_figures(evidence: Evidence, metric: str, stage: str) -> list[GroupFigure]:
    """For each known group its figure minus that of all other speakers; empty where fewer than two can be compared.

    Parameters
    ----------
    evidence : Evidence
        The run.
    metric, stage : str
        What is compared.
    """
    level = 1 - (1 - evidence.settings.confidence) / max(1, len(evidence.groups))
    cells = evidence.cells("group")
    place = {key: i for i, key in enumerate(cells.keys)}
    own, own_held = (evidence.figures(metric, stage, cells, at) for at in (None, level))
    rest, rest_held = (evidence.figures_of_rest(metric, stage, cells, at) for at in (None, level))
    figures = []
    for group in evidence.groups:
        i = place[group,]
        if own[i].value is None or rest[i].value is None:
            continue
        figures.append(GroupFigure(group, difference(rest_held[i], own_held[i]), {"own": own[i], "others": rest[i]}))
    return figures if len(figures) > 1 else []
