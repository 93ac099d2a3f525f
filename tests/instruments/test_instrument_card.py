"""The instrument's card: what it promises, and that the page and the numbers say the same."""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path
from types import ModuleType

import pytest

from audit.core.vocabulary import RACES
from audit.instruments.card import card_for, embedded_card
from audit.instruments.network import NETWORK_FILE
from audit.instruments.offline import PACKAGED

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script that writes the card."""
    return importlib.import_module("scripts.instrument_card")


def test_the_page_is_written_from_the_card(script: ModuleType) -> None:
    page = ROOT / "docs" / "validation" / "instrument-card.md"
    assert page.read_text(encoding="utf-8") == script.render(embedded_card())


def test_the_card_is_of_the_weights_that_are_here() -> None:
    digest = hashlib.sha256(NETWORK_FILE.read_bytes()).hexdigest()
    assert embedded_card()["weights"] == {NETWORK_FILE.name: digest}


def test_targets_say_whether_they_are_met() -> None:
    """Gender and the age error miss theirs, which docs/reference/instrument.md says; the page must not hide it."""
    targets = embedded_card()["targets"]
    for name, row in targets.items():
        assert row["met"] is (
            row["reached"] <= row["asked"] if name.startswith("age_error") else row["reached"] >= row["asked"]
        )
    assert targets["faces_found"]["met"] and targets["faces_found_of_the_worst_race"]["met"]


def test_every_race_has_its_numbers_and_they_add_up() -> None:
    card = embedded_card()
    for race in RACES:
        recall = card["race_six"][race]["recall"]
        assert recall["low"] <= recall["value"] <= recall["high"]
        reads = card["race_confusion"][race]
        assert sum(reads.values()) == recall["n"]
        assert reads["no_face"] == recall["n"] - round(card["by_race"][race]["found"]["value"] * recall["n"])
        assert reads[f"read_{race}"] / recall["n"] == pytest.approx(recall["value"], abs=1e-4)
    assert sum(row["found"]["n"] for row in card["by_race_gender_and_age"].values()) == card["pictures"]


def test_rates_have_exact_intervals(script: ModuleType) -> None:
    """By hand: 0 of 10 and its mirror, with 1 - 0.025 ** (1 / 10) = 0.3085 (Clopper and Pearson 1934)."""
    import numpy as np

    assert script.rate(np.zeros(10, bool)) == {"value": 0.0, "low": 0.0, "high": 0.3085, "n": 10, "unit": "share"}
    assert script.rate(np.ones(10, bool)) == {"value": 1.0, "low": 0.6915, "high": 1.0, "n": 10, "unit": "share"}
    assert script.rate(np.zeros(0, bool))["value"] is None


def test_calibration_error_by_hand(script: ModuleType) -> None:
    """Two bins of two: says .95 and is right once (off by .45), says .55 and is right once (off by .05): .25."""
    import numpy as np

    error, bins = script.calibration(np.array([0.95, 0.95, 0.55, 0.55]), np.array([True, False, True, False]))
    assert error == pytest.approx(0.25)
    assert list(bins) == ["0.5 to 0.6", "0.9 to 1.0"]


def test_another_instrument_does_not_borrow_the_card() -> None:
    embedded = dict.fromkeys(("race", "gender", "age"), "embedded")
    mirrored = embedded_card()["mirrored"]
    assert "race_six" in card_for(embedded, "yunet", mirrored=mirrored)
    assert list(card_for(embedded, "yunet", mirrored=not mirrored)) == ["note"]
    assert list(card_for(embedded, "dlib", mirrored=mirrored)) == ["note"]
    assert list(card_for({**embedded, "race": "deepface"}, "yunet", mirrored=mirrored)) == ["note"]


def test_the_weights_are_small_and_come_with_their_licences() -> None:
    files = {path.name: path.stat().st_size for path in PACKAGED.iterdir()}
    assert sum(files.values()) < 30_000_000
    assert {"LICENSE-Apache-2.0.txt", "LICENSE-MIT-human-models.txt", "LICENSE-MIT-yunet.txt"} <= set(files)
