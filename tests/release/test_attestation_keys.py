"""Key files: which are used, and which are refused before anything is signed or verified."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import audit
from audit.release.attestation.keys import private_key
from audit.release.attestation.signers import signer
from tests.key_fixture import new_keys


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_private_key_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    made = new_keys(tmp_path)
    made.private.chmod(mode)
    with pytest.raises(audit.AuditError, match=f"its mode is {mode:o}"):
        private_key(made.private)


def test_a_passphrase_comes_from_the_environment_or_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = new_keys(tmp_path, passphrase="open sesame")
    with pytest.raises(audit.AuditError, match="is encrypted and its passphrase was not given"):
        private_key(made.private)
    with pytest.raises(audit.AuditError, match="the passphrase is wrong"):
        private_key(made.private, lambda: "open barley")
    assert private_key(made.private, lambda: "open sesame").public_key == signer(made.public).key
    monkeypatch.setenv("AUDIT_KEY_PASSPHRASE", "open sesame")
    assert private_key(made.private).public_key == signer(made.public).key


def test_files_that_are_no_key_are_refused(tmp_path: Path) -> None:
    keys = new_keys(tmp_path)
    for name, text in {"empty": "", "text": "key", "cut": keys.private.read_text()[:60]}.items():
        path = tmp_path / name
        path.write_text(text)
        path.chmod(0o600)
        with pytest.raises(audit.AuditError, match="is not an Ed25519 private key"):
            private_key(path)
        with pytest.raises(audit.AuditError, match="is not an Ed25519 public key|is a private key"):
            signer(path)
    with pytest.raises(audit.AuditError, match="is a private key"):
        signer(keys.private)
    os.mkfifo(tmp_path / "fifo", 0o600)
    with pytest.raises(audit.AuditError, match="is not a regular file"):
        private_key(tmp_path / "fifo")
    with pytest.raises(audit.AuditError, match="cannot be read"):
        signer(tmp_path / "absent")
