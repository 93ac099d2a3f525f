"""Large runs: texts as categories, a digest in parts, and sums instead of clips give the same results."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import audit
from audit.audits.measure import evidence_of
from audit.checks.catalogue.erasure import CHECK as ERASURE
from audit.checks.catalogue.failure_gap import CHECK as FAILURE_GAP
from audit.checks.catalogue.rendered_as_white import CHECK as RENDERED_AS_WHITE
from audit.core.plan import MeasureSettings
from audit.runs import digest, run

TRUTH = {
    "groups": ["asian", "black", "white"],
    "speakers_per_group": 8,
    "languages": ["en", "zh"],
    "missing": 0.2,
    "rendered": {"asian": {"en": {"white": 0.5}}},
}
DIGEST = "58f4d5d4baee202f05a3b3b0645a5b122198f49aeb12ada0398a3c084e2e3c0f"
"""The digest of the run of this truth by version 1.0, which joined whole columns in memory."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in three parts of different values, so that no part has all categories."""
    made = tmp_path_factory.mktemp("large") / "run"
    audit.simulate(TRUTH, seed=1, out=made)
    (whole,) = run.part_files(made)
    table = pq.read_table(whole)
    rows = np.array_split(np.arange(len(table)), 3)
    for number, some in enumerate(rows):
        pq.write_table(table.take(some), run.part_path(made, number))
    manifest = made / "manifest.json"
    listed = {path.name: run.file_digest(path) for path in run.part_files(made)}
    stated = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps({**stated, "parts": listed}), encoding="utf-8")
    return made


def test_the_digest_is_that_of_earlier_versions(folder: Path) -> None:
    made = audit.simulate(TRUTH, seed=1)
    assert digest.run_digest(made.observations, {}) == DIGEST
    assert digest.run_digest(made.coded, {}) == DIGEST
    assert digest.run_digest(audit.Run.read(folder).coded, {}) == DIGEST


def test_names_of_pictures_do_not_change_the_digest() -> None:
    keyed = {"rendered_face_check": "the digest of the pixels"}
    made = audit.simulate(TRUTH, seed=1).observations.assign(**keyed, rendered_face="a name")
    same, other = made.assign(rendered_face="by another key"), made.assign(rendered_face_check="of other pixels")
    found = [digest.run_digest(seen, {}) for seen in (made, same, other)]
    assert found[0] == found[1] != found[2]


def test_observations_are_plain_texts_however_they_were_read(folder: Path) -> None:
    read, made = audit.Run.read(folder), audit.simulate(TRUTH, seed=1)
    pd.testing.assert_frame_equal(read.observations, made.observations)
    assert isinstance(read.coded["group"].dtype, pd.CategoricalDtype)
    assert read.coded["rendered_race"].cat.categories.tolist() == ["asian", "black", "white"]
    pd.testing.assert_frame_equal(read.coded, made.coded)


@pytest.mark.parametrize("check", [RENDERED_AS_WHITE, ERASURE, FAILURE_GAP])
def test_sums_give_the_figures_of_single_clips(check: audit.checks.Check) -> None:
    """Every number of errors, with the evidence of parts and of clips."""
    evidence = evidence_of(audit.simulate(TRUTH | {"clips_per_language": 3}, seed=1), MeasureSettings())
    for found in check.sensitivity(evidence):
        clips = replace(found, of_sums=False)
        assert found.of_sums and len(found._units[1]) < len(clips._units[1])
        for up in (True, False):
            for doubt, number in itertools.product(("wrong_labels", "misclassified_faces"), (1, 2, 3)):
                summed, single = (each.changed(doubt, up, number) for each in (found, clips))
                assert summed.as_dict() == single.as_dict()
