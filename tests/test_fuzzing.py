"""Damaged files of every kind: refused in words or read, never a traceback. At scale: benchmarks/fuzzing.py."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzzing import KINDS, damaged, outcome


@pytest.mark.parametrize("name", KINDS)
def test_what_is_whole_is_read(name: str) -> None:
    kind = KINDS[name]
    assert "accepted" in {outcome(kind, data) for data in kind.seeds()} or name in ("weights", "published checkpoint")


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=12, deadline=20_000, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_damaged_files_are_refused_or_read(name: str, seed: int) -> None:
    kind = KINDS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert outcome(kind, damaged(kind, seed)) in ("accepted", "refused")
