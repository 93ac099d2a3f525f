"""S2F002: the read race of one speaker changes with the language."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import audit
from audit.audits.measure import evidence_of
from audit.checks.flips import SpeakerFlips, flip_figures, flips
from audit.core.plan import MeasureSettings

TWO = {"groups": ["asian", "white"], "speakers_per_group": 60, "languages": ["en", "zh"], "clips_per_language": 2}


def test_flips_by_hand() -> None:
    """English white, white, asian; Chinese asian, asian: 2 of 3 pairs differ within, none does, and 4 of 6 between."""
    who, within, between = flips(np.array([3, 3, 0, 0, 0]), np.zeros(5, int), np.array([0, 0, 0, 1, 1]))
    assert who.tolist() == [0]
    assert within[0] == pytest.approx((2 / 3 + 0) / 2)
    assert between[0] == pytest.approx(4 / 6)


def test_what_has_no_pair_is_missing() -> None:
    reads, languages = np.array([0, 1, 2, 2, -1]), np.array([0, 1, 0, 0, 1])
    who, within, between = flips(reads, np.array([7, 7, 8, 8, 9]), languages)
    assert who.tolist() == [7, 8]
    assert np.isnan(within[0])
    assert np.isnan(between[1])
    assert (between[0], within[1]) == (1.0, 0.0)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(-1, 2), st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=40), st.randoms()
)
def test_flips_do_not_depend_on_the_order_of_clips(clips: list[tuple[int, int, int]], random: Any) -> None:
    shuffled = random.sample(clips, len(clips))
    one, other = (flips(*(np.array(column) for column in zip(*rows, strict=True))) for rows in (clips, shuffled))
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first, second)


def test_without_an_effect_flips_between_are_those_within() -> None:
    """Reads drawn from one table for every language: the excess is zero on average, however often reads differ."""
    rng = np.random.default_rng(0)
    reads = (rng.random(40_000) < np.repeat(rng.random(10_000), 4)).astype(np.int64)
    _, within, between = flips(reads, np.repeat(np.arange(10_000), 4), np.tile([0, 0, 1, 1], 10_000))
    excess = between - within
    assert within.mean() > 0.25
    assert abs(excess.mean()) < 4 * excess.std() / np.sqrt(len(excess))


# S2F002


def test_a_read_that_changes_with_the_language_is_shown() -> None:
    run = audit.simulate(TWO | {"rendered": {"asian": {"en": {"white": 1.0}}}})
    finding = audit.measure(run, with_tables=False).finding("S2F002")
    assert (finding.outcome, finding.group) == ("shown", "asian")
    assert (finding.estimates["asian.within"].value, finding.estimates["asian.between"].value) == (0.0, 1.0)
    assert finding.estimates["white"].value == 0.0
    assert (finding.estimates["asian"].n_speakers, finding.estimates["asian"].n_clips) == (60, 240)


def test_either_direction_and_any_read_count() -> None:
    """In Chinese white speakers are read as indian: no English clip is read otherwise than before."""
    run = audit.simulate(TWO | {"rendered": {"white": {"zh": {"indian": 1.0}}}})
    finding = audit.measure(run, with_tables=False).finding("S2F002")
    assert (finding.outcome, finding.group) == ("shown", "white")


def test_reads_that_differ_by_chance_are_not_a_flip() -> None:
    half = {"en": {"white": 0.5}, "zh": {"white": 0.5}}
    truth = TWO | {"speakers_per_group": 1500, "rendered": {"asian": half}, "icc": 0.2, "icc_between_languages": 0.2}
    finding = audit.measure(audit.simulate(truth), with_tables=False).finding("S2F002")
    assert finding.estimates["asian.between"].value == pytest.approx(0.4, abs=0.05)
    assert finding.outcome == "not_shown"


def test_one_clip_a_language_cannot_tell_language_from_chance() -> None:
    run = audit.simulate(TWO | {"clips_per_language": 1, "rendered": {"asian": {"en": {"white": 1.0}}}})
    finding = audit.measure(run, with_tables=False).finding("S2F002")
    assert finding.outcome == "not_evaluable"
    assert finding.estimates["asian.between"].value == 1.0
    assert "At least two clips in each of two languages" in finding.would_change


def test_one_clip_in_one_of_the_languages_hides_no_change() -> None:
    """White in all English clips and 60 % of the Chinese: shares over different languages would hide that."""
    truth = TWO | {"speakers_per_group": 300, "rendered": {"asian": {"en": {"white": 1.0}, "zh": {"white": 0.6}}}}
    run = audit.simulate(truth | {"clips_per_language": 3})
    assert audit.measure(run, with_tables=False).finding("S2F002").outcome == "shown"
    seen = run.observations
    again = seen.duplicated(["speaker_id", "language"]) & (seen["language"] == "en")
    once = dataclasses.replace(run, held=seen[~again].reset_index(drop=True))
    assert audit.measure(once, with_tables=False).finding("S2F002").outcome == "not_evaluable"


def test_three_languages_are_compared_pairwise() -> None:
    """All white in the first, all asian in the two others: any two differ in 1, 1 and 0; clips count for nothing."""
    reads, languages = np.array([3, 3, 0, 0, 0, 0, 0]), np.array([0, 0, 1, 1, 2, 2, 2])
    _, within, between = flips(reads, np.zeros(7, int), languages)
    assert (within[0], between[0]) == (0.0, pytest.approx(2 / 3))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_sums_over_whole_speakers_are_the_flips_of_their_clips(seed: int, cut: bool) -> None:
    """The figures of some speakers do not depend on the others; a mask that cuts speakers has figures of its own."""
    truth = TWO | {"speakers_per_group": 8, "clips_per_language": 3, "missing": 0.2, "icc": 0.3}
    evidence = evidence_of(audit.simulate(truth, seed=seed), MeasureSettings())
    chance = np.random.default_rng(seed)
    mask, part = (chance.random(len(evidence.frame)) < 0.6 for _ in range(2))
    if not cut:
        mask = (chance.random(16) < 0.6)[evidence.speakers]
    of_part = SpeakerFlips.of(evidence, part)
    assert of_part.are_whole(mask) or cut
    found, expected = of_part.of_clips(mask), flip_figures(evidence, mask & part)
    assert found.excess.difference() == expected.excess.difference()
    for curves in ((found.within, expected.within), (found.between, expected.between)):
        one, other = (curve.at(0.9) for curve in curves)
        assert one == other
