"""What a Speech2Face checkpoint makes of validation (or audited) speakers: the tables that its plan was chosen by.

    python scripts/read_checkpoint.py WEIGHTS [--split validation] [--sheet SHEET.png]

Prints, for every group and for English and the other language, how the rendered faces are read; the same of portraits
and ceilings; gender; age; and how alike rendered faces are to the own portrait and to others of the same group and sex.
The sheet shows portrait, ceiling, English and other language of one speaker per group and sex, the first of each in the
order of their ids.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

import audit
from audit.core.arrays import Picture
from audit.core.audio import SAMPLE_RATE, read_clip
from audit.core.pictures import read_picture
from audit.core.vocabulary import GENDERS, ordered_groups
from audit.instruments.protocol import Reading
from audit.models.speech2face import Speech2Face, load_checkpoint


def speakers_of(split: str) -> tuple[Path, pd.DataFrame]:
    """The folder and the table of clips of one split."""
    folder = audit.embedded("synthetic_bilingual")
    cohort = audit.Cohort.read(folder if split == "audited" else folder / "training")
    table = cohort.table
    return cohort.root, table[table["split"] == split].reset_index(drop=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--split", choices=["training", "validation", "audited"], default="validation")
    parser.add_argument("--sheet", type=Path)
    arguments = parser.parse_args()
    root, table = speakers_of(arguments.split)
    model = Speech2Face(load_checkpoint(arguments.weights))
    instrument = audit.instrument("embedded", similarity=["FaceRes"])

    people = table.drop_duplicates("speaker_id").reset_index(drop=True)
    portraits = [picture for path in people["portrait"] if (picture := read_picture(root / path).pixels) is not None]
    waveforms = [wave for path in table["audio"] if (wave := read_clip(root / path).waveform) is not None]
    ceilings = [picture for picture in model.ceiling(portraits) if picture is not None]
    rendered = [picture for picture in model.render(waveforms, SAMPLE_RATE) if picture is not None]
    reads = {name: instrument.read(pictures) for name, pictures in
             (("portrait", portraits), ("ceiling", ceilings), ("rendered", rendered))}  # fmt: skip

    rows = []
    for stage, frame in (("portrait", people), ("ceiling", people), ("rendered", table)):
        for row, reading in zip(frame.itertuples(), reads[stage], strict=True):
            found = reading.status == "ok"
            rows.append({
                "stage": stage, "group": row.group, "gender": row.gender, "age": row.age, "unseen": row.unseen_voice,
                "language": "" if stage != "rendered" else "en" if row.language == "en" else "other",
                "race": max(reading.race, key=lambda race: reading.race[race]) if found else "no_face",
                "man": found and reading.man is not None and reading.man >= 0.5, "read_age": reading.age,
            })  # fmt: skip
    result = pd.DataFrame(rows)
    result["own"] = result["race"] == result["group"]
    result["gender_right"] = result["man"] == (result["gender"] == "man")
    shares = pd.crosstab(
        [result["stage"], result["group"], result["language"]], result["race"], normalize="index"
    ).round(2)
    order = [(s, g, v) for s in ("portrait", "ceiling", "rendered") for g in ordered_groups(table["group"])
             for v in ("", "en", "other") if (s, g, v) in shares.index]  # fmt: skip
    print(shares.loc[order].to_string())
    cells = result.groupby(["stage", "language"])[["own", "gender_right"]].mean().round(3)
    print(cells.to_string())
    heard = result[result["stage"] == "rendered"]
    print(heard.groupby("unseen")[["own", "gender_right"]].mean().round(3).to_string())
    print(
        "age, correlation of rendered read with truth:",
        round(float(heard["read_age"].astype(float).corr(heard["age"])), 3),
    )
    print("similarity to the own portrait less to others of the group and sex:", similarity(table, people, reads))
    if arguments.sheet:
        sheet(people, table, portraits, ceilings, rendered).save(arguments.sheet)


def similarity(table: pd.DataFrame, people: pd.DataFrame, reads: dict[str, list[Reading]]) -> str:
    """Mean over clips of the cosine to the own portrait, less the mean cosine to same-group, same-sex portraits."""
    faces = {
        speaker: reading.embeddings["FaceRes"]
        for speaker, reading in zip(people["speaker_id"], reads["portrait"], strict=True)
        if reading.status == "ok"
    }
    gains: dict[str, list[float]] = {}
    for row, reading in zip(table.itertuples(), reads["rendered"], strict=True):
        alike = people[(people["group"] == row.group) & (people["gender"] == row.gender)]["speaker_id"]
        others = [faces[speaker] for speaker in alike if speaker in faces and speaker != row.speaker_id]
        if reading.status == "ok" and row.speaker_id in faces and others:
            voice = reading.embeddings["FaceRes"]
            baseline = float(np.mean([voice @ face for face in others]))
            gains.setdefault(str(row.speaker_id), []).append(float(voice @ faces[str(row.speaker_id)]) - baseline)
    means = [float(np.mean(values)) for values in gains.values()]
    return f"{np.mean(means):.3f} (standard error {np.std(means) / np.sqrt(len(means)):.3f}, {len(means)} speakers)"


def sheet(
    people: pd.DataFrame,
    table: pd.DataFrame,
    portraits: list[Picture],
    ceilings: list[Picture],
    rendered: list[Picture],
) -> Image.Image:
    """Portrait, ceiling, English, other language: one row a group and sex."""
    side, tiles = 192, []
    for group in ordered_groups(people["group"]):
        for gender in GENDERS:
            place = people.index[(people["group"] == group) & (people["gender"] == gender)][0]
            clips = table[table["speaker_id"] == people["speaker_id"][place]]
            english, other = clips.index[clips["language"] == "en"][0], clips.index[clips["language"] != "en"][0]
            tiles.append([portraits[place], ceilings[place], rendered[english], rendered[other]])
    page = Image.new("RGB", (8 * side, 4 * side))
    for row, faces in enumerate(tiles):
        for column, face in enumerate(faces):
            tile = Image.fromarray(face).resize((side, side), Image.Resampling.BICUBIC)
            page.paste(tile, ((column + 4 * (row % 2)) * side, row // 2 * side))
    return page


if __name__ == "__main__":
    main()
