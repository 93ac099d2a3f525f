"""Language identifiers: interface and registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, runtime_checkable

from audit.core.arrays import Waveform
from audit.core.errors import ModelError
from audit.core.registry import Registry

IDENTIFIERS: Final = Registry(
    "language identifier",
    "audit.cohorts.identifiers",
    group="audit.language_identifiers",
    declared_as="IDENTIFIER",
    error=ModelError,
)
"""The factories of language identifiers: functions of ``where`` (str) and ``allow_download`` (bool)."""


@runtime_checkable
class LanguageIdentifier(Protocol):
    """Names the language that is spoken in clips.

    A custom one is a factory with the parameters ``where`` (what follows ``=`` on the command line, such as a folder;
    empty if nothing does) and ``allow_download``, as ``module:name`` or as an entry point of the group
    ``audit.language_identifiers``.

    Attributes
    ----------
    name : str
        The name in notes and reports.
    """

    @property
    def name(self) -> str:
        """The name in notes and reports."""
        ...

    def describe(self) -> Mapping[str, str]:
        """What identifies it, such as the version of its package and the sha256 of its weights."""
        ...

    def identify(self, waveforms: Sequence[Waveform], sample_rate: int) -> Sequence[tuple[str, float]]:
        """The most probable language of each clip, as a BCP-47 code, and its probability in [0, 1].

        ``waveforms`` are mono, float32 of shape [T], 1 to 30 s long. The result for a clip must not depend on the
        others.
        """
        ...


def load_identifier(text: str, *, allow_download: bool = False) -> LanguageIdentifier:
    """The identifier of ``NAME``, or of ``NAME=WHERE``, with what its factory needs to find its weights.

    Raises
    ------
    ModelError
        If there is no such identifier, its package or weights are missing, or it has not the interface.

    Examples
    --------
    >>> load_identifier("voxlingua107")
    Traceback (most recent call last):
    audit.core.errors.ModelError: The language identifier voxlingua107 needs weights...
    """
    name, _, where = text.partition("=")
    made = IDENTIFIERS.create(name, {"where": where, "allow_download": allow_download})
    if not isinstance(made, LanguageIdentifier):
        raise ModelError(
            f"The language identifier {name!r} made a {type(made).__name__}.",
            "an object with name, describe() and identify(); see audit.cohorts.identification.LanguageIdentifier",
        )
    return made
