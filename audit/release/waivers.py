"""Waivers: a person's decision that one rule need not hold for one run or model, up to a figure and a date."""

from __future__ import annotations

import datetime as dt
import unicodedata
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from audit.core.typed_toml import Section
from audit.core.units import write_value
from audit.release.decision import FigureRuling, Ruling
from audit.release.facts import RunFacts
from audit.release.pins import Sha256

LONGEST_TERM: Final = 366
"""The most days between the day on which a waiver is granted and its last day."""
LETTERS: Final = 2
"""The fewest letters of a name and of a reason."""
_BLANK: Final = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Characters that Unicode counts as letters or symbols and that show nothing."""
State = Literal["applied", "not_needed", "expired", "not_yet", "other_run", "worse"]


def _words(text: str) -> str:
    hidden = next((c for c in text if not c.isprintable() or c in _BLANK), None)
    if hidden is not None:
        raise ValueError(f"it has the invisible character U+{ord(hidden):04X}; write printable words")
    if sum(unicodedata.category(c).startswith("L") for c in text) < LETTERS:
        raise ValueError(f"it needs words with at least {LETTERS} letters")
    return text


Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_words)]


class Waiver(Section):
    """The decision of a person that a rule need not hold for one run or model, through a date.

    Attributes
    ----------
    rule : str
        The id of the rule.
    name, reason : str
        Who decided it, and why: printable words.
    granted, expires : date
        The first and the last day on which it counts, at most :data:`LONGEST_TERM` days apart.
    run, weights_sha256 : str or None
        What it is about: the digest of a run, or of the weights of a model. Exactly one of them.
    worst : float
        The worst figure that is waived, in the figure's unit. A worse one still blocks.
    """

    rule: str
    name: Words
    reason: Words
    granted: dt.date
    expires: dt.date
    run: Sha256 | None = None
    weights_sha256: Sha256 | None = None
    worst: float = Field(allow_inf_nan=False)

    @model_validator(mode="after")
    def _bound(self) -> Waiver:
        if (self.run is None) == (self.weights_sha256 is None):
            raise ValueError(
                f"the waiver of {self.rule!r} needs either run, the digest of the run that it is about, or "
                "weights_sha256, that of the model's weights"
            )
        days = (self.expires - self.granted).days
        if not 0 <= days <= LONGEST_TERM:
            raise ValueError(
                f"the waiver of {self.rule!r} is granted on {self.granted} and expires on {self.expires}; it expires "
                f"between 0 and {LONGEST_TERM} days later"
            )
        return self

    def state(self, ruling: Ruling, facts: RunFacts, today: dt.date) -> State:
        """What becomes of the waiver, if it is used on the ruling of its rule."""
        if self.expires < today:
            return "expired"
        if self.granted > today:
            return "not_yet"
        is_about = self.run == facts.run if self.run else self.weights_sha256 == facts.weights_sha256
        if not is_about:
            return "other_run"
        if ruling.outcome not in ("breach", "inconclusive"):
            return "not_needed"
        failing = [item for item in ruling.held if item.outcome in ("breach", "inconclusive")]
        return "applied" if failing and all(self._covers(item, ruling.side) for item in failing) else "worse"

    def words(self, ruling: Ruling) -> str:
        """The waiver in a sentence; the worst figure has the unit of the ruling's figure."""
        figure = ruling.estimate
        worst = f"{self.worst:g}" if figure is None else write_value(self.worst, figure.unit, figure.signed)
        return f"Waived through {self.expires} up to {worst} by {self.name}: {self.reason}"

    def _covers(self, item: FigureRuling, side: str) -> bool:
        """Whether a figure is no worse than the worst that is waived; one that has no value is worse."""
        if item.estimate is None or item.estimate.value is None:
            return False
        value = item.estimate.value
        if side == "at_least":
            return value >= self.worst
        return (abs(value) if side == "within" else value) <= self.worst
