"""The audit that somebody would write in an afternoon, for ``benchmarks/scale.py`` to compare with.

    python -m benchmarks.plain_script COHORT MODEL OUT SIMILARITY

For each clip: load it, render it, save the face, ``DeepFace.analyze`` by path, ``DeepFace.represent`` by path for the
face and for the portrait, their cosine; in the end pandas, and fairlearn's MetricFrame with 1,000 resamples. The model
and the face networks are those of the audit.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

# DeepFace looks for the detector's points in its home only: one that holds them and Dlib's weights, for this run.
HOME = tempfile.TemporaryDirectory()
os.environ["DEEPFACE_HOME"] = HOME.name
package = importlib.util.find_spec("face_recognition_models")
assert package is not None and package.origin is not None
weights = Path(HOME.name) / ".deepface" / "weights"
weights.mkdir(parents=True)
for name in ("shape_predictor_5_face_landmarks.dat", "dlib_face_recognition_resnet_model_v1.dat"):
    (weights / name).symlink_to(Path(package.origin).parent / "models" / name)

import numpy as np
import pandas as pd
import soundfile
import soxr
from deepface import DeepFace
from fairlearn.metrics import MetricFrame, selection_rate
from PIL import Image

import audit
from audit.instruments import registered

DETECTOR = "dlib"


def feature(path: Path, similarity: str) -> Any:
    found = DeepFace.represent(str(path), model_name=similarity, detector_backend=DETECTOR, enforce_detection=False)
    vector = np.asarray(found[0]["embedding"])
    return vector / np.linalg.norm(vector)


def main() -> None:
    cohort, model, out, similarity = Path(sys.argv[1]), audit.model(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
    out.mkdir(parents=True)
    speakers = pd.read_csv(cohort / "speakers.csv", dtype=str, keep_default_na=False)
    clips = pd.read_csv(cohort / "clips.csv", dtype=str, keep_default_na=False).merge(
        speakers, on="speaker_id", suffixes=("", "_of_speaker")
    )
    rows = []
    with registered.serve_analyze():
        for clip in clips.to_dict("records"):
            sound, rate = soundfile.read(cohort / clip["audio"], dtype="float32", always_2d=True)
            face = model.render([soxr.resample(sound.mean(axis=1), rate, 16_000)], 16_000)[0]
            path = out / f"{clip['clip_id']}.png"
            Image.fromarray(face).save(path)
            read = DeepFace.analyze(
                str(path),
                actions=["race", "gender", "age"],
                detector_backend=DETECTOR,
                enforce_detection=False,
                silent=True,
            )[0]
            likeness = None
            portrait = clip.get("portrait") or clip.get("portrait_of_speaker")
            if portrait:
                likeness = float(feature(path, similarity) @ feature(cohort / portrait, similarity))
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
    main()
