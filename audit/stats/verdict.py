"""From an interval and a margin to one of four words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from audit.stats.estimate import Estimate
from audit.stats.settings import Settings

Outcome = Literal["shown", "not_shown", "inconclusive", "not_evaluable"]
Direction = Literal["greater", "less", "two_sided"]

_NO_ROOM = 1e-6


@dataclass(frozen=True)
class Verdict:
    """An outcome and, in plain words, why."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Needed:
    """How many more speakers would settle a verdict (None: no number would, or it cannot be said), and why."""

    more: int | None
    reason: str


def verdict(estimate: Estimate, margin: float = 0.0, direction: Direction = "two_sided") -> Verdict:
    """Hold an interval against a margin.

    ============== ============================================ ==========================================
    direction      shown                                        not_shown
    ============== ============================================ ==========================================
    ``greater``    ``low > margin``                             ``high <= margin``
    ``less``       ``high < -margin``                           ``low >= -margin``
    ``two_sided``  ``low > margin`` or ``high < -margin``       ``-margin <= low`` and ``high <= margin``
    ============== ============================================ ==========================================

    Anything else is ``inconclusive``; without an interval it is ``not_evaluable``.

    Parameters
    ----------
    estimate : Estimate
        Of a difference, usually.
    margin : float
        The least difference that matters, in the estimate's unit. Not negative for ``two_sided``.
    direction : {"greater", "less", "two_sided"}
        Which difference the check looks for.

    Raises
    ------
    ValueError
        For a margin that is no number, or is negative where two-sided; for an unknown direction.

    Examples
    --------
    >>> verdict(Estimate(0.5, 0.3, 0.7, 20, 40, 0, "exact"), 0.1, "greater").outcome
    'shown'
    >>> verdict(Estimate(0.0, -0.2, 0.2, 20, 40, 0, "exact"), 0.1).reason
    'the interval from -0.200 to 0.200 reaches past the margin of 0.1 either way and does not lie wholly beyond it'
    """
    _checked(margin, direction)
    if estimate.interval is None:
        return Verdict("not_evaluable", estimate.method)
    low, high = estimate.interval
    span = f"the interval from {low:.3f} to {high:.3f}"
    both = f"the margin of {margin:g} either way"
    edge = {"greater": f"{margin:g}", "less": f"{-margin:g}", "two_sided": both}[direction]
    above, below = low > margin and direction != "less", high < -margin and direction != "greater"
    if above or below:
        side = f"above {margin:g}" if above else f"below {-margin:g}"
        return Verdict("shown", f"{span} lies wholly {side}")
    inside = (direction == "less" or high <= margin) and (direction == "greater" or low >= -margin)
    if inside:
        where = {"greater": "at or below", "less": "at or above", "two_sided": "within"}[direction]
        return Verdict("not_shown", f"{span} lies wholly {where} {edge}")
    if direction == "two_sided":
        return Verdict("inconclusive", f"{span} reaches past {edge} and does not lie wholly beyond it")
    return Verdict("inconclusive", f"{span} contains {edge}")


def speakers_needed(
    estimate: Estimate, margin: float = 0.0, direction: Direction = "two_sided", settings: Settings | None = None
) -> Needed:
    """How many speakers more would settle an inconclusive verdict, if the point stayed where it is.

    Assumes that each arm of the interval shrinks with the square root of the number of speakers, that new speakers are
    like those heard (and split over groups as they are), and that the point does not move; so it is a rough guide.

    Examples
    --------
    >>> speakers_needed(Estimate(0.3, 0.0, 0.6, 20, 20, 0, "exact"), 0.1, "greater").more  # arm 0.3 must become < 0.2
    26
    """
    _checked(margin, direction)
    if estimate.interval is None or estimate.value is None:
        fewest = (settings or Settings()).min_speakers
        if estimate.n_speakers < fewest:
            more = fewest - estimate.n_speakers
            return Needed(more, f"at least {more} more for any interval; how many for a verdict cannot be said yet")
        return Needed(None, f"cannot be said: {estimate.method}")
    if verdict(estimate, margin, direction).outcome != "inconclusive":
        return Needed(0, "the verdict is settled")
    low_arm, high_arm = estimate.value - estimate.low, estimate.high - estimate.value  # type: ignore[operator]  # its interval is
    beyond_above = direction != "less" and estimate.value > margin
    beyond_below = direction != "greater" and estimate.value < -margin
    if beyond_above:
        gaps = [(low_arm, estimate.value - margin)]
    elif beyond_below:
        gaps = [(high_arm, -margin - estimate.value)]
    else:
        gaps = []
        if direction != "less":
            gaps.append((high_arm, margin - estimate.value))
        if direction != "greater":
            gaps.append((low_arm, estimate.value + margin))
    if any(room <= _NO_ROOM for _, room in gaps):
        return Needed(None, "the value lies on the margin, where no number of speakers would settle it")
    shrink = [arm / room for arm, room in gaps]
    total = math.floor(estimate.n_speakers * max(1.0, *shrink) ** 2 + 1e-9) + 1
    more = total - estimate.n_speakers
    word = "shown" if beyond_above or beyond_below else "not_shown"
    return Needed(more, f"about {more} more speakers would make it {word} if the value stayed at {estimate.value:.3f}")


def _checked(margin: float, direction: str) -> None:
    if direction not in ("greater", "less", "two_sided"):
        raise ValueError(f"direction {direction!r} is unknown")
    if not math.isfinite(margin) or (margin < 0 and direction == "two_sided"):
        raise ValueError(f"margin {margin} is no margin")
