"""The gate in a test: ``assert_audit``, as a function and as a fixture of pytest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import audit


def assert_audit(
    run: audit.Audit | audit.Run | str | Path,
    policy: audit.Policy | str | Path | None = None,
    baseline: audit.Run | str | Path | None = None,
) -> audit.Decision:
    """Fail unless every rule of a policy is shown to hold.

    Parameters
    ----------
    run, policy, baseline
        As :func:`audit.gate`.

    Returns
    -------
    Decision
        Whose exit code is 0.

    Raises
    ------
    AssertionError
        With the decision's summary.
    AuditError
        If the run or the policy is wrong: an error of the test, as of the gate.
    """
    __tracebackhide__ = True
    decision = audit.gate(run, policy=policy, baseline=baseline)
    if decision.exit_code != 0:
        from audit.reports.decision import summary_markdown

        raise AssertionError(summary_markdown(decision))
    return decision


@pytest.fixture(name="assert_audit")
def _assert_audit() -> Callable[..., audit.Decision]:
    """:func:`audit.testing.assert_audit`, in any test where the package is installed."""
    return assert_audit
