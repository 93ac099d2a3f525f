"""Measure portraits: how they are read, how far apart they are, and how near they come to faces of real people.

    python datasets/synthetic_bilingual/build/faces_measure.py --cohort datasets/synthetic_bilingual \\
        [--fresh 100] [--fairface DIR --work WORK]

Measured are the portraits of the embedded cohort, and with ``--fresh`` new portraits of the model that the package
ships. Nothing here feeds back into the build. Without FairFace the comparison with real people is left out; with it,
features of its pictures are kept in the work folder, so that a second run is faster.
"""

from __future__ import annotations

import argparse
import csv
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import speakers
from faces import FOLDERS
from faces_points import read_picture
from faces_training import DRAWN, GROUP_OF, GROUPS, YEARS, frontal
from numpy.typing import NDArray

from audit.cohorts.drawing.portraits import AGES, portrait
from audit.core.arrays import Picture
from audit.instruments import instrument
from audit.instruments.protocol import Reading

STRANGERS = 40  # held-out pictures for each group and gender
FRESH_SEED = 2_000_000_000  # of the first fresh portrait; the next ones follow
VERIFIED = {"SFace": 0.31, "FaceRes": 0.62}  # cosines from which two pictures count as one person
FEATURES = "features.npz"  # in the work folder: features of FairFace's training pictures


def read_pictures(pictures: Sequence[Picture]) -> list[Reading]:
    return list(instrument("embedded", remember=0).read(list(pictures)))


def read_files(files: Sequence[Path]) -> list[Reading]:
    readings: list[Reading] = []
    for start in range(0, len(files), 64):
        readings += read_pictures([read_picture(file)[:, :, ::-1] for file in files[start : start + 64]])
    return readings


def with_reads(table: pd.DataFrame, readings: Sequence[Reading]) -> pd.DataFrame:
    """The table with what is read in each portrait."""
    return table.assign(
        found=[one.status == "ok" for one in readings],
        race=[max(one.race, key=lambda label: one.race[label]) if one.race else "" for one in readings],
        man_read=[one.man if one.man is not None else np.nan for one in readings],
        age_read=[one.age if one.age is not None else np.nan for one in readings],
        **{name: pd.Series([one.embeddings.get(name) for one in readings], dtype=object) for name in VERIFIED},
    )


def embedded_portraits(cohort: Path) -> pd.DataFrame:
    """The speakers of the embedded cohort with what is read in their portraits."""
    table = speakers.draw()
    table["part"] = table["split"].where(table["split"] == "audited", "training and validation")
    places = zip(table["split"], table["speaker_id"], strict=True)
    return with_reads(table, read_files([cohort / FOLDERS[split] / f"{speaker}.jpg" for split, speaker in places]))


def fresh_portraits(of_each: int) -> pd.DataFrame:
    """New portraits, ``of_each`` for each group and gender with ages spread evenly, and what is read in them."""
    ages = np.linspace(*AGES, of_each)
    cells = [(group, gender, age) for group in DRAWN for gender in ("woman", "man") for age in ages]
    table = pd.DataFrame(cells, columns=["group", "gender", "age"])
    readings: list[Reading] = []
    for start in range(0, len(cells), 64):
        part = enumerate(cells[start : start + 64], FRESH_SEED + start)
        readings += read_pictures([portrait(*cell, seed) for seed, cell in part])
    return with_reads(table.assign(part="fresh"), readings)


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
                     "p95": np.quantile(cosines, 0.95), "max": cosines.max(),
                     "verified": (cosines >= VERIFIED[name]).mean()})  # fmt: skip
    return pd.DataFrame(rows)


def nearest(queries: NDArray[np.float32], gallery: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((queries @ gallery.T).max(1))


def strangers(fairface: Path, seen: Sequence[str]) -> pd.DataFrame:
    """Held-out pictures of real people, read; copies of the pictures in ``seen`` are left out."""
    copies = {(fairface / file).read_bytes() for file in seen}
    with (fairface / "labels_val.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["age"] in YEARS and GROUP_OF[row["race"]] < len(DRAWN)]
    chosen: list[tuple[Path, str, str]] = []
    for row in rows:
        cell = (GROUPS[GROUP_OF[row["race"]]], "man" if row["gender"] == "Male" else "woman")
        taken = sum((group, gender) == cell for _, group, gender in chosen)
        if taken < STRANGERS and (fairface / row["file"]).read_bytes() not in copies:
            chosen.append((fairface / row["file"], *cell))
    table = pd.DataFrame([cell for _, *cell in chosen], columns=["group", "gender"])
    table = with_reads(table, read_files([path for path, _, _ in chosen]))
    return table[table["found"]]


def training_features(fairface: Path, work: Path) -> dict[str, NDArray[np.float32]]:
    """Features of all of FairFace's training pictures in which a face is found, and their file names (``files``)."""
    if not (work / FEATURES).exists():
        with (fairface / "labels_train.csv").open(newline="") as file:
            names = [row["file"] for row in csv.DictReader(file)]
        readings = dict(zip(names, read_files([fairface / name for name in names]), strict=True))
        found = {name: one for name, one in readings.items() if one.status == "ok"}
        features = {name: np.stack([one.embeddings[name] for one in found.values()]) for name in VERIFIED}
        np.savez(work / FEATURES, files=list(found), **features)
    with np.load(work / FEATURES) as stored:
        return {name: stored[name] for name in stored.files}


def galleries_of(features: dict[str, NDArray[np.float32]], work: Path) -> dict[str, dict[str, NDArray[np.float32]]]:
    """Faces to search: those learnt from, as many other near-frontal ones, and all training pictures."""
    learnt = np.isin(features["files"], (work / "learnt_from.txt").read_text().split())
    with np.load(work / "points.npz") as points:
        straight = points["found"][frontal(points["points"].astype(float)), 0]
    others = np.flatnonzero(np.isin(features["files"], straight) & ~learnt)
    as_many = np.random.default_rng(0).choice(others, min(learnt.sum(), len(others)), replace=False)
    chosen = {"learnt from": np.flatnonzero(learnt), "not learnt from": as_many, "all": np.arange(len(learnt))}
    return {what: {name: features[name][places] for name in VERIFIED} for what, places in chosen.items()}


def privacy(table: pd.DataFrame, galleries: dict[str, dict[str, NDArray[np.float32]]]) -> pd.DataFrame:
    """The nearest face in each gallery to each portrait, against the same of held-out real faces; by ``part``."""
    out = []
    for (gallery, features), (name, limit) in itertools.product(galleries.items(), VERIFIED.items()):
        for part, rows in table[table["found"]].groupby("part", sort=False):
            top = nearest(np.stack(list(rows[name])), features[name])
            out.append({
                "gallery": gallery, "faces": len(features[name]), "model": name, "of": part, "n": len(top),
                "mean": top.mean(), "median": np.median(top), "p95": np.quantile(top, 0.95),
                "p99": np.quantile(top, 0.99), "max": top.max(), "verified": (top >= limit).mean(),
            })  # fmt: skip
    return pd.DataFrame(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohort", type=Path, required=True)
    parser.add_argument("--fresh", type=int, default=0, help="number of new portraits for each group and gender")
    parser.add_argument("--fairface", type=Path)
    parser.add_argument("--work", type=Path)
    arguments = parser.parse_args()
    pd.set_option("display.width", 200, "display.max_columns", 20, "display.precision", 3)
    tables = {"embedded": embedded_portraits(arguments.cohort)}
    if arguments.fresh:
        tables["fresh"] = fresh_portraits(arguments.fresh)
    table = pd.concat(tables.values(), ignore_index=True)
    order = {name: place for place, name in enumerate(GROUPS)}
    rates = reads(table)
    rates = rates.iloc[np.lexsort((rates["group"].map(order), rates["part"]))]
    print(rates.to_string(index=False))
    for part, rows in table.groupby("part"):
        print(f"\nage read against drawn, {part}: r = {rows['age'].corr(rows['age_read']):.3f}")
    if arguments.fairface and arguments.work:
        features = training_features(arguments.fairface, arguments.work)
        tables["held-out real faces"] = strangers(arguments.fairface, [str(name) for name in features["files"]])
        parts = [rows.assign(part=what) for what, rows in tables.items()]
        print(
            "\n"
            + privacy(pd.concat(parts, ignore_index=True), galleries_of(features, arguments.work)).to_string(
                index=False
            )
        )
    for what, rows in tables.items():
        print(f"\n{what}: cosines within a group and gender")
        for name in VERIFIED:
            print("\n" + apart(rows, name).to_string(index=False))


if __name__ == "__main__":
    main()
