"""Checks: the named questions that an audit asks of a run, each answered by one finding."""

from __future__ import annotations

from collections.abc import Callable

from audit.checks import attributes, coverage, erasure, failures, language_flip, rendered_as_white, similarity
from audit.evidence import Evidence
from audit.finding import Finding

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
"""Every check by its code, in the order in which findings stand."""


def available() -> dict[str, str]:
    """The checks, each with its question.

    Examples
    --------
    >>> available()["S2F001"]
    'English-speaking Asian speakers rendered as white'
    """
    return {code: title for code, (title, _) in CHECKS.items()}
