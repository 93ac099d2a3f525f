"""S2F010: groups that are no race labels, rendered as some race more often than their portraits are read so."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

import audit
from audit.audits.measure import evidence_of
from audit.checks.catalogue.rendered_as_other import CHECK
from audit.checks.finding import Finding
from audit.comparisons.compare import paired_changes
from audit.core.grouping import Grouping
from audit.core.plan import MeasureSettings
from audit.core.vocabulary import RACES
from audit.release import Policy
from audit.runs.simulation import reference_run
from audit.stats.verdict import Outcome
from tests.release_fixture import ALLOW

WELSH = {"white": 1.0}
TRUTH: dict[str, Any] = {
    "groups": ["scottish", "welsh"],
    "speakers_per_group": 80,
    "portrait": {"scottish": WELSH, "welsh": WELSH},
    "ceiling": {"scottish": {"en": WELSH}, "welsh": {"en": WELSH}},
    "rendered": {"scottish": {"en": WELSH}, "welsh": {"en": WELSH}},
}
BLACK = {"scottish": {"en": {"white": 0.6, "black": 0.4}}, "welsh": {"en": WELSH}}
BY_ACCENT = MeasureSettings(group_by=("accent",))
POLICY = f'schema = 1\nname = "p"\n{ALLOW}[[rule]]\nid = "it"\ncheck = "S2F010"\nlimit = 0.1\n'


@cache
def fair() -> audit.Run:
    return audit.simulate(TRUTH)


@cache
def planted() -> audit.Run:
    """40 % of Scottish speakers' faces are read as black; all portraits as white."""
    return audit.simulate(TRUTH | {"rendered": BLACK})


def of(run: audit.Run) -> Finding:
    return audit.measure(run, with_tables=False).finding("S2F010")


@cache
def finding() -> Finding:
    """That of the planted run."""
    return of(planted())


def with_accents(run: audit.Run) -> audit.Run:
    """The run with race labels: half of the speakers of every group have another accent."""
    seen = run.observations
    number = seen["speaker_id"].astype("category").cat.codes
    seen = seen.assign(accent=np.where(number % 2 == 0, "scottish", "welsh"))
    return audit.Run(seen, run.manifest, None)


def test_a_planted_excess_is_shown_for_its_group_and_read() -> None:
    found = finding()
    assert (found.outcome, found.group) == ("shown", "scottish")
    assert found.by_group == {"scottish": "shown", "welsh": "not_shown"}
    seen = planted().observations
    share = (seen["rendered_race"] == "black")[seen["group"] == "scottish"].mean()
    assert found.estimate is not None and found.estimate.value == pytest.approx(share)
    assert found.estimate.label == "read as black, rendered minus portrait"
    assert found.estimates["scottish.rendered"].value == pytest.approx(share)
    assert found.estimates["scottish.portrait"].value == 0
    assert "of scottish speakers' rendered faces are read as black by" in found.sentence


def test_every_read_is_reported() -> None:
    excesses = {race: finding().estimates[f"scottish.excess_{race}"].value for race in RACES}
    assert excesses["white"] == pytest.approx(-excesses["black"])  # type: ignore[operator]  # both have a value
    assert max(excesses, key=lambda race: excesses[race] or 0) == "black"
    assert sum(value for value in excesses.values() if value is not None) == pytest.approx(0)


def test_the_interval_is_adjusted_for_groups_and_reads() -> None:
    found = finding()
    evidence = evidence_of(planted(), MeasureSettings())
    mask = evidence.where(group="scottish")
    alone = evidence.changed("read_black", "portrait", "rendered", mask).curve()
    wide, own = alone.at(1 - 0.05 / (2 * len(RACES))), alone.at(0.95)
    assert found.estimate is not None and found.estimate.low == pytest.approx(wide.low)
    assert found.estimate.alone_low == pytest.approx(own.low)


def test_without_an_excess_it_is_not_shown() -> None:
    assert of(fair()).outcome == "not_shown"


def test_missing_portraits_leave_the_ceiling_and_neither_is_not_evaluable() -> None:
    stages = {f"portrait_{name}": None for name in ("race", *(f"race_{race}" for race in RACES))}
    seen = planted().observations.assign(portrait_status="missing", **stages)
    found = of(audit.Run(seen, planted().manifest, None))
    assert found.outcome == "shown" and "when the decoder is given the true face" in found.sentence
    seen = seen.assign(ceiling_status="missing", **{name.replace("portrait", "ceiling"): None for name in stages})
    assert of(audit.Run(seen, planted().manifest, None)).outcome == "not_evaluable"


def test_race_labels_are_left_to_other_checks() -> None:
    run = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 12})
    assert "S2F010" not in {each.code for each in audit.measure(run, with_tables=False).findings}
    mixed = TRUTH | {"groups": ["asian", "scottish", "welsh"]}
    assert set(of(audit.simulate(mixed)).by_group) == {"scottish", "welsh"}


@pytest.mark.parametrize(
    ("model", "allowed"),
    [
        ("perfect", {"not_shown"}),
        ("constant", {"shown"}),
        ("shuffled", {"not_shown", "inconclusive"}),
        ("biased", {"not_shown", "inconclusive"}),
    ],
)
def test_reference_models_by_accent(model: Any, allowed: set[Outcome]) -> None:
    """Of `biased`, 60 % of a quarter of the speakers' English clips are read as white: 7.5 points of all clips."""
    result = audit.measure(with_accents(reference_run(model, 100)), settings=BY_ACCENT, with_tables=False)
    assert result.finding("S2F010", "accent").outcome in allowed
    few = audit.measure(with_accents(reference_run(model, 4)), settings=BY_ACCENT, with_tables=False)
    outcome = few.finding("S2F010", "accent").outcome
    assert outcome != ("not_shown" if model == "constant" else "shown")


def test_a_group_that_cannot_be_measured_is_no_pass() -> None:
    seen = fair().observations
    few = seen[(seen["group"] == "scottish") | seen["speaker_id"].isin(["welsh-00", "welsh-01"])]
    found = of(audit.Run(few.reset_index(drop=True), fair().manifest, None))
    assert found.outcome == "inconclusive" and found.by_group["welsh"] == "not_evaluable"


def test_a_rule_is_about_every_read() -> None:
    assert audit.gate(planted(), policy=Policy.parse(POLICY)).exit_code == 10
    assert audit.gate(fair(), policy=Policy.parse(POLICY)).exit_code == 0
    of_one = POLICY + 'figure = "excess_{}"\ngroups = "all"\nside = "at_most"\n'
    assert audit.gate(planted(), policy=Policy.parse(of_one.format("black"))).exit_code == 10
    assert audit.gate(planted(), policy=Policy.parse(of_one.format("asian"))).exit_code == 0


def test_a_rule_for_race_labels_is_never_a_pass() -> None:
    run = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 80})
    assert audit.gate(run, policy=Policy.parse(POLICY)).exit_code == 11


def test_the_worst_change_of_any_read_is_compared() -> None:
    changes = paired_changes(fair(), planted(), MeasureSettings())
    black = finding().estimates["scottish.excess_black"].value
    assert changes["S2F010.scottish"].at(0.95).value == changes["S2F010"].at(0.95).value == black
    assert changes["S2F010.welsh"].at(0.95).value == 0
    found = audit.compare(fair(), planted())
    words = {change.group: change.word for change in found.checks if change.figure == "S2F010"}
    assert words == {"scottish": "pays", "welsh": "no_difference"}


def test_the_worst_cell_where_groups_meet() -> None:
    cell = finding().worst_cell
    assert cell is not None and cell.figure.cell["group"] == "scottish" and cell.n_cells == 4
    assert cell.figure.grouping == Grouping(("group", "gender"))


def test_power_is_adjusted_for_the_reads() -> None:
    table = audit.measure(planted()).tables["power"].frame
    rows = table[table["check"] == "S2F010"]
    assert rows["group"].tolist() == ["scottish", "welsh"] and (rows["margin"] == CHECK.judged[0].margin).all()
    labelled = audit.measure(audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 12}))
    assert "S2F010" not in set(labelled.tables["power"].frame["check"])
