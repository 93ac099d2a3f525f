"""Faults: each of those of benchmarks/faults.py, once; the benchmark breaks runs at many random points."""

from __future__ import annotations

import random

import pytest

from benchmarks.faults import FAULTS, Trial, attempt, unbroken, write_cohort


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    root = tmp_path_factory.mktemp("faults")
    for folder in (root, *root.parents[:2]):
        folder.chmod(0o755)  # one of the faults is another user
    return unbroken(root / "unbroken", write_cohort(root / "cohort"))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_run_says_so_and_ends_as_an_unbroken_one(fault: str, whole: Trial) -> None:
    place = whole.place.with_name(fault.replace(" ", "-"))
    place.mkdir()
    attempt(fault, Trial(place, whole.cohort, random.Random(f"0 {fault}")), whole)
