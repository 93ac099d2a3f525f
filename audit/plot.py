"""The charts of the report on matplotlib axes: each function returns its axes and takes ``ax``.

Examples
--------
>>> import audit
>>> run = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 8})
>>> audit.plot.charts(run)[:2]
['stages-all', 'confusion-portrait-all']
"""

from audit.reports.plotting import (
    chart,
    charts,
    comparison,
    confusion,
    disparity,
    failures,
    findings,
    instrument,
    language_effects,
    pareto,
    stages,
)

__all__ = [
    "chart",
    "charts",
    "comparison",
    "confusion",
    "disparity",
    "failures",
    "findings",
    "instrument",
    "language_effects",
    "pareto",
    "stages",
]
