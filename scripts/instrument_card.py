"""Measure the embedded instrument on FairFace's validation set, and write its card.

    python scripts/instrument_card.py DATA     measures, writes audit/instruments/card.json and the page
    python scripts/instrument_card.py          writes the page docs/validation/instrument-card.md from card.json

``DATA`` is a folder with ``labels_val.csv`` (file, age, gender, race, ...) and the pictures that it names. A picture in
which no face is found counts as a wrong read; errors in years are over the pictures with a face. Every rate has its
exact 95 % interval (Clopper & Pearson 1934), every mean one from its standard error; pictures are taken as independent.

``--reads FILE`` also writes what is read in each picture, as CSV. ``--before FILE`` compares with such a file of
another instrument, picture by picture.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
from audit.instruments.network import AGE_MIDDLES, FAIRFACE_AGES, FAIRFACE_RACES, NETWORK_FILE, TO_SIX, network
from audit.instruments.registry import DETECTOR

ROOT = Path(__file__).parent.parent
DOC = ROOT / "docs" / "validation" / "instrument-card.md"
FOUR = ("asian", "indian", "black", "white")
BINS = 10
BANDS = {"below 20": (0, 20), "20 to 39": (20, 40), "40 to 59": (40, 60), "60 and older": (60, 200)}
"""Age bands of the intersections, by the middle of FairFace's age range."""
SMALL = 20
"""A cell with fewer pictures is not named as the worst."""
TARGETS = {
    "faces_found": 0.99,
    "faces_found_of_the_worst_race": 0.985,
    "race_six_labels": 0.735,
    "race_four_labels": 0.88,
    "gender": 0.92,
    "gender_of_the_worst_race_and_gender": 0.86,
    "age_error_years": 5.0,
    "age_error_years_above_60": 7.0,
}

Bools = NDArray[np.bool_]
Card = dict[str, Any]


def read(data: Path, files: list[str], *, mirrored: bool) -> pd.DataFrame:
    """What the instrument reads in each picture: found, race7, race6, four, man, age and the race's confidence."""
    finder = FaceFinder(DETECTOR)
    cv2.setNumThreads(1)
    four = [RACES.index(race) for race in FOUR]

    def one(file: str) -> dict[str, float]:
        picture = np.asarray(cv2.imread(str(data / file), cv2.IMREAD_COLOR), dtype=np.uint8)
        faces = finder.faces(picture)
        if not faces:
            return {"found": 0}
        cut = cut_face(picture, faces[0], finder.detector.geometry)
        reading = network().read(cut, mirrored=mirrored)
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
        return {"value": None, "low": None, "high": None, "n": 0, "unit": "share"}
    low = 0.0 if k == 0 else float(beta.ppf(0.025, k, n - k + 1))
    high = 1.0 if k == n else float(beta.ppf(0.975, k + 1, n - k))
    return {"value": round(k / n, 4), "low": round(low, 4), "high": round(high, 4), "n": n, "unit": "share"}


def mean(values: NDArray[np.float64], unit: str = "years") -> Card:
    """A mean with an interval of 1.96 standard errors; without one below two values."""
    if len(values) < 2:
        return {"value": None, "low": None, "high": None, "n": len(values), "unit": unit}
    value, error = float(values.mean()), 1.96 * float(values.std(ddof=1)) / len(values) ** 0.5
    low, high = round(value - error, 3), round(value + error, 3)
    return {"value": round(value, 3), "low": low, "high": high, "n": len(values), "unit": unit}


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


@dataclass(frozen=True)
class Truth:
    """The labels of the pictures: numbers of FairFace's seven races, of DeepFace's six, and of GENDERS; and years."""

    race7: NDArray[np.int64]
    race6: NDArray[np.int64]
    gender: NDArray[np.int64]
    years: NDArray[np.float64]

    @classmethod
    def of(cls, labels: pd.DataFrame) -> Truth:
        """From FairFace's table of labels."""
        race7 = labels["race"].map(FAIRFACE_RACES.index).to_numpy(np.int64)
        return cls(
            race7,
            np.asarray(TO_SIX)[race7],
            labels["gender"].map(["Female", "Male"].index).to_numpy(np.int64),
            np.asarray(AGE_MIDDLES)[labels["age"].map(FAIRFACE_AGES.index).to_numpy(np.int64)],
        )

    @property
    def in_four(self) -> Bools:
        """Whether the race is one of FOUR."""
        return np.isin(self.race6, [RACES.index(race) for race in FOUR])


def measure(labels: pd.DataFrame, reads: pd.DataFrame, before: pd.DataFrame | None, *, mirrored: bool) -> Card:
    """The card, from the labels and what was read, now and by another instrument before."""
    truth = Truth.of(labels)
    truth6, woman_man, years, in_four = truth.race6, truth.gender, truth.years, truth.in_four
    found = reads["found"].to_numpy() == 1

    # Rows without a face hold -1, which is the number of no label: they count as wrong.
    filled = reads.reindex(columns=["race7", "race6", "four"]).fillna(-1).astype(np.int64)
    man_read = reads["man"].to_numpy(np.float64)
    man = np.where(found, (man_read > 0.5).astype(np.int64), -1)
    right = rights(truth, reads)
    error = np.abs(reads["age"].to_numpy(np.float64) - years)
    confidence = reads["confidence"].to_numpy(np.float64)
    race_error, race_bins = calibration(confidence[found], right["race_six_labels"][found])
    gender_error, gender_bins = calibration(np.maximum(man_read, 1 - man_read)[found], right["gender"][found])

    accuracy = {
        name: {"all_pictures": rate(hits[in_four] if name == "race_four_labels" else hits)}
        | {"of_faces_found": rate(hits[found & (in_four if name == "race_four_labels" else True)])}
        for name, hits in right.items()
    }
    races = {race: truth6 == i for i, race in enumerate(RACES)}
    genders = {gender: woman_man == i for i, gender in enumerate(GENDERS)}
    bands = {band: (years >= low) & (years < high) for band, (low, high) in BANDS.items()}

    def rows_of(masks: Mapping[str, Bools]) -> dict[str, Card]:
        return {
            name: {
                "found": rate(found[mask]),
                "race_six_labels": rate(right["race_six_labels"][mask]),
                "gender": rate(right["gender"][mask]),
                "age_error_years": mean(error[mask & found]),
            }
            for name, mask in masks.items()
        }

    by_race = rows_of(races)
    pairs = {f"{race}, {gender}": races[race] & genders[gender] for race in RACES for gender in GENDERS}
    by_pair = rows_of(pairs)
    cells = {f"{pair}, {band}": pairs[pair] & bands[band] for pair in pairs for band in bands}
    by_cell = rows_of(cells)
    worst_pair = min(by_pair, key=lambda name: by_pair[name]["gender"]["value"])
    large = [name for name in by_cell if by_cell[name]["found"]["n"] >= SMALL]
    worst_cell = min(large, key=lambda name: by_cell[name]["gender"]["value"])
    reached = {name: accuracy[name]["all_pictures"]["value"] for name in TARGETS if name in accuracy} | {
        "faces_found": rate(found)["value"],
        "faces_found_of_the_worst_race": min(row["found"]["value"] for row in by_race.values()),
        "gender_of_the_worst_race_and_gender": by_pair[worst_pair]["gender"]["value"],
        "age_error_years": mean(error[found])["value"],
        "age_error_years_above_60": mean(error[found & (years > 60)])["value"],
    }
    return {
        "dataset": "FairFace (Karkkainen & Joo 2021), validation pictures, padding 0.25, labelled by annotators",
        "pictures": len(labels),
        "faces_found": int(found.sum()),
        "detector": DETECTOR,
        "mirrored": mirrored,
        "counting": "a picture without a found face is a wrong read; errors in years are over the faces found",
        "intervals": "95 %, exact (Clopper-Pearson) for rates, 1.96 standard errors for means and differences",
        "age_truth": "the middle of FairFace's age range; 75 for the open one",
        "race_calibration_error": race_error,
        "gender_calibration_error": gender_error,
        "gender_worst_race_and_gender": f"{worst_pair}: {cell(by_pair[worst_pair]['gender'])}",
        "gender_worst_race_gender_and_age": f"{worst_cell}: {cell(by_cell[worst_cell]['gender'])}; "
        f"cells below {SMALL} pictures aside",
        "targets": {
            name: {
                "asked": bound,
                "reached": reached[name],
                "met": bool(reached[name] <= bound if name.startswith("age_error") else reached[name] >= bound),
            }
            for name, bound in TARGETS.items()
        },
        "accuracy": accuracy,
        "compared": {} if before is None else compared(labels, truth, before, reads),
        "by_race": by_race,
        "by_gender": rows_of(genders),
        "by_age": rows_of(bands),
        "by_race_and_gender": by_pair,
        "by_race_gender_and_age": by_cell,
        "race_six": by_label(truth6, filled["race6"].to_numpy(), list(RACES)),
        "race_four": by_label_of_four(truth6[in_four], filled["four"].to_numpy()[in_four]),
        "race_seven": by_label(truth.race7, filled["race7"].to_numpy(), [snake(r) for r in FAIRFACE_RACES]),
        "race_confusion": {
            race: {f"read_{other}": int((filled["race6"].to_numpy()[mask] == j).sum()) for j, other in enumerate(RACES)}
            | {"no_face": int((~found & mask).sum())}
            for race, mask in races.items()
        },
        "gender": by_label(woman_man, man, list(GENDERS)),
        "age_error_by_age": {
            name: {
                "years": mean(error[found & (years == middle)]),
                "too_old_by": round(float((reads["age"] - years)[found & (years == middle)].mean()), 3),
            }
            for name, middle in zip(FAIRFACE_AGES, AGE_MIDDLES, strict=True)
        },
        "race_calibration": race_bins,
        "gender_calibration": gender_bins,
        "weights": {NETWORK_FILE.name: hashlib.sha256(NETWORK_FILE.read_bytes()).hexdigest()},
    }


def rights(truth: Truth, reads: pd.DataFrame) -> dict[str, Bools]:
    """Whether each picture is read rightly; one without a face is not."""
    man = truth.gender == GENDERS.index("man")
    return {
        "race_seven_labels": reads["race7"].to_numpy() == truth.race7,
        "race_six_labels": reads["race6"].to_numpy() == truth.race6,
        "race_four_labels": reads["four"].to_numpy() == truth.race6,
        "gender": (reads["found"].to_numpy() == 1) & ((reads["man"].to_numpy(np.float64) > 0.5) == man),
    }


def compared(labels: pd.DataFrame, truth: Truth, before: pd.DataFrame, now: pd.DataFrame) -> dict[str, Card]:
    """The former instrument and this one on the same pictures; the difference is paired by picture."""
    if list(before["file"]) != list(labels["file"]):
        raise SystemExit("The file of the former instrument has other pictures. Allowed: those of labels_val.csv.")
    years, in_four = truth.years, truth.in_four
    everyone = np.ones(len(labels), bool)
    black_women = (truth.race6 == RACES.index("black")) & (truth.gender == GENDERS.index("woman"))
    old, new = rights(truth, before), rights(truth, now)
    found = [reads["found"].to_numpy() == 1 for reads in (before, now)]
    rows = {"faces_found": (found[0], found[1], everyone)}
    rows |= {name: (old[name], new[name], in_four if "four" in name else everyone) for name in old}
    rows["gender_of_black_women"] = (old["gender"], new["gender"], black_women)
    table = {
        name: {
            "before": rate(was[of]),
            "now": rate(is_[of]),
            "difference": mean(is_[of] * 1.0 - was[of] * 1.0, "share"),
        }
        for name, (was, is_, of) in rows.items()
    }
    was, is_ = (np.abs(reads["age"].to_numpy(np.float64) - years) for reads in (before, now))
    both = found[0] & found[1]
    for name, of in (("age_error_where_both_found", both), ("above_60_where_both_found", both & (years > 60))):
        table[name] = {"before": mean(was[of]), "now": mean(is_[of]), "difference": mean(is_[of] - was[of])}
    return table


def by_label_of_four(truth: NDArray[np.int64], said: NDArray[np.int64]) -> dict[str, Card]:
    """Recall and precision where only pictures of the four are asked, and only the four may be answered."""
    rows = by_label(truth, said, list(RACES))
    return {race: rows[race] for race in FOUR}


SECTIONS = {
    "targets": "What was asked of it, over all pictures",
    "accuracy": "Accuracy",
    "compared": "This instrument and the former one (dlib's detector, untuned network) on the same pictures",
    "by_race": "By race label",
    "by_gender": "By gender label",
    "by_age": "By age label",
    "by_race_and_gender": "By race and gender label",
    "by_race_gender_and_age": "By race, gender and age label",
    "race_six": "Race, DeepFace's six labels",
    "race_four": "Race, the likeliest of four labels where the true label is one of them",
    "race_seven": "Race, FairFace's seven labels",
    "race_confusion": "Race confusion: pictures with the label of the row, by what is read",
    "gender": "Gender",
    "age_error_by_age": "Mean absolute age error by age label, and how much too old it reads",
    "race_calibration": "Race calibration: the stated probability, and how often it is right, over the faces found",
    "gender_calibration": "Gender calibration: the stated probability, and how often it is right, over the faces found",
}


def cell(value: object) -> str:
    if isinstance(value, Mapping):
        if value["value"] is None:
            return f"not estimable (n {value['n']})"
        return f"{value['value']:.3f} [{value['low']:.3f}, {value['high']:.3f}] n {value['n']}"
    return "yes" if value is True else "no" if value is False else "" if value is None else str(value)


def render(card: Card) -> str:
    """The card as a page of Markdown."""
    lines = [
        "# Instrument card of the embedded instrument",
        "",
        "Written by `scripts/instrument_card.py` from `audit/instruments/card.json`; do not edit.",
        "",
        "Labels are annotators' judgements of appearance, and a read is what this instrument says of a photograph like",
        "these. On rendered faces its errors may differ. Figures measured before with dlib's detector were over the",
        "faces found, four fifths of the pictures, and are not comparable with these.",
        "",
    ]
    lines += [f"- {key.replace('_', ' ')}: {value}" for key, value in card.items() if not isinstance(value, Mapping)]
    lines += [f"- sha256 of {name}: `{digest}`" for name, digest in card["weights"].items()]
    for key, title in SECTIONS.items():
        if not card[key]:
            continue
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
    parser.add_argument("--reads", type=Path, help="CSV file for what is read in each picture")
    parser.add_argument("--before", type=Path, help="such a file of another instrument, to compare with")
    parser.add_argument("--not-mirrored", action="store_true", help="without the mirrored reading")
    arguments = parser.parse_args()
    if arguments.data:
        labels = pd.read_csv(arguments.data / "labels_val.csv")
        reads = read(arguments.data, labels["file"].tolist(), mirrored=not arguments.not_mirrored)
        if arguments.reads:
            reads.assign(file=labels["file"]).to_csv(arguments.reads, index=False)
        before = pd.read_csv(arguments.before) if arguments.before else None
        card = measure(labels, reads, before, mirrored=not arguments.not_mirrored)
        CARD_FILE.write_text(json.dumps(card, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    card = json.loads(CARD_FILE.read_text(encoding="utf-8"))
    DOC.write_text(render(card), encoding="utf-8")
    for name, row in card["targets"].items():
        print(f"{name}: {row['reached']} (asked {row['asked']})")


if __name__ == "__main__":
    main()
