"""Pins, allowed evidence, waivers and the clock of a policy; the facts of a run that they read."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import audit
from audit.cli import app
from audit.core.plan import Plan
from audit.release import Decision, Policy, decide
from audit.release.evidence import KINDS
from audit.release.facts import RunFacts, n_sharing, unknown_shares
from audit.release.pinning import facts_of, pinned_policy
from audit.release.pins import Pins, pins_toml
from audit.release.writers import Writers
from audit.reports.decision import junit_xml, sarif_json, summary_markdown
from audit.runs.journal import JOURNAL, Entry, Journal, Writer
from benchmarks.attacks import changed, honest
from tests.release_fixture import EVIDENCE, RULE, TODAY, decided, made, policy, waiver, white

HEAD = 'schema = 1\nname = "p"\n'


def rulings(run: audit.Run, *parts: str) -> dict[str, str]:
    """The outcomes of the rulings on evidence, by id."""
    terms = Policy.parse(HEAD + "\n".join([RULE, *parts])).terms
    return {ruling.id: ruling.outcome for ruling in terms.evidence.rulings(facts_of(run), terms.pins)}


# Pins


def test_the_pins_of_a_run_hold_for_it_and_each_names_what_differs() -> None:
    facts = facts_of(honest())
    pins = Policy.parse(HEAD + RULE + pins_toml(facts)).terms.pins
    assert pins.unchecked(facts) == ("max_age_days",)
    today = dt.date(2026, 6, 15)
    assert {ruling.outcome for ruling in pins.rulings(facts, today)} == {"pass"}
    other = "1" * 64
    differences = {
        "weights_sha256": None,
        "seed": 7,
        "estimand": "clip",
        "code_version": "2",
        "code_commit": "fed",
        "plan_sha256": other,
    } | dict.fromkeys(("model_code_sha256", "cohort_digest", "content_sha256", "instrument_code_sha256"), other)
    for name, value in differences.items():
        unmet = [r for r in pins.rulings(replace(facts, **{name: value}), today) if r.outcome != "pass"]  # type: ignore[arg-type]
        assert [ruling.id for ruling in unmet] == [f"pins.{name}"] and unmet[0].outcome == "incomplete"
        assert str(getattr(pins, name)) in unmet[0].sentence and (str(value) in unmet[0].sentence or value is None)


def test_a_fact_that_the_run_does_not_record_is_no_match() -> None:
    pins = Pins(content_sha256="0" * 64, clean=True, max_age_days=30, baseline="0" * 64, recheck=0.02)
    facts = RunFacts.of(made(white(0, 0.05)))
    bare = replace(facts, code_dirty=None)
    found = {ruling.id: ruling for ruling in pins.rulings(bare, TODAY)}
    assert {ruling.outcome for ruling in found.values()} == {"incomplete"} and len(found) == 5
    assert "none was given" in found["pins.baseline"].sentence
    assert "does not record it" in found["pins.content_sha256"].sentence


@pytest.mark.parametrize(("days", "outcome"), [(13, "incomplete"), (14, "pass")])
def test_a_run_may_be_as_old_as_pinned(days: int, outcome: str) -> None:
    facts = facts_of(honest())  # completed on 1 June
    (ruling,) = Pins(max_age_days=days).rulings(facts, dt.date(2026, 6, 15))
    assert ruling.outcome == outcome and "14 days" in ruling.sentence


def test_a_policy_says_what_it_does_not_check(tmp_path: Path) -> None:
    decision = decided(policy(), made(white(0, 0.05)))
    assert decision.exit_code == 0 and "weights_sha256" in decision.not_checked
    (ruling,) = (ruling for ruling in decision.rulings if ruling.id == "evidence.unpinned")
    assert ruling.outcome == "pass" and "the model's weights" in ruling.sentence
    assert "The policy does not pin: the model's weights" in summary_markdown(decision)
    assert json.loads(decision.to_json())["not_checked"] == [*decision.not_checked]
    assert "not_checked" in sarif_json(decision) and "not_checked" in junit_xml(decision)
    decision.write(tmp_path)
    assert Decision.read(tmp_path).not_checked == decision.not_checked


def test_without_pins_nothing_passes_unless_it_is_allowed() -> None:
    assert decided(Policy.parse(HEAD + RULE), made(white(0, 0.05))).exit_code == 13
    assert Policy.default().terms.evidence.allow == ("unpinned",)


def test_pins_are_written_into_a_new_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    audit.simulate({"groups": ["asian"], "speakers_per_group": 4}, out="run")
    printed = CliRunner().invoke(app, ["gate", "--pin", "run"])
    assert printed.exit_code == 0 and printed.stdout.startswith('[pins]\nweights_sha256 = "none"\n')
    pins = "[pins]\nmax_age_days = 9\nseed = 5\n"
    Path("p.toml").write_text(HEAD + pins + RULE + EVIDENCE)
    for code in (0, 2):  # the second time the file exists
        done = CliRunner().invoke(app, ["gate", "run", "--pin", "--policy", "p.toml", "-o", "new.toml"])
        assert (done.exit_code or 0) == code or isinstance(done.exception, audit.AuditError)
    found = Policy.read("new.toml").terms
    assert (found.pins.max_age_days, found.pins.seed, found.pins.estimand) == (9, 0, "speaker")
    assert found.rule == Policy.read("p.toml").terms.rule


def test_the_pins_of_a_run_that_is_not_complete_are_refused() -> None:
    with pytest.raises(audit.RunError, match="is not complete"):
        facts_of(changed(status="running"))
    inline = Policy.parse(HEAD + "pins.seed = 1\n" + RULE)
    with pytest.raises(audit.PlanError, match="cannot be replaced"):
        pinned_policy(inline, facts_of(honest()))


# Evidence


def test_every_kind_of_evidence_can_be_allowed_by_name() -> None:
    allowed = Policy.parse(HEAD + RULE + f"[evidence]\nallow = {[*KINDS]}\n")
    assert allowed.terms.evidence.allow == KINDS
    with pytest.raises(audit.PlanError, match="evidence.allow.0 is 'simulation'"):
        Policy.parse(HEAD + RULE + '[evidence]\nallow = ["simulation"]\n')
    with pytest.raises(audit.PlanError, match="begins with the name of a policy section"):
        Policy.parse(HEAD + RULE.replace('"white"', '"evidence.simulated"'))


def test_shared_audio_and_portraits_block_unless_they_are_allowed() -> None:
    run = honest()
    seen = run.observations.copy()
    first, second = seen["speaker_id"].unique()[:2]
    for column in ("audio_sha256", "portrait_face"):
        seen.loc[seen["speaker_id"] == second, column] = seen.loc[seen["speaker_id"] == first, column].to_numpy()
    shared = replace(run, held=seen)
    found = rulings(shared, '[evidence]\nallow = ["unpinned", "shared_portrait"]\n')
    assert (found["evidence.shared_audio"], found["evidence.shared_portrait"]) == ("incomplete", "pass")
    assert "evidence.admitted" in rulings(run, '[evidence]\nallow = ["unpinned"]\n')


def test_only_used_audio_is_compared_and_its_digests_must_be_there() -> None:
    run = honest()
    silent = run.observations.assign(audio_sha256="a", status="audio_silent")
    assert facts_of(replace(run, held=silent)).n_shared_audio == 0
    unknown = replace(run, held=run.observations.assign(audio_sha256=None))
    assert facts_of(unknown).n_shared_audio is None
    assert rulings(unknown, '[evidence]\nallow = ["unpinned"]\n')["evidence.shared_audio"] == "incomplete"


@pytest.mark.parametrize(("most", "outcome"), [(0.4, "pass"), (0.3, "incomplete")])
def test_unknown_groups_block_beyond_the_stated_share(most: float, outcome: str) -> None:
    run = honest()  # a third of the speakers is black
    seen = run.observations.assign(group=lambda frame: frame["group"].replace("black", "unknown"))
    found = rulings(replace(run, held=seen), f'[evidence]\nallow = ["unpinned"]\nmax_unknown = {most}\n')
    assert found.get("evidence.unknown_groups", "pass") == outcome


def test_shares_of_speakers() -> None:
    seen = pd.DataFrame(
        {
            "speaker_id": ["a", "a", "b", "c"],
            "group": ["asian", None, "white", ""],
            "gender": ["man", "man", "unknown", "man"],
            "audio_sha256": ["1", "1", None, None],
        }
    )
    assert unknown_shares(seen, ["group", "group x gender", "accent"]) == {"group": 2 / 3, "group x gender": 1.0}
    assert n_sharing(seen, "audio_sha256") == 0 == n_sharing(seen, "portrait_face")


def test_an_audit_from_a_file_is_asked_for_its_run() -> None:
    read = made(white(0, 0.05))
    decision = decided(Policy.parse(HEAD + RULE + '[evidence]\nallow = ["unpinned"]\n'), read)
    assert decision.exit_code == 13
    assert "give the run, not only its audit" in next(r for r in decision.rulings if "shared" in r.id).sentence
    assert RunFacts.of(read).unknown_share == {"group": 0.0}


def test_a_baseline_of_the_same_weights_is_the_run() -> None:
    facts = facts_of(honest(), changed(seed=1))
    assert facts.baseline_is_run
    assert not facts_of(honest(), changed(model={"weights_sha256": "0" * 64})).baseline_is_run


def test_a_plan_without_a_model_stays_without_one() -> None:
    assert "name" not in Plan.parse("[run]\nseed = 1\n").to_toml().partition("[model]")[2].partition("[")[0]
    again = Plan.parse(Plan.parse('[model]\nname = "planted"\n').to_toml())
    assert again.names_model and not Plan().names_model and Plan.parse(Plan().to_toml()) == Plan()


def test_the_journal_says_who_wrote_the_parts(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).parent.mkdir()
    assert Writers.of(tmp_path, {}) == Writers("none")
    assert Writers.of(tmp_path, {"journal": "d"}).state == "changed"
    writer = Writer("m", "i", {}, "0.1.0")
    journal = Journal({writer.id: writer}, {"p": Entry("p", "1", 1, 1, "", writer.id, from_cache=3)})
    journal.write(tmp_path)
    assert Writers.of(tmp_path, {"journal": journal.digest, "parts": {"p": "1"}}) == Writers("one_writer", "m", "i", 3)
    assert Writers.of(tmp_path, {"journal": journal.digest, "parts": {"p": "2"}}).state == "changed"


# Instruments


def test_a_third_party_instrument_cannot_have_the_name_of_a_shipped_one() -> None:
    with pytest.raises(audit.ModelError, match="calls itself 'embedded'"):
        audit.instrument("benchmarks.attacks:Cheating")


# Waivers


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "applied"),
        ({"worst": "0.3"}, "applied"),  # the figure
        ({"worst": "0.29"}, "worse"),
        ({"run": f'"{"e" * 64}"'}, "other_run"),
        ({"run": None, "weights_sha256": f'"{"e" * 64}"'}, "other_run"),
        ({"granted": "2026-06-16"}, "not_yet"),
        ({"expires": "2026-06-14"}, "expired"),
    ],
)
def test_a_waiver_is_about_one_run_a_worst_figure_and_a_term(changes: dict[str, object], state: str) -> None:
    decision = decided(policy(RULE, waiver(**changes)), made(white(0.25, 0.35)))
    assert [use.state for use in decision.waivers] == [state]
    assert decision.exit_code == (0 if state == "applied" else 10)
    assert state == "applied" or "no effect" in decision.waivers[0].sentence


def test_a_waiver_may_be_about_the_weights_of_a_model() -> None:
    found = made(white(0.2, 0.4))
    of_model = replace(found, run={**found.run, "weights_sha256": "e" * 64})
    terms = policy(RULE, waiver(run=None, weights_sha256=f'"{"e" * 64}"'))
    assert decided(terms, of_model).outcome == "waived"


def test_a_figure_that_the_run_does_not_have_is_not_waived() -> None:
    assert decided(policy(RULE, waiver()), made(white(None, None))).exit_code == 11


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": '"."'}, "words with at least 2 letters"),
        ({"name": '"\u200b\u200b"'}, r"invisible character U\+200B"),
        ({"reason": '"\u3164\u3164"'}, r"invisible character U\+3164"),
        ({"reason": '"12-34"'}, "words with at least 2 letters"),
        ({"expires": "9999-12-31"}, "between 0 and 366 days later"),
        ({"expires": "2026-05-31"}, "between 0 and 366 days later"),
        ({"run": None}, "needs either run"),
        ({"weights_sha256": f'"{"e" * 64}"'}, "needs either run"),
        ({"run": '"abc"'}, "waiver.0.run is 'abc'"),
        ({"worst": None}, "the key waiver.0.worst is missing"),
        ({"worst": "true"}, "true and false are no numbers"),
    ],
)
def test_a_waiver_of_anything_by_nobody_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(audit.PlanError, match=words):
        policy(RULE, waiver(**changes))


@pytest.mark.parametrize("name", ["李明", "Ann O'Neill-Müller", "A. Person"])
def test_names_of_people_are_words(name: str) -> None:
    assert policy(RULE, waiver(name=f'"{name}"')).terms.waiver[0].name == name


@pytest.mark.parametrize("text", ["limit = true", 'limit = "0.1"', "min_speakers = true", 'alpha = "0.01"'])
def test_truth_values_and_texts_are_no_numbers(text: str) -> None:
    rule = "\n".join(line for line in RULE.splitlines() if line.partition(" ")[0] != text.partition(" ")[0])
    with pytest.raises(audit.PlanError, match="no numbers|neither a number"):
        policy(f"{rule}\n{text}\n")


# The clock


def test_a_clock_before_the_end_of_the_run_is_refused() -> None:
    found = replace(made(white(0, 0.05)), source=honest())
    code = {"version": "1", "commit": None, "dirty": None}
    assert decide(policy(), found, today=dt.date(2026, 6, 1), code=code).exit_code == 0
    with pytest.raises(audit.RunError, match="which is earlier"):
        decide(policy(), found, today=dt.date(2026, 5, 31), code=code)
