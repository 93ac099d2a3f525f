"""Simulated runs with errors that no interval covers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

import audit


def without_face(frame: pd.DataFrame, index: pd.Index) -> pd.DataFrame:
    """The observations, with no face in the rendered pictures of some clips."""
    frame = frame.copy()
    read = [name for name in frame.columns if name.startswith("rendered_") and not name.endswith(("_status", "_face"))]
    frame.loc[index, read] = np.nan
    frame.loc[index, ["status", "rendered_status"]] = "no_face"
    return frame


def missing_if_white(speakers: int = 400, clips: int = 2, seed: int = 4) -> audit.Run:
    """15 % of asian speakers' English faces are white; 60 % of these, 9 % of the clips, cannot be read as a face."""
    truth = {
        "groups": ["asian", "white"],
        "speakers_per_group": speakers,
        "clips_per_language": clips,
        "rendered": {"asian": {"en": {"white": 0.15}}},
    }
    run = audit.simulate(truth, seed=seed)
    frame = run.observations
    white = frame.index[(frame["group"] == "asian") & (frame["rendered_race"] == "white")]
    lost = white[np.random.default_rng(seed).random(len(white)) < 0.6]
    return replace(run, held=without_face(frame, lost))
