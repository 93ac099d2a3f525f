"""Trusted signers: the holder of a key, or an identity that Sigstore knows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from audit.core.errors import PlanError
from audit.release.attestation.keys import public_key

if TYPE_CHECKING:
    from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]  # re-exported without __all__

BETWEEN: Final = "::"
"""What separates issuer and identity."""


@dataclass(frozen=True)
class KeyHolder:
    """The holder of the private half of a public key."""

    name: str
    key: SSlibKey

    @property
    def words(self) -> str:
        """The key in words."""
        return f"the key {self.name} (id {self.key.keyid[:12]})"


@dataclass(frozen=True)
class Identity:
    """A person or workflow, as an OpenID Connect issuer names it.

    Attributes
    ----------
    issuer : str
        Such as ``https://token.actions.githubusercontent.com``.
    name : str
        An e-mail address, or the URI of a workflow.
    """

    issuer: str
    name: str

    @property
    def words(self) -> str:
        """The identity in words."""
        return f"{self.name} of {self.issuer}"


Signer = KeyHolder | Identity


def signer(given: str | Path, folder: Path = Path()) -> Signer:
    """The trusted signer that an option or policy names.

    Parameters
    ----------
    given : str or path
        A public key file, or ``ISSUER::IDENTITY``.
    folder : Path, optional
        The folder that a relative path is relative to.

    Raises
    ------
    AuditError
        If the key cannot be read, or issuer and identity are not valid.

    Examples
    --------
    >>> signer("https://accounts.google.com::ann@example.org").words
    'ann@example.org of https://accounts.google.com'
    """
    issuer, between, name = str(given).partition(BETWEEN)
    if not between:
        path = folder / given
        return KeyHolder(path.name, public_key(path))
    if not issuer.startswith("https://") or not name.strip():
        raise PlanError(
            f"The signer {str(given)!r} is not valid.",
            "the path of a public key, or ISSUER::IDENTITY such as https://accounts.google.com::ann@example.org",
        )
    return Identity(issuer, name)
