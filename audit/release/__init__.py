"""The gate: a policy and an audit in, a decision out. It judges figures and computes none."""

from audit.release.deciding import decide
from audit.release.decision import Decision, FigureRuling, Ruling, WaiverUse
from audit.release.facts import RunFacts
from audit.release.outcomes import EXIT_CODES
from audit.release.planning import plan_policy
from audit.release.plans import Assumptions, PolicyPlan, RulePlan
from audit.release.policy import Policy

__all__ = [
    "EXIT_CODES",
    "Assumptions",
    "Decision",
    "FigureRuling",
    "Policy",
    "PolicyPlan",
    "RulePlan",
    "Ruling",
    "RunFacts",
    "WaiverUse",
    "decide",
    "plan_policy",
]
