"""Rules that must hold whatever the missing faces show, and rules about human readings."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

import audit
from audit.core.errors import PlanError
from audit.release import Policy
from tests.release_fixture import made, policy, white
from tests.sensitivity_fixture import missing_if_white

WHITE = '[[rule]]\nid = "white"\ncheck = "S2F001"\nfigure = "excess_over_portrait"\nside = "at_most"\nlimit = 0.1\n'
ERASED = '[[rule]]\nid = "erased"\ncheck = "S2F003"\nlimit = 0.1\n'
WORST, HUMAN = 'missing = "worst_case"\n', 'readings = "human"\n'


@pytest.fixture(scope="module")
def run() -> audit.Run:
    """Faces of 9 % of asian speakers' English clips are missing because they are white; 15 % are."""
    return missing_if_white()


def ruling(run: audit.Run, *rules: str) -> audit.release.Ruling:
    decision = audit.gate(run, policy=policy(*rules))
    return next(each for each in decision.rulings if each.id == rules[0].split('"')[1])


def test_a_rule_that_ignores_missing_faces_passes_where_the_worst_case_does_not(run: audit.Run) -> None:
    assert ruling(run, WHITE).outcome == "pass"
    strict = ruling(run, WHITE + WORST)
    assert strict.outcome == "inconclusive"
    found = (
        audit.measure(run).tables["sensitivity"].frame.set_index(["check", "doubt"]).loc[("S2F001", "missing_faces")]
    )
    enough, missing = found["n_to_change"], found["n_available"]
    # margin and confidence of the rule are those of the audit, so the tipping point is that of the report
    assert f"{missing} faces are missing: if {enough} of them were read as white" in strict.sentence
    assert enough < missing / 2


def test_an_alpha_of_its_own_has_its_own_tipping_point(run: audit.Run) -> None:
    lenient, strict = (ruling(run, WHITE + WORST + f"alpha = {alpha}\n").sentence for alpha in (0.1, 0.005))
    assert _enough(strict) < _enough(lenient)


def _enough(sentence: str) -> int:
    return int(sentence.split("if ")[1].partition(" of them")[0])


def test_a_worst_case_within_the_limit_passes() -> None:
    truth = {"groups": ["asian", "white"], "speakers_per_group": 200, "clips_per_language": 2, "missing": 0.01}
    run = audit.simulate(truth)
    for rule in (WHITE, ERASED):
        found = ruling(run, rule + WORST)
        assert found.outcome == "pass"
        assert "missing faces were read" in found.sentence
    whole = audit.simulate(truth | {"missing": 0.0})
    assert "no face is missing" in ruling(whole, WHITE + WORST).sentence


def test_a_check_without_a_worst_case_passes_nothing() -> None:
    """S2F006 is about the missing faces themselves."""
    rule = '[[rule]]\nid = "failures"\ncheck = "S2F006"\nlimit = 0.2\n'
    run = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 100, "missing": 0.05})
    assert ruling(run, rule).outcome == "pass"
    strict = ruling(run, rule + WORST)
    assert strict.outcome == "inconclusive" and "has no worst case of missing faces" in strict.sentence


def test_an_audit_without_its_clips_has_no_worst_case() -> None:
    decision = audit.gate(made(white(-0.05, 0.05)), policy=policy(WHITE + WORST))
    assert decision.exit_code == 11
    assert "needs the run" in decision.rulings[-1].sentence


def test_the_worst_case_does_not_soften_a_breach() -> None:
    truth = {
        "groups": ["asian", "white"],
        "speakers_per_group": 60,
        "missing": 0.1,
        "rendered": {"asian": {"en": {"white": 0.6}}},
    }
    run = audit.simulate(truth)
    assert ruling(run, WHITE + WORST) == ruling(run, WHITE)
    assert ruling(run, WHITE).outcome == "breach"


def test_what_the_keys_do_not_fit_is_refused() -> None:
    relative = '[[rule]]\nid = "w"\ncheck = "S2F001"\nkind = "non_inferiority"\nmargin = 0.1\n'
    for lines in (WORST, HUMAN):
        with pytest.raises(PlanError, match="takes neither missing nor readings"):
            policy(relative + lines)
    with pytest.raises(PlanError, match="use one rule for each"):
        policy(WHITE + WORST + HUMAN)
    with pytest.raises(PlanError, match="worst_case"):
        policy(WHITE + 'missing = "worst"\n')


def test_without_readings_a_rule_about_people_is_inconclusive(run: audit.Run) -> None:
    found = ruling(run, WHITE + HUMAN)
    assert found.outcome == "inconclusive"
    assert "no version of excess_over_portrait with human readings" in found.sentence
    assert "audit sheet RUN" in found.sentence and "--human-readings FILE" in found.sentence


@pytest.fixture(scope="module")
def misread(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run in which rendered white faces are read as asian in 60 %, and a file in which people read all of them.

    15 % of the faces are white, so people's excess is .15; the instrument's is .06.
    """
    folder = tmp_path_factory.mktemp("misread")
    truth = {
        "groups": ["asian", "white"],
        "speakers_per_group": 300,
        "clips_per_language": 2,
        "rendered": {"asian": {"en": {"white": 0.06}}},
    }
    run = audit.simulate(truth, out=folder / "run")
    audit.measure(run).write(folder / "run")
    frame = run.observations
    asian = frame[frame["group"] == "asian"]
    hidden = asian.index[(asian["rendered_race"] == "asian")][::10]  # 9 % of the faces
    reads = frame["rendered_race"].astype(object)
    reads[hidden] = "white"
    with (folder / "people.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["clip_id", "reader", "race"])
        writer.writerows((clip, "ann", read) for clip, read in zip(frame["clip_id"], reads, strict=True))
    return folder / "run", folder / "people.csv"


def test_people_find_what_the_instrument_misreads_in_rendered_faces(misread: tuple[Path, Path]) -> None:
    run, people = misread
    chosen = [policy(WHITE), policy(WHITE + HUMAN)]
    by_instrument, by_people = (audit.gate(run, policy=each, human_readings=people).rulings[-1] for each in chosen)
    assert by_instrument.outcome == "pass"
    assert by_people.outcome == "breach"
    assert by_people.estimate is not None
    assert by_people.estimate.value == pytest.approx(0.15, abs=0.02)
    assert by_people.estimate.name == "excess_over_portrait_prediction_powered"
    # the instrument's ruling is the same with and without the file
    assert by_instrument == audit.gate(run, policy=policy(WHITE)).rulings[-1]


def test_a_rule_about_people_passes_within_its_limit(misread: tuple[Path, Path]) -> None:
    run, people = misread
    rule = WHITE.replace("limit = 0.1", "limit = 0.25") + HUMAN
    assert audit.gate(run, policy=policy(rule), human_readings=people).rulings[-1].outcome == "pass"


def test_a_rate_has_a_version_with_people_too(misread: tuple[Path, Path]) -> None:
    run, people = misread
    rule = WHITE.replace("excess_over_portrait", "rendered") + HUMAN
    found = audit.gate(run, policy=policy(rule), human_readings=people).rulings[-1]
    assert found.estimate is not None and found.estimate.name == "rendered_prediction_powered"
    assert found.outcome == "breach"


def test_readings_need_the_run_of_an_audit(misread: tuple[Path, Path]) -> None:
    with pytest.raises(audit.RunError, match="does not know its run"):
        audit.gate(made(white(0.0, 0.05)), policy=Policy.default(), human_readings=misread[1])


def test_small_cells_hide_the_tipping_point(run: audit.Run, tmp_path: Path) -> None:
    """Suppression replaces the sentence, and keeps the outcome."""
    truth = {"groups": ["asian", "white"], "speakers_per_group": 30, "missing": 0.3}
    folder = tmp_path / "run"
    few = audit.simulate(truth, out=folder)
    audit.measure(few, settings=audit.core.plan.MeasureSettings(suppress_below=40)).write(folder)
    rule = WHITE.replace("limit = 0.1", "limit = 0.3") + WORST
    found = audit.gate(replace(few, folder=folder), policy=policy(rule)).rulings[-1]
    assert found.outcome == "inconclusive"
    assert "faces are missing" not in found.sentence + "".join(each.reason for each in found.held)
