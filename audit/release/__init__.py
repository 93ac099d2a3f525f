"""The gate: a policy and an audit in, a decision out. It judges figures and computes none."""

from audit.release.deciding import decide
from audit.release.decision import Decision, FigureRuling, Ruling, WaiverUse
from audit.release.outcomes import EXIT_CODES
from audit.release.policy import Policy

__all__ = [
    "EXIT_CODES",
    "Decision",
    "FigureRuling",
    "Policy",
    "Ruling",
    "WaiverUse",
    "decide",
]
