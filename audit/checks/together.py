"""All the checks of an audit held together: with many questions one is answered wrongly more easily than each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from audit.checks.finding import Finding
from audit.stats import holm


def together(findings: Sequence[Finding], confidence: float) -> tuple[Finding, ...]:
    """The findings with their p-values adjusted for one another (Holm 1979), those without one not counting.

    No outcome changes: each is about its own interval and margin. A finding that is shown says beside its reason
    whether it would still be, were all checks to be right together as often as the confidence says.
    """
    adjusted = holm([np.nan if finding.p_value is None else finding.p_value for finding in findings])
    counted = [finding for finding in findings if finding.p_value is not None]
    made = []
    for finding, p in zip(findings, adjusted.tolist(), strict=True):
        if finding.p_value is None:
            made.append(finding)
            continue
        reason = finding.reason
        if finding.outcome == "shown" and len(counted) > 1:
            holds = "holds" if p <= 1 - confidence + 1e-12 else "does not hold"
            reason += (
                f" It {holds} for all {len(counted)} checks that could be judged, together (Holm, adjusted p {p:.2g})."
            )
        made.append(replace(finding, reason=reason, p_adjusted=p))
    return tuple(made)
