"""The labelling page in a real browser: filled in by click and by key, saved, loaded, and read as answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

import audit
from audit.cohorts.annotating import AnnotationSheet, annotation_sheet, read_answers
from tests.browser import chromium, opened, violations


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture
def cohort(make_cohort: Callable[..., Path]) -> audit.Cohort:
    return audit.Cohort.read(make_cohort(6))


@pytest.fixture
def sheet(cohort: audit.Cohort, tmp_path: Path) -> AnnotationSheet:
    return annotation_sheet(cohort, tmp_path / "sheet")


def opened_sheet(browser: Any, sheet: AnnotationSheet, width: int = 1200) -> Any:
    """The page; its own pictures are the only requests that it may make."""
    return opened(browser, sheet.page, width=width, beside="pictures")


def shown(page: Any) -> str:
    return str(page.evaluate("at('face').src.split('/').pop().replace('.png', '')"))


def saved(page: Any, path: Path) -> Path:
    with page.expect_download() as caught:
        page.get_by_role("button", name="Save the table").click()
    assert caught.value.suggested_filename == "answers-Ann-of-Powys.csv"
    caught.value.save_as(path)
    return path


def test_a_sheet_is_filled_in_by_keyboard_saved_and_continued(
    browser: Any, sheet: AnnotationSheet, cohort: audit.Cohort, tmp_path: Path
) -> None:
    with opened_sheet(browser, sheet, width=400) as page:
        assert page.get_by_role("button", name="asian").is_disabled(), "a name is required first"
        name, background = page.get_by_label("Your name"), page.get_by_label("Your own background")
        assert background.input_value() == "prefer not to say"
        name.fill("Ann of Powys")
        background.fill('Welsh, "50"')
        background.press("Tab")
        first = shown(page)
        page.keyboard.press("1")
        page.keyboard.press("2")  # asian and indian
        page.keyboard.press("w")  # man
        page.keyboard.press("d")  # 20 to 29
        assert page.locator("#count").inner_text() == "Picture 1 of 6; 1 done."
        page.keyboard.press("ArrowRight")
        second = shown(page)
        assert second != first
        page.get_by_role("button", name="white", exact=False).click()
        page.get_by_role("group", name="Group").get_by_role("button", name="cannot tell").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        assert page.evaluate("at('face').naturalWidth") == 16
        path = saved(page, tmp_path / "ann.csv")
        assert violations(page) == []
    found = read_answers([path], cohort).set_index("speaker_id")
    assert found.loc[sheet.speaker_of[first]].tolist() == [
        "Ann of Powys",
        "asian|indian",
        "man",
        "20_to_29",
        'Welsh, "50"',
    ]
    assert found.loc[sheet.speaker_of[second], "group"] == "cannot_tell" and len(found) == 2
    with opened_sheet(browser, sheet) as page:
        page.get_by_label("Continue from a saved table").set_input_files(path)
        expect(page.locator("#said")).to_have_text("2 pictures with answers were loaded.")
        assert page.get_by_label("Your name").input_value() == "Ann of Powys"
        assert page.locator("#count").inner_text().endswith("1 done.")
        assert saved(page, tmp_path / "again.csv").read_text() == path.read_text()
        (tmp_path / "other.csv").write_text("picture,annotator\nabc,ann\n")
        page.get_by_label("Continue from a saved table").set_input_files(tmp_path / "other.csv")
        expect(page.locator("#said")).to_have_text("This file is not a table that this page saved.")


def test_the_order_depends_on_the_name(browser: Any, sheet: AnnotationSheet) -> None:
    orders = []
    for name in ("ann", "ben", "ANN "):
        with opened_sheet(browser, sheet) as page:
            page.get_by_label("Your name").fill(name)
            orders.append(page.evaluate("order.join()"))
    assert orders[0] == orders[2] != orders[1]
    assert sorted(orders[0].split(",")) == sorted(orders[1].split(",")) == [*sheet.speaker_of]
