"""Write reports/sample: the report of the audit that `audit run` makes when it is given nothing.

python scripts/sample_report.py             run the audit (two minutes on two cores) and write all of it anew
python scripts/sample_report.py --rewrite   write the pages anew from the audit.json that is there
python scripts/sample_report.py --check     say whether the pages are what the code makes of that audit.json
python scripts/sample_report.py --picture   draw docs/figures/report.png from the page (needs extra dev, Chromium)

All faces in it are of the embedded cohort, in which nobody is real.
"""

from __future__ import annotations

import filecmp
import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from audit import Audit
from audit.audits.privacy.pictures import ShownPictures
from audit.core.arrays import Picture
from audit.core.vocabulary import STAGES
from audit.core.written_files import LIST
from audit.reports import write_report
from audit.reports.html.gallery import SIDE

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "reports" / "sample"
PICTURE = ROOT / "docs" / "figures" / "report.png"
WIDTH, HEIGHT = 1200, 1500
MOST_BYTES = 300_000
NEXT = "Next: python scripts/sample_report.py"


def run_again() -> None:
    """The default audit, of which are kept audit.json and the faces that its gallery shows."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        subprocess.run([sys.executable, "-m", "audit.cli", "run", "-o", str(out)], check=True, cwd=ROOT)
        shutil.rmtree(SAMPLE, ignore_errors=True)
        SAMPLE.mkdir(parents=True)
        shutil.copy(out / "audit.json", SAMPLE)
        (SAMPLE / "faces").mkdir()
        clips = shown_clips(Audit.read(out))
        kept = ShownPictures(out, {clip for clip, _ in clips})
        for clip, stage in clips:
            shrink(kept.open(clip, stage), face_file(SAMPLE, clip, stage))


def face_file(folder: Path, clip: str, stage: str) -> Path:
    """The kept picture of a clip of the gallery."""
    return folder / "faces" / f"{clip.replace(' ', '-')}-{stage}.png"


def shrink(pixels: Picture, target: Path) -> None:
    """A copy of a picture in the size at which the page shows it and in 256 colours, in as few bytes as PNG allows."""
    small = Image.fromarray(pixels)
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    few = small.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(target, "PNG", optimize=True)


def shown_clips(audit: Audit) -> list[tuple[str, str]]:
    """The clips of the gallery and the stages at which each has a picture."""
    gallery = audit.tables["gallery"].frame
    return sorted(
        {(str(row["clip_id"]), stage) for _, row in gallery.iterrows() for stage in STAGES if pd.notna(row[stage])}
    )


def rewrite(folder: Path = SAMPLE) -> None:
    """The page and the card; the page holds the figures, audit.json the tables, so neither is kept beside them."""

    def kept(clip: str, stage: str) -> Picture:
        with Image.open(face_file(folder, clip, stage)) as picture:
            return np.asarray(picture.convert("RGB"))

    write_report(Audit.read(folder), folder, pictures=kept)
    for further in ("figures", "tables"):
        shutil.rmtree(folder / further)
    (folder / LIST).unlink()


def stale() -> list[str]:
    """The files that are not, byte for byte, what the code makes of the audit.json and the faces that are there."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        shutil.copy(SAMPLE / "audit.json", made)
        shutil.copytree(SAMPLE / "faces", made / "faces")
        rewrite(made)
        names = {
            path.relative_to(home).as_posix() for home in (made, SAMPLE) for path in home.rglob("*") if path.is_file()
        }
        wrong = filecmp.cmpfiles(made, SAMPLE, names, shallow=False)
    return sorted(wrong[1] + wrong[2])


def draw() -> None:
    """The head of the page as a browser shows it, in the light scheme."""
    from playwright.sync_api import sync_playwright

    from audit.reports.html.pdf import browser_path

    path = browser_path()
    if path is None:
        raise SystemExit("No Chromium or Chrome is on this machine. Next: install one, or name it in AUDIT_BROWSER.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, chromium_sandbox=os.geteuid() != 0)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light", offline=True)
        page.goto((SAMPLE / "report.html").as_uri())
        shot = page.screenshot()
        browser.close()
    buffer = io.BytesIO()
    drawn = Image.open(io.BytesIO(shot)).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    drawn.save(buffer, "PNG", optimize=True)
    if buffer.tell() > MOST_BYTES:
        raise SystemExit(f"The picture takes {buffer.tell():,} bytes of {MOST_BYTES:,}.")
    PICTURE.write_bytes(buffer.getvalue())


def main() -> None:
    """What the command line asks for."""
    asked = sys.argv[1:]
    if asked == ["--check"]:
        if wrong := stale():
            raise SystemExit(f"Not what the code makes of audit.json: {', '.join(wrong)}. {NEXT} --rewrite")
    elif asked == ["--picture"]:
        draw()
    elif asked in ([], ["--rewrite"]):
        if not asked:
            run_again()
        rewrite()
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
