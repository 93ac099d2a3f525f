"""Verifying attestations: whether a trusted signer stated of a run or decision what it is now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from audit.audits.audit import Audit
from audit.audits.privacy.small_cells import SmallCells
from audit.audits.privacy.suppressing import suppressed
from audit.checks import shipped
from audit.core.grouping import GROUP
from audit.core.plan import MeasureSettings
from audit.core.sentences import listing
from audit.release.attestation.envelope import FILE, NotAttestedError, read_attestation, verified
from audit.release.attestation.signers import Signer
from audit.release.attestation.statement import (
    DecisionStatement,
    RunStatement,
    Statement,
    state_decision,
    state_run,
)
from audit.release.decision import Decision, Ruling
from audit.runs.run import Run

ATTESTATION = "data.attestation"
"""The id of the ruling on the attestation."""


def attestation_ruling(
    signers: Sequence[Signer],
    path: Path | None,
    run: Run,
    published: Audit,
    baseline: Mapping[str, object] | None = None,
) -> Ruling:
    """The ruling on whether each signer attested this run as it is now.

    Parameters
    ----------
    signers : sequence of Signer
        All of them must have signed the file.
    path : Path or None
        The attestation; by default that in the run's folder.
    run, published
        The run and its new measurement, from :func:`published_audit`.
    baseline : Mapping, optional
        The identity of the baseline that the run is compared with.
    """
    path = path or (run.folder / FILE if run.folder else None)
    reasons, found = [], None
    for signer in signers:
        try:
            if path is None:
                raise NotAttestedError("the run is in memory, and no attestation was given")
            found = verified(read_attestation(path), signer)
            reasons += differences(found, state_run(run, published, baseline))
        except NotAttestedError as error:
            reasons.append(error.found)
    if not reasons and isinstance(found, RunStatement):
        made, by = found.predicate, listing([signer.words for signer in signers])
        words = f"The run is as {by} attested it on {made.attested[:10]}: its digest, {len(made.materials)} materials "
        return Ruling(
            ATTESTATION, "", "requirement", "pass", words + f"and {made.findings.n} findings are the same.", 1
        )
    unique = "; ".join(dict.fromkeys(reasons))
    return Ruling(ATTESTATION, "", "requirement", "incomplete", f"The run is not attested: {unique}.", 1)


def published_audit(run: Run, measured: Audit, settings: MeasureSettings) -> Audit:
    """A measurement, restricted to the shipped checks and a run's own groupings, and suppressed by its settings.

    So the digest of the findings does not depend on the policy that a run is gated by.
    """
    of_package = {check.code for check in shipped()}
    groupings = {GROUP.name, *(grouping.name for grouping in settings.groupings)}
    own = tuple(each for each in measured.findings if each.code in of_package and each.grouping in groupings)
    chosen = settings.model_dump(mode="json", include={"group_by", "suppress_below"})
    made = replace(measured, findings=own, settings={**measured.settings, **chosen})
    return suppressed(made, SmallCells.of(run.coded, settings)) if len(run.coded) else made


def differences(attested: Statement, now: RunStatement) -> list[str]:
    """What differs between an attested statement and that about the run as it is now, in words."""
    if not isinstance(attested, RunStatement):
        return ["the attestation is of a decision and not of a run"]
    reasons = []
    if attested.sha256 != now.sha256:
        reasons.append(f"the attested run has the digest {str(attested.sha256)[:12]}, and this one {now.sha256:.12}")
    before, found = ({item.name: item for item in each.predicate.materials} for each in (attested, now))
    for name in dict.fromkeys([*before, *found]):
        one, other = before.get(name), found.get(name)
        if one == other or (other is None and name == "baseline"):  # nothing is compared with it
            continue
        was, is_now = (item.words if item else "none" for item in (one, other))
        reasons.append(f"the attested {name} is {was}, and that of this run {is_now}")
    mine, anew = attested.predicate.findings, now.predicate.findings
    if mine.method_version != anew.method_version:
        reasons.append(f"it was attested by method version {mine.method_version}, and this is {anew.method_version}")
    for name in sorted(anew.settings):
        if mine.settings.get(name) != anew.settings[name]:
            given, used = mine.settings.get(name), anew.settings[name]
            reasons.append(f"the attested findings were measured with {name} {given}, and these with {used}")
    if mine.sha256 != anew.sha256:
        reasons.append(
            f"the attested findings have the digest {mine.sha256[:12]}, and those measured now {anew.sha256[:12]}"
        )
    if attested.predicate.finished != now.predicate.finished:
        ended, ends = attested.predicate.finished, now.predicate.finished
        reasons.append(f"the attested run finished at {ended}, and this one at {ends}")
    return reasons


def decision_differences(attested: Statement, decision: Decision) -> list[str]:
    """What differs between an attested statement and a decision, in words."""
    if not isinstance(attested, DecisionStatement):
        return ["the attestation is of a run and not of a decision"]
    now = state_decision(decision, attested.predicate.attested)
    if attested.sha256 != now.sha256:
        return [f"the attested decision has the digest {str(attested.sha256)[:12]}, and this one {now.sha256:.12}"]
    same = attested.predicate.materials == now.predicate.materials
    return [] if same else ["the attested policy, run, baseline or ledger entry is not that of the decision"]
