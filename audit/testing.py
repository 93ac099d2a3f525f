"""The gate in tests: ``assert_audit`` as a function and as a pytest fixture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import audit
from audit.runs.run_like import RunLike


def assert_audit(
    run: RunLike,
    policy: audit.Policy | str | Path | None = None,
    baseline: RunLike | None = None,
) -> audit.Decision:
    """Fail unless every rule of a policy passes; the parameters are those of :func:`audit.gate`.

    Returns
    -------
    Decision
        The decision, with exit code 0.

    Raises
    ------
    AssertionError
        With the decision's summary.
    AuditError
        If the run or the policy is invalid.
    """
    __tracebackhide__ = True
    decision = audit.gate(run, policy=policy, baseline=baseline)
    if decision.exit_code != 0:
        from audit.reports.decision import summary_markdown

        raise AssertionError(summary_markdown(decision))
    return decision


@pytest.fixture(name="assert_audit")
def _assert_audit() -> Callable[..., audit.Decision]:
    """:func:`audit.testing.assert_audit` as a fixture."""
    return assert_audit
