"""First step of the portraits: points and mattes of the adult pictures of FairFace, kept in a work folder.

    python faces_points.py --fairface DIR --work WORK

Only this script needs MediaPipe, which requires an old numpy, so it runs in a separate environment (FACES.md) and
imports nothing of the package. Its output describes real people's faces: it stays in the work folder, is never
committed and can be deleted after the build.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

ADULT = ("20-29", "30-39", "40-49", "50-59", "60-69", "more than 70")
MARGIN = 48  # the detector wants more air round a face than FairFace's crops leave


def read_picture(path: Path) -> NDArray[np.uint8]:
    """A picture as BGR uint8."""
    picture = cv2.imread(str(path))
    if picture is None:
        raise OSError(f"{path} is not a picture that can be read")
    return picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fairface", type=Path, required=True, help="folder with labels_train.csv and train/")
    parser.add_argument("--work", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    with (arguments.fairface / "labels_train.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["age"] in ADULT]

    import mediapipe

    mesh = mediapipe.solutions.face_mesh.FaceMesh(
        static_image_mode=True, max_num_faces=1, refine_landmarks=True, min_detection_confidence=0.3
    )
    segmentation = mediapipe.solutions.selfie_segmentation.SelfieSegmentation(model_selection=0)
    points, mattes, found = [], [], []
    for row in rows:
        picture = read_picture(arguments.fairface / row["file"])[:, :, ::-1]
        padded = cv2.copyMakeBorder(picture, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REPLICATE)
        answer = mesh.process(np.ascontiguousarray(padded))
        if not answer.multi_face_landmarks:
            continue
        side = padded.shape[0]
        landmarks = answer.multi_face_landmarks[0].landmark
        points.append([(one.x * side - MARGIN, one.y * side - MARGIN) for one in landmarks])
        matte = segmentation.process(np.ascontiguousarray(picture)).segmentation_mask
        mattes.append((matte * 255).astype(np.uint8))
        found.append([row["file"], row["age"], row["gender"], row["race"]])
    np.savez(arguments.work / "points.npz", points=np.array(points, np.float32), mattes=mattes, found=found)
    print(f"{len(found)} of {len(rows)} adult pictures have a face mesh")


if __name__ == "__main__":
    main()
