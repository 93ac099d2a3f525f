"""Measure the portraits: how they are read, how far apart they are, how near they come to any face learnt from.

    python datasets/synthetic_bilingual/build/faces_measure.py --cohort datasets/synthetic_bilingual \\
        [--fairface DIR --work WORK]

Nothing here feeds back into the build. Without FairFace the privacy part is left out.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import pandas as pd
import speakers
from faces import FOLDERS
from faces_frame import read_picture
from faces_training import DRAWN, GROUP_OF, GROUPS, YEARS
from numpy.typing import NDArray

from audit.instruments import instrument
from audit.instruments.protocol import Reading

STRANGERS = 40  # held-out pictures for each group and sex
VERIFIED = {"SFace": 0.31, "FaceRes": 0.62}  # cosines from which two pictures count as one person


def read_files(files: list[Path]) -> list[Reading]:
    reader = instrument("embedded", remember=0)
    readings: list[Reading] = []
    for start in range(0, len(files), 64):
        readings += reader.read([read_picture(file)[:, :, ::-1] for file in files[start : start + 64]])
    return readings


def read_portraits(cohort: Path) -> pd.DataFrame:
    """The table of speakers with what is read in each portrait."""
    table = speakers.draw()
    table["part"] = table["split"].where(table["split"] == "audited", "training and validation")
    places = zip(table["split"], table["speaker_id"], strict=True)
    files = [cohort / FOLDERS[split] / f"{speaker}.jpg" for split, speaker in places]
    readings = read_files(files)
    table["found"] = [one.status == "ok" for one in readings]
    table["race"] = [max(one.race, key=lambda label: one.race[label]) if one.race else "" for one in readings]
    table["man_read"] = [one.man if one.man is not None else np.nan for one in readings]
    table["age_read"] = [one.age if one.age is not None else np.nan for one in readings]
    for name in VERIFIED:
        table[name] = pd.Series([one.embeddings.get(name) for one in readings], dtype=object)
    return table


def reads(table: pd.DataFrame) -> pd.DataFrame:
    """Rates by part, group and gender; a face not found counts as read wrongly."""
    rows = []
    for (part, group, gender), cell in table.groupby(["part", "group", "gender"]):
        others = cell.loc[cell["race"] != group, "race"].value_counts().items()
        woman_or_man = np.where(cell["man_read"] > 0.5, "man", "woman")
        rows.append({
            "part": part, "group": group, "gender": gender, "n": len(cell), "found": cell["found"].mean(),
            "race right": (cell["race"] == group).mean(),
            "gender right": (cell["found"] & (woman_or_man == gender)).mean(),
            "other reads": ", ".join(f"{label} {count}" for label, count in others),
            "age r": cell["age"].corr(cell["age_read"]),
            "age drawn": cell["age"].mean(), "age read": cell["age_read"].mean(),
        })  # fmt: skip
    return pd.DataFrame(rows)


def apart(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Cosine between different speakers of one group and gender."""
    rows = []
    for (group, gender), cell in table[table["found"]].groupby(["group", "gender"]):
        features = np.stack(list(cell[name]))
        cosines = (features @ features.T)[np.triu_indices(len(features), 1)]
        rows.append({"model": name, "group": group, "gender": gender, "mean": cosines.mean(), "sd": cosines.std(),
                     "p95": np.quantile(cosines, 0.95), "verified": (cosines >= VERIFIED[name]).mean()})  # fmt: skip
    return pd.DataFrame(rows)


def nearest(queries: NDArray[np.float32], gallery: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((queries @ gallery.T).max(1))


def strangers(fairface: Path, learnt: list[str]) -> pd.DataFrame:
    """Held-out pictures of real people, read, to compare with; copies of learnt pictures are left out."""
    seen = {(fairface / file).read_bytes() for file in learnt}
    with (fairface / "labels_val.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["age"] in YEARS and GROUP_OF[row["race"]] < len(DRAWN)]
    chosen: list[tuple[Path, str, str]] = []
    for row in rows:
        cell = (GROUPS[GROUP_OF[row["race"]]], "man" if row["gender"] == "Male" else "woman")
        taken = sum((group, gender) == cell for _, group, gender in chosen)
        if taken < STRANGERS and (fairface / row["file"]).read_bytes() not in seen:
            chosen.append((fairface / row["file"], *cell))
    readings = read_files([path for path, _, _ in chosen])
    table = pd.DataFrame(
        {
            "group": [group for _, group, _ in chosen],
            "gender": [gender for _, _, gender in chosen],
            "found": [one.status == "ok" for one in readings],
        }
    )
    for name in VERIFIED:
        table[name] = pd.Series([one.embeddings.get(name) for one in readings], dtype=object)
    return table[table["found"]]


def privacy(table: pd.DataFrame, held_out: pd.DataFrame, fairface: Path, learnt: list[str]) -> pd.DataFrame:
    """The nearest learnt face of each portrait, against that of held-out real faces (strangers to the generator)."""
    gallery = [one for one in read_files([fairface / file for file in learnt]) if one.status == "ok"]
    out = []
    for name, limit in VERIFIED.items():
        known = np.stack([one.embeddings[name] for one in gallery])
        for what, rows in {"portraits": table[table["found"]], "held-out real faces": held_out}.items():
            top = nearest(np.stack(list(rows[name])), known)
            out.append(
                {
                    "model": name,
                    "of": what,
                    "n": len(top),
                    "learnt faces": len(known),
                    "mean": top.mean(),
                    "median": np.median(top),
                    "p95": np.quantile(top, 0.95),
                    "max": top.max(),
                    "verified": (top >= limit).mean(),
                }
            )
    return pd.DataFrame(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohort", type=Path, required=True)
    parser.add_argument("--fairface", type=Path)
    parser.add_argument("--work", type=Path)
    arguments = parser.parse_args()
    pd.set_option("display.width", 200, "display.max_columns", 20, "display.precision", 3)
    table = read_portraits(arguments.cohort)
    order = {name: place for place, name in enumerate(GROUPS)}
    rates = reads(table)
    rates = rates.iloc[np.lexsort((rates["group"].map(order), rates["part"]))]
    print(rates.to_string(index=False))
    for part, rows in table.groupby("part"):
        print(f"\nage read against drawn, {part}: r = {rows['age'].corr(rows['age_read']):.3f}")
    for name in VERIFIED:
        print("\n" + apart(table, name).to_string(index=False))
    if arguments.fairface and arguments.work:
        learnt = (arguments.work / "learnt_from.txt").read_text().split()
        held_out = strangers(arguments.fairface, learnt)
        print("\nthe same of held-out real faces")
        for name in VERIFIED:
            print("\n" + apart(held_out, name).to_string(index=False))
        print("\n" + privacy(table, held_out, arguments.fairface, learnt).to_string(index=False))


if __name__ == "__main__":
    main()
