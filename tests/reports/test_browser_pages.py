"""The pages in a browser, without a network: used by mouse and by keyboard, narrow, dark, on paper, without script."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import audit
from audit.reports import keep_sign_off, write_report
from audit.reports.comparison.page import write_comparison
from audit.reports.probe.page import write_probe
from tests.browser import chromium, opened, pdf_headings, pdf_pages, poor_contrasts, violations
from tests.report_fixture import draw_faces, fictional_audit
from tests.reports.test_compare_page import BETTER, WORSE, pictured
from tests.reports.test_report_page import only

SAMPLE = Path(__file__).parents[2] / "reports" / "sample"
PAGES = ("report", "comparison", "probe")

FOCUSABLE = "a[href], button, select, input:not([type=radio]), [value=release], textarea, summary, [tabindex='0']"
"""Of radio buttons the first: Tab goes to one of a set, arrows to the others."""

WATCH = """async selector => {
    for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);  // until sizes have been observed
    const wanted = [...document.querySelectorAll(selector)].filter((part) => part.checkVisibility());
    const stops = [];
    addEventListener("focusin", ({target}) => {
        const {outlineStyle, outlineWidth, outlineColor} = getComputedStyle(target);
        const ringed = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 && !/, 0\\)/.test(outlineColor);
        const {top, bottom, left, right} = target.getBoundingClientRect();
        const seen = bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
        if (stops.length && wanted[stops.at(-1).place] === target) return;  // a date's day, month and year
        stops.push({place: wanted.indexOf(target), what: target.outerHTML.slice(0, 120), ringed, seen});
    });
    window.stops = stops;
    return wanted.length;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def pages(
    tmp_path_factory: pytest.TempPathFactory, browser: Any, harmonic_probe: audit.Probe, harmonic_probe_folder: Path
) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("pages")
    fictional = fictional_audit()
    draw_faces(fictional, home / "report")
    fictional.write(home / "report")
    first, second = (
        pictured(audit.simulate(truth), home / name, *colour)
        for truth, name, colour in ((WORSE, "teal", (0, 128, 128)), (BETTER, "navy", (0, 0, 128)))
    )
    compared = audit.compare(first, second)
    return {
        "report": write_report(fictional, home / "report"),
        "comparison": write_comparison(compared, home / "comparison", [first, second], show_faces=True),
        "probe": write_probe(harmonic_probe, harmonic_probe_folder),
    }


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_nothing_sticks_out(browser: Any, pages: dict[str, Path], name: str) -> None:
    with opened(browser, pages[name], color_scheme="light") as page:
        room = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        for width in (360, 400, 1200):
            page.set_viewport_size({"width": width, "height": 900})
            wide, narrow = page.evaluate(room)
            assert wide <= narrow == width
        assert violations(page) == []
        page.emulate_media(color_scheme="dark")
        assert page.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches")
        assert poor_contrasts(page) == []


def test_axe_finds_nothing_on_a_phone(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["report"], width=360, color_scheme="light") as page:
        assert violations(page) == []


@pytest.mark.parametrize("name", ("comparison", "probe"))
def test_the_verdict_is_on_the_first_screen_of_a_phone(browser: Any, pages: dict[str, Path], name: str) -> None:
    with opened(browser, pages[name], width=400) as page:
        verdict = page.locator(".subtitle").bounding_box()
        assert verdict["y"] + verdict["height"] < 800
        assert page.locator(".subtitle").inner_text().startswith(("B against A: ", "Shown to change: "))


def test_the_page_works_under_a_strict_content_security_policy(browser: Any, tmp_path: Path) -> None:
    few = only(fictional_audit(), "gallery", "instrument", "metric_definitions")
    draw_faces(few, tmp_path)
    write_report(few, tmp_path, assets="assets")
    with served(tmp_path, "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:") as address:
        place = browser.new_context()
        page = place.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{address}/report.html")
        assert said == [], "nothing was refused"
        assert page.locator("style, script:not([src]), [style]").count() == 0
        look = "part => { const {fill, backgroundColor} = getComputedStyle(part); return [fill, backgroundColor]; }"
        assert page.locator(".badge-shown").first.evaluate(look)[1] == "rgb(168, 56, 12)"
        assert page.locator(".panel svg text").first.evaluate(look)[0] != "rgb(0, 0, 0)", "charts have their colours"
        assert page.locator("th button").count() > 0, "the script ran"
        page.locator(".shot img").first.scroll_into_view_if_needed()
        page.wait_for_function("() => document.querySelector('.shot img').naturalWidth > 0")
        place.close()


@contextmanager
def served(folder: Path, policy: str) -> Iterator[str]:
    """The address of a server on this machine that sends a policy with every file of a folder."""

    class Strict(SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            self.send_header("Content-Security-Policy", policy)
            super().end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Strict, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_on_a_phone_the_first_screen_has_the_verdict_and_contents_are_closed(browser: Any, long_page: Path) -> None:
    with opened(browser, long_page, width=400) as page:
        lead = page.locator("#summary .lead").bounding_box()
        assert lead is not None and lead["y"] + lead["height"] < 800
        assert page.locator(".contents details[open]").count() == 0
        wide, room = page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide <= room == 400
        page.set_viewport_size({"width": 1280, "height": 900})
        assert page.locator(".contents details[open]").count() == 1


def test_the_main_report_has_at_most_twelve_printed_pages(browser: Any, long_page: Path) -> None:
    with opened(browser, long_page) as page:
        page.evaluate("() => document.querySelector('#appendix').remove()")  # it is printed from a new page
        main = pdf_pages(page.pdf(prefer_css_page_size=True))
    print(f"{main} pages")
    assert 3 <= main <= 12


@pytest.mark.parametrize("name", PAGES)
def test_everything_can_be_reached_by_keyboard_and_is_seen_to_be(
    browser: Any, pages: dict[str, Path], name: str
) -> None:
    with opened(browser, pages[name]) as page:
        wanted = page.evaluate(WATCH, FOCUSABLE)
        assert wanted >= 20
        for _ in range(2 * wanted):
            page.keyboard.press("Tab")
            if page.evaluate("() => stops.length") == wanted:
                break
        stops = page.evaluate("() => stops")
        assert [stop["place"] for stop in stops] == list(range(wanted))
        assert [stop["what"] for stop in stops if not stop["ringed"] or not stop["seen"]] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_disclosure_opens_and_closes_by_keyboard(browser: Any, pages: dict[str, Path], name: str) -> None:
    with opened(browser, pages[name]) as page:
        part = page.locator("details:not([open])").first.element_handle()
        summary = part.query_selector("summary")
        for key, is_open in (("Enter", True), ("Space", False)):
            summary.focus()
            page.keyboard.press(key)
            assert part.evaluate("part => part.open") is is_open


def test_a_table_is_sorted_by_click_and_by_key(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["report"]) as page:
        heads = page.get_by_role("columnheader").filter(has=page.get_by_role("button"))
        assert heads.count() > 5
        for place in (0, heads.count() - 1):
            head = heads.nth(place)
            button = head.get_by_role("button")
            before = column(head)
            for how, order in (("click", "ascending"), ("Enter", "descending"), ("Space", None)):
                button.click() if how == "click" else button.press(how)
                assert head.get_attribute("aria-sort") == order
                assert head.locator("xpath=..").locator("[aria-sort]").count() == (order is not None)
                now = column(head)
                assert sorted(now) == sorted(before)
                assert now == ([*before] if order is None else in_order(before, order == "descending"))


def column(head: Any) -> list[str]:
    """The keys of the column below a head."""
    return head.evaluate("""head => [...head.closest("table").tBodies[0].rows]
        .map((row) => row.cells[head.cellIndex].dataset.sort ?? row.cells[head.cellIndex].textContent)""")


def in_order(keys: list[str], falling: bool) -> list[str]:
    """Sorted as numbers where all are; what is empty comes last either way."""
    filled = [key for key in keys if key]
    number = all(re.fullmatch(r"-?[\d.]+(e-?\d+)?", key) for key in filled)
    return sorted(filled, key=float if number else str.casefold, reverse=falling) + [""] * (len(keys) - len(filled))


@pytest.fixture(scope="module")
def long_page(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Path:
    """A page with tables that are long enough to be filtered; without its pictures."""
    folder = tmp_path_factory.mktemp("long")
    shutil.copy(SAMPLE / "audit.json", folder)
    return write_report(audit.Audit.read(folder), folder)


def test_a_long_table_is_filtered_by_words(browser: Any, long_page: Path) -> None:
    with opened(browser, long_page) as page:
        page.locator("details").evaluate_all("all => all.forEach((part) => { part.open = true; })")
        boxes = page.get_by_role("searchbox")
        assert boxes.count() > 0
        box = boxes.first
        box.focus()
        page.keyboard.type("Black")
        bar = box.locator("xpath=ancestor::*[@class='filters']")
        table = bar.locator("xpath=following-sibling::*[1]").locator("table")
        rows = table.locator("tbody tr").filter(visible=True)
        assert 0 < rows.count() < table.locator("tbody tr").count()
        assert all("black" in words.lower() for words in rows.all_text_contents())
        assert re.search(rf"\b{rows.count()}\b", bar.get_by_role("status").inner_text())
        page.keyboard.type(" nobody")
        assert rows.count() == 0
        page.emulate_media(media="print")
        assert rows.count() == table.locator("tbody tr").count(), "paper does not say that rows are filtered"
        page.emulate_media(media="screen")
        assert rows.count() == 0
        box.fill("")
        assert rows.count() == table.locator("tbody tr").count()


def test_a_sign_off_is_filled_in_saved_and_kept(browser: Any, pages: dict[str, Path], tmp_path: Path) -> None:
    with opened(browser, pages["report"]) as page:
        page.get_by_label("Name").fill("Ada Imaginary")
        page.get_by_label("Role").fill("ethics board")
        page.get_by_label("do not release").check()
        page.get_by_label("Date").fill("2026-01-02")
        save = page.get_by_role("button", name="sign-off.json")
        save.click()
        assert page.get_by_label("Conditions or reasons").evaluate("box => box.matches(':invalid')"), (
            "a refusal has reasons"
        )
        page.get_by_label("Conditions or reasons").fill("Read as white too often.")
        with page.expect_download() as caught:
            save.press("Enter")
        caught.value.save_as(tmp_path / "sign-off.json")
    kept = keep_sign_off(tmp_path / "sign-off.json", pages["report"].parent)
    assert "Ada Imaginary" in kept.read_text(encoding="utf-8")
    kept.unlink()


def test_the_gallery_is_filtered_by_group_and_by_language(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["report"]) as page:
        gallery = page.locator(".gallery")
        shown = gallery.get_by_role("listitem")
        assert shown.count() == 16
        group, language = (gallery.get_by_role("combobox", name=name) for name in ("Group", "Language"))
        group.select_option("black")
        assert shown.count() == 4
        assert [head.inner_text() for head in gallery.get_by_role("heading", level=3).all()] == ["black"]
        language.focus()
        page.keyboard.press("ArrowDown")
        assert shown.count() == 2 and language.input_value() in shown.first.inner_text()
        assert re.search(r"\b2\b.*\b16\b", gallery.get_by_role("status").inner_text())
        page.emulate_media(media="print")
        assert shown.count() == 16
        page.emulate_media(media="screen")
        assert shown.count() == 2
        group.select_option("")
        language.select_option("")
        assert shown.count() == 16


@pytest.mark.parametrize("name", PAGES)
def test_without_script_the_whole_page_is_there(browser: Any, pages: dict[str, Path], name: str) -> None:
    words = "() => document.querySelector('main').innerText.split(/\\s+/).filter(Boolean)"
    parts = "() => ['section', 'tr', 'td', 'svg', 'img', 'details'].map((n) => document.querySelectorAll(n).length)"
    opening = "() => { for (const part of document.querySelectorAll('details')) part.open = true; }"
    found = []
    for script in (False, True):
        with opened(browser, pages[name], java_script_enabled=script) as page:
            assert page.get_by_role("button").count() == 0 or script
            assert page.locator("[hidden]:not(form.sign)").count() == 0
            for part in page.locator("section").all():
                assert part.is_visible()
            page.evaluate(opening)
            page.locator(".filters, form.sign").evaluate_all("all => all.forEach((part) => part.remove())")
            found.append((page.evaluate(parts), page.evaluate(words)))
    assert found[0] == found[1]


@pytest.mark.parametrize("name", PAGES)
def test_on_paper_every_section_is_there(browser: Any, pages: dict[str, Path], name: str) -> None:
    with opened(browser, pages[name], color_scheme="dark") as page:
        printed = page.pdf(prefer_css_page_size=True, tagged=True, outline=True)
        wanted = page.locator("h1, section:not(#summary) h2").evaluate_all("all => all.map((head) => head.innerText)")
        assert page.locator("details:not([open])").count() > 0, "what was opened for the printer is closed again"
    assert 3 <= pdf_pages(printed) <= 40
    headings = {closed(line) for line in pdf_headings(printed)}
    assert [line for line in wanted if closed(line) not in headings] == []


def closed(line: str) -> str:
    """Without blanks, of which the browser's outline loses those where a line breaks."""
    return "".join(line.split())
