"""Key files: Ed25519 keys in PEM, as OpenSSL writes them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from audit.core.errors import AuditError

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]  # re-exported without __all__

PASSPHRASE: Final = "AUDIT_KEY_PASSPHRASE"
"""The environment variable with the passphrase of a private key."""
NEW_KEY: Final = "openssl genpkey -algorithm ed25519 -aes-256-cbc -out release.key"
PUBLIC_HALF: Final = "openssl pkey -in release.key -pubout -out release.pub"
_MAX_BYTES: Final = 64 * 2**10


def private_key(path: str | Path, passphrase: Callable[[], str] | None = None) -> CryptoSigner:
    """The signer of a private key file.

    Parameters
    ----------
    path : path
        The file: PEM (PKCS #8), Ed25519, readable by its owner only.
    passphrase : callable, optional
        Asks for the passphrase of an encrypted key if the environment variable ``AUDIT_KEY_PASSPHRASE`` is not set.

    Raises
    ------
    AuditError
        If the file cannot be read, others may read it, it is not such a key, or the passphrase is missing or wrong.
    """
    path = Path(path)
    with needs_libraries("Signing"):
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
        from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]  # re-exported without __all__
    data = _read(path, "private key", secret=True)

    def loaded(password: bytes | None) -> object:
        try:
            return load_pem_private_key(data, password)
        except TypeError:
            if password is not None:
                raise
            return None
        except ValueError as error:
            if password is not None:
                raise AuditError(
                    f"The private key {path} cannot be decrypted: the passphrase is wrong, or the file is damaged.",
                    next_step=f"Give its passphrase, by {PASSPHRASE} or at the prompt.",
                ) from error
            raise _not_a_key(path, "private key", NEW_KEY) from error

    key = loaded(None)
    if key is None:  # it is encrypted
        given = os.environ.get(PASSPHRASE)
        if given is None and passphrase is None:
            raise AuditError(
                f"The private key {path} is encrypted and its passphrase was not given.",
                next_step=f"Set the environment variable {PASSPHRASE}.",
            )
        key = loaded((given if given is not None else passphrase() if passphrase else "").encode())
    if not isinstance(key, Ed25519PrivateKey):
        raise _not_a_key(path, "private key", NEW_KEY)
    return CryptoSigner(key)


def public_key(path: str | Path) -> SSlibKey:
    """The key of a public key file.

    Raises
    ------
    AuditError
        If the file cannot be read, or is not the public half of an Ed25519 key in PEM.
    """
    path = Path(path)
    with needs_libraries("Verifying an attestation"):
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
        from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]  # re-exported without __all__
    data = _read(path, "public key", secret=False)
    if b"PRIVATE KEY" in data:
        raise AuditError(
            f"{path} is a private key. Whoever verifies needs only its public half.",
            "a public key",
            f"Make it: {PUBLIC_HALF}.",
        )
    try:
        key = load_pem_public_key(data)
    except ValueError as error:
        raise _not_a_key(path, "public key", PUBLIC_HALF) from error
    if not isinstance(key, Ed25519PublicKey):
        raise _not_a_key(path, "public key", PUBLIC_HALF)
    return SSlibKey.from_crypto(key)


@contextmanager
def needs_libraries(what: str, extra: str = "attest") -> Iterator[None]:
    """Convert a missing library of an import in the block to AuditError, with how to install it."""
    try:
        yield
    except ImportError as error:
        raise AuditError(
            f"{what} needs a library that is not installed: {error.name}.",
            next_step=f"pip install 'speech2face-audit[{extra}]'.",
        ) from error


def _read(path: Path, what: str, *, secret: bool) -> bytes:
    """The bytes of a key file; a secret one is refused if others than its owner may read or change it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a FIFO would wait for its writer
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise AuditError(f"The {what} {path} is not a regular file.", "a file in PEM")
            mode = stat.S_IMODE(status.st_mode)
            if secret and os.name == "posix" and mode & 0o077:
                raise AuditError(
                    f"The {what} {path} can be read or changed by others: its mode is {mode:o}.",
                    "mode 600 or 400",
                    f"chmod 600 {path}; if others had access to it, make a new key.",
                )
            return file.read(_MAX_BYTES)
    except OSError as error:
        raise AuditError(f"The {what} {path} cannot be read: {error.strerror}.", "a file in PEM") from error


def _not_a_key(path: Path, what: str, command: str) -> AuditError:
    return AuditError(f"{path} is not an Ed25519 {what} in PEM.", f"an Ed25519 {what}", f"Make one: {command}.")
