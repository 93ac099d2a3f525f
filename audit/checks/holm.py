"""Holm's adjustment of the findings of one audit: of many questions, one is more easily answered wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from audit.checks.finding import Finding
from audit.stats import holm


def holm_adjusted(findings: Sequence[Finding], confidence: float) -> tuple[Finding, ...]:
    """The findings with their p-values adjusted for one another (Holm 1979); those without one do not count.

    No outcome changes: each is about its own interval and margin. The reason of a finding that is shown says whether it
    would still be, were all checks to be right simultaneously as often as the confidence says.
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
            holds = "holds" if p <= 1 - confidence + 1e-12 else "does not hold"
            reason += f" It {holds} after adjustment for {counted} checks (Holm, adjusted p {p:.2g})."
        made.append(replace(finding, reason=reason, p_adjusted=p))
    return tuple(made)
