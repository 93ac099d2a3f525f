"""Train the heads of the embedded instrument (race, gender, age) on FairFace.

    python scripts/train_heads.py DATA -o audit/instruments/weights

``DATA`` is a folder with ``labels_train.csv``, ``labels_val.csv`` (file, age, gender, race, ...) and the pictures that
they name. Faces are found and cut exactly as at reading time; a training picture in which no face is found is used as
it is, for FairFace's pictures are themselves cut and aligned in that way. Training pictures whose bytes also stand in
the validation set are left out, and the validation pictures serve for nothing else here.

What is chosen (how strongly to regularise, linear or one hidden layer, the temperature) is chosen on a fifth of the
training pictures, drawn by their bytes so that copies stay together; then the heads are fitted again on all of them.

Weights make the prior: every one of DeepFace's six races counts the same (East and Southeast Asian half of one each),
so before looking no race is likelier than another; within each race woman and man count the same. A copy of FairFace
may be unbalanced, and a fairness instrument must not read a race more often because its training set held more of it.

The same data, seed and versions give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.numpy import save

from audit.instruments.faces import FaceFinder, cut_face
from audit.instruments.heads import AGE_MIDDLES, FAIRFACE_AGES, FAIRFACE_RACES, TO_SIX
from audit.instruments.trunk import TRUNK_FILE, trunk

SEED = 0
DETECTOR = "dlib"
Array = NDArray[np.float32]
Labels = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Recipe:
    """One way to fit a head: L2 penalty for a linear one; width, epochs and weight decay for a hidden layer."""

    hidden: int = 0
    penalty: float = 1e-3
    epochs: int = 15

    def __str__(self) -> str:
        return f"hidden {self.hidden}, decay {self.penalty}" if self.hidden else f"linear, penalty {self.penalty}"


RECIPES = {
    "race": (Recipe(penalty=0.03), Recipe(penalty=0.1), Recipe(penalty=0.3), Recipe(128, 1.0)),
    "gender": (Recipe(penalty=0.03), Recipe(penalty=0.1), Recipe(64, 0.3), Recipe(128, 1.0)),
    "age": (Recipe(penalty=0.03), Recipe(penalty=0.1), Recipe(128, 0.2), Recipe(256, 1.0)),
}


def extract(data: Path, files: list[str]) -> tuple[Array, Bools]:
    """The trunk's feature of each picture, and whether a face was found in it."""
    finder, network = FaceFinder(DETECTOR), trunk()
    cv2.setNumThreads(1)

    def one(file: str) -> tuple[Array, bool]:
        picture = np.asarray(cv2.imread(str(data / file), cv2.IMREAD_COLOR), dtype=np.uint8)
        face = finder.find(picture)
        cut = picture if face is None else cut_face(picture, face, DETECTOR)
        return network.feature(cut), face is not None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(one, files))
    return np.stack([feature for feature, _ in results]), np.array([found for _, found in results])


def fit(recipe: Recipe, x: Array, target: Labels, weight: Array, classes: int, *, years: bool) -> list[Array]:
    """Weights and biases of the layers, [weight, bias, ...], with the standardisation of the feature folded in."""
    torch.manual_seed(SEED)
    mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-3
    inputs = torch.from_numpy((x - mean) / spread)
    truth, weights = torch.tensor(target), torch.tensor(weight)
    middles = torch.tensor(AGE_MIDDLES)

    def loss(logits: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        each = torch.nn.functional.cross_entropy(logits, truth[index], reduction="none")
        if years:  # what is reported is the error in years, so that is learned too
            each = 0.3 * each + 0.1 * (logits.softmax(1) @ middles - middles[truth[index]]).abs()
        return (each * weights[index]).mean()

    everything = torch.arange(len(inputs))
    if not recipe.hidden:
        layer = torch.nn.Linear(x.shape[1], classes)
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
        newton = torch.optim.LBFGS(layer.parameters(), max_iter=200, line_search_fn="strong_wolfe")

        def closure() -> torch.Tensor:
            newton.zero_grad()
            value = loss(layer(inputs), everything) + recipe.penalty * layer.weight.square().sum()
            value.backward()  # type: ignore[no-untyped-call]
            return value

        newton.step(closure)  # type: ignore[no-untyped-call]
        layers = [layer]
    else:
        layers = [torch.nn.Linear(x.shape[1], recipe.hidden), torch.nn.Linear(recipe.hidden, classes)]
        network = torch.nn.Sequential(
            torch.nn.Dropout(0.3), layers[0], torch.nn.ReLU(), torch.nn.Dropout(0.3), layers[1]
        )
        adam = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=recipe.penalty)
        batches = -(-len(inputs) // 256)
        rate = torch.optim.lr_scheduler.OneCycleLR(adam, 3e-3, total_steps=recipe.epochs * batches)
        for _ in range(recipe.epochs):
            for index in torch.split(torch.randperm(len(inputs)), 256):
                adam.zero_grad()
                loss(network(inputs[index]), index).backward()  # type: ignore[no-untyped-call]
                adam.step()
                rate.step()
    arrays = [parameter.detach().numpy() for layer in layers for parameter in (layer.weight, layer.bias)]
    first = (arrays[0] / spread).astype(np.float32)
    return [first, (arrays[1] - first @ mean).astype(np.float32), *arrays[2:]]


def logits_of(arrays: list[Array], x: Array) -> NDArray[np.float64]:
    """What the layers say of features [n, 1024]: shape [n, classes]."""
    value = x.astype(np.float64)
    for i in range(0, len(arrays), 2):
        inputs = np.maximum(value, 0) if i else value
        value = np.asarray(inputs @ arrays[i].T + arrays[i + 1], dtype=np.float64)
    return value


def probabilities(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Softmax over the last axis."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def log_loss(logits: NDArray[np.float64], target: Labels, weight: Array) -> float:
    """Weighted mean of minus the logarithm of the true class' probability."""
    chance = probabilities(logits)[np.arange(len(target)), target]
    return float(np.average(-np.log(np.maximum(chance, 1e-12)), weights=weight))


def score(head: str, logits: NDArray[np.float64], target: Labels, weight: Array) -> float:
    """What a recipe is chosen by, lower is better: log loss, for age the mean error in years."""
    if head == "age":
        years = probabilities(logits) @ np.asarray(AGE_MIDDLES)
        return float(np.average(np.abs(years - np.asarray(AGE_MIDDLES)[target]), weights=weight))
    return min(log_loss(logits / t, target, weight) for t in TEMPERATURES)


TEMPERATURES = tuple(np.geomspace(0.5, 4, 61))


def shares(*labels: Labels) -> Array:
    """Weights with mean 1 by which every combination of the labels counts the same."""
    _, cell, count = np.unique(np.stack(labels), axis=1, return_inverse=True, return_counts=True)
    weight = 1 / count[cell.reshape(-1)]
    return np.asarray(weight / weight.mean(), dtype=np.float32)


@dataclass(frozen=True)
class Task:
    """What one head learns: the true class and the weight of each picture."""

    head: str
    classes: int
    target: Labels
    weight: Array

    def fit(self, recipe: Recipe, x: Array, chosen: Bools) -> list[Array]:
        """The layers, learned on the pictures chosen."""
        years = self.head == "age"
        return fit(recipe, x[chosen], self.target[chosen], self.weight[chosen], self.classes, years=years)


def tasks_of(labels: pd.DataFrame) -> list[Task]:
    """The three heads' tasks, with the weights that make the prior."""
    race7 = labels["race"].map(FAIRFACE_RACES.index).to_numpy(np.int64)
    gender = labels["gender"].map(["Female", "Male"].index).to_numpy(np.int64)
    age = labels["age"].map(FAIRFACE_AGES.index).to_numpy(np.int64)
    race6 = np.asarray(TO_SIX)[race7]
    of_seven = shares(race7) / np.bincount(TO_SIX)[race6]
    return [
        Task("race", len(FAIRFACE_RACES), race7, np.asarray(of_seven / of_seven.mean(), dtype=np.float32)),
        Task("gender", 2, gender, shares(race6, gender)),
        Task("age", len(FAIRFACE_AGES), age, shares(race6)),
    ]


def learn(task: Task, x: Array, aside: Bools, found: Bools) -> tuple[list[Array], Recipe, float]:
    """Choose the recipe and the temperature on the pictures put aside, then learn from all."""
    judged = aside & found
    target, weight = task.target[judged], task.weight[judged]
    scores, said = [], []
    recipes = RECIPES[task.head]
    for recipe in recipes:
        said.append(logits_of(task.fit(recipe, x, ~aside), x[judged]))
        scores.append(score(task.head, said[-1], target, weight))
        right = float(np.mean(said[-1].argmax(axis=1) == target))
        print(f"{task.head}: {recipe}: {scores[-1]:.4f}, right {right:.4f}", flush=True)
    best = int(np.argmin(scores))
    # The age head is judged by its expectation in years, which a temperature would only blur.
    losses = [log_loss(said[best] / t, target, weight) for t in TEMPERATURES]
    temperature = 1.0 if task.head == "age" else float(TEMPERATURES[int(np.argmin(losses))])
    layers = task.fit(recipes[best], x, np.ones_like(aside))
    layers[-2], layers[-1] = layers[-2] / np.float32(temperature), layers[-1] / np.float32(temperature)
    if task.head == "gender":  # one logit: man against woman
        layers[-2], layers[-1] = layers[-2][1:] - layers[-2][:1], layers[-1][1:] - layers[-1][:1]
    print(f"{task.head}: chosen {recipes[best]}, temperature {temperature:.3f}", flush=True)
    return layers, recipes[best], temperature


def read_labels(data: Path) -> tuple[pd.DataFrame, list[str]]:
    """Training labels without the pictures whose bytes stand in the validation set, and the digest of each picture."""
    frames = {part: pd.read_csv(data / f"labels_{part}.csv") for part in ("train", "val")}
    digests = {
        part: [hashlib.sha256((data / file).read_bytes()).hexdigest() for file in frame["file"]]
        for part, frame in frames.items()
    }
    both = set(digests["val"])
    keep = np.array([digest not in both for digest in digests["train"]])
    print(f"{keep.sum()} training pictures; {(~keep).sum()} left out, for their bytes stand in the validation set")
    return frames["train"][keep], [digest for digest, kept in zip(digests["train"], keep, strict=True) if kept]


def features_of(data: Path, files: list[str], kept: Path | None) -> tuple[Array, Bools]:
    """As :func:`extract`, from the file that keeps them where there is one."""
    if kept is None or not kept.exists():
        x, found = extract(data, files)
        if kept is not None:
            np.savez(kept, name=np.array(files), feature=x, found=found)
        return x, found
    stored = np.load(kept)
    place = {file: i for i, file in enumerate(stored["name"].tolist())}
    order = [place[file] for file in files]
    return stored["feature"][order], stored["found"][order]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="FairFace: labels_train.csv, labels_val.csv and the pictures")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the weights")
    parser.add_argument("--features", type=Path, help="file that keeps the extracted features between calls (npz)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)

    labels, digests = read_labels(arguments.data)
    x, found = features_of(arguments.data, labels["file"].tolist(), arguments.features)
    print(f"a face was found in {found.sum()} of {len(found)}")
    aside = np.array([int(digest[:8], 16) % 5 == 0 for digest in digests])

    tensors: dict[str, Array] = {}
    notes: dict[str, object] = {
        "training": {
            "data": "FairFace (Karkkainen & Joo 2021, CC BY 4.0), padding 0.25",
            "pictures": len(x),
            "faces_found": int(found.sum()),
            "labels_sha256": hashlib.sha256((arguments.data / "labels_train.csv").read_bytes()).hexdigest(),
            "trunk_sha256": hashlib.sha256(TRUNK_FILE.read_bytes()).hexdigest(),
            "prior": "uniform over DeepFace's six races; woman and man alike within each",
            "detector": DETECTOR,
            "seed": SEED,
            "torch": torch.__version__.split("+")[0],
        }
    }
    for task in tasks_of(labels):
        layers, recipe, temperature = learn(task, x, aside, found)
        notes[task.head] = {"recipe": str(recipe), "temperature": round(temperature, 4)}
        for i, array in enumerate(layers):
            name = f"{task.head}.{i // 2}.{('weight', 'bias')[i % 2]}"
            tensors[name] = np.ascontiguousarray(array, dtype=np.float32)
    target: Path = arguments.out / "heads.safetensors"
    # One key: the order of several in the file's header is not the same in every process.
    target.write_bytes(save(tensors, {"notes": json.dumps(notes, sort_keys=True)}))
    print(f"{target}: {target.stat().st_size} bytes, sha256 {hashlib.sha256(target.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
