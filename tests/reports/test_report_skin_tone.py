"""S2F001 next to S2F008 in the report: what skin tone says about reads as white, from hand-made findings."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from audit.audits.audit import Audit
from audit.audits.table import Table
from audit.checks.figure import Figure
from audit.checks.finding import Finding
from audit.reports import write_report
from audit.reports.report.skin_tone import SkinToneView, skin_tone
from tests.report_fixture import fictional_audit

READS_SKIN_TONE = {"name": "embedded", "attributes_read": ["race", "gender", "age", "skin_tone"]}
MORE, AS_BEFORE, UNCLEAR = (0.3, 0.2, 0.4), (0.0, -0.05, 0.05), (0.1, 0.0, 0.2)
LIGHTER, DARKER, SAME, WIDE = (12.0, 8.0, 16.0), (-12.0, -16.0, -8.0), (0.0, -3.0, 3.0), (4.0, 0.0, 8.0)
Ends = tuple[float | None, float | None, float | None]


def figure(ends: Ends, **known: Any) -> Figure:
    return Figure(*ends, 32, 64, 0, "made up" if ends[0] is not None else "suppressed", kind="difference", **known)


def shift(group: str, ends: Ends, language: str = "all") -> Figure:
    judged = {"margin": 5.0, "harm": "high", "two_sided": True} if language == "all" else {}
    label = "skin tone (ITA) rendered minus ceiling"
    return figure(ends, name="shift", unit="degrees", group=group, language=language, label=label, **judged)


def tone_finding(shifts: dict[str, Ends], english: str = "en", **changed: Any) -> Finding:
    """S2F008 with the same shift of each group in English and in all languages."""
    estimates = {group: shift(group, ends) for group, ends in shifts.items()}
    estimates |= {f"{group}.language.{english}": shift(group, ends, english) for group, ends in shifts.items()}
    head, outcomes = next(iter(estimates.values())), dict.fromkeys(shifts, "inconclusive")
    made = Finding("S2F008", "Skin", "inconclusive", "asian", head, estimates, 5.0, by_group=outcomes)  # type: ignore[arg-type]  # texts that are outcomes
    return dataclasses.replace(made, **changed)


def audit_with(tone: Finding | None, white: dict[str, Ends] | None = None, **run: Any) -> Audit:
    """The fictional audit with a finding of S2F008, and these changes of reads as white in English by group.

    That of asian speakers is the headline of S2F001, as in the fixture.
    """
    made = fictional_audit(**{"instrument": READS_SKIN_TONE} | run)
    rows = [
        {"group": group, "read": "white", "language": "en", "value": ends[0], "low": ends[1], "high": ends[2]}
        | {"n_speakers": 32, "n_clips": 64, "n_missing": 0, "method": "made up"}
        for group, ends in (white or {}).items()
    ]
    tables = dict(made.tables) | {"rendered_as": Table("Rendered as", "", pd.DataFrame(rows))}
    return dataclasses.replace(made, findings=(*made.findings, *([tone] if tone else [])), tables=tables)


def view(shifts: dict[str, Ends], white: dict[str, Ends]) -> SkinToneView:
    return skin_tone(audit_with(tone_finding(shifts), white))


def test_skin_tone_can_neither_confirm_nor_refute_for_a_group_that_it_does_not_separate() -> None:
    (sentence,) = view({"asian": LIGHTER}, {}).sentences
    assert sentence == (
        "For asian speakers, S2F008 can neither confirm nor refute S2F001, because skin tone hardly separates "
        "photographs of asian and white people (AUC 0.57, below 0.65)."
    )


def test_lighter_skin_supports_reads_as_white() -> None:
    (sentence,) = view({"black": LIGHTER}, {"black": MORE}).sentences
    assert sentence == (
        "For black speakers, S2F008 supports the reads as white: in English, the faces are read as white more often, "
        "and their skin is lighter by more than 5.0 degrees (+12.0 degrees [+8.0, +16.0]; AUC 0.77)."
    )


@pytest.mark.parametrize(
    ("white", "tone", "words"),
    [
        (MORE, SAME, "contradicts the reads as white: in English, the faces are read as white more often, but their"),
        (MORE, DARKER, "but their skin is not lighter by more than 5.0 degrees (−12.0 degrees"),
        (AS_BEFORE, LIGHTER, "contradicts the reads as white: in English, the faces are read as white about as often"),
        (AS_BEFORE, SAME, "supports the reads as white: in English, the faces are read as white about as often"),
        (AS_BEFORE, DARKER, "and their skin is not lighter by more than 5.0 degrees"),
        (MORE, WIDE, "neither confirm nor refute the reads as white, because the interval of the shift in English"),
        (UNCLEAR, LIGHTER, "because whether the faces are read as white more often is itself inconclusive"),
        (MORE, (None, None, None), "because the shift in English could not be estimated"),
        ((None, None, None), LIGHTER, "because whether the faces are read as white more often is itself not evaluable"),
    ],
)
def test_the_sentence_follows_from_both_intervals(white: Ends, tone: Ends, words: str) -> None:
    (sentence,) = view({"black": tone}, {"black": white}).sentences
    assert words in sentence


def test_a_group_of_several_races_is_as_separable_as_the_least_of_them() -> None:
    (sentence,) = view({"asian|indian": LIGHTER}, {"asian|indian": MORE}).sentences
    assert "neither confirm nor refute" in sentence and "AUC 0.57" in sentence


def test_groups_that_include_white_are_left_out() -> None:
    rows = view({"black": LIGHTER, "white": LIGHTER, "asian|white": SAME}, {"black": MORE}).table.rows
    assert [row[0].text for row in rows] == ["black"]


def test_the_table_has_both_figures_with_interval_and_outcome() -> None:
    asian, black = view({"asian": SAME, "black": LIGHTER}, {"black": MORE}).table.rows
    assert [(cell.text, cell.lines[:1]) for cell in asian] == [
        ("asian", ()),
        ("+71 points", ("[+57, +85]",)),
        ("shown", ()),
        ("0.0 degrees", ("[−3.0, +3.0]",)),
        ("0.0 degrees", ("[−3.0, +3.0]",)),
        ("inconclusive", ()),
        ("0.57", ()),
    ]
    assert [(cell.text, cell.lines[:1]) for cell in black[1:3]] == [
        ("+30 points", ("[+20, +40]",)),
        ("shown", ("exploratory",)),
    ]


def test_a_variety_of_english_is_english_and_several_are_not_mixed() -> None:
    one = tone_finding({"black": LIGHTER}, "en-GB")
    assert "supports" in skin_tone(audit_with(one, {"black": MORE})).sentences[0]
    both = dataclasses.replace(one, estimates={**one.estimates, "x": shift("black", LIGHTER, "en-US")})
    assert "could not be estimated" in skin_tone(audit_with(both, {"black": MORE})).sentences[0]


def test_a_run_without_skin_tone_says_so() -> None:
    unread = tone_finding(
        {"black": LIGHTER}, outcome="not_evaluable", estimate=None, estimates={}, would_change="Read it again."
    )
    found = skin_tone(audit_with(unread, instrument={"name": "embedded"}))
    start = "Skin tone was not read in this run, so S2F008 says nothing about S2F001."
    assert found.absent == f"{start} What would change it: Read it again."
    assert skin_tone(audit_with(None)).absent == start


def test_another_reason_is_given_where_skin_tone_was_read() -> None:
    unread = tone_finding({"black": SAME}, outcome="not_evaluable", estimates={}, reason="There is no portrait.")
    assert skin_tone(audit_with(unread)).absent == "S2F008 says nothing about S2F001: There is no portrait."


def test_the_page_says_it_with_s2f001_has_its_table_in_the_appendix_and_escapes_it(tmp_path: Path) -> None:
    tone = tone_finding({"asian": SAME, "black": LIGHTER})
    named = {key: dataclasses.replace(each, label="<b>shift</b>") for key, each in tone.estimates.items()}
    page = write_report(audit_with(dataclasses.replace(tone, estimates=named), {"black": MORE}), tmp_path).read_text()
    articles = re.findall(r"<article class=\"verdict.*?</article>", page, re.DOTALL)
    (section,) = [
        article for article in articles if "For black speakers, S2F008 supports the reads as white" in article
    ]
    assert '<span class="code">S2F001</span>' in section
    assert "&lt;b&gt;shift&lt;/b&gt;" in page and "<b>shift" not in page
    appendix = page.split('<section id="check_figures"')[1].split("</section>")[0]
    tables = re.findall("<table.*?</table>", appendix, re.DOTALL)
    (table,) = [each for each in tables if "S2F001 and S2F008 next to each other" in each]
    assert table.count('<th scope="row"') >= 2 and '<th scope="colgroup"' in table
    assert re.search(r'role="group" tabindex="0" aria-label="[^"]*S2F001 and S2F008 next to each other"', appendix)


def test_the_page_of_a_run_without_skin_tone_says_so(tmp_path: Path) -> None:
    page = write_report(fictional_audit(), tmp_path).read_text()
    assert page.count("Skin tone was not read in this run") == 1
