"""The first page in sentences: the lead, each check in plain words, what else is significant, and six questions."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
from typing import Any

import pandas as pd
import pytest

from audit.audits.audit import Audit
from audit.audits.table import GROUP, OF_METRIC, Q_VALUE, Column, Table, estimate_columns
from audit.checks.figure import Figure
from audit.checks.finding import OUTCOMES, Finding, WorstCell
from audit.core.front_matter import FrontMatter
from audit.reports.html.verdicts import verdict_of
from audit.reports.report.also_significant import also_significant
from audit.reports.report.first_page import first_page, lead
from audit.reports.report.plain_words import NUMBERS, how_much, how_sure
from audit.reports.report.sign_off import SignOff, SignOffs
from audit.reports.report.six_questions import six_questions, what_should_happen, who_says_so
from tests.report_fixture import estimate, fictional_audit, judged


@pytest.fixture(scope="module")
def audit() -> Audit:
    return fictional_audit()


def finding(figure: Figure | None, outcome: str, **known: Any) -> Finding:
    return Finding("X1", "Some harm", outcome, figure.group if figure else "all", figure, **known)  # type: ignore[arg-type]


def test_the_numbers_of_the_lead_add_up() -> None:
    for counts in itertools.product(range(3), repeat=4):
        sentence = lead([outcome for outcome, n in zip(OUTCOMES, counts, strict=True) for _ in range(n)])
        assert sentence.endswith(".") and sentence.count(".") == 1
        said = [word for word in sentence.lower().replace(",", "").replace(":", "").split() if word in NUMBERS]
        numbers = [NUMBERS.index(word) for word in said]
        if sum(counts) > 1 and counts[0] < sum(counts):
            total = numbers.pop(0 if counts[0] == 0 else 1)
            assert total == sum(numbers) == sum(counts), sentence
        elif counts[0] > 1:
            assert numbers == [sum(counts)]
        assert ("were ruled out within their margins" in sentence) == (counts[1] > 1)
        assert ("were found" in sentence) == (counts[0] > 1), "singular and plural"


def test_a_lead_of_twenty_checks_has_its_numbers_in_digits() -> None:
    assert lead(["shown"] * 14 + ["inconclusive"] * 6).startswith("14 of 20 harms were found and six could not")


@pytest.mark.parametrize(
    ("figure", "outcome", "much", "sure"),
    [
        (
            judged(estimate(0.71, 0.14), "excess", 0.1, label="rendered minus portrait", group="asian", language="en"),
            "shown",
            "Asian speakers in English: +71 points (rendered minus portrait).",
            "The data fit +57 to +85 points, more than the 10 points that are tolerated (24 speakers).",
        ),
        (
            judged(estimate(0.02, 0.04), "gap", 0.1, group="black", two_sided=True),
            "not_shown",
            "Black speakers: +2 points (gap).",
            "The data fit −2 to +6 points, within the 10 points that are tolerated (24 speakers).",
        ),
        (
            judged(estimate(-3.0, 4.0, floor=-99), "gap", 2.0, unit="years", two_sided=True, n_smaller=8),
            "inconclusive",
            "Speakers of all groups: −3.0 years (gap).",
            "The data fit −7.0 to +1.0 years, both within and beyond the 2.0 years that are tolerated "
            "(24 speakers, 8 in the smaller group).",
        ),
        (judged(estimate(None, n=3), "gap", 0.1), "not_evaluable", "", ""),
    ],
)
def test_a_check_in_plain_words(figure: Figure, outcome: str, much: str, sure: str) -> None:
    found = finding(figure, outcome)
    assert (how_much(found), how_sure(found)) == (much, sure)


def test_of_several_groups_the_largest_is_named_and_each_stage_given() -> None:
    fall = judged(estimate(0.25), "fall", 0.1, label="fall to rendered", group="black")
    stages = {"portrait": 0.96, "ceiling": 0.9, "rendered": 0.71}
    rates = {
        f"black.{stage}": Figure.of(
            estimate(value), name=stage, unit="share", kind="rate", group="black", stage=stage, label=stage
        )
        for stage, value in stages.items()
    }
    by_group: Any = {"asian": "shown", "black": "shown"}
    found = finding(fall, "shown", estimates={"black": fall, **rates}, by_group=by_group, p_adjusted=0.0004)
    assert how_much(found) == (
        "Largest for black speakers: +25 points (fall to rendered). Portrait 96%, ceiling 90%, rendered 71%."
    )
    assert how_sure(found).endswith("(24 speakers; adjusted p < 0.001).")
    less = {key: figure for key, figure in rates.items() if key != "black.rendered"}
    assert "Portrait" not in how_much(dataclasses.replace(found, estimates={"black": fall, **less}))


def test_the_worst_intersection_is_named_with_its_figure_where_that_is_another(audit: Audit) -> None:
    head = judged(estimate(0.25), "gender", 0.1, group="black")
    cell = judged(
        estimate(9.0, 3.0), "age", 2.0, unit="years", label="age error", cell={"group": "black", "gender": "man"}
    )
    found = finding(head, "shown", worst_cell=WorstCell(cell, (), None, None, 4, 0))
    line = first_page(dataclasses.replace(audit, findings=(found,)), [verdict_of(found)]).lines[0]
    assert line.sentences[-1] == "Worst where groups meet: black men +9.0 years [+6.0, +12.0] (age error)."


def with_changes(audit: Audit, rows: list[tuple[str, str, float, float]]) -> Audit:
    """The audit with a table of changes: metric, group, value and q."""
    columns = (Column("metric", "metric"), GROUP, *estimate_columns(OF_METRIC, signed=True), Q_VALUE)
    cells = [(metric, group, value, value - 0.1, value + 0.1, 9, 18, 0, "exact", q) for metric, group, value, q in rows]
    frame = pd.DataFrame(cells, columns=[column.name for column in columns])
    return dataclasses.replace(
        audit, findings=(), tables={**audit.tables, "groups": Table("Comparison over all groups", "", frame, columns)}
    )


def test_significant_rows_of_tables_are_named_and_counted(audit: Audit) -> None:
    """The ceiling's gender gap for one group: a harm outside every headline."""
    rows = [
        ("read_asian", "asian", 0.9, 0.0001),
        ("gender_right", "asian", -0.28, 0.001),
        ("gender_right", "black", -0.2, 0.02),
        ("age_error", "black", 3.0, 0.06),
    ]
    (found,) = also_significant(with_changes(audit, rows), ["groups"])
    assert (found.title, found.place) == ("Comparison over all groups", "table-groups")
    assert found.count == "3 of 4 rows"
    assert found.named == (
        "asian: gender read as labelled −28 points [−38, −18] (q 0.001)",
        "asian: read as asian +90 points [+80, +100] (q < 0.001)",
    ), "metrics with a worse direction come first, and one row for each metric"
    (file_only,) = also_significant(with_changes(audit, rows), [])
    assert (file_only.place, file_only.file) == ("", "tables/groups.csv")
    assert also_significant(with_changes(audit, rows[3:]), ["groups"]) == ()


def test_a_shown_figure_that_is_no_headline_is_on_the_first_page(audit: Audit) -> None:
    head = judged(estimate(0.5), "gap", 0.1, group="black")
    other = judged(estimate(-0.28, 0.1), "gap_ceiling", 0.1, "low", label="gender, ceiling", group="asian")
    found = finding(head, "shown", estimates={"black": head, "asian.gap_ceiling": other})
    (also,) = also_significant(dataclasses.replace(audit, findings=(found,)), [])
    assert (also.title, also.place, also.count) == ("X1", "check-1", "1 further figure")
    assert also.named == ("asian: gender, ceiling −28 points [−38, −18]",)


def test_six_questions_are_answered(audit: Audit) -> None:
    answers = {answer.question: " ".join(answer.sentences) for answer in six_questions(audit, SignOffs())}
    assert answers["Who is harmed?"] == "Found for asian (S2F001)."
    assert "95% interval over 75 speakers" in answers["How sure is it?"]
    assert "it reads the own group in asian 92% [80, 100]" in answers["Is it the classifier?"]
    assert answers["What was not looked at?"].startswith(
        "Not decided: S2F003. Not evaluable: S2F005. What would settle each is under Results. "
        "No speakers of indian, middle eastern and latino hispanic. Languages: English, Chinese."
    )
    assert answers["Who says so?"].startswith("Auditor: not stated; contact: not stated.")
    assert "limit on its use" in answers["What should happen?"] and "not a pass" in answers["What should happen?"]


def test_without_a_shown_finding_nobody_is_named(audit: Audit) -> None:
    none = dataclasses.replace(audit, findings=audit.findings[1:])
    assert six_questions(none, SignOffs())[0].sentences == (
        "No harm was found for any group. 2 checks could not be decided, which is not a pass.",
    )


def test_of_many_checks_without_an_answer_few_are_named(audit: Audit) -> None:
    many = tuple(dataclasses.replace(audit.findings[3], code=f"X{i}") for i in range(8))
    answer = six_questions(dataclasses.replace(audit, findings=many), SignOffs())[3]
    assert answer.sentences[0].startswith("Not evaluable: X0, X1, X2, X3, X4, X5, and 2 more under Results.")


def test_who_says_so_has_the_auditor_the_tool_and_who_signed(audit: Audit) -> None:
    facts = {**audit.run, "versions": {"speech2face-audit": "0.1.0"}}
    stated = FrontMatter(auditor="Lab A")
    signed = SignOff(
        audit_sha256="0" * 64,
        name="Ada",
        role="board",
        decision="do_not_release",
        conditions="Why.",
        date=datetime.date(2026, 1, 2),
    )
    (said,) = who_says_so(dataclasses.replace(audit, run=facts, front_matter=stated), SignOffs((signed,)))
    assert said == (
        "Auditor: Lab A; contact: not stated. Measured by speech2face-audit 0.1.0, read by embedded faceres heads. "
        "Signed by Ada, board."
    )


@dataclasses.dataclass(frozen=True)
class Advice:
    code: str
    text: str
    strength: str


def test_recommendations_replace_the_general_answer(audit: Audit) -> None:
    advice = [Advice("S2F001", f"Add clips {i}.", "strong") for i in range(8)]
    said = what_should_happen(audit, advice)
    assert said[1] == "S2F001: Add clips 0. (evidence: strong)" and said[-1].endswith("(evidence: strong) And 5 more.")
    assert len(said) == 4 and "another model" not in " ".join(said)
