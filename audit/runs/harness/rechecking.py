"""Computing a random sample of the answers of a cache again, to see whether the cache was changed."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from audit.core.arrays import Picture
from audit.core.errors import PlanError, RunError
from audit.core.pictures import picture_digest
from audit.instruments.protocol import Reading
from audit.runs.harness.answering import Made

TOLERANCE: Final = 1e-4
"""Largest difference of a number that was read, relative to 1 or to the number if it is larger."""
LEVELS: Final = 1
"""Largest difference of a pixel, of 255."""


@dataclass(frozen=True)
class Recheck:
    """A random sample of the cache's answers that a run uses.

    An answer is drawn by a digest of the seed and of what was asked, so that the sample does not depend on the engine
    or the order. Pictures may differ by one level of 255 and numbers by a ten-thousandth: on other processors, and in
    other batches, sums may be rounded otherwise.

    Attributes
    ----------
    share : float
        The share that is computed again, in (0, 1].
    seed : int
        Decides which answers. It should be unknown to whoever could change the cache.

    Examples
    --------
    >>> sample = Recheck(0.5, seed=1)
    >>> 400 < len(sample.drawn(str(number) for number in range(1000))) < 600
    True
    """

    share: float
    seed: int

    @classmethod
    def of(cls, share: float) -> Recheck | None:
        """A sample of that share with a new seed; ``None`` for a share of 0. Raises PlanError if not in [0, 1]."""
        if not 0 <= share <= 1:
            raise PlanError(f"The share of answers to re-check is {share:g}.", "a number from 0 to 1")
        return cls(share, secrets.randbits(63)) if share else None

    def drawn(self, questions: Iterable[str]) -> list[str]:
        """Those of the questions whose answers are computed again."""
        return [question for question in questions if self._number(question) < self.share]

    def result(self, n_checked: int, n_from_cache: int, different: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The result for the manifest."""
        facts = {"share": self.share, "seed": self.seed, "from_cache": n_from_cache, "checked": n_checked}
        return facts | {"different": 0} | dict(different or {})

    def _number(self, question: str) -> float:
        digest = hashlib.sha256(f"{self.seed} {question}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64


class RecheckFailed(RunError):
    """Answers of the cache differ from what the model or instrument answers now; ``result`` is for the manifest."""

    def __init__(
        self, found: str, allowed: str = "", next_step: str = "", result: dict[str, Any] | None = None
    ) -> None:
        super().__init__(found, allowed, next_step)
        self.result = result or {}

    def __reduce__(self) -> tuple[type[RecheckFailed], tuple[object, ...]]:
        return type(self), (self.found, self.allowed, self.next_step, self.result)


def refuse(sample: Recheck, what: str, different: Mapping[str, str], n_checked: int) -> None:
    """Raise RecheckFailed if answers differ; ``different`` has how, by what was asked."""
    if not different:
        return
    how = next(iter(different.values()))
    raise RecheckFailed(
        f"{len(different)} of {n_checked} {what} of the cache differ from what is computed now: {how}.",
        "a cache that nobody changed, and a model and an instrument that give one answer to one input",
        "Delete the cache and run again into a new folder, or without a cache: --cache none.",
        sample.result(n_checked, n_checked, {"different": len(different), "what": what, "how": how}),
    )


def picture_difference(stored: Picture | None, digest: str, made: Made) -> str:
    """How a picture that was made again differs from the stored one; empty if it does not."""
    if made.error:
        return f"the model now fails with {made.error[:120]}"
    if stored is None and made.picture is not None:
        return "there was no picture, now there is one"
    if stored is not None and made.picture is None:
        return "there was a picture, now there is none"
    if stored is None or made.picture is None or picture_digest(made.picture) == digest:
        return ""
    if stored.shape != made.picture.shape:
        return f"the picture had the shape {stored.shape}, now it has {made.picture.shape}"
    largest = int(np.abs(stored.astype(int) - made.picture.astype(int)).max())
    return "" if largest <= LEVELS else f"the picture differs by up to {largest} of 255 levels"


def reading_difference(stored: Reading, made: Reading | str) -> str:
    """How a reading that was made again differs from the stored one; empty if it does not."""
    if isinstance(made, str):
        return f"the instrument now fails with {made[:120]}"
    if (stored.status, stored.faces) != (made.status, made.faces):
        return f"the reading was {stored.status} with {stored.faces} faces, now it is {made.status} with {made.faces}"
    one, two = _numbers(stored), _numbers(made)
    if one.keys() != two.keys() or any(one[name].shape != two[name].shape for name in one):
        return "the reading has other attributes now"
    for name in one:
        gap = np.abs(one[name] - two[name]) / np.maximum(1.0, np.abs(two[name]))
        known = ~(np.isnan(one[name]) & np.isnan(two[name]))
        if not (gap[known] <= TOLERANCE).all():
            return f"{name} differs by {np.nanmax(gap):.3g}"
    return ""


def _numbers(reading: Reading) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in reading.attributes.items():
        for label, number in value.items() if isinstance(value, Mapping) else [("", value)]:
            found[f"{name} {label}".rstrip()] = np.array([np.nan if number is None else number], np.float64)
    found |= {f"the feature of {name}": np.asarray(feature, np.float64) for name, feature in reading.embeddings.items()}
    if reading.landmarks is not None:
        found["a landmark"] = np.asarray(reading.landmarks, np.float64).ravel()
    return found
