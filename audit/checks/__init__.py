"""Checks: named questions about a run, each answered by one finding."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Final, cast

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from audit.checks.check import Check
from audit.checks.custom_gap import gap_check
from audit.checks.evidence import Evidence
from audit.checks.figure import Figure, Judged
from audit.checks.finding import Finding
from audit.checks.gaps import GapCheck
from audit.checks.intersections import with_worst_cell
from audit.checks.judging import GroupFigure, judge, judge_groups, not_evaluable
from audit.checks.metrics.custom import CustomMetric, Readings, custom_metrics
from audit.checks.sensitivity import Sensitivity
from audit.checks.strata import Strata
from audit.core.errors import AuditError, PlanError, did_you_mean
from audit.core.grouping import Grouping
from audit.core.registry import Registry
from audit.core.units import unit_of

__all__ = [
    "Check",
    "CustomMetric",
    "Evidence",
    "Figure",
    "Finding",
    "GapCheck",
    "GroupFigure",
    "Judged",
    "Readings",
    "available",
    "chosen",
    "findings",
    "groupings_of",
    "judge",
    "judge_groups",
    "margins_of",
    "not_evaluable",
    "sensitivities",
    "shipped",
]

CHECKS: Final = Registry(
    "check",
    "audit.checks.catalogue",
    group="audit.checks",
    declared_as="CHECK",
    name_field="code",
    summary_field="title",
)
_FINDING: Final = TypeAdapter(Finding)


def available() -> dict[str, str]:
    """The titles of the shipped checks by code, then those of installed packages, which run only if a plan names them.

    Examples
    --------
    >>> available()["S2F001"]
    'English-speaking Asian speakers rendered as white'
    """
    return CHECKS.available()


@cache
def shipped() -> tuple[Check, ...]:
    """The shipped checks, one in each module of :mod:`audit.checks.catalogue`, in the order of their codes."""
    return tuple(cast(Check, CHECKS.get(code)) for code in CHECKS.shipped)


def chosen(names: Sequence[str] = (), metrics: Sequence[str] = ()) -> tuple[Check, ...]:
    """The shipped checks, followed by the named third-party checks and the gap checks of the named custom metrics.

    Parameters
    ----------
    names : sequence of str
        Entry points of the group ``audit.checks``, or ``module:name``: each is a :class:`Check` or a subclass. Their
        modules are imported and executed: never pass names from untrusted files.
    metrics : sequence of str
        Custom metrics, named in the same way (:func:`audit.checks.metrics.custom.custom_metrics`). Those with a margin
        have a gap check.

    Raises
    ------
    AuditError
        If a check is not found, is not a :class:`Check`, is declared incompletely, or has the code of another check; if
        a metric is not found, or is not a :class:`CustomMetric`.
    """
    checks = list(shipped())
    for name in names:
        found = CHECKS.get(name)
        if isinstance(found, type) and issubclass(found, Check):
            try:
                found = found()
            except (TypeError, ValueError) as error:
                raise AuditError(f"The check {name} cannot be created: {error}", "see audit.checks.Check") from error
        if not isinstance(found, Check):
            raise AuditError(
                f"The check {name} is a {type(found).__name__}.",
                "an audit.checks.Check, which declares the figures that it judges",
                "See docs/guide/own-check.md.",
            )
        _add(checks, found, f"check {name}")
    for metric in custom_metrics(metrics):
        if metric.margin is not None:
            try:
                gap = gap_check(metric)
            except ValueError as error:
                raise AuditError(f"The metric {metric.name!r} cannot be judged: {error}") from error
            _add(checks, gap, f"metric {metric.name!r}")
    return tuple(checks)


def _add(checks: list[Check], check: Check, words: str) -> None:
    """Append a check, of which ``words`` says what declares it; refused if its code is not unique."""
    if check.code in {other.code for other in checks}:
        raise AuditError(f"The {words} has the code {check.code} of another check.", "a unique code")
    checks.append(check)


def margins_of(checks: Sequence[Check], given: Mapping[str, float] | None = None) -> dict[str, float]:
    """The margin of every judged figure, by its key in a plan: the given one, else the default.

    Raises
    ------
    PlanError
        If no check has a given key, or a margin is outside the range of its unit.

    Examples
    --------
    >>> margins_of(shipped(), {"S2F001": 0.2})["S2F001"], margins_of(shipped())["S2F006"]
    (0.2, 0.05)
    """
    first = {check.margin_key(item): item for check in checks for item in reversed(check.judged)}
    margins = {key: item.margin for key, item in first.items()}
    for key, margin in (given or {}).items():
        if key not in margins:
            raise PlanError(
                f"measure.margins: there is no check {key}{did_you_mean(key, margins)}.",
                ", ".join(margins),
                "Name third-party checks in measure.checks or by --check, metrics in measure.metrics or by --metric.",
            )
        largest = unit_of(first[key].unit).largest
        if not 0 <= margin <= largest or math.isinf(margin):
            raise PlanError(f"measure.margins: the margin of {key} is {margin:g}; allowed: [0, {largest:g}].")
        margins[key] = margin
    return margins


def groupings_of(
    checks: Sequence[Check], observed: pd.DataFrame, asked: Sequence[Grouping]
) -> list[tuple[Grouping, tuple[Check, ...]]]:
    """The groupings that a plan asks for, with all checks, then those of checks with a grouping of their own.

    A grouping that the plan does not ask for is added if the clips have a group in it that one of its checks judges.

    Examples
    --------
    >>> from audit.core.grouping import GROUP
    >>> clips = pd.DataFrame({"group": ["asian", "white"], "native_language": ["zh", "en"]})
    >>> [(grouping.name, len(checks)) for grouping, checks in groupings_of(shipped(), clips, [GROUP])][1:]
    [('native_language', 1)]
    """
    own: dict[Grouping, list[Check]] = {}
    for check in checks:
        grouping = check.grouping
        if grouping is None or grouping in asked or not {*grouping.columns} <= {*observed.columns}:
            continue
        if any(map(check.judges, Strata(observed[[*grouping.columns]]).by(grouping).groups)):
            own.setdefault(grouping, []).append(check)
    return [*((each, tuple(checks)) for each in asked), *((each, tuple(found)) for each, found in own.items())]


def findings(checks: Sequence[Check], evidence: Evidence, intersect: Sequence[str] = ()) -> list[Finding]:
    """The finding of every check that applies to the grouping of the evidence.

    ``intersect`` are the columns that the groups are crossed with to find the worst cell of each check.

    Raises
    ------
    AuditError
        If a third-party check fails, or returns a finding that cannot be written to audit.json.
    """
    own = {check.code for check in shipped()}
    asked = [check for check in checks if check.applies(evidence)]
    found = [check.measure(evidence) if check.code in own else _measured(check, evidence) for check in asked]
    return [
        with_worst_cell(check, replace(finding, grouping=evidence.grouping.name), evidence, intersect)
        for check, finding in zip(asked, found, strict=True)
    ]


def sensitivities(check: Check, evidence: Evidence) -> Iterator[Sensitivity]:
    """The figures of a check whose sensitivity to errors outside their intervals is reported, one at a time.

    Each holds columns of all clips, so keep none that is not needed.

    Raises
    ------
    AuditError
        If a third-party check fails.
    """
    try:
        yield from check.sensitivity(evidence)
    except Exception as error:  # a third-party check may raise anything
        if check in shipped():
            raise
        raise AuditError(f"The sensitivity of {check.code} failed: {type(error).__name__}: {error}.") from error


def _measured(check: Check, evidence: Evidence) -> Finding:
    """The validated finding of a third-party check."""
    try:
        finding: object = check.measure(evidence)
    except Exception as error:  # a third-party check may raise anything
        raise AuditError(f"The check {check.code} failed: {type(error).__name__}: {error}.") from error
    if not isinstance(finding, Finding):
        raise AuditError(f"The check {check.code} returned a {type(finding).__name__}.", "an audit.Finding")
    try:
        _FINDING.validate_python(finding.as_dict())
    except (ValidationError, AttributeError, TypeError) as error:
        raise AuditError(
            f"The check {check.code} returned an invalid finding: {error}.", "see audit.Finding"
        ) from error
    if finding.code != check.code:
        raise AuditError(f"The check {check.code} returned a finding with the code {finding.code}.", check.code)
    plain = [name for name, figure in finding.estimates.items() if not isinstance(figure, Figure) or not figure.unit]
    if plain:
        raise AuditError(
            f"The check {check.code} returned figures without a unit: {', '.join(plain)}.",
            "audit.checks.Figure, as returned by Evidence.figure and Check.figure",
        )
    if (head := finding.estimate) is not None:
        declared = {item.name: (item.unit, item.harm, item.two_sided) for item in check.judged}
        if declared.get(head.name) != (head.unit, head.harm, head.two_sided):
            raise AuditError(
                f"The check {check.code} returned the headline figure {head.name}, which it does not declare, or with "
                "another unit or direction.",
                f"a figure that Check.figure makes: {', '.join(declared)}",
            )
    return finding
