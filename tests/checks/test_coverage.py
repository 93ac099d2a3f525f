"""S2F007: own-group reads in languages that the training covered little or well."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import audit

TWO = {"groups": ["asian", "white"], "speakers_per_group": 60, "languages": ["en", "zh"], "clips_per_language": 2}


def trained_on(run: audit.Run, **clips: int) -> audit.Run:
    """The run of a model that reports the number of training clips of each ``group_language``."""
    coverage = []
    for name, number in clips.items():
        group, language = name.rsplit("_", maxsplit=1)
        coverage.append({"group": group, "language": language, "speakers": number, "clips": number, "seconds": 0.0})
    manifest = {**run.manifest, "model": {**run.manifest["model"], "training_coverage": coverage}}
    return dataclasses.replace(run, manifest=manifest)


@pytest.fixture(scope="module")
def uncovered() -> audit.Run:
    """Asian speakers in English are read as white in 60 %; the training heard none of them."""
    return audit.simulate(TWO | {"rendered": {"asian": {"en": {"white": 0.6}}}})


def test_an_effect_of_coverage_is_shown(uncovered: audit.Run) -> None:
    run = trained_on(uncovered, asian_en=0, asian_zh=40, white_en=80, white_zh=40)
    finding = audit.measure(run, with_tables=False).finding("S2F007")
    assert finding.outcome == "shown"
    assert finding.estimates["coverage_effect"].n_speakers == 60
    assert finding.estimates["coverage_effect"].value == pytest.approx(0.6, abs=0.15)
    assert finding.estimates["asian"].interval == finding.estimates["coverage_effect"].interval
    assert "Hardly covered: asian in en." in finding.sentence


def test_a_language_that_all_lack_is_compared_between_the_same_speakers(uncovered: audit.Run) -> None:
    finding = audit.measure(
        trained_on(uncovered, asian_en=80, asian_zh=3, white_en=80, white_zh=3), with_tables=False
    ).finding("S2F007")
    assert finding.outcome == "not_shown"
    assert finding.estimates["white"].value == 0.0


def test_a_group_without_coverage_is_compared_with_others(uncovered: audit.Run) -> None:
    finding = audit.measure(
        trained_on(uncovered, asian_en=0, asian_zh=0, white_en=80, white_zh=80), with_tables=False
    ).finding("S2F007")
    assert finding.outcome == "shown"
    assert "other speakers on each side" in (finding.estimate or finding.estimates["well_heard"]).method


def test_regions_of_a_language_are_that_language(uncovered: audit.Run) -> None:
    run = trained_on(uncovered, **{"asian_en-US": 0, "asian_zh": 40, "white_en-GB": 80, "white_zh": 40})
    assert audit.measure(run, with_tables=False).finding("S2F007").outcome == "shown"


def test_without_known_or_low_coverage_it_is_not_evaluable(uncovered: audit.Run) -> None:
    assert audit.measure(uncovered, with_tables=False).finding("S2F007").outcome == "not_evaluable"
    even = audit.measure(
        trained_on(uncovered, asian_en=50, asian_zh=40, white_en=80, white_zh=40), with_tables=False
    ).finding("S2F007")
    assert even.outcome == "not_evaluable"
    assert "at least 10%" in even.reason


def test_the_tables_behind_them(uncovered: audit.Run) -> None:
    tables = audit.measure(trained_on(uncovered, asian_en=0, asian_zh=40)).tables
    covered = tables["coverage"].frame.set_index(["group", "language"])
    assert covered.loc[("asian", "en"), "clips_trained"] == 0
    assert np.isnan(covered.loc[("white", "en"), "clips_trained"])
    assert covered.loc[("asian", "zh"), "value"] == 1.0
    flipped = tables["language_flips"].frame.set_index(["figure", "group", "languages"])
    assert flipped.loc[("within", "asian", "all"), "value"] == flipped.loc[("within", "asian", "en zh"), "value"]
    assert flipped.loc[("excess", "white", "en zh"), "value"] == 0.0


def test_a_language_that_nobody_states_is_not_another_language() -> None:
    truth = {
        "groups": ["asian", "white"],
        "speakers_per_group": 40,
        "clips_per_language": 2,
        "languages": ["en", "und"],
        "rendered": {"asian": {"en": {"white": 0.8}}},
    }
    result = audit.measure(audit.simulate(truth))
    finding = result.finding("S2F001")
    assert finding.estimates["rendered"].n_speakers == 40
    assert finding.estimates["language_effect"].n_speakers == 0
    assert finding.estimates["rendered_other_language"].n_speakers == 0
    assert result.finding("S2F002").outcome == "not_evaluable"
    assert result.tables["language_effects"].frame.empty
    assert set(result.tables["language_flips"].frame["figure"]) <= {"within"}
