"""Random numbers that depend on a seed and on names alone, and the seed of a draw, which stays secret."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

import numpy as np

_COST: Final = 2**15
"""scrypt's n: a tenth of a second and 32 MiB for each guess of a seed."""


def new_seed() -> str:
    """A new seed of 128 random bits, in hex."""
    return secrets.token_hex(16)


def key_of(seed: str, settings: str) -> str:
    """The key of a draw, from which all its random numbers are made: scrypt of the seed, salted with the settings.

    Only numbers made from the key leave a draw, so that a guess of the seed takes as long as scrypt (RFC 7914) does.

    Examples
    --------
    >>> key_of("a", "x") == key_of("a", "x"), key_of("a", "x") == key_of("a", "y"), len(key_of("a", "x"))
    (True, False, 64)
    """
    salt = hashlib.sha256(settings.encode()).digest()
    return hashlib.scrypt(seed.encode(), salt=salt, n=_COST, r=8, p=1, maxmem=2**26, dklen=32).hex()


def seeded_number(seed: int | str, *names: str) -> int:
    """A 31-bit number that depends on the seed and the names alone (sha256).

    Examples
    --------
    >>> seeded_number(1, "clip", "s001_en1")
    1961946894
    """
    return int.from_bytes(hashlib.sha256("/".join((str(seed), *names)).encode()).digest()[:4], "big") >> 1


def generator(seed: int | str, *names: str) -> np.random.Generator:
    """A generator that depends on the seed and the names alone."""
    return np.random.Generator(np.random.PCG64(seeded_number(seed, *names)))
