"""Attestation files: a statement in a DSSE envelope, signed by a key, or a Sigstore bundle with such an envelope."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter, ValidationError

from audit.core.errors import AuditError
from audit.core.files import writing
from audit.core.written_files import write_files
from audit.release.attestation.keys import needs_libraries
from audit.release.attestation.signers import KeyHolder, Signer
from audit.release.attestation.sigstore_bundles import bundle_payload, is_bundle
from audit.release.attestation.statement import DECISION, RUN, DecisionStatement, RunStatement, Statement

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]  # re-exported without __all__

FILE: Final = "attestation.json"
"""The name of an attestation in its run's folder."""
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
_MAX_BYTES: Final = 2**20
_FORMS: Final[dict[str, TypeAdapter[RunStatement] | TypeAdapter[DecisionStatement]]] = {
    RUN: TypeAdapter(RunStatement),
    DECISION: TypeAdapter(DecisionStatement),
}


class NotAttestedError(AuditError):
    """The file is not an attestation by the trusted signer."""


@dataclass(frozen=True)
class Attestation:
    """A signed statement.

    Attributes
    ----------
    statement : Statement
        What is stated.
    text : str
        The DSSE envelope or Sigstore bundle, as JSON.
    """

    statement: Statement
    text: str

    def write(self, path: str | Path) -> Path:
        """Write the attestation to a file.

        Raises
        ------
        RunError
            If it cannot be written, or a file of that name exists that this tool did not write.
        """
        path = Path(path)
        with writing(path):
            write_files(path.parent, {path.name: self.text})
        return path


def sign(statement: Statement, key: CryptoSigner) -> Attestation:
    """The statement in a DSSE envelope, signed by a key."""
    from securesystemslib.dsse import Envelope

    envelope = Envelope(statement.payload, PAYLOAD_TYPE, {})
    envelope.sign(key)
    return Attestation(statement, json.dumps(envelope.to_dict(), indent=1) + "\n")


def read_attestation(path: Path) -> str:
    """The text of an attestation file.

    Raises
    ------
    NotAttestedError
        If there is none, or it cannot be read.
    """
    try:
        if not path.is_file():
            raise NotAttestedError(f"there is no attestation {path.name}")
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise NotAttestedError(f"{path.name} is larger than {_MAX_BYTES:,} bytes")
        return data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NotAttestedError(f"{path.name} cannot be read: {_line(error)}") from error


def verified(text: str, signer: Signer) -> Statement:
    """The statement of an attestation file, after its signature was verified.

    Raises
    ------
    NotAttestedError
        If the signer did not sign it, or what was signed is not a statement of this tool.
    AuditError
        If a library is missing, or Sigstore's root of trust cannot be had.
    """
    try:
        document: Any = json.loads(text)
        if not isinstance(document, dict):
            raise ValueError("it is not a JSON object")
    except (ValueError, RecursionError) as error:
        raise NotAttestedError(f"it is not an attestation: {_line(error)}") from error
    by_key = isinstance(signer, KeyHolder)
    if is_bundle(document) == by_key:
        made, wanted = ("Sigstore", "a key") if by_key else ("a key", "Sigstore")
        raise NotAttestedError(f"it is signed by {made} and not by {wanted}: {signer.words} is required")
    if isinstance(signer, KeyHolder):
        kind, payload = _key_payload(document, signer)
    else:
        try:
            kind, payload = bundle_payload(text, signer)
        except ValueError as error:
            raise NotAttestedError(f"it is not signed by {signer.words}: {_line(error)}") from error
    if kind != PAYLOAD_TYPE:
        raise NotAttestedError(f"its payload is {kind!r:.80} and not {PAYLOAD_TYPE}")
    return parse_statement(payload)


def parse_statement(payload: bytes) -> Statement:
    """The statement of a payload.

    Raises
    ------
    NotAttestedError
        If it is not a statement about a run or decision, in the version that this tool knows.
    """
    try:
        document = json.loads(payload)
        kind = document.get("predicateType") if isinstance(document, dict) else None
        if kind not in _FORMS:
            raise ValueError(f"its predicateType is {kind!r:.120}, not {RUN} or {DECISION}")
        made: Statement = _FORMS[kind].validate_json(payload)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise NotAttestedError(f"its statement is not valid: {where}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise NotAttestedError(f"its statement is not valid: {_line(error)}") from error
    return made


def _key_payload(document: dict[str, Any], signer: KeyHolder) -> tuple[str, bytes]:
    """The type and bytes of an envelope's payload, after the key's signature was verified."""
    with needs_libraries("Verifying an attestation"):
        from securesystemslib.dsse import Envelope
        from securesystemslib.exceptions import Error
    try:
        envelope = Envelope.from_dict(document)
        payload, kind = envelope.payload, str(envelope.payload_type)
        envelope.verify([signer.key], threshold=1)
    except Error as error:
        raise NotAttestedError(f"its signature is not by {signer.words}, or its content was changed") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotAttestedError(f"it is not a DSSE envelope: {_line(error)}") from error
    return kind, payload


def _line(error: object) -> str:
    return " ".join(str(error).split())[:200]
