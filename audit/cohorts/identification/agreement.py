"""The rule by which two identifications give a label."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from audit.cohorts.identification.identifier import LanguageIdentifier
from audit.core.arrays import Waveform
from audit.core.audio import SAMPLE_RATE
from audit.core.errors import ModelError
from audit.core.identification import Outcome
from audit.core.languages import canonical_language, same_language

_DIGITS = 4
"""Probabilities are rounded, so that the stored number decides."""


class Guess(NamedTuple):
    """The language that an identifier names, a canonical code, and its probability in [0, 1]."""

    language: str
    probability: float


def guesses(identifier: LanguageIdentifier, waveforms: Sequence[Waveform]) -> list[Guess]:
    """The guesses of an identifier, validated.

    Raises
    ------
    ModelError
        If their number is not that of the clips, or one has an invalid code or probability.
    """
    found = list(identifier.identify(waveforms, SAMPLE_RATE))
    if len(found) != len(waveforms):
        raise ModelError(
            f"The language identifier {identifier.name} returned {len(found)} languages for {len(waveforms)} clips.",
            "one for each clip",
        )
    made = []
    for code, probability in found:
        try:
            language = canonical_language(code)
        except (ValueError, TypeError) as error:
            raise ModelError(
                f"The language identifier {identifier.name} returned the language {code!r}.", "BCP-47 codes"
            ) from error
        if not (math.isfinite(probability) and -1e-6 <= probability <= 1 + 1e-6):
            raise ModelError(
                f"The language identifier {identifier.name} returned the probability {probability}.", "0 to 1"
            )
        made.append(Guess(language, min(max(round(float(probability), _DIGITS), 0.0), 1.0)))
    return made


def outcome(first: Guess, second: Guess, threshold: float) -> Outcome:
    """Whether a label counts: both name one language, and both probabilities are at least the threshold.

    Scripts and regions do not matter. An undetermined language is never agreed on.

    Examples
    --------
    >>> [outcome(Guess("zh", 0.8), Guess(code, p), 0.8) for code, p in (("zh-TW", 0.8), ("zh", 0.79), ("en", 1.0))]
    ['accepted', 'low_probability', 'disagreement']
    """
    if not same_language(first.language, second.language):
        return "disagreement"
    return "accepted" if min(first.probability, second.probability) >= threshold else "low_probability"
