"""Verdicts: an interval compared with a margin, with one of four outcomes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from audit.stats.estimate import Estimate
from audit.stats.settings import Settings

Outcome = Literal["shown", "not_shown", "inconclusive", "not_evaluable"]
Direction = Literal["greater", "less", "two_sided"]

_ON_MARGIN = 1e-6


@dataclass(frozen=True)
class Verdict:
    """An outcome and its reason in words."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Needed:
    """Number of additional speakers that would settle a verdict (None: no number would, or unknown), and the reason.

    ``becomes`` is the settled outcome, ``None`` where it is not known.
    """

    more: int | None
    reason: str
    becomes: Outcome | None = None


def verdict(
    estimate: Estimate,
    margin: float = 0.0,
    direction: Direction = "two_sided",
    alone: tuple[float, float] | None = None,
) -> Verdict:
    """Compare an interval with a margin.

    ============== ============================================ ==========================================
    direction      shown                                        not_shown, by ``alone``
    ============== ============================================ ==========================================
    ``greater``    ``low > margin``                             ``high <= margin``
    ``less``       ``high < -margin``                           ``low >= -margin``
    ``two_sided``  ``low > margin`` or ``high < -margin``       ``-margin <= low`` and ``high <= margin``
    ============== ============================================ ==========================================

    Anything else is ``inconclusive``; without an interval it is ``not_evaluable``.

    Parameters
    ----------
    estimate : Estimate
        Usually a difference.
    margin : float
        The smallest difference that matters, in the estimate's unit. Not negative for ``two_sided``.
    direction : {"greater", "less", "two_sided"}
        Direction of the difference that the check looks for.
    alone : tuple of float, optional
        The estimate's interval without adjustment for simultaneous comparisons, by which it is ``not_shown``: that no
        difference of several lies beyond the margin is an intersection-union test, and each may be tested at the full
        level (Berger 1982). By default the estimate's interval.

    Raises
    ------
    ValueError
        If the margin is not finite, or negative for ``two_sided``, or the direction is unknown.

    Examples
    --------
    >>> verdict(Estimate(0.5, 0.3, 0.7, 20, 40, 0, "exact"), 0.1, "greater").outcome
    'shown'
    >>> verdict(Estimate(0.0, -0.2, 0.2, 20, 40, 0, "exact"), 0.1).reason
    'the interval from -0.200 to 0.200 lies neither wholly within the margin of ±0.1 nor wholly beyond it'
    """
    _checked(margin, direction)
    if estimate.interval is None:
        return Verdict("not_evaluable", estimate.method)
    low, high = estimate.interval
    span = f"the interval from {low:.3f} to {high:.3f}"
    both = f"the margin of ±{margin:g}"
    edge = {"greater": f"{margin:g}", "less": f"{-margin:g}", "two_sided": both}[direction]
    above, below = low > margin and direction != "less", high < -margin and direction != "greater"
    if above or below:
        side = f"above {margin:g}" if above else f"below {-margin:g}"
        return Verdict("shown", f"{span} lies wholly {side}")
    own_low, own_high = estimate.interval if alone is None else alone
    inside = (direction == "less" or own_high <= margin) and (direction == "greater" or own_low >= -margin)
    own = span if (own_low, own_high) == (low, high) else f"its own interval, from {own_low:.3f} to {own_high:.3f},"
    if inside:
        where = {"greater": "at or below", "less": "at or above", "two_sided": "within"}[direction]
        return Verdict("not_shown", f"{own} lies wholly {where} {edge}")
    if direction == "two_sided":
        return Verdict("inconclusive", f"{span} lies neither wholly within {edge} nor wholly beyond it")
    return Verdict("inconclusive", f"{span} contains {edge}")


def speakers_needed(
    estimate: Estimate,
    margin: float = 0.0,
    direction: Direction = "two_sided",
    settings: Settings | None = None,
    alone: tuple[float, float] | None = None,
) -> Needed:
    """Estimate how many additional speakers would settle an inconclusive verdict.

    A rough guide: assumes that each side of the interval shrinks with the square root of the number of speakers, that
    new speakers are like the present ones (also in their groups), and that the point estimate does not change.

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
            return Needed(more, f"at least {more} more for an interval; the number for a verdict is not known yet")
        return Needed(None, f"not known: {estimate.method}")
    if verdict(estimate, margin, direction, alone).outcome != "inconclusive":
        return Needed(0, "the verdict is settled")
    low_arm, high_arm = estimate.value - estimate.low, estimate.high - estimate.value  # type: ignore[operator]  # its interval is
    beyond_above = direction != "less" and estimate.value > margin
    beyond_below = direction != "greater" and estimate.value < -margin
    if beyond_above:
        gaps = [(low_arm, estimate.value - margin)]
    elif beyond_below:
        gaps = [(high_arm, -margin - estimate.value)]
    else:
        own_low, own_high = alone or estimate.interval
        above = (own_high - estimate.value, margin - estimate.value)
        below = (estimate.value - own_low, estimate.value + margin)
        gaps = {"greater": [above], "less": [below], "two_sided": [above, below]}[direction]
    if any(distance <= _ON_MARGIN for _, distance in gaps):
        return Needed(None, "the value lies on the margin; no number of speakers would settle the verdict")
    shrink = [arm / distance for arm, distance in gaps]
    total = math.floor(estimate.n_speakers * max(1.0, *shrink) ** 2 + 1e-9) + 1
    more = total - estimate.n_speakers
    word: Outcome = "shown" if beyond_above or beyond_below else "not_shown"
    reason = f"about {more} more speakers would make it {word} if the value stayed at {estimate.value:.3f}"
    return Needed(more, reason, word)


def _checked(margin: float, direction: str) -> None:
    if direction not in ("greater", "less", "two_sided"):
        raise ValueError(f"direction {direction!r} is unknown; allowed: greater, less, two_sided")
    if not math.isfinite(margin) or (margin < 0 and direction == "two_sided"):
        raise ValueError(f"margin {margin} is not allowed: a finite number is needed, not negative for two_sided")
