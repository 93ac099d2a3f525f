"""Pages in a real browser: headless Chromium without a network, with every fault of a page kept."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from audit.reports.html.pdf import browser_path

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
TIMEOUT = 10_000


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's own Chromium, never a downloaded one; the test is skipped where there is none."""
    path = browser_path()
    if path is None:
        pytest.skip("no Chromium or Chrome is on this machine (AUDIT_BROWSER)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            chromium_sandbox=getattr(os, "geteuid", lambda: 1)() != 0,
            args=["--disable-gpu", "--disable-background-networking", "--no-first-run"],
        )
        yield browser
        browser.close()


@dataclass
class Faults:
    """What a page did that no page may do."""

    requests: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)


@contextmanager
def opened(browser: Browser, path: Path, *, width: int = 1200, beside: str = "", **context: Any) -> Iterator[Page]:
    """A page from disk, without a network; at the end it must have asked, said and broken nothing.

    It may ask for files of the folder ``beside`` it, and for what it made itself.
    """
    faults = Faults()
    place = browser.new_context(
        viewport={"width": width, "height": 900}, offline=True, reduced_motion="reduce", **context
    )
    place.set_default_timeout(TIMEOUT)
    page = place.new_page()
    page.on("request", lambda asked: faults.requests.append(asked.url[:200]))
    page.on("console", lambda message: faults.said.append(message.text))
    page.on("pageerror", lambda error: faults.errors.append(str(error)))
    page.on("dialog", lambda dialog: (faults.dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(path.resolve().as_uri())
    yield page
    place.close()
    own = path.resolve().as_uri()
    if beside:
        near = (path.resolve().parent / beside).as_uri() + "/"
        faults.requests = [url for url in faults.requests if not url.startswith((near, "blob:"))]
    faults.requests = [url for url in faults.requests if url != own and not url.startswith("data:")]
    assert faults == Faults(), faults


SAMPLE = """(kept) => {
    for (const part of document.querySelectorAll("details")) part.open = true;
    const kind = (part) => [part, ...part.children].map((each) => each.tagName + each.className).join();
    const repeated = ":is(main, nav) :is(tr, li, dl > div, dt, dd, article, .panel, .table-wrap), svg text";
    const surplus = [...document.querySelectorAll(repeated)].filter((part) => {
        const before = [...part.parentNode.children].filter((other) => kind(other) === kind(part));
        return before.indexOf(part) >= kept || part.matches("svg text");
    });
    for (const part of surplus) part.remove();
}"""


def violations(page: Page) -> list[str]:
    """What axe-core finds with every disclosure open: the rule, how many elements, and the first of them.

    Of rows and items of one kind two are looked at: the others are made by the same lines and take the time.
    Text in drawings is left out: axe-core cannot tell what lies behind it; the palette's tests hold its contrast.
    """
    page.evaluate(SAMPLE, 2)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "([tags]) => axe.run({runOnly: {type: 'tag', values: tags}, rules: {'target-size': {enabled: true}},"
        " resultTypes: ['violations']})",
        [TAGS],
    )
    assert {"color-contrast", "target-size"} <= {rule["id"] for rule in found["passes"] + found["violations"]}
    return [
        f"{rule['id']}: {rule['help']}; {len(rule['nodes'])} such, first {rule['nodes'][0]['html'][:200]}"
        for rule in found["violations"]
    ]


def poor_contrasts(page: Page) -> list[str]:
    """What axe-core finds of contrast alone: after :func:`violations`, the one rule that colours can change."""
    page.evaluate(SAMPLE, 1)
    rules = page.evaluate(
        "() => axe.run({runOnly: {type: 'rule', values: ['color-contrast']}, resultTypes: ['violations']})"
    )
    return [node["html"][:200] for rule in rules["violations"] for node in rule["nodes"]]


def pdf_pages(pdf: bytes) -> int:
    """How many sheets a PDF of the browser has."""
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def pdf_headings(pdf: bytes) -> list[str]:
    """The titles in a PDF's outline, in the order of the file."""
    found = []
    for plain, coded in re.findall(rb"/Title\s*(?:\(((?:\\.|[^\\)])*)\)|<([0-9A-Fa-f]+)>)", pdf):
        raw = bytes.fromhex(coded.decode()) if coded else re.sub(rb"\\(.)", rb"\1", plain)
        text = raw.decode("utf-16") if raw.startswith((b"\xfe\xff", b"\xff\xfe")) else raw.decode("latin-1")
        found.append(" ".join(text.split()))
    return found
