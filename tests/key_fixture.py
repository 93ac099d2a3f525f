"""Key files as OpenSSL writes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True)
class Keys:
    private: Path
    public: Path


def new_keys(folder: Path, name: str = "release", passphrase: str = "") -> Keys:
    """A new Ed25519 key and its public half, in PEM."""
    key = Ed25519PrivateKey.generate()
    secret = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    made = Keys(folder / f"{name}.key", folder / f"{name}.pub")
    made.private.write_bytes(key.private_bytes(pem, pkcs8, secret))
    made.private.chmod(0o600)
    made.public.write_bytes(key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
    return made
