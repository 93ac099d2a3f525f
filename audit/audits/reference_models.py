"""Verdicts of checks on the reference models, next to the verdicts that are right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

from audit.audits.measure import evidence_of
from audit.checks import Check, chosen, findings, shipped
from audit.checks.finding import OUTCOMES
from audit.core.errors import AuditError
from audit.core.grouping import GROUP, Grouping
from audit.core.plan import MeasureSettings
from audit.runs.simulation.reference import REFERENCE_MODELS, ReferenceName, reference_run
from audit.stats.verdict import Outcome

SPEAKERS: Final = (12, 32, 100, 300)
"""The numbers of speakers in each group, by default."""
OTHERWISE: Final = Grouping(("gender",))
"""The grouping for checks that are not made for race labels."""
ENOUGH: Final = 100
"""The number of speakers in a group from which a verdict must be decided."""

Truth = Literal["absent", "present", "no_signal"]

ALLOWED: Final[dict[Truth, tuple[Outcome, ...]]] = {
    "absent": ("not_shown", "inconclusive", "not_evaluable"),
    "present": ("shown", "inconclusive"),
    "no_signal": ("not_evaluable", "shown"),
}
"""The allowed outcomes at any number of speakers. ``absent``: the model does not have the failure. ``present``: it has.
``no_signal``: its faces do not contain what the check compares between groups."""


@dataclass(frozen=True)
class Expectation:
    """The outcomes that are right for a check on a reference model.

    Attributes
    ----------
    check : str
        The check's code.
    model : {"perfect", "constant", "shuffled", "biased"}
        The reference model.
    allowed : tuple of str
        The allowed outcomes.
    speakers : int
        The number of speakers in a group from which it applies, in place of expectations that begin at fewer.

    Raises
    ------
    ValueError
        If there is no such model or outcome, or no outcome is allowed.
    """

    check: str
    model: ReferenceName
    allowed: tuple[Outcome, ...]
    speakers: int = 0

    def __post_init__(self) -> None:
        if self.model not in REFERENCE_MODELS:
            raise ValueError(f"There is no reference model {self.model!r}. Allowed: {', '.join(REFERENCE_MODELS)}.")
        if not self.allowed or not set(self.allowed) <= set(OUTCOMES):
            raise ValueError(f"The outcomes {self.allowed!r} are not one or more of {', '.join(OUTCOMES)}.")


def _of_models(perfect: Truth, constant: Truth, shuffled: Truth, biased: Truth) -> dict[ReferenceName, Truth]:
    return {"perfect": perfect, "constant": constant, "shuffled": shuffled, "biased": biased}


TRUTHS: Final = {
    "S2F001": _of_models("absent", "present", "absent", "present"),
    "S2F002": _of_models("absent", "absent", "absent", "present"),
    "S2F003": _of_models("absent", "present", "absent", "present"),
    "S2F004": _of_models("absent", "absent", "absent", "absent"),  # `constant` fails all groups alike
    "S2F005": _of_models("absent", "no_signal", "no_signal", "absent"),
    "S2F006": _of_models("absent", "absent", "absent", "absent"),
    "S2F007": _of_models("absent", "absent", "absent", "present"),  # the planted group and language was hardly covered
    "S2F008": _of_models("absent", "present", "absent", "absent"),
    "S2F009": _of_models("absent", "present", "absent", "present"),  # only the planted group has another first language
    "S2F010": _of_models("absent", "present", "absent", "absent"),  # by gender: the planted excess is below the margin
}
"""Whether each reference model has the failure that a shipped check looks for, by the check's code."""


def _of_shipped() -> Iterator[Expectation]:
    for code, truths in TRUTHS.items():
        for model, truth in truths.items():
            yield Expectation(code, model, ALLOWED[truth])
            if truth == "present":
                yield Expectation(code, model, ("shown",), ENOUGH)
            elif model == "perfect":
                yield Expectation(code, model, ("not_shown",), ENOUGH)


EXPECTATIONS: Final = tuple(_of_shipped())
"""The expectations of the shipped checks."""


def allowed_outcomes(
    check: str, model: ReferenceName, speakers: int, expectations: Iterable[Expectation] = EXPECTATIONS
) -> tuple[Outcome, ...]:
    """The outcomes that are allowed for a check on a reference model.

    Without an expectation, every outcome is, except ``shown`` for ``perfect``.

    Examples
    --------
    >>> allowed_outcomes("S2F001", "constant", 12), allowed_outcomes("S2F001", "constant", 100)
    (('shown', 'inconclusive'), ('shown',))
    >>> allowed_outcomes("LAB001", "perfect", 100)
    ('not_shown', 'inconclusive', 'not_evaluable')
    """
    found = [each for each in expectations if (each.check, each.model) == (check, model) and each.speakers <= speakers]
    if found:
        return max(found, key=lambda each: each.speakers).allowed
    return ALLOWED["absent"] if model == "perfect" else OUTCOMES


def reference_verdicts(
    checks: Check | str | Sequence[Check | str] | None = None,
    speakers: Sequence[int] = SPEAKERS,
    seed: int = 0,
    *,
    expectations: Sequence[Expectation] = (),
) -> pd.DataFrame:
    """Run checks on four reference models whose failures are known, and compare the verdicts with the right ones.

    ``perfect`` renders each speaker's own portrait, ``constant`` one average face for everybody, ``shuffled`` the
    portrait of another random speaker of the same group and gender. ``biased`` renders the own portrait, but in 60 % of
    their English clips asian speakers are read as white. The runs are simulated, and nothing else is read wrongly.

    Parameters
    ----------
    checks : Check, str, or sequence of them, optional
        Third-party checks, as objects or as ``module:name``, and codes of shipped checks; by default all shipped ones.
    speakers : sequence of int
        Numbers of speakers in each of the four groups, at least 4.
    seed : int
        The same seed gives the same table.
    expectations : sequence of Expectation
        Expectations of third-party checks; they take precedence over those of the shipped checks. Without one,
        ``perfect`` must not be shown, and the other models may have any outcome.

    Returns
    -------
    DataFrame
        One row for each model, number of speakers and check: ``model``, ``speakers_per_group``, ``check``, ``outcome``,
        ``expected`` (a tuple of the allowed outcomes) and ``holds`` (whether the outcome is one of them).

    Raises
    ------
    AuditError
        If a check is not found, is not a check, or fails.
    PlanError
        If a number of speakers is below 4.

    Examples
    --------
    >>> found = reference_verdicts("S2F001", speakers=[100])
    >>> dict(zip(found["model"], found["outcome"])), bool(found["holds"].all())
    ({'perfect': 'not_shown', 'constant': 'shown', 'shuffled': 'not_shown', 'biased': 'shown'}, True)
    """
    tried, expected = _checks(checks), (*expectations, *EXPECTATIONS)
    rows = []
    for model in REFERENCE_MODELS:
        for n in speakers:
            evidence = evidence_of(reference_run(model, n, seed=seed), MeasureSettings())
            for check in tried:
                by = check.grouping or (GROUP if check.applies(evidence) else OTHERWISE)
                of = evidence.by(by)
                for finding in findings([check], of):
                    allowed = allowed_outcomes(finding.code, model, n, expected)
                    rows.append((model, n, finding.code, finding.outcome, allowed, finding.outcome in allowed))
    return pd.DataFrame(rows, columns=["model", "speakers_per_group", "check", "outcome", "expected", "holds"])


def _checks(given: Check | str | Sequence[Check | str] | None) -> tuple[Check, ...]:
    """The checks to run."""
    if given is None:
        return shipped()
    codes = {check.code: check for check in shipped()}
    found: list[Check] = []
    for item in [given] if isinstance(given, Check | str) else given:
        if isinstance(item, Check):
            found.append(item)
        elif isinstance(item, str):
            found.append(codes[item] if item in codes else chosen([item])[-1])
        else:
            raise AuditError(
                f"{item!r} is not a check.",
                "an object of audit.checks.Check (not the class), module:name, or the code of a shipped check",
            )
    return tuple(found)
