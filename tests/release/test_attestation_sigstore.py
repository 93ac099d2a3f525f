"""Attestations by Sigstore, verified against a deployment in memory; the public services are not reached from here."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

import pytest

import audit
from audit.release.attestation.envelope import NotAttestedError, verified
from audit.release.attestation.signers import Identity, signer
from audit.release.attestation.sigstore_bundles import TRUSTED_ROOT, sign_bundle
from audit.release.attestation.statement import state_decision
from audit.release.attestation.verifying import decision_differences
from tests.key_fixture import new_keys
from tests.release_fixture import decided, made, policy, white
from tests.sigstore_fixture import PrivateSigstore

ISSUER, NAME = "https://issuer.test", "ann@example.org"
ANN = Identity(ISSUER, NAME)
DECISION = decided(policy(), made(white(-0.05, 0.05)))
STATEMENT = state_decision(DECISION)


@pytest.fixture
def sigstore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PrivateSigstore:
    deployed = PrivateSigstore()
    (tmp_path / "trusted_root.json").write_text(deployed.trusted_root())
    monkeypatch.setenv(TRUSTED_ROOT, str(tmp_path / "trusted_root.json"))
    return deployed


def test_a_statement_that_the_identity_signed_is_verified(sigstore: PrivateSigstore) -> None:
    text = sigstore.bundle(STATEMENT.payload, NAME, ISSUER)
    assert decision_differences(verified(text, ANN), DECISION) == []


@pytest.mark.parametrize("name, issuer", [("eve@example.org", ISSUER), (NAME, "https://other.test")])
def test_another_identity_or_issuer_is_refused(sigstore: PrivateSigstore, name: str, issuer: str) -> None:
    with pytest.raises(NotAttestedError, match=r"it is not signed by ann@example\.org of https://issuer\.test"):
        verified(sigstore.bundle(STATEMENT.payload, name, issuer), ANN)


@pytest.mark.parametrize("part", ["payload", "sig", "canonicalizedBody", "signedEntryTimestamp", "rawBytes"])
def test_one_changed_byte_of_a_bundle_is_refused(sigstore: PrivateSigstore, part: str) -> None:
    def changed(value: object) -> object:
        if isinstance(value, dict):
            return {key: flipped(item) if key == part else changed(item) for key, item in value.items()}
        return [changed(item) for item in value] if isinstance(value, list) else value

    def flipped(value: str) -> str:
        data = bytearray(base64.b64decode(value))
        data[-1] ^= 1
        return base64.b64encode(data).decode()

    text = sigstore.bundle(STATEMENT.payload, NAME, ISSUER)
    with pytest.raises(NotAttestedError, match="it is not signed by"):
        verified(json.dumps(changed(json.loads(text))), ANN)


def test_a_bundle_of_another_deployment_is_refused(sigstore: PrivateSigstore) -> None:
    with pytest.raises(NotAttestedError, match="it is not signed by"):
        verified(PrivateSigstore().bundle(STATEMENT.payload, NAME, ISSUER), ANN)


def test_a_key_and_an_identity_are_not_mistaken_for_each_other(sigstore: PrivateSigstore, tmp_path: Path) -> None:
    keys = new_keys(tmp_path)
    with pytest.raises(NotAttestedError, match="signed by Sigstore and not by a key"):
        verified(sigstore.bundle(STATEMENT.payload, NAME, ISSUER), signer(keys.public))
    with pytest.raises(NotAttestedError, match="signed by a key and not by Sigstore"):
        verified(audit.attest(DECISION, key=keys.private).text, ANN)


@pytest.mark.parametrize("text", ['{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"}'])
def test_a_damaged_bundle_is_refused(sigstore: PrivateSigstore, text: str) -> None:
    with pytest.raises(NotAttestedError):
        verified(text, ANN)


@pytest.mark.parametrize(
    "given", ["http://issuer.test::ann@example.org", "::ann", "https://issuer.test::", "issuer::ann"]
)
def test_an_identity_needs_its_issuer(given: str) -> None:
    with pytest.raises(audit.PlanError, match="is not valid"):
        signer(given)


def test_a_root_of_trust_that_is_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRUSTED_ROOT, str(tmp_path / "absent.json"))
    text = PrivateSigstore().bundle(STATEMENT.payload, NAME, ISSUER)
    with pytest.raises(audit.AuditError, match=r"names absent\.json, which is not a root of trust"):
        verified(text, ANN)


def test_without_a_network_signing_and_verifying_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(TRUSTED_ROOT, raising=False)
    with pytest.raises(audit.AuditError, match="cannot be signed by Sigstore"):
        sign_bundle(STATEMENT.payload)
    text = PrivateSigstore().bundle(STATEMENT.payload, NAME, ISSUER)
    with pytest.raises(audit.AuditError, match="root of trust cannot be fetched"):
        verified(text, ANN)


def test_missing_libraries_are_named_with_their_installation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keys = new_keys(tmp_path)
    monkeypatch.setitem(sys.modules, "securesystemslib.signer", None)
    with pytest.raises(audit.AuditError, match=r"pip install 'speech2face-audit\[attest\]'"):
        signer(keys.public)
    monkeypatch.setitem(sys.modules, "sigstore.sign", None)
    with pytest.raises(audit.AuditError, match=r"pip install 'speech2face-audit\[sigstore\]'"):
        sign_bundle(STATEMENT.payload)
