"""Sigstore: signing by a person's or workflow's identity instead of a key, and verifying such bundles.

Signing needs the network: an identity token, a certificate from Fulcio, and an entry in the public log Rekor. The
identity and the digest of the statement are then public; the statement is not.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from audit.core.errors import AuditError
from audit.release.attestation.keys import needs_libraries

if TYPE_CHECKING:
    from sigstore.models import ClientTrustConfig, TrustedRoot
    from sigstore.oidc import IdentityToken

    from audit.release.attestation.signers import Identity

TRUSTED_ROOT: Final = "AUDIT_SIGSTORE_TRUSTED_ROOT"
"""The environment variable with a trusted_root.json, for private deployments of Sigstore and machines without network.
"""
_MEDIA: Final = "application/vnd.dev.sigstore.bundle"


def is_bundle(document: Mapping[str, object]) -> bool:
    """Whether a JSON document is a Sigstore bundle."""
    return str(document.get("mediaType", "")).startswith(_MEDIA)


def sign_bundle(payload: bytes) -> str:
    """The bundle of a statement, signed by the identity of the workflow, or of the person at the terminal.

    Raises
    ------
    AuditError
        If the library is missing, there is no identity, or Sigstore cannot be reached.
    """
    with needs_libraries("Signing by Sigstore", "sigstore"):
        from requests.exceptions import RequestException
        from sigstore.dsse import Statement
        from sigstore.errors import Error
        from sigstore.models import ClientTrustConfig
        from sigstore.oidc import ExpiredIdentity, IssuerError
        from sigstore.sign import SigningContext
    try:
        config = ClientTrustConfig.production()
        with SigningContext.from_trust_config(config).signer(_identity(config)) as signer:
            text: str = signer.sign_dsse(Statement(payload)).to_json()
    except (Error, ExpiredIdentity, IssuerError, RequestException) as error:
        raise _unreachable(
            "The statement cannot be signed by Sigstore", error, "Sign with a key: --key FILE."
        ) from error
    return text


def bundle_payload(text: str, identity: Identity) -> tuple[str, bytes]:
    """The type and bytes of a bundle's payload, after signature, certificate, log entry and identity were verified.

    Raises
    ------
    ValueError
        If one of them is not valid.
    AuditError
        If the library is missing, or the root of trust cannot be had.
    """
    with needs_libraries("Verifying an attestation by Sigstore", "sigstore"):
        from sigstore.errors import Error
        from sigstore.models import Bundle
        from sigstore.verify import Verifier
        from sigstore.verify.policy import Identity as IdentityPolicy
    verifier = Verifier(trusted_root=_trusted_root())
    try:
        bundle = Bundle.from_json(text)
        return verifier.verify_dsse(bundle, IdentityPolicy(identity=identity.name, issuer=identity.issuer))
    except Error as error:
        raise ValueError(str(error) or type(error).__name__) from error


def _trusted_root() -> TrustedRoot:
    """Sigstore's root of trust: from the file that the environment names, or fetched and verified by TUF."""
    from sigstore.errors import Error
    from sigstore.models import ClientTrustConfig, TrustedRoot

    if path := os.environ.get(TRUSTED_ROOT):
        try:
            return TrustedRoot.from_file(path)
        except (OSError, ValueError, Error) as error:
            raise AuditError(
                f"{TRUSTED_ROOT} names {Path(path).name}, which is not a root of trust: {_line(error)}.",
                "a trusted_root.json of Sigstore",
            ) from error
    try:
        return ClientTrustConfig.production().trusted_root
    except Error as error:
        raise _unreachable(
            "Sigstore's root of trust cannot be fetched",
            error,
            f"Where there is no network, name a trusted_root.json by the environment variable {TRUSTED_ROOT}.",
        ) from error


def _identity(config: ClientTrustConfig) -> IdentityToken:
    """The identity of the workflow that runs this, or of the person at the terminal, who is sent to a browser."""
    from sigstore.oidc import IdentityToken, Issuer, detect_credential

    if token := detect_credential():
        return IdentityToken(token)
    if not sys.stdin.isatty():
        raise AuditError(
            "There is no identity to sign with: this is no workflow that offers one, and no terminal.",
            "a workflow with the permission id-token: write, or a terminal with a browser",
            "Sign with a key: --key FILE.",
        )
    return Issuer(config.signing_config.get_oidc_url()).identity_token()


def _unreachable(what: str, error: Exception, next_step: str) -> AuditError:
    return AuditError(
        f"{what}: {_line(error) or type(error).__name__}.", "a network with Sigstore's services", next_step
    )


def _line(error: object) -> str:
    return " ".join(str(error).split())[:200]
