"""Fit the appearance model, and build the portraits of the embedded cohort and the model file of the package.

    python datasets/synthetic_bilingual/build/faces.py --fairface DIR --work WORK -o datasets/synthetic_bilingual \\
        [--model audit/cohorts/drawing/appearance.npz]

One portrait for each row of the table in speakers.py, from its group, gender, age and portrait_seed alone, drawn from
the fitted model before compression: portraits/ of the audited speakers, training/portraits/ of the others. None is
drawn again, whatever it looks like or is read as. WORK holds points.npz, made by faces_points.py; FACES.md describes
all steps.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import speakers
from faces_model import fit
from faces_pack import write_appearance
from faces_training import load

from audit.cohorts.drawing.frame import Array
from audit.cohorts.drawing.rendering import Regions, render

QUALITY = 90
FOLDERS = {"audited": "portraits", "training": "training/portraits", "validation": "training/portraits"}


def write(picture: Array, path: Path) -> None:
    """Write RGB as JPEG, the same bytes for the same picture."""
    if not cv2.imwrite(str(path), picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY]):
        raise OSError(f"{path} could not be written")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fairface", type=Path, required=True, help="folder with labels_train.csv and train/")
    parser.add_argument("--work", type=Path, required=True, help="folder with points.npz, from faces_points.py")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the cohort")
    parser.add_argument("--model", type=Path, help="file to write the compressed model to")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    faces = load(arguments.fairface, arguments.work)
    print(f"{len(faces.age)} faces learnt from")
    # For faces_measure.py alone; it names pictures of real people and stays in the work folder.
    (arguments.work / "learnt_from.txt").write_text("\n".join(faces.files) + "\n")
    cells = fit(faces)
    for (group, gender), learnt in cells.items():
        least = learnt.effective_faces.min()
        print(f"{group} {gender}: {learnt.faces} faces; at least {least:.0f} effective faces in each direction")
    if arguments.model:
        digest = write_appearance(arguments.model, faces.frame, {key: one.cell for key, one in cells.items()})
        print(f"{arguments.model}: sha256 {digest}")
    regions = Regions(faces.frame)
    for folder in set(FOLDERS.values()):
        (arguments.out / folder).mkdir(parents=True, exist_ok=True)
    for row in speakers.draw().to_dict("records"):
        picture = render(cells[row["group"], row["gender"]].cell, regions, row["portrait_seed"], row["age"])
        write(picture, arguments.out / FOLDERS[row["split"]] / f"{row['speaker_id']}.jpg")


if __name__ == "__main__":
    main()
