"""S2F008: a planted shift of skin tone is recovered, and a null shift stays null."""

from __future__ import annotations

import numpy as np
import pytest

import audit

GROUPS = ("asian", "black", "white")
SEED = 7


def run_with(shift: dict[str, float], *, ceiling: bool = True, speakers: int = 60) -> audit.Run:
    """A simulated run whose rendered faces have a planted shift of the typology angle by group."""
    run = audit.simulate({"groups": list(GROUPS), "speakers_per_group": speakers})
    frame, rng = run.observations.copy(), np.random.default_rng(SEED)
    tones = {name: rng.normal(20, 15) for name in sorted(set(frame["speaker_id"]))}
    own = frame["speaker_id"].map(tones).to_numpy(float)
    planted = frame["group"].astype(str).map(shift).fillna(0).to_numpy(float)
    angles = {
        "portrait": own + 8,  # another light than the decoder's
        "ceiling": own,
        "rendered": own + planted + rng.normal(0, 4, len(frame)),
    }
    for stage, angle in angles.items():
        frame[f"{stage}_skin_tone"] = "monk_05"
        for name, values in (("ita", angle.clip(-90, 90)), ("hue", 60.0), ("lightness", 60.0), ("chroma", 20.0)):
            frame[f"{stage}_skin_tone_{name}"] = values
    if not ceiling:
        frame["ceiling_status"] = "missing"
    instrument = run.manifest["instrument"] | {"attributes_read": ["race", "gender", "age", "skin_tone"]}
    return audit.Run(frame, {**run.manifest, "instrument": instrument})


def finding(run: audit.Run) -> audit.Finding:
    return audit.measure(run, with_tables=False).finding("S2F008")


def test_a_planted_lightening_is_recovered_for_its_group() -> None:
    found = finding(run_with({"black": 12.0}))
    assert (found.outcome, found.group) == ("shown", "black")
    shift = found.estimates["black"]
    assert shift.low < 12 < shift.high
    assert (shift.unit, shift.kind, shift.margin) == ("degrees", "difference", 5.0)
    assert found.estimates["black.language.en"].value == pytest.approx(12, abs=2)


def test_a_planted_darkening_is_shown_as_well() -> None:
    found = finding(run_with({"asian": -12.0}))
    assert (found.outcome, found.group) == ("shown", "asian")
    assert found.estimates["asian"].high < 0


def test_without_a_shift_nothing_is_shown() -> None:
    found = finding(run_with({}))
    assert found.outcome == "not_shown"
    assert all(found.estimates[group].low < 0 < found.estimates[group].high for group in GROUPS)


def test_few_speakers_are_inconclusive() -> None:
    assert finding(run_with({"black": 6.0}, speakers=8)).outcome == "inconclusive"


def test_without_a_ceiling_the_portrait_is_the_reference() -> None:
    found = finding(run_with({}, ceiling=False))
    assert "in their portraits" in found.sentence
    assert found.estimates["white"].value == pytest.approx(-8, abs=1.5)


def test_a_run_without_skin_tone_is_not_evaluable() -> None:
    found = finding(audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 8}))
    assert found.outcome == "not_evaluable"
    assert "audit read" in found.would_change


def test_groups_whose_skin_photographs_do_not_separate_are_named() -> None:
    sentence = finding(run_with({"black": 12.0})).sentence
    assert "photographs of asian and white people too poorly" in sentence
    assert "photographs of black" not in sentence
