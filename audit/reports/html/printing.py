"""The report on paper: printed to PDF by a browser of the machine, without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from audit.core.errors import AuditError
from audit.core.written_files import refuse_foreign_files, write_files

VARIABLE: Final = "AUDIT_BROWSER"
"""The environment variable that names the browser, where none is found or another one is wanted."""
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
"""Where a browser lies that is not on the path."""
SECONDS: Final = 120


def browser_path() -> str | None:
    """The browser that prints: the one that ``AUDIT_BROWSER`` names, else Chromium, Chrome or Edge of this machine."""
    if named := os.environ.get(VARIABLE):
        return shutil.which(named)
    found = (shutil.which(name) for name in (*NAMES, *PLACES.get(sys.platform, ())))
    return next((path for path in found if path), None)


def print_pdf(page: str | Path, *, seconds: float = SECONDS) -> Path:
    """Print a page to a PDF beside it, of the same name.

    The browser has a profile of its own that is removed afterwards, resolves no name of the network, and prints
    neither the file's path nor a date on the sheets. The PDF holds an outline of the headings. It names the time at
    which it was made, so that its bytes differ from one time to the next.

    Parameters
    ----------
    page : str or Path
        An HTML file.
    seconds : float
        How long the browser may take.

    Returns
    -------
    Path
        The PDF. It appears whole or not at all.

    Raises
    ------
    AuditError
        If there is no browser, or it prints no whole PDF in time; if a file in the way was not
        written by this tool.
    """
    source = Path(page).resolve()
    browser = browser_path()
    if browser is None:
        raise AuditError(
            _looked_for(), next_step=f"Install Chromium, or name a browser in {VARIABLE}; or open {page} and print it."
        )
    target = source.with_suffix(".pdf")
    refuse_foreign_files(source.parent, [target.name])
    partial = source.with_name(f"{source.stem}.{os.getpid()}.part.pdf")
    try:
        with tempfile.TemporaryDirectory(prefix="audit-print-", ignore_cleanup_errors=True) as profile:
            said = _print(browser, source, partial, Path(profile), seconds)
        if not _whole(partial):  # a browser may hang after it wrote a whole file
            raise AuditError(
                f"{browser} printed no PDF of {page}: {said or 'it said nothing'}.",
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
    """What the browser last said, or why it was stopped."""
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
        command.insert(1, "--no-sandbox")  # Chromium refuses to make one for root
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


def _looked_for() -> str:
    if named := os.environ.get(VARIABLE):
        return f"{VARIABLE} names {named}, and no program is there."
    return f"No browser that prints to PDF is on this machine; looked for {', '.join(NAMES)}."
