"""Attesting: a run is verified and measured anew, and what was found is signed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from audit.core.errors import PlanError, RunError
from audit.release.attestation.envelope import FILE, Attestation, NotAttestedError, read_attestation, sign, verified
from audit.release.attestation.keys import private_key
from audit.release.attestation.signers import signer
from audit.release.attestation.sigstore_bundles import sign_bundle
from audit.release.attestation.statement import Statement, now, state_decision, state_run
from audit.release.attestation.verifying import decision_differences, differences
from audit.release.decision import Decision
from audit.release.gate import audit_anew, read_verified
from audit.runs.run_like import RunLike


def attest(
    subject: RunLike | Decision,
    *,
    key: str | Path | None = None,
    sigstore: bool = False,
    baseline: RunLike | None = None,
    human_readings: str | Path | None = None,
    passphrase: Callable[[], str] | None = None,
) -> Attestation:
    """Sign a statement that a run, or a decision, is this one.

    A run is verified as the gate does it: its parts are checked against their digests, its findings are measured anew,
    and its audit.json must not differ from them. The statement has the digests of the run, of what it was made from,
    and of its findings.

    Parameters
    ----------
    subject : Run, Audit, path or Decision
        A complete run, or a decision of the gate.
    key : path, optional
        The private key: Ed25519, in PEM, readable by its owner only. The environment variable ``AUDIT_KEY_PASSPHRASE``
        has its passphrase, if it has one.
    sigstore : bool
        Sign by Sigstore instead: with the identity of the workflow, or of the person at the terminal. This needs the
        network, and makes the identity and the statement's digest public.
    baseline : Run, Audit or path, optional
        The run that the release will be compared with.
    human_readings : path, optional
        A filled labelling sheet, if the gate will be given one; by default that of the run's plan.
    passphrase : callable, optional
        Asks for the passphrase if the environment has none.

    Returns
    -------
    Attestation
        Write it with :meth:`Attestation.write`; the gate looks for ``attestation.json`` in the run's folder.

    Raises
    ------
    RunError
        If the run is not complete, or was changed.
    PlanError
        Unless one of ``key`` and ``sigstore`` is given.
    AuditError
        If the key cannot be used, or Sigstore cannot be reached.
    """
    if (key is None) != sigstore:
        raise PlanError("An attestation is signed by a key or by Sigstore.", "one of them")
    by_key = None if key is None else private_key(key, passphrase)  # before the work
    statement = statement_of(subject, baseline, human_readings)
    return sign(statement, by_key) if by_key else Attestation(statement, sign_bundle(statement.payload))


def verify(
    subject: RunLike | Decision,
    by: str | Path,
    *,
    attestation: str | Path | None = None,
    baseline: RunLike | None = None,
    human_readings: str | Path | None = None,
) -> Statement:
    """The attested statement about a run or decision, after it was verified.

    Parameters
    ----------
    subject, baseline, human_readings
        As for :func:`attest`.
    by : path or str
        The trusted signer: a public key file, or ``ISSUER::IDENTITY``.
    attestation : path, optional
        The attestation; by default ``attestation.json`` in the run's folder.

    Raises
    ------
    AuditError
        If it is not signed by the signer, or run or decision differ from what was attested.
    """
    trusted, path = signer(by), None if attestation is None else Path(attestation)
    if path is None and not isinstance(subject, Decision):
        folder = read_verified(subject).folder
        path = None if folder is None else folder / FILE
    if path is None:
        raise PlanError("The attestation of a decision, or of a run in memory, was not given.", "its file")
    try:
        found = verified(read_attestation(path), trusted)
    except NotAttestedError as error:
        raise NotAttestedError(f"{path.name} does not attest this: {error.found}.") from error
    if isinstance(subject, Decision):
        reasons = decision_differences(found, subject)
    else:
        run, published = audit_anew(subject, human_readings)
        other = None if baseline is None else audit_anew(baseline)[1].run
        reasons = differences(found, state_run(run, published, other))
    if reasons:
        raise NotAttestedError(f"{path.name} does not attest this: {'; '.join(reasons)}.")
    return found


def statement_of(
    subject: RunLike | Decision, baseline: RunLike | None = None, human_readings: str | Path | None = None
) -> Statement:
    """The unsigned statement about a run that is verified and measured anew, or about a decision.

    Raises
    ------
    RunError
        If the run is not complete or was changed, or this machine's clock is earlier than its end.
    """
    if isinstance(subject, Decision):
        if baseline is not None or human_readings is not None:
            raise PlanError("A decision is attested without baseline and human readings: it names them itself.")
        return state_decision(subject)
    run, published = audit_anew(subject, human_readings)
    other = None if baseline is None else audit_anew(baseline)[1].run
    facts = (("run", published.run), *(() if other is None else (("baseline", other),)))
    for name, each in facts:
        if each["complete"] is not True or each["n_clips"] != each["n_clips_planned"] or not each["n_clips"]:
            raise RunError(
                f"The {name} is incomplete: {each['n_clips']} of {each['n_clips_planned']} clips were observed.",
                "a complete run",
                "Finish it: repeat the same audit run command.",
            )
    finished = run.manifest.get("finished")
    if isinstance(finished, str) and _time(finished) > _time(now()):
        raise RunError(
            f"The run finished at {finished}, and the clock of this machine says {now()}.",
            "a clock that is not earlier than the run's end",
            "Set the clock.",
        )
    return state_run(run, published, other)


def _time(text: str) -> dt.datetime:
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise RunError(f"The manifest's time {text!r:.40} is not valid.", "a time as audit run writes it") from error
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)
