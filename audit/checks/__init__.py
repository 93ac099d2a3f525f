"""Checks: the named questions that an audit asks of a run, each answered by one finding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from pydantic import TypeAdapter, ValidationError

from audit.checks.catalogue import (
    attribute_gaps,
    coverage,
    erasure,
    failure_gap,
    identity_gap,
    language_flip,
    rendered_as_white,
)
from audit.checks.evidence import Evidence
from audit.checks.finding import Finding
from audit.core.errors import AuditError
from audit.core.registry import installed, load

Check = Callable[[Evidence], Finding]

CHECKS: dict[str, tuple[str, Check]] = {
    rendered_as_white.CODE: (rendered_as_white.TITLE, rendered_as_white.check),
    language_flip.CODE: (language_flip.TITLE, language_flip.check),
    erasure.CODE: (erasure.TITLE, erasure.check),
    attribute_gaps.CODE: (attribute_gaps.TITLE, attribute_gaps.check),
    identity_gap.CODE: (identity_gap.TITLE, identity_gap.check),
    failure_gap.CODE: (failure_gap.TITLE, failure_gap.check),
    coverage.CODE: (coverage.TITLE, coverage.check),
}
"""Every check that ships by its code, in the order in which findings stand."""

ENTRY_POINTS: Final = "audit.checks"
_FINDING: Final = TypeAdapter(Finding)


def available() -> dict[str, str]:
    """The checks, each with its question; then those of installed packages, which a plan must name to have them made.

    Examples
    --------
    >>> available()["S2F001"]
    'English-speaking Asian speakers rendered as white'
    """
    return {code: title for code, (title, _) in CHECKS.items()} | installed(ENTRY_POINTS)


def named(names: Sequence[str]) -> dict[str, Check]:
    """Checks of one's own by name, imported.

    Parameters
    ----------
    names : sequence of str
        Entry points of the group ``audit.checks``, or ``module:function``. Each is a function of the evidence that
        returns one finding. What they name is run: never give names that somebody else's files hold.

    Raises
    ------
    AuditError
        If there is no such check.
    """
    return {name: load(name, ENTRY_POINTS, "check", available()) for name in names}


def findings(evidence: Evidence, own: Sequence[str] = ()) -> list[Finding]:
    """What every check finds in the evidence: those that ship, then those of one's own (:func:`named`).

    Raises
    ------
    AuditError
        If there is no such check, it fails, returns no finding that audit.json can hold, or its code is another's.
    """
    checks = named(own)
    found = [check(evidence) for _, check in CHECKS.values()]
    for name, check in checks.items():
        try:
            finding = check(evidence)
        except Exception as error:  # a foreign check may raise anything
            raise AuditError(f"The check {name} failed: {type(error).__name__}: {error}.") from error
        if not isinstance(finding, Finding):
            raise AuditError(f"The check {name} returned a {type(finding).__name__}.", "an audit.Finding")
        try:
            _FINDING.validate_python(finding.as_dict())
        except (ValidationError, AttributeError, TypeError) as error:
            raise AuditError(
                f"The check {name} returned a finding of another form: {error}.", "see audit.Finding"
            ) from error
        if finding.code in {other.code for other in found}:
            raise AuditError(f"The check {name} has the code {finding.code} of another.", "a code of its own")
        found.append(finding)
    return found
