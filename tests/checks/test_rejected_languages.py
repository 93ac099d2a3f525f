"""S2F001 says how it would change if the clips whose language was rejected were English."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import audit
from audit.checks.rejected_languages import IF_ENGLISH
from audit.core.plan import MeasureSettings

TRUTH = {"groups": ["asian", "white"], "speakers_per_group": 40, "clips_per_language": 2, "languages": ["en", "zh"]}


@cache
def simulated() -> audit.Run:
    return audit.simulate(TRUTH)


def run_with(rejected: str, *, white: bool, outcome: str = "disagreement", stage: str = "portrait") -> audit.Run:
    """Only faces of asian speakers' rejected clips (second, all or none of the English ones) are read as white."""
    frame = simulated().observations.copy()
    asian = frame["group"] == "asian"
    frame.loc[asian, ["portrait_race", "ceiling_race", "rendered_race"]] = "asian"
    english = asian & (frame["language"] == "en")
    second = english & frame[english].duplicated("speaker_id").reindex(frame.index, fill_value=False)
    chosen = {"second": second, "all": english, "none": english & False}[rejected]
    frame["declared_language"] = "und"
    frame["identification"] = np.where(chosen, outcome, "accepted")
    frame["identified_first"] = np.where(chosen, "zh", frame["language"])
    frame["language"] = frame["language"].where(~chosen, "und")
    frame.loc[chosen & white, "rendered_race"] = "white"
    if stage == "ceiling":
        frame["portrait_status"] = "missing"
        frame["portrait_race"] = None
    return audit.Run(frame, simulated().manifest)


def finding(run: audit.Run) -> audit.Finding:
    return audit.measure(run, with_tables=False).finding("S2F001")


@pytest.mark.parametrize("stage", ["portrait", "ceiling"])
def test_rejected_clips_that_are_read_as_white_would_change_the_verdict(stage: str) -> None:
    """Of two English clips a speaker, the accepted one is never read as white and the rejected one always."""
    found = finding(run_with("second", white=True, stage=stage))
    assert (found.outcome, found.estimate.name, found.estimate.value) == ("not_shown", f"excess_over_{stage}", 0.0)
    further = found.estimates[IF_ENGLISH]
    assert (further.value, further.n_speakers, further.n_clips) == (0.5, 40, 80)
    assert (further.margin, further.harm, further.verdict.outcome) == (found.threshold, "high", "shown")
    assert "rejected for 40 further clips of asian speakers; if they were English" in found.sentence
    assert "would be +50 points" in found.sentence and "(shown at the same margin)" in found.sentence
    plain = finding(run_with("second", white=False, stage=stage))
    assert plain.estimates[IF_ENGLISH].value == 0.0 and (plain.estimate, plain.p_value) == (
        found.estimate,
        found.p_value,
    )


@pytest.mark.parametrize(("rejected", "outcome"), [("none", "disagreement"), ("second", "too_short")])
def test_without_rejected_clips_there_is_no_such_figure(rejected: str, outcome: str) -> None:
    found = finding(run_with(rejected, white=False, outcome=outcome))
    assert IF_ENGLISH not in found.estimates and "identification" not in found.sentence


def test_a_finding_without_english_clips_says_what_the_rejected_ones_would_show() -> None:
    found = finding(run_with("all", white=True))
    assert found.outcome == "not_evaluable" and found.estimates[IF_ENGLISH].value == 1.0
    assert "No speaker of group asian has an English clip." in found.sentence
    assert "rejected for 80 further clips" in found.sentence


def test_the_figure_is_suppressed_where_few_speakers_have_rejected_clips() -> None:
    """Together with the judged figure, it would reveal the two speakers who have rejected clips."""
    run = run_with("second", white=True)
    frame = run.observations
    kept = frame["speaker_id"].isin(frame.loc[frame["language"] == "und", "speaker_id"].unique()[:2])
    few = audit.Run(frame[(frame["language"] != "und") | kept].reset_index(drop=True), run.manifest)
    found = audit.measure(few, settings=MeasureSettings(suppress_below=5), with_tables=False).finding("S2F001")
    assert found.estimates[IF_ENGLISH].value is None and "points" not in found.sentence
