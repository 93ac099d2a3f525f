"""How well the skin's typology angle separates labelled photographs, and how far light moves it.

Prints, over a seeded sample of FairFace's training pictures: for each race label the share of faces with a tone, the
median angle, and the area under the ROC curve against White (0.5 is chance), with a 95 % interval by resampling
pictures; then the median change of the angle under known changes of light. The areas are the source of
:data:`audit.core.attributes.skin_tone.SEPARATION`.

    python scripts/skin_tone_study.py FAIRFACE --pictures 3500
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from audit.core.arrays import Picture
from audit.core.attributes.skin_tone import ATTRIBUTE, Landmarks
from audit.instruments.faces import FaceFinder
from audit.instruments.landmarks import find_landmarks
from audit.instruments.registry import DETECTOR

Light = Callable[[np.ndarray], np.ndarray]
LIGHTS: dict[str, Light] = {
    "gamma 0.8": lambda x: x**0.8,
    "gamma 1.25": lambda x: x**1.25,
    "a fifth darker": lambda x: 0.8 * x,
    "a quarter lighter": lambda x: 1.25 * x,
    "warmer by a tenth": lambda x: x * np.array([1.1, 1, 0.9]),
    "colder by a tenth": lambda x: x * np.array([0.9, 1, 1.1]),
}


def angle(picture: Picture, landmarks: Landmarks) -> float:
    """The typology angle of a face; NaN where it has no tone."""
    assert ATTRIBUTE.measure is not None
    read = ATTRIBUTE.measure(picture, landmarks)
    return float(read["ita"]) if isinstance(read, dict) else float("nan")


def area(white: np.ndarray, other: np.ndarray) -> float:
    """The area under the ROC curve of White having the larger angle."""
    labels = np.repeat([1, 0], [len(white), len(other)])
    return float(roc_auc_score(labels, np.concatenate([white, other])))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="FairFace: labels_train.csv and train/")
    parser.add_argument("--pictures", type=int, default=3500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    table = pd.read_csv(given.folder / "labels_train.csv")
    table = table.sample(min(given.pictures, len(table)), random_state=given.seed)
    finder, rows = FaceFinder(DETECTOR), []
    for name, race in zip(table["file"], table["race"], strict=True):
        image = cv2.imread(str(given.folder / name))
        faces_found = [] if image is None else finder.faces(np.asarray(image, np.uint8))
        if image is None or not faces_found:
            continue
        points, rgb = find_landmarks(image, faces_found[0]), np.ascontiguousarray(image[:, :, ::-1])
        row: dict[str, object] = {"race": race, "angle": angle(rgb, points)}
        if len(rows) % 7 == 0:  # light on a part of them
            for light, change in LIGHTS.items():
                lit = (np.clip(change(rgb / 255), 0, 1) * 255).round().astype(np.uint8)
                row[light] = angle(lit, points) - float(str(row["angle"]))
        rows.append(row)
    faces = pd.DataFrame(rows)
    read = faces["angle"].notna().mean()
    print(f"{len(faces)} faces found in {len(table)} pictures by {DETECTOR}, {read:.3f} of them with a tone")
    by_race = {race: of["angle"].dropna().to_numpy(float) for race, of in faces.groupby("race")}
    draw = np.random.default_rng(given.seed)
    for race, angles in by_race.items():
        share = float(faces.loc[faces["race"] == race, "angle"].notna().mean())
        line = f"{race:<16} n {len(angles):4d}  with a tone {share:.3f}  median {np.median(angles):6.1f}"
        if race != "White":
            again = [
                area(draw.choice(by_race["White"], len(by_race["White"])), draw.choice(angles, len(angles)))
                for _ in range(500)
            ]
            low, high = np.quantile(again, [0.025, 0.975])
            line += f"  against White {area(by_race['White'], angles):.3f} [{low:.3f}, {high:.3f}]"
        print(line)
    asian = np.concatenate([by_race["East Asian"], by_race["Southeast Asian"]])
    print(f"asian (both)     against White {area(by_race['White'], asian):.3f}")
    for light in LIGHTS:
        moved = faces[light].dropna()
        print(f"{light:<18} moves the angle by {moved.median():+5.1f} (sd {moved.std():.1f}, n {len(moved)})")


if __name__ == "__main__":
    main()
