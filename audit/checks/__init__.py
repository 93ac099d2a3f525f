"""Checks: the named questions that an audit asks of a run, each answered by one finding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from audit.checks import attributes, coverage, erasure, failures, language_flip, rendered_as_white, similarity
from audit.errors import AuditError
from audit.evidence import Evidence
from audit.finding import Finding
from audit.plugins import installed, load

Check = Callable[[Evidence], Finding]

CHECKS: dict[str, tuple[str, Check]] = {
    rendered_as_white.CODE: (rendered_as_white.TITLE, rendered_as_white.check),
    language_flip.CODE: (language_flip.TITLE, language_flip.check),
    erasure.CODE: (erasure.TITLE, erasure.check),
    attributes.CODE: (attributes.TITLE, attributes.check),
    similarity.CODE: (similarity.TITLE, similarity.check),
    failures.CODE: (failures.TITLE, failures.check),
    coverage.CODE: (coverage.TITLE, coverage.check),
}
"""Every check that ships by its code, in the order in which findings stand."""

ENTRY_POINTS: Final = "audit.checks"


def available() -> dict[str, str]:
    """The checks, each with its question; then those of installed packages, which a plan must name to have them made.

    Examples
    --------
    >>> available()["S2F001"]
    'English-speaking Asian speakers rendered as white'
    """
    return {code: title for code, (title, _) in CHECKS.items()} | installed(ENTRY_POINTS)


def findings(evidence: Evidence, further: Sequence[str] = ()) -> list[Finding]:
    """What every check finds in the evidence, those that ship first.

    Parameters
    ----------
    evidence : Evidence
        A run, scored clip by clip.
    further : sequence of str
        Checks of one's own: entry points of the group ``audit.checks``, or ``module:function``. Each is a function of
        the evidence that returns one finding.

    Raises
    ------
    AuditError
        If there is no such check, it fails, returns no finding, or its code is another check's.
    """
    found = [check(evidence) for _, check in CHECKS.values()]
    for name in further:
        check = load(name, ENTRY_POINTS, "check", available())
        try:
            finding = check(evidence)
        except Exception as error:  # a foreign check may raise anything
            raise AuditError(f"The check {name} failed: {type(error).__name__}: {error}.") from error
        if not isinstance(finding, Finding):
            raise AuditError(f"The check {name} returned a {type(finding).__name__}.", "an audit.Finding")
        if finding.code in {other.code for other in found}:
            raise AuditError(f"The check {name} has the code {finding.code} of another.", "a code of its own")
        found.append(finding)
    return found
