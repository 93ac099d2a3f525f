"""The symbol and the name of every outcome, the same on all pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Badge:
    """The symbol and name of an outcome, so that colour is never the only sign."""

    symbol: str
    name: str

    def __str__(self) -> str:
        return f"{self.symbol} {self.name}"


BADGES: Final = {
    "shown": Badge("\N{BLACK UP-POINTING TRIANGLE}", "shown"),
    "not_shown": Badge("\N{WHITE CIRCLE}", "not shown"),
    "inconclusive": Badge("\N{CIRCLE WITH LEFT HALF BLACK}", "inconclusive"),
    "not_evaluable": Badge("\N{MULTIPLICATION X}", "not evaluable"),
    "gains": Badge("\N{BLACK UP-POINTING TRIANGLE}", "gains"),
    "pays": Badge("\N{BLACK DOWN-POINTING TRIANGLE}", "pays"),
    "no_difference": Badge("\N{WHITE CIRCLE}", "no difference shown"),
    "smaller": Badge("\N{WHITE DOWN-POINTING TRIANGLE}", "less harm"),
    "larger": Badge("\N{BLACK UP-POINTING TRIANGLE}", "more harm"),
    "mixed": Badge("\N{UP DOWN ARROW}", "less and more harm"),
}
"""The outcomes of checks and probes, then the words of comparisons, then the outcomes of their harms."""
