"""Holm's adjustment of the p-values of an audit's findings for multiple testing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from audit.checks.finding import Finding
from audit.stats import holm


def holm_adjusted(findings: Sequence[Finding], confidence: float) -> tuple[Finding, ...]:
    """The findings with Holm-adjusted p-values (Holm 1979); findings without a p-value do not count.

    Outcomes do not change. The reason of a finding that is shown says whether it would still be shown at the audit's
    confidence after the adjustment.
    """
    adjusted = holm([np.nan if finding.p_value is None else finding.p_value for finding in findings])
    counted = sum(finding.p_value is not None for finding in findings)
    made = []
    for finding, p in zip(findings, adjusted.tolist(), strict=True):
        if finding.p_value is None:
            made.append(finding)
            continue
        reason = finding.reason
        if finding.outcome == "shown" and counted > 1:
            still = "still shown" if p <= 1 - confidence + 1e-12 else "no longer shown"
            reason += f" It is {still} after adjustment for {counted} checks (Holm, adjusted p {p:.2g})."
        made.append(replace(finding, reason=reason, p_adjusted=p))
    return tuple(made)
