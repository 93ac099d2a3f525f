"""The gate: a policy and an audit in, a decision out. It sees figures with their intervals and computes none."""

from audit.release.deciding import decide
from audit.release.decision import EXIT_CODES, Decision, Held, Ruling, WaiverUse
from audit.release.policy import Policy
from audit.reports.decision.junit import junit_xml
from audit.reports.decision.sarif import sarif_json
from audit.reports.decision.summary import summary_markdown

__all__ = [
    "EXIT_CODES",
    "Decision",
    "Held",
    "Policy",
    "Ruling",
    "WaiverUse",
    "decide",
    "junit_xml",
    "sarif_json",
    "summary_markdown",
]
