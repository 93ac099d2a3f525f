"""The charts of the report on matplotlib axes: each function returns its axes and takes ``ax``."""

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
