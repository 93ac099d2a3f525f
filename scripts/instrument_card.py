"""Measure the embedded instrument on FairFace's validation set, and write its card.

    python scripts/instrument_card.py DATA     measures, writes audit/instruments/card.json and the page
    python scripts/instrument_card.py          writes the page docs/validation/instrument-card.md from card.json

``DATA`` is a folder with ``labels_val.csv`` (file, age, gender, race, ...) and the pictures that it names. Every rate
has its exact 95 % interval (Clopper & Pearson 1934), every mean error one from its standard error; pictures are taken
as independent. A picture in which no face is found is not read; where that counts as a wrong read, the name says so.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import beta

from audit.core.vocabulary import GENDERS, RACES
from audit.instruments.card import CARD_FILE
from audit.instruments.faces import FaceFinder, cut_face
from audit.instruments.heads import AGE_MIDDLES, FAIRFACE_AGES, FAIRFACE_RACES, HEADS_FILE, TO_SIX, heads
from audit.instruments.trunk import TRUNK_FILE, trunk

ROOT = Path(__file__).parent.parent
DOC = ROOT / "docs" / "validation" / "instrument-card.md"
DETECTOR = "dlib"
FOUR = ("asian", "indian", "black", "white")
BINS = 10
TARGETS = {"race_six_labels": 0.70, "race_four_labels": 0.87, "gender": 0.90, "age_error_years": 5.6}

Bools = NDArray[np.bool_]
Card = dict[str, Any]


def read(data: Path, files: list[str]) -> pd.DataFrame:
    """What the instrument reads in each picture: found, race7, race6, four, man, age and the race's confidence."""
    finder, network, layers = FaceFinder(DETECTOR), trunk(), heads()
    cv2.setNumThreads(1)
    four = [RACES.index(race) for race in FOUR]

    def one(file: str) -> dict[str, float]:
        picture = np.asarray(cv2.imread(str(data / file), cv2.IMREAD_COLOR), dtype=np.uint8)
        face = finder.find(picture)
        if face is None:
            return {"found": 0}
        reading = layers.read(network.feature(cut_face(picture, face, DETECTOR)))
        return {
            "found": 1,
            "race7": int(reading.race7.argmax()),
            "race6": int(reading.race.argmax()),
            "four": four[int(reading.race[four].argmax())],
            "confidence": float(reading.race.max()),
            "man": reading.man,
            "age": reading.age,
        }

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return pd.DataFrame(list(pool.map(one, files)))


def rate(hits: Bools) -> Card:
    """A share with its exact interval."""
    n, k = len(hits), int(hits.sum())
    if n == 0:
        return {"value": None, "low": None, "high": None, "n": 0}
    low = 0.0 if k == 0 else float(beta.ppf(0.025, k, n - k + 1))
    high = 1.0 if k == n else float(beta.ppf(0.975, k + 1, n - k))
    return {"value": round(k / n, 4), "low": round(low, 4), "high": round(high, 4), "n": n}


def mean(values: NDArray[np.float64]) -> Card:
    """A mean with an interval of 1.96 standard errors."""
    value, error = float(values.mean()), 1.96 * float(values.std(ddof=1)) / len(values) ** 0.5
    low, high = round(value - error, 3), round(value + error, 3)
    return {"value": round(value, 3), "low": low, "high": high, "n": len(values)}


def by_label(truth: NDArray[np.int64], said: NDArray[np.int64], names: list[str]) -> dict[str, Card]:
    """Recall and precision of each label."""
    rows = {}
    for i, name in enumerate(names):
        rows[name] = {"recall": rate((said == i)[truth == i]), "precision": rate((truth == i)[said == i])}
    return rows


def calibration(confidence: NDArray[np.float64], right: Bools) -> tuple[float, dict[str, Card]]:
    """Expected calibration error (Guo et al. 2017, equation 3, ten bins of equal width) and the bins."""
    rows: dict[str, Card] = {}
    error = 0.0
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    for b in range(BINS):
        inside = place == b
        if inside.any():
            said = float(confidence[inside].mean())
            rows[f"{b / BINS:.1f} to {(b + 1) / BINS:.1f}"] = {"said": round(said, 4), "right": rate(right[inside])}
            error += inside.mean() * abs(said - right[inside].mean())
    return round(float(error), 4), rows


def snake(name: str) -> str:
    return name.lower().replace(" ", "_")


def measure(labels: pd.DataFrame, reads: pd.DataFrame) -> Card:
    """The card, from the labels and what was read."""
    truth7 = labels["race"].map(FAIRFACE_RACES.index).to_numpy(np.int64)
    truth6 = np.asarray(TO_SIX)[truth7]
    woman_man = labels["gender"].map(["Female", "Male"].index).to_numpy(np.int64)
    years = np.asarray(AGE_MIDDLES)[labels["age"].map(FAIRFACE_AGES.index).to_numpy(np.int64)]
    found = reads["found"].to_numpy() == 1

    # Rows without a face hold -1, which no label is: in `seen` they are left out, in "of all" they count as wrong.
    filled = reads.reindex(columns=["race7", "race6", "four"]).fillna(-1).astype(np.int64)
    man = (reads["man"].to_numpy(np.float64) > 0.5).astype(np.int64)
    right = {
        "race_seven_labels": filled["race7"].to_numpy() == truth7,
        "race_six_labels": filled["race6"].to_numpy() == truth6,
        "race_four_labels": filled["four"].to_numpy() == truth6,
        "gender": found & (man == woman_man),
    }
    in_four = np.isin(truth6, [RACES.index(race) for race in FOUR])
    of = {name: in_four if name == "race_four_labels" else np.ones_like(found) for name in right}
    error = np.abs(reads["age"].to_numpy(np.float64) - years)

    accuracy = {
        name: {"of_faces_found": rate(hits[of[name] & found]), "not_found_counted_wrong": rate(hits[of[name]])}
        for name, hits in right.items()
    }
    groups = {race: truth6 == i for i, race in enumerate(RACES)}
    seen6, seen4 = filled["race6"].to_numpy(), filled["four"].to_numpy()
    confidence = reads["confidence"].to_numpy(np.float64)
    race_error, race_bins = calibration(confidence[found], right["race_six_labels"][found])
    man_read = reads["man"].to_numpy(np.float64)
    sure = np.maximum(man_read, 1 - man_read)
    gender_error, gender_bins = calibration(sure[found], right["gender"][found])
    four_found = in_four & found
    reached = {
        **{name: accuracy[name]["of_faces_found"]["value"] for name in TARGETS if name != "age_error_years"},
        "age_error_years": mean(error[found])["value"],
    }
    return {
        "dataset": "FairFace (Karkkainen & Joo 2021), validation pictures, padding 0.25, labelled by annotators",
        "pictures": len(labels),
        "faces_found": int(found.sum()),
        "detector": DETECTOR,
        "intervals": "95 %, exact (Clopper-Pearson) for rates, 1.96 standard errors for years",
        "age_truth": "the middle of FairFace's age range; 75 for the open one",
        "race_calibration_error": race_error,
        "gender_calibration_error": gender_error,
        "targets": {
            name: {
                "asked": bound,
                "reached": reached[name],
                "met": bool(reached[name] <= bound if name == "age_error_years" else reached[name] >= bound),
            }
            for name, bound in TARGETS.items()
        },
        "accuracy": accuracy,
        "faces_found_by_race": {race: {"found": rate(found[mask])} for race, mask in groups.items()},
        "race_six": by_label(truth6[found], seen6[found], list(RACES)),
        "race_four": by_label_of_four(truth6[four_found], seen4[four_found]),
        "race_seven": by_label(truth7[found], filled["race7"].to_numpy()[found], [snake(r) for r in FAIRFACE_RACES]),
        "race_confusion": {
            race: {f"read_{other}": int((seen6[found & mask] == j).sum()) for j, other in enumerate(RACES)}
            for race, mask in groups.items()
        },
        "gender": by_label(woman_man[found], man[found], list(GENDERS)),
        "gender_recall_by_race": {
            race: {gender: rate(right["gender"][found & mask & (woman_man == i)]) for i, gender in enumerate(GENDERS)}
            for race, mask in groups.items()
        },
        "age_error_by_race": {race: {"years": mean(error[found & mask])} for race, mask in groups.items()},
        "age_error_by_gender": {
            gender: {"years": mean(error[found & (woman_man == i)])} for i, gender in enumerate(GENDERS)
        },
        "age_error_by_age": {
            name: {
                "years": mean(error[found & (years == middle)]),
                "too_old_by": round(float((reads["age"] - years)[found & (years == middle)].mean()), 3),
            }
            for name, middle in zip(FAIRFACE_AGES, AGE_MIDDLES, strict=True)
        },
        "race_calibration": race_bins,
        "gender_calibration": gender_bins,
        "weights": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (TRUNK_FILE, HEADS_FILE)},
    }


def by_label_of_four(truth: NDArray[np.int64], said: NDArray[np.int64]) -> dict[str, Card]:
    """Recall and precision where only pictures of the four are asked, and only the four may be answered."""
    rows = by_label(truth, said, list(RACES))
    return {race: rows[race] for race in FOUR}


SECTIONS = {
    "targets": "What was asked of it, over the faces found",
    "accuracy": "Accuracy",
    "faces_found_by_race": "Faces found, by race label",
    "race_six": "Race, DeepFace's six labels, over the faces found",
    "race_four": "Race, the likeliest of four labels where the true label is one of them, over the faces found",
    "race_seven": "Race, FairFace's seven labels, over the faces found",
    "race_confusion": "Race confusion: pictures with the label of the row, by what is read",
    "gender": "Gender, over the faces found",
    "gender_recall_by_race": "Gender recall by race label, over the faces found",
    "age_error_by_race": "Mean absolute age error by race label",
    "age_error_by_gender": "Mean absolute age error by gender label",
    "age_error_by_age": "Mean absolute age error by age label, and how much too old it reads",
    "race_calibration": "Race calibration: how sure it says it is, and how often it is right",
    "gender_calibration": "Gender calibration: how sure it says it is, and how often it is right",
}


def cell(value: object) -> str:
    if isinstance(value, Mapping):
        if value["value"] is None:
            return "not estimable (n 0)"
        return f"{value['value']:.3f} [{value['low']:.3f}, {value['high']:.3f}] n {value['n']}"
    return "yes" if value is True else "no" if value is False else "" if value is None else str(value)


def render(card: Card) -> str:
    """The card as a page of Markdown."""
    lines = [
        "# Instrument card of the embedded instrument",
        "",
        "Written by `scripts/instrument_card.py` from `audit/instruments/card.json`; do not edit.",
        "",
        "The instrument reads; it does not know. Labels here are annotators' judgements of appearance, and a read is",
        "what this instrument says of a picture, on photographs like these. On rendered faces it may err otherwise.",
        "",
    ]
    lines += [f"- {key.replace('_', ' ')}: {value}" for key, value in card.items() if not isinstance(value, Mapping)]
    lines += [f"- sha256 of {name}: `{digest}`" for name, digest in card["weights"].items()]
    for key, title in SECTIONS.items():
        rows: Mapping[str, Mapping[str, object]] = card[key]
        columns = list(dict.fromkeys(column for row in rows.values() for column in row))
        lines += ["", f"## {title}", "", "| | " + " | ".join(c.replace("_", " ") for c in columns) + " |"]
        lines += ["| --- |" + " --- |" * len(columns)]
        for name, row in rows.items():
            lines.append(f"| {name.replace('_', ' ')} | " + " | ".join(cell(row.get(c)) for c in columns) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", help="FairFace: labels_val.csv and the pictures")
    arguments = parser.parse_args()
    if arguments.data:
        labels = pd.read_csv(arguments.data / "labels_val.csv")
        card = measure(labels, read(arguments.data, labels["file"].tolist()))
        CARD_FILE.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    card = json.loads(CARD_FILE.read_text(encoding="utf-8"))
    DOC.write_text(render(card), encoding="utf-8")
    for name, row in card["targets"].items():
        print(f"{name}: {row['reached']} (asked {row['asked']})")


if __name__ == "__main__":
    main()
