"""Writing the pins of a run into a policy: the section ``[pins]``, alone or in a copy of a policy's text."""

from __future__ import annotations

import re
from collections.abc import Mapping

from audit.audits.audit import Audit
from audit.audits.measure import identity
from audit.core.errors import PlanError, RunError
from audit.release.facts import RunFacts
from audit.release.gate import read_verified, settings_before
from audit.release.pins import SECTION, Pins, pins_toml
from audit.release.policy import Policy
from audit.runs.run_like import RunLike


def facts_of(audited: RunLike, baseline: RunLike | None = None) -> RunFacts:
    """The facts of a run; nothing is measured.

    Parameters
    ----------
    audited, baseline : Run, Audit or path
        The run, and the baseline that it is compared with.

    Raises
    ------
    RunError
        If a run cannot be read or was changed, or the run is not complete.
    """
    run = read_verified(audited)
    if not run.complete or run.coded.empty:
        raise RunError(
            f"{run.folder or 'The run'} is not complete.",
            "a complete run",
            "Finish it: repeat the same audit run command.",
        )
    settings, _ = settings_before(run)
    known: Mapping[str, object] = identity(run)
    other = None if baseline is None else identity(read_verified(baseline))
    return RunFacts.of(Audit(known, settings.model_dump(mode="json"), (), {}, source=run), other)


def pinned_policy(policy: Policy, facts: RunFacts) -> str:
    """The text of a policy with the pins of a run, in place of its own pins.

    ``max_age_days`` and ``recheck`` are kept, which people choose.

    Raises
    ------
    PlanError
        If the policy has pins in another notation than a section ``[pins]``.
    """
    lines, kept, inside = policy.text.splitlines(), [], False
    for line in lines:
        if re.match(r"\s*\[", line):
            inside = re.match(rf"\s*\[\s*{SECTION}\s*\]", line) is not None
        if not inside:
            kept.append(line)
    text = "\n".join(kept).rstrip() + "\n\n" + pins_toml(facts, policy.terms.pins)
    try:
        made = Policy.parse(text, policy.source)
    except PlanError as error:
        raise PlanError(
            f"The pins of {policy.source} cannot be replaced: {error}.",
            f"a policy whose pins are a section [{SECTION}]",
            "Remove its pins, and write them again.",
        ) from error
    assert made.terms.pins != Pins()
    return text
