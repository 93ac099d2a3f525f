"""The gate: a policy and an audit in, a decision out. It sees figures with their intervals and computes none."""

from audit.release.deciding import decide
from audit.release.decision import EXIT_CODES, Decision, Held, Ruling, WaiverUse
from audit.release.policy import Policy

__all__ = [
    "EXIT_CODES",
    "Decision",
    "Held",
    "Policy",
    "Ruling",
    "WaiverUse",
    "decide",
]
