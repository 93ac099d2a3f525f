"""A limit of the memory that decoders use at a time, for all threads of a process together."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

DECODER_BYTES: Final = 1 << 30
"""Memory of all decoders of a process together, as far as the files themselves need no more."""


class NeedsMemory(Exception):
    """Decoding needs more memory than was reserved; ``n_bytes`` is the estimate by the header."""

    def __init__(self, n_bytes: int) -> None:
        self.n_bytes = n_bytes
        super().__init__(f"{n_bytes:,} bytes")


class MemoryLimit:
    """Lets threads wait until memory that they estimate is free.

    Whoever needs more than the whole limit waits until nothing else is reserved, and then runs alone. A thread reserves
    once at a time, never more while it holds some, so that threads cannot wait for each other.

    Parameters
    ----------
    n_bytes : int
        The limit.

    Examples
    --------
    >>> limit = MemoryLimit(100)
    >>> with limit.reserved(30):
    ...     limit.used
    30
    """

    def __init__(self, n_bytes: int) -> None:
        self.n_bytes, self.used = n_bytes, 0
        self._free = threading.Condition()

    @contextmanager
    def reserved(self, n_bytes: int) -> Iterator[None]:
        """Hold so much memory during the block; waits until it is free."""
        wanted = min(n_bytes, self.n_bytes)
        with self._free:
            self._free.wait_for(lambda: self.used + wanted <= self.n_bytes)
            self.used += wanted
        try:
            yield
        finally:
            with self._free:
                self.used -= wanted
                self._free.notify_all()


DECODING: Final = MemoryLimit(DECODER_BYTES)
"""The limit of all decoders of this process."""
