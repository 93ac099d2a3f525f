"""Disputed group labels: the bounds of figures over the labels that annotators gave, by hand and by trying them all."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pandas as pd
import pytest

import audit
from audit.audits.measure import evidence_of
from audit.audits.tables.bounds import bounds
from audit.audits.tables.sensitivity import TABLE, sensitivity
from audit.audits.tables.spec import Source
from audit.checks.catalogue.erasure import CHECK as ERASURE
from audit.checks.catalogue.failure_gap import CHECK as FAILURE_GAP
from audit.checks.catalogue.rendered_as_white import CHECK as RENDERED_AS_WHITE
from audit.core.plan import MeasureSettings
from tests.sensitivity_fixture import without_face

TRUTH = {"groups": ["asian", "white"], "speakers_per_group": 10, "languages": ["en"]}
NAMES = [f"{group}{i}" for group in "aw" for i in range(10)]
# a1 is not disputed: the third annotator could only not tell; w1 is a tie, and unknown
VOTES = {"a0": "asian:2 white:1", "a9": "asian:2 white:1", "w0": "white:2 asian:1", "w1": "asian:1 white:1"}
DISPUTED = tuple(VOTES)


def source(votes: dict[str, str], lost: tuple[str, ...] = ()) -> Source:
    """Speakers a0 to a9 (asian) and w0 to w9 with one English clip; a0 to a4 are rendered as white."""
    run = audit.simulate(TRUTH)
    frame = run.observations.copy()
    frame["speaker_id"] = frame["speaker_id"].map(dict(zip(sorted(frame["speaker_id"]), NAMES, strict=True)))
    for stage in ("portrait", "ceiling", "rendered"):
        white = ~frame["group"].eq("asian") | (frame["speaker_id"].isin(NAMES[:5]) & (stage == "rendered"))
        frame[f"{stage}_race"] = white.map({True: "white", False: "asian"})
        frame[f"{stage}_race_white"], frame[f"{stage}_race_asian"] = white.astype(float), (~white).astype(float)
    frame["group_votes"] = [votes.get(name, "") for name in frame["speaker_id"]]
    frame.loc[frame["speaker_id"].eq("w1") & frame["group_votes"].ne(""), "group"] = "unknown"
    frame = without_face(frame, frame.index[frame["speaker_id"].isin(lost)])
    settings = MeasureSettings()
    return Source(evidence_of(replace(run, held=frame), settings), settings, {})


def test_bounds_of_the_rates_by_hand() -> None:
    rows = pd.DataFrame(bounds(source(VOTES | {"a1": "asian:2 unknown:1"})), dtype=object)
    rows = rows[(rows[3] == "disputed labels") & (rows[2] == "all")].set_index([0, 1])
    # certain: a1 to a8, of whom 4 are read as white; disputed: a0, w0, w1 (white) and a9 (asian)
    assert rows.loc[("read_white", "asian"), [4, 5, 11]].tolist() == [pytest.approx(4 / 9), pytest.approx(7 / 11), 4]
    assert "1 of 4 speakers of disputed label added" in rows.loc[("read_white", "asian"), 12]
    # certain: w2 to w9, all read as white; of the disputed ones a9 is not
    assert rows.loc[("read_own_group", "white"), [4, 5, 11]].tolist() == [pytest.approx(8 / 9), 1, 4]


@pytest.mark.parametrize("check", [RENDERED_AS_WHITE, FAILURE_GAP, ERASURE], ids=lambda check: check.code)
def test_judged_figures_are_bounded_by_all_choices(check: audit.checks.Check) -> None:
    evidence = source(VOTES, lost=("a8", "w0", "w5") if check is FAILURE_GAP else ()).evidence
    for each in check.sensitivity(evidence):
        speaker, values = each.evidence.frame["speaker_id"].astype(str), []
        for chosen in product([False, True], repeat=len(DISPUTED)):
            inside = dict(zip(DISPUTED, chosen, strict=True))
            members = [inside.get(name, name[0] == each.figure.group[0]) for name in speaker]
            values.append(each.judge(each.evidence, pd.Series(members).to_numpy(bool)).value)
        (n, low), (_, high) = each.worst(False), each.worst(True)
        assert (n, low.value, high.value) == (4, pytest.approx(min(values)), pytest.approx(max(values)))
        assert low.value <= each.figure.value <= high.value


def test_the_table_says_what_the_disputed_labels_could_change() -> None:
    """The excess of a0 to a4 is 1, of all others 0: at least 4 of 11."""
    table = TABLE.of(sensitivity(source(VOTES))).frame.set_index(["check", "doubt", "direction"])
    row = table.loc[("S2F001", "disputed_labels", "lower")]
    assert (row["n_available"], row["if_all"], row["would_be"]) == (4, pytest.approx(4 / 11), "another")
    start = "Whichever annotators are right about the 4 disputed group labels of asian speakers, the figure is at least"
    assert row["sentence"].startswith(f"{start} +36 points")


def test_a_label_of_several_groups_is_in_the_figure_either_way() -> None:
    """S2F001 is about labels that allow asian and not white: asian and asian|indian do not differ."""
    table = TABLE.of(sensitivity(source({"a0": "asian:1 asian|indian:1"}))).frame.set_index(["check", "doubt"])
    row = table.loc[("S2F001", "disputed_labels")].iloc[0]
    assert (row["n_available"], row["sentence"]) == (0, "No group label of asian speakers is disputed by annotators.")


def test_without_votes_nothing_is_said_of_them() -> None:
    tables = audit.measure(audit.simulate(TRUTH)).tables
    assert "disputed_labels" not in set(tables["sensitivity"].frame["doubt"])
    assert "disputed labels" not in set(tables["bounds"].frame["not_known"])
