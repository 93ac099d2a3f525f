"""Language identifiers: registry, interface, and what they name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol, runtime_checkable

from audit.core.arrays import Waveform
from audit.core.audio import SAMPLE_RATE
from audit.core.errors import ModelError
from audit.core.languages import canonical_language
from audit.core.registry import Registry

IDENTIFIERS: Final = Registry(
    "language identifier",
    "audit.cohorts.identifiers",
    group="audit.language_identifiers",
    declared_as="IDENTIFIER",
    error=ModelError,
)
"""Factories of identifiers, with the parameters ``where`` (str: a folder, or empty) and ``allow_download`` (bool)."""


@runtime_checkable
class LanguageIdentifier(Protocol):
    """Names the language that is spoken in clips."""

    @property
    def name(self) -> str:
        """The name in notes and reports."""
        ...

    def describe(self) -> Mapping[str, str]:
        """The version of its package, the sha256 of its weights, and anything else that its results depend on."""
        ...

    def identify(self, waveforms: Sequence[Waveform], sample_rate: int) -> Sequence[tuple[str, float]]:
        """The most probable language of each clip, as a BCP-47 code, and its probability in [0, 1].

        ``waveforms`` are mono, float32 of shape [T], up to 30 s. A result must not depend on the other clips.
        """
        ...


def load_identifier(text: str, *, allow_download: bool = False) -> LanguageIdentifier:
    """The identifier of ``NAME`` or ``NAME=WHERE``; raises ModelError if it, its package or its weights are missing.

    Examples
    --------
    >>> load_identifier("voxlingua107")
    Traceback (most recent call last):
    audit.core.errors.ModelError: The language identifier voxlingua107 needs weights...
    """
    name, _, where = text.partition("=")
    made = IDENTIFIERS.create(name, {"where": where, "allow_download": allow_download})
    if not isinstance(made, LanguageIdentifier):
        raise ModelError(f"{name} made a {type(made).__name__}.", "an object with name, describe() and identify()")
    return made


class Guess(NamedTuple):
    """A language, as a canonical code, and its probability in [0, 1], rounded to four digits."""

    language: str
    probability: float


def guesses(identifier: LanguageIdentifier, waveforms: Sequence[Waveform]) -> list[Guess]:
    """What an identifier names; raises ModelError if that is invalid or not one for each clip."""
    made = []
    for code, probability in identifier.identify(waveforms, SAMPLE_RATE):
        try:
            made.append(Guess(canonical_language(code), round(float(probability), 4)))
        except ValueError as error:
            raise ModelError(f"{identifier.name} named the language {code!r}.", "a BCP-47 code") from error
        if not 0 <= made[-1].probability <= 1:
            raise ModelError(f"{identifier.name} returned the probability {probability}.", "0 to 1")
    if len(made) != len(waveforms):
        raise ModelError(f"{identifier.name} named {len(made)} languages for {len(waveforms)} clips.", "one for each")
    return made
