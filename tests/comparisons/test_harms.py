"""The summary of a comparison: every harm is in it, every change has one p, and no small group is revealed."""

from __future__ import annotations

from dataclasses import replace

import pytest

import audit
from audit.checks import shipped
from audit.comparisons.changes import Change, Word
from audit.comparisons.harms import HarmChange, tally
from audit.core.plan import MeasureSettings
from audit.core.sentences import p_words
from audit.stats import benjamini_hochberg
from tests.comparisons.conftest import TRUTH


def test_every_check_is_in_the_summary_and_a_harm_is_never_set_off_against_another(
    compared: audit.Comparison,
) -> None:
    """S2F003 gets better for one group only, so that its worst change is undecided."""
    headlines = [change for change in compared.checks if change.headline]
    assert [harm.figure for harm in compared.harms] == [change.figure for change in headlines]
    assert len(headlines) > 4
    for harm in compared.harms:
        assert harm.sentence(compared.confidence) in compared.sentences
        assert {change.group for change in harm.groups} == {
            change.group for change in compared.checks if change.figure == harm.figure
        }
    erased = next(harm for harm in compared.harms if harm.figure == "S2F003")
    assert erased.headline.word == "inconclusive" and erased.outcome == "smaller"
    assert [change.group for change in erased.named("gains")] == ["asian"]
    (absent,) = (sentence for sentence in compared.sentences if sentence.startswith("Not compared"))
    assert all(check.code in absent for check in compared.not_compared)
    answered = {change.figure for change in compared.checks}
    assert answered.isdisjoint(check.code for check in compared.not_compared)
    assert {*answered, *(check.code for check in compared.not_compared)} == {check.code for check in shipped()}

    def change(group: str, word: Word) -> Change:
        return replace(erased.groups[0], group=group, word=word)

    outcomes = {
        ("gains", "inconclusive"): "smaller",
        ("pays", "no_difference"): "larger",
        ("pays", "gains"): "mixed",
        ("no_difference", "no_difference"): "no_difference",
        ("no_difference", "inconclusive"): "inconclusive",
    }
    for words, outcome in outcomes.items():
        groups = tuple(change(group, word) for group, word in zip(("asian", "white"), words, strict=True))  # type: ignore[arg-type]  # words
        assert HarmChange(erased.headline, groups).outcome == outcome
    found = [replace(erased, groups=(change("asian", word),)) for word in ("gains", "gains", "inconclusive", "pays")]
    assert tally(found) == "B against A: one of four harms grew, two became smaller and one is undecided."


def test_a_change_has_one_p_wherever_it_is_printed_and_it_agrees_with_its_interval(
    compared: audit.Comparison,
) -> None:
    printed: dict[tuple[str, ...], set[float | None]] = {}
    for change in (*compared.checks, *compared.metrics):
        if change.change.interval is not None:
            place = change.candidate, change.figure, change.grouping, change.group, change.language
            printed.setdefault(place, set()).add(change.p_adjusted)
            assert change.p_value is not None and change.p_adjusted is not None
            assert change.p_value <= change.p_adjusted
            low, high = change.change.interval
            if low > 0 or high < 0:
                assert change.p_value <= 0.05 + 1e-9, "an adjusted interval excludes zero, so the change's own does too"
    assert {len(found) for found in printed.values()} == {1}
    family = benjamini_hochberg(
        [
            change.p_value
            for change in (*(c for c in compared.checks if not c.headline), *compared.metrics)
            if change.p_value is not None
        ]
    )
    adjusted = [found for each in printed.values() for found in each if found is not None]
    assert sorted(family) == pytest.approx(sorted(adjusted))
    asian = next(change for change in compared.metrics if (change.figure, change.group) == ("read_own_group", "asian"))
    assert f"asian gains ({asian.change.text}, {p_words(asian.p_adjusted)})" in " ".join(compared.sentences)
    csv = compared.tables["checks"].frame
    assert csv["p_adjusted"].tolist() == [change.p_adjusted for change in compared.checks]


def test_what_would_decide_an_undecided_harm_is_about_its_headline(compared: audit.Comparison) -> None:
    undecided = [harm for harm in compared.harms if harm.outcome == "inconclusive"]
    assert undecided
    for harm in undecided:
        assert harm.would_change.startswith(f"What would decide it, for {harm.headline.group} speakers: ")
        assert harm.headline.change.text in harm.would_change
    assert {harm.would_change for harm in compared.harms if harm.outcome != "inconclusive"} == {""}


def test_a_small_group_is_in_no_figure_sentence_or_worst_change() -> None:
    """With 24 white speakers suppressed, so is the worst change of the checks, whose interval has an end of theirs."""
    truth = TRUTH | {"speakers_per_group": 24}
    runs = audit.simulate(truth, 3), audit.simulate(truth | {"rendered": {"white": {"en": {"black": 0.6}}}}, 3)
    few = [run.observations[~run.observations["speaker_id"].isin([f"white-{i:02}" for i in range(20)])] for run in runs]
    small_runs = [replace(run, held=seen.reset_index(drop=True)) for run, seen in zip(runs, few, strict=True)]
    made = audit.compare(*small_runs, settings=MeasureSettings(suppress_below=5))
    hidden = [change for change in (*made.checks, *made.metrics) if change.group == "white"]
    assert hidden
    for change in hidden:
        assert change.change.value is None and change.change.method.startswith("suppressed")
        assert (change.p_value, change.p_adjusted, change.change.n_speakers) == (None, None, 0)
    for change in (change for change in made.checks if change.headline and change.worst_of_groups):
        assert change.change.method.startswith("suppressed") or change.change.interval is not None
    assert not [sentence for sentence in made.sentences if "white (" in sentence or "and white" in sentence]
    assert any("the figures of one group are suppressed" in sentence for sentence in made.sentences)
    assert "white: not estimable" not in made.to_json()
