"""Rules about figures with human readings (``readings = "human"``).

The prediction-powered version of a figure does not assume that the instrument reads rendered faces as it reads
portraits.
"""

from __future__ import annotations

from audit.checks.figure import Figure
from audit.checks.finding import Finding
from audit.release.policy import Rule


def with_human_readings(rule: Rule, finding: Finding, figure: Figure | None) -> Figure | None:
    """The figure that a rule is about: with human readings if the rule asks for them; ``None`` if there are none."""
    if rule.readings == "instrument" or figure is None:
        return figure
    return finding.prediction_powered(figure)


def why_absent(rule: Rule, name: str) -> str:
    """Why the run has no figure of that name for a rule."""
    if rule.readings == "instrument":
        return f"the run has no figure {name}"
    return (
        f"there is no version of {name} with human readings of rendered faces; create a sheet with audit sheet RUN -o "
        "SHEET, let people fill it in, and decide with audit gate RUN --human-readings FILE"
    )
