"""The sheet of faces in docs/validation/speech2face.md: portrait, ceiling, rendered in two languages, both checkpoints.

    python scripts/face_sheet.py     writes docs/figures/speech2face-faces.jpg

One audited speaker of each group and sex: the first by name, whatever the faces look like.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import audit
from audit.core.arrays import Picture
from audit.core.audio import SAMPLE_RATE, read_clip
from audit.core.pictures import read_picture
from audit.core.vocabulary import ordered_groups
from audit.models.speech2face.shipped import shipped_model

OUT = Path(__file__).parent.parent / "docs" / "figures" / "speech2face-faces.jpg"
SIDE, MARGIN, HEAD = 128, 132, 34


def main() -> None:
    """Draw the sheet."""
    cohort = audit.Cohort.read(audit.embedded("synthetic_bilingual"))
    table = cohort.table
    speakers = [
        of_cell["speaker_id"].min()
        for group in ordered_groups(set(table["group"]))
        for gender in ("woman", "man")
        if len(of_cell := table[(table["group"] == group) & (table["gender"] == gender)])
    ]
    rows: dict[str, list[Picture]] = {"portrait": [], "ceiling": []}
    names, portraits, english, other = [], [], [], []
    for speaker in speakers:
        own = table[table["speaker_id"] == speaker].sort_values("clip_id")
        names.append(f"{own['group'].iloc[0]} {own['gender'].iloc[0]}\n{speaker}, {own['other_language'].iloc[0]}")
        portraits.append(read_picture(cohort.root / own["portrait"].iloc[0]).pixels)
        english.append(read_clip(cohort.root / own.loc[own["language"] == "en", "audio"].iloc[0]).waveform)
        other.append(read_clip(cohort.root / own.loc[own["language"] != "en", "audio"].iloc[0]).waveform)
    gap, full = (shipped_model(f"speech2face-small-{kind}") for kind in ("gap", "full"))
    rows["portrait"] = [np.asarray(Image.fromarray(picture).resize((SIDE, SIDE))) for picture in portraits]
    rows["ceiling"] = gap.ceiling(portraits)
    for words, model in (("gap", gap), ("full", full)):
        rows[f"{words}\nEnglish"] = model.render(english, SAMPLE_RATE)
        rows[f"{words}\nother"] = model.render(other, SAMPLE_RATE)
    sheet = Image.new("RGB", (MARGIN + SIDE * len(names), HEAD + SIDE * len(rows)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for column, name in enumerate(names):
        draw.multiline_text((MARGIN + column * SIDE + 4, 2), name, "black", font)
    for row, (name, pictures) in enumerate(rows.items()):
        draw.multiline_text((4, HEAD + row * SIDE + 48), name, "black", font)
        for column, picture in enumerate(pictures):
            sheet.paste(Image.fromarray(picture), (MARGIN + column * SIDE, HEAD + row * SIDE))
    OUT.parent.mkdir(exist_ok=True)
    sheet.save(OUT, quality=88)
    print(OUT)


if __name__ == "__main__":
    main()
