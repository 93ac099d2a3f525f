"""How well each similarity model tells persons apart behind a detector, and the distance that does it best.

    python scripts/verification_thresholds.py RELEASE [--detector yunet]

``RELEASE`` is the folder of the outputs that Speech2Face's authors published, with ``labels.csv`` (clip, speaker,
gender, ethnicity) and the portraits. Pairs of one person are compared with pairs of two persons of the same gender and
ethnicity. Printed for each model: the area under the ROC curve; the cosine distance at which 1 % of the pairs of two
persons count as one, and the share of pairs of one person below it; and the distance with the best balanced accuracy.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from audit.instruments import instrument
from audit.instruments.registry import DETECTOR
from audit.instruments.similarity import available

PORTRAITS = Path("figures") / "voxceleb" / "Face_ori"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release", type=Path)
    parser.add_argument("--detector", default=DETECTOR)
    given = parser.parse_args()
    labels = pd.read_csv(given.release / "labels.csv", dtype=str)
    reader = instrument("embedded", similarity=list(available()), detector=given.detector, remember=0)
    files = [given.release / PORTRAITS / f"{clip}.jpg" for clip in labels["clip"]]
    pictures = [np.ascontiguousarray(np.asarray(cv2.imread(str(file)), np.uint8)[:, :, ::-1]) for file in files]
    readings = reader.read(pictures)
    found = np.array([reading.status == "ok" for reading in readings])
    labels = labels[found].reset_index(drop=True)
    one, other = np.triu_indices(len(labels), 1)
    same = labels["speaker"].to_numpy()[one] == labels["speaker"].to_numpy()[other]
    alike = np.ones(len(same), bool)
    for column in ("gender", "ethnicity"):
        alike &= labels[column].to_numpy()[one] == labels[column].to_numpy()[other]
    kept = same | alike
    same = same[kept]
    print(f"{given.detector}: {len(labels)} portraits, {same.sum()} pairs of one person, {(~same).sum()} of two")
    for name in reader.similarity_models:
        features = np.stack([reading.embeddings[name] for reading in readings if reading.status == "ok"])
        distance = 1 - (features[one[kept]] * features[other[kept]]).sum(axis=1)
        bound = np.quantile(distance[~same], 0.01, method="lower")
        steps = np.sort(distance)
        balanced = [((distance[same] <= step).mean() + (distance[~same] > step).mean()) / 2 for step in steps]
        best = int(np.argmax(balanced))
        print(
            f"| {name} | {roc_auc_score(same, -distance):.4f} | {(distance[same] < bound).mean():.3f} | {bound:.3f} | "
            f"{steps[best]:.3f} | {balanced[best]:.4f} |"
        )


if __name__ == "__main__":
    main()
