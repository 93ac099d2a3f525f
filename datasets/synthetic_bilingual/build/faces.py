"""Build the portraits of the embedded cohort: portraits/ of the audited speakers, training/portraits/ of the others.

    python datasets/synthetic_bilingual/build/faces.py --fairface DIR --work WORK -o datasets/synthetic_bilingual

One portrait for each row of the table in speakers.py, from its group, gender, age and portrait_seed alone; none is
drawn again, whatever it looks like or is read as. WORK holds points.npz, made by faces_points.py; FACES.md tells the
whole way.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import speakers
from faces_frame import Array
from faces_model import fit
from faces_render import Regions, portrait
from faces_training import load

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
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    faces = load(arguments.fairface, arguments.work)
    print(f"{len(faces.age)} faces learnt from")
    # For faces_measure.py alone; it names pictures of real people and stays in the work folder.
    (arguments.work / "learnt_from.txt").write_text("\n".join(faces.files) + "\n")
    cells = fit(faces)
    for (group, gender), cell in cells.items():
        least = cell.effective_faces.min()
        print(f"{group} {gender}: {cell.faces} faces; {least:.0f} or more of all at work in each direction")
    regions = Regions(faces.frame)
    for folder in set(FOLDERS.values()):
        (arguments.out / folder).mkdir(parents=True, exist_ok=True)
    for row in speakers.draw().to_dict("records"):
        picture = portrait(cells[row["group"], row["gender"]], regions, row["portrait_seed"], row["age"])
        write(picture, arguments.out / FOLDERS[row["split"]] / f"{row['speaker_id']}.jpg")


if __name__ == "__main__":
    main()
