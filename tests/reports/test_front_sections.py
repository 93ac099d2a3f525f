"""The sections front matter, recommendations and standards, and the same in the model card."""

from __future__ import annotations

import dataclasses

import pytest

from audit.core.front_matter import FrontMatter
from audit.reports.report.model_card import model_card
from audit.reports.report.page import SECTIONS
from audit.reports.report.standards import STANDARDS, UNMAPPED, standards, unknown_sections, unmentioned_sections
from tests.report_fixture import fictional_audit
from tests.reports.test_report_page import Page, only, page_of

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    stated = FrontMatter(date="2026-03-01", auditor=HOSTILE, complaints="Write to us.")
    audit = dataclasses.replace(only(fictional_audit(), "metric_definitions"), front_matter=stated)
    return page_of(audit, tmp_path_factory.mktemp("run"))


def test_front_matter_follows_the_summary_and_says_what_is_not_stated(page: Page) -> None:
    assert list(SECTIONS)[:2] == ["summary", "front_matter"]
    assert "Date of the audit 2026-03-01 Auditor <script>alert(1)</script> Contact not stated" in page.text
    section = page.text.split("Date of the audit", 1)[1]  # the first page says that the contact is not stated
    assert section.count("not stated") == len(FrontMatter.model_fields) - 3


def test_recommendations_follow_the_results_and_name_the_finding(page: Page) -> None:
    assert list(SECTIONS).index("recommendations") == list(SECTIONS).index("results") + 1
    said = page.text.split("What would help with each shown finding")[1].split("Strong:")[0]
    assert "Weak evidence: no adjusted p-value" in said
    assert "Do not use rendered faces of asian speakers in English, until" in said
    assert "S2F003" not in said  # it is inconclusive


def test_the_model_card_has_both() -> None:
    audit = dataclasses.replace(fictional_audit(), front_matter=FrontMatter(contact="a|b", model_version="3.1"))
    card = model_card(audit)
    assert "- **Contact.** a\\|b\n- **Model version.** &#51;.1\n- Not stated: Date of the audit;" in card
    assert "- **S2F001, weak evidence.** Do not use rendered faces of asian speakers" in card
    assert "S2F003, " not in card.split("### Recommendations")[1]


def test_every_section_is_mapped_or_declared_as_unmapped() -> None:
    assert unknown_sections(SECTIONS) == set()
    assert unmentioned_sections(SECTIONS) == set()
    assert unmentioned_sections({**SECTIONS, "new": "New"}) == {"new"}
    assert {*SECTIONS} >= UNMAPPED


def test_the_appendix_claims_no_conformity_and_prints_no_unchecked_number(page: Page) -> None:
    assert "This is not a statement of conformity" in page.text
    views = dict(zip([each.name for each in STANDARDS], standards(SECTIONS), strict=True))
    numbers = {point.number for name, (_, points) in views.items() if "19795-10" in name for point in points}
    assert numbers == {"not checked"}
    assert page.text.count("not checked") == 1 + sum(not p.number for each in STANDARDS for p in each.points)
