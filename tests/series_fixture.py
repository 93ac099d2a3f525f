"""A history of three simulated releases, of which the last is worse, and a sweep of the same runs."""

from __future__ import annotations

from functools import cache
from typing import Any

import audit
from audit.series.sweep import Sweep, swept

SAME: dict[str, Any] = {"groups": ["asian", "white"], "speakers_per_group": 20, "missing": 0.05}
WORSE = SAME | {"rendered": {"asian": {"en": {"white": 0.6}}}}
LABELS = ("1.0", "1.1", "2.0")


@cache
def releases() -> tuple[audit.Run, ...]:
    """Two equal releases, and one in which asian speakers are often read as white."""
    return audit.simulate(SAME), audit.simulate(SAME), audit.simulate(WORSE)


@cache
def history_of_three() -> audit.History:
    """The history of the releases."""
    return audit.history(releases(), labels=LABELS)


@cache
def sweep_of_three() -> Sweep:
    """The same runs as models: the second is the worse one, the third is like the first."""
    same, again, worse = releases()
    return swept({"z": same, "worse": worse, "a": again})
