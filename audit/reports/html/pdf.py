"""The report as PDF, printed by an installed browser without network access."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from audit.core.addresses import local_path
from audit.core.errors import AuditError
from audit.core.written_files import refuse_foreign_files, write_files

VARIABLE: Final = "AUDIT_BROWSER"
"""The environment variable with the browser to use."""
NAMES: Final = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
)
PLACES: Final = {
    "darwin": (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    ),
    "win32": (
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
        r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    ),
}
"""Locations of browsers that are not on the path."""
SECONDS: Final = 120


def browser_path() -> str | None:
    """The browser in ``AUDIT_BROWSER``, otherwise an installed Chromium, Chrome or Edge."""
    if named := os.environ.get(VARIABLE):
        return shutil.which(named)
    found = (shutil.which(name) for name in (*NAMES, *PLACES.get(sys.platform, ())))
    return next((path for path in found if path), None)


def print_pdf(page: str | Path, *, seconds: float = SECONDS) -> Path:
    """Print a page to a PDF of the same name in the same folder.

    The browser runs with a temporary profile and without name resolution, and prints neither path nor date. The PDF has
    an outline of the headings. It contains its creation time, so its bytes differ every time.

    Parameters
    ----------
    page : str or Path
        An HTML file.
    seconds : float
        Time limit of the browser.

    Returns
    -------
    Path
        The PDF, written completely or not at all.

    Raises
    ------
    AuditError
        If there is no browser, or it prints no whole PDF in time; if a file in the way was not
        written by this tool.
    """
    source = local_path(page, "The page that is to be printed").resolve()
    browser = browser_path()
    if browser is None:
        raise AuditError(
            _not_found(), next_step=f"Install Chromium, or name a browser in {VARIABLE}; or open {page} and print it."
        )
    target = source.with_suffix(".pdf")
    refuse_foreign_files(source.parent, [target.name])
    partial = source.with_name(f"{source.stem}.{os.getpid()}.part.pdf")
    try:
        with tempfile.TemporaryDirectory(prefix="audit-print-", ignore_cleanup_errors=True) as profile:
            message = _print(browser, source, partial, Path(profile), seconds)
        if not _whole(partial):  # a browser may hang after it wrote a whole file
            raise AuditError(
                f"{browser} printed no PDF of {page}: {message or 'no message'}.",
                next_step=f"Name another browser in {VARIABLE}, or open {page} in one and print it.",
            )
        write_files(source.parent, {target.name: partial.read_bytes()})
    finally:
        partial.unlink(missing_ok=True)
    return target


def _whole(path: Path) -> bool:
    """Whether a PDF was written to its end."""
    return path.is_file() and b"%%EOF" in path.read_bytes()[-1024:]


def _print(browser: str, source: Path, target: Path, profile: Path, seconds: float) -> str:
    """The browser's last message, or the reason why it was stopped."""
    command = [
        browser,
        "--headless",
        "--disable-gpu",
        "--disable-extensions",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--no-default-browser-check",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={profile / 'profile'}",
        "--no-pdf-header-footer",
        "--generate-pdf-document-outline",
        f"--print-to-pdf={target}",
        source.as_uri(),
    ]
    if getattr(os, "geteuid", lambda: 1)() == 0:
        command.insert(1, "--no-sandbox")  # Chromium has no sandbox for root
    log = profile / "said.txt"
    # to a file, since processes of the browser that outlive it would keep a pipe open
    with log.open("wb") as stream:
        try:
            subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            return f"stopped after {seconds:g} seconds"
        except OSError as error:
            return str(error.strerror)
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else ""


def _not_found() -> str:
    if named := os.environ.get(VARIABLE):
        return f"{VARIABLE} names {named}, which is not an executable program."
    return f"No browser that prints to PDF was found; looked for {', '.join(NAMES)}."
