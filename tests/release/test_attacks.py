"""Every attack of the table of docs/validation/attacks.md: without pins, with pins, and with an attestation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.attacks import ATTACKS, Attack, outcome, with_attestation

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "validation" / "attacks.md"
PASSES = {"none: the honest run"}
NEED_PINS = {
    "the same in a run that was made without this refusal",
    "clips' sound replaced",
    "edited rows of the cache, with new digests",
    "other weights under the same name",
    "code with uncommitted changes",
    "another plan",
    "a run of eleven years ago",
}
REFUSED = ("a custom instrument named", "a waiver", "limit = true")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_never_passes_by_a_policy_with_pins(attack: Attack) -> None:
    refused = attack.name.startswith(REFUSED)
    expected = 0 if attack.name in PASSES else 2 if refused else 13
    assert outcome(attack, pinned=True) == expected


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_never_passes_where_the_honest_run_is_attested(attack: Attack) -> None:
    expected = 0 if attack.name in PASSES else 2 if attack.name.startswith(REFUSED) else 13
    assert with_attestation(attack) == expected


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_without_pins_only_what_a_pin_is_about_passes(attack: Attack) -> None:
    passes = attack.name in NEED_PINS | PASSES
    assert outcome(attack, pinned=False) == (0 if passes else 2 if attack.name.startswith(REFUSED) else 13)


def test_the_page_has_the_outcome_of_every_attack() -> None:
    pattern = r"^\| ([^|]+) \| *([0-9]*) \| ([0-9]+) \| ([0-9]+) \| ([0-9]+) \|$"
    rows = re.findall(pattern, PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [(row[0], row[1]) for row in rows] == [(attack.name, attack.before) for attack in ATTACKS]
    passing = [{row[0] for row in rows if row[column] == "0"} for column in (2, 3, 4)]
    assert passing == [NEED_PINS | PASSES, PASSES, PASSES]
