"""The audit that somebody would write in an afternoon, for ``benchmarks/scale.py`` to compare with.

    python -m benchmarks.plain_script COHORT MODEL OUT SIMILARITY

For each clip: load it, render it, save the face, ``DeepFace.analyze`` by path, ``DeepFace.represent`` by path for the
face and for the portrait, their cosine; in the end pandas, and fairlearn's MetricFrame with 1,000 resamples. With
SIMILARITY FaceRes the face networks are the audit's own. With VGG-Face they are those that DeepFace takes
unless it is told otherwise, which ``python -m benchmarks.plain_script weights HOME`` fills with random numbers: what
they read is nonsense then, and how long it takes is not.
"""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from benchmarks.deepface_home import VARIABLE, use_packaged_yunet

OWN = "VGG-Face"

if sys.argv[-1] == OWN:
    os.environ["DEEPFACE_BACKEND_ENGINE"] = "pytorch"
elif VARIABLE not in os.environ:
    home = use_packaged_yunet()

import numpy as np
import pandas as pd
import soundfile
import soxr
from deepface import DeepFace
from fairlearn.metrics import MetricFrame, selection_rate
from PIL import Image

import audit
from benchmarks.embedded_analyze import serve_analyze


def write_random_weights(home: Path) -> None:
    """Weight files of DeepFace's own attribute models and of VGG-Face, as large as the true ones."""
    import torch
    from deepface.models.demography.pytorch import Age, Gender, Race
    from deepface.models.facial_recognition.pytorch import VGGFace

    folder = home / ".deepface" / "weights"
    folder.mkdir(parents=True)
    torch.manual_seed(0)
    for stem, module in (
        ("race_model_single_batch", Race),
        ("gender_model_weights", Gender),
        ("age_model_weights", Age),
        ("vgg_face_weights", VGGFace),
    ):
        torch.save(module.base_model().state_dict(), folder / f"{stem}.pth")


def feature(path: Path, similarity: str, detector: str) -> Any:
    found = DeepFace.represent(str(path), model_name=similarity, detector_backend=detector, enforce_detection=False)
    vector = np.asarray(found[0]["embedding"])
    return vector / np.linalg.norm(vector)


def main() -> None:
    cohort, model, out, similarity = Path(sys.argv[1]), audit.model(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
    detector = "opencv" if similarity == OWN else "yunet"
    out.mkdir(parents=True)
    speakers = pd.read_csv(cohort / "speakers.csv", dtype=str, keep_default_na=False)
    clips = pd.read_csv(cohort / "clips.csv", dtype=str, keep_default_na=False).merge(
        speakers, on="speaker_id", suffixes=("", "_of_speaker")
    )
    rows = []
    with nullcontext() if similarity == OWN else serve_analyze():
        for clip in clips.to_dict("records"):
            sound, rate = soundfile.read(cohort / clip["audio"], dtype="float32", always_2d=True)
            face = model.render([soxr.resample(sound.mean(axis=1), rate, 16_000)], 16_000)[0]
            path = out / f"{clip['clip_id']}.png"
            Image.fromarray(face).save(path)
            read = DeepFace.analyze(
                str(path),
                actions=["race", "gender", "age"],
                detector_backend=detector,
                enforce_detection=False,
                silent=True,
            )[0]
            likeness = None
            portrait = clip.get("portrait") or clip.get("portrait_of_speaker")
            if portrait:
                likeness = float(feature(path, similarity, detector) @ feature(cohort / portrait, similarity, detector))
            rows.append(
                {
                    "white": read["dominant_race"] == "white",
                    "own": read["dominant_race"].replace(" ", "_") in clip["group"],
                    "gender": {"Man": "man", "Woman": "woman"}[read["dominant_gender"]] == clip["gender"],
                    "likeness": likeness,
                    "group": clip["group"],
                    "language": clip["language"],
                }
            )
    seen = pd.DataFrame(rows)
    for metric in ("white", "own", "gender"):
        frame = MetricFrame(
            metrics=selection_rate,
            y_true=np.ones(len(seen)),
            y_pred=seen[metric].astype(int),
            sensitive_features=seen[["group", "language"]],
            n_boot=1000,
            ci_quantiles=[0.025, 0.975],
            random_state=0,
        )
        print(metric, frame.by_group, frame.by_group_ci)
    print(seen.groupby(["group", "language"])["likeness"].mean())


if __name__ == "__main__":
    if sys.argv[1] == "weights":
        write_random_weights(Path(sys.argv[2]))
    else:
        main()
