"""The command ``audit attest``: sign that a run or decision is this one, or verify that someone did."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

import audit
from audit.cli.terminal import give_either, suggest
from audit.cli.verbs import AsJson
from audit.core.errors import AuditError

if TYPE_CHECKING:
    from audit.release import Decision


def attest(
    subject: Annotated[Path, Argument(metavar="RUN|DECISION", help="The folder of a run, or the JSON of a decision.")],
    key: Annotated[
        Path | None, Option(metavar="FILE", help="Sign with this private key: Ed25519, PEM, mode 600.")
    ] = None,
    sigstore: Annotated[
        bool, Option("--sigstore", help="Sign by Sigstore, with the identity of the workflow or person. Needs network.")
    ] = False,
    out: Annotated[
        Path | None, Option("-o", "--out", metavar="FILE", help="The attestation; RUN/attestation.json without it.")
    ] = None,
    baseline: Annotated[
        Path | None, Option(metavar="RUN", help="The run that the gate will compare this one with.")
    ] = None,
    human_readings: Annotated[
        Path | None, Option(metavar="FILE", help="The filled sheet that the gate will be given.")
    ] = None,
    verify: Annotated[
        str | None,
        Option(metavar="KEY|IDENTITY", help="Sign nothing; verify that this public key or ISSUER::IDENTITY signed."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Sign that a run or a decision is this one, after the run was verified and measured anew.

    The passphrase of a key is asked for, or taken from AUDIT_KEY_PASSPHRASE.

    Examples: [bold]audit attest R --key release.key[/bold], [bold]audit attest decision.json --key release.key[/bold],
    [bold]audit attest R --verify release.pub[/bold]
    """
    from audit.release.attestation import attesting
    from audit.release.attestation.envelope import FILE
    from audit.release.decision import Decision

    given: Path | Decision = subject
    path = out or subject / FILE
    if subject.is_file():
        given = _decision(subject, Decision)
        path = out or subject.with_suffix(f".{FILE}")
    if verify is not None:
        if key is not None or sigstore:
            raise AuditError("--verify signs nothing, and --key and --sigstore sign.", "one of them")
        found = attesting.verify(
            given, verify, attestation=path, baseline=baseline, human_readings=human_readings
        ).model_dump(mode="json", by_alias=True, exclude_none=True)
        give_either(f"{path} is signed by {verify} and attests {subject} as it is now.", found, as_json=as_json)
        return
    made = audit.attest(
        given, key=key, sigstore=sigstore, baseline=baseline, human_readings=human_readings, passphrase=_ask
    )
    made.write(path)
    suggest(
        f"give it with the run; to require it: audit gate {subject} --require-attestation KEY"
        if given is subject
        else f"give it with {subject}; to verify it: audit attest {subject} --verify KEY"
    )
    give_either(str(path), {"attestation": str(path), "sha256": made.statement.sha256}, as_json=as_json)


def _decision(path: Path, kind: type[Decision]) -> Decision:
    try:
        return kind.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise AuditError(
            f"{path} cannot be read: {error}.", "a decision: audit gate RUN --json > decision.json"
        ) from error


def _ask() -> str:
    """The passphrase that is typed; an error where nobody can type it."""
    if not sys.stdin.isatty():
        raise AuditError(
            "The private key is encrypted, and there is no terminal to ask for its passphrase.",
            next_step="Set the environment variable AUDIT_KEY_PASSPHRASE.",
        )
    return str(typer.prompt("Passphrase of the private key", hide_input=True, err=True))
