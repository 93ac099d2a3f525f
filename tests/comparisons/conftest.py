"""Two runs of which the second renders fewer asian speakers as white in English, and their comparison."""

from __future__ import annotations

from typing import Any

import pytest

import audit

TRUTH: dict[str, Any] = {
    "groups": ["asian", "black", "white"],
    "languages": ["en", "zh"],
    "speakers_per_group": 40,
    "clips_per_language": 2,
    "icc": 0.3,
    "missing": 0.05,
    "rendered": {"asian": {"en": {"white": 0.7}, "zh": {"white": 0.1}}},
}
BETTER = TRUTH | {"rendered": {"asian": {"en": {"white": 0.2}, "zh": {"white": 0.1}}}}


@pytest.fixture(scope="package")
def runs() -> tuple[audit.Run, audit.Run]:
    return audit.simulate(TRUTH, 3), audit.simulate(BETTER, 3)


@pytest.fixture(scope="package")
def compared(runs: tuple[audit.Run, audit.Run]) -> audit.Comparison:
    return audit.compare(*runs)
