"""How well do plain statistics of the sound tell the axes of the cue and the languages apart on new voices?

    python datasets/synthetic_bilingual/build/probe.py datasets/synthetic_bilingual/training

The strength of the cue was chosen with this, on training and validation speakers only: it refuses any other. Linear
classifiers of log-mel statistics learn on training speakers and are tried on validation speakers, half of whom blend
base voices that no training speaker has.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray
from scipy import signal
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from audit.cohorts.drawing import timbre

BANDS: Final = 64
LAGS: Final = (2, 5, 10, 20)
Array = NDArray[np.float64]


def mel_bands(points: int = 1024) -> Array:
    """Triangular bands, [BANDS, points // 2 + 1], evenly spaced in mel from 100 Hz to 7 kHz."""
    edges = 700 * (10 ** (np.linspace(timbre.mel(timbre.LOW_HZ), timbre.mel(timbre.HIGH_HZ), BANDS + 2) / 2595) - 1)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    hertz = np.fft.rfftfreq(points, 1 / timbre.RATE)[None]
    return np.asarray(np.maximum(0.0, np.minimum((hertz - low) / (middle - low), (high - hertz) / (high - middle))))


def log_mel(sound: Array) -> Array:
    """Log-mel levels of the frames that hold speech, in dB: [BANDS, frames], 25 ms Hann windows every 10 ms."""
    spectrum = signal.stft(sound, timbre.RATE, nperseg=400, noverlap=240, nfft=1024, boundary=None)[2]
    levels = 10.0 * np.log10(mel_bands() @ np.abs(spectrum) ** 2 + 1e-12)
    loudest = levels.max(0)
    return np.asarray(levels[:, loudest > np.percentile(loudest, 95) - 35.0])


def timbre_features(levels: Array) -> Array:
    """Mean and standard deviation over time of every band: [2 * BANDS]."""
    return np.concatenate([levels.mean(1), levels.std(1)])


def rhythm_features(levels: Array) -> Array:
    """How much every band moves within 20 to 200 ms, beside its mean and standard deviation: [(2 + lags) * BANDS]."""
    moves = [np.abs(levels[:, lag:] - levels[:, :-lag]).mean(1) for lag in LAGS]
    return np.concatenate([timbre_features(levels), *moves])


def classifier(speakers: pd.Series[str]) -> Pipeline:
    """Ridge logistic regression, its strength chosen by cross-validation over speakers of the training split."""
    folds = GroupKFold(5).split(np.zeros(len(speakers)), groups=speakers)
    model: Any = LogisticRegressionCV(
        Cs=np.logspace(-5, 1, 7),
        cv=list(folds),
        l1_ratios=(0.0,),
        use_legacy_attributes=False,
        scoring="accuracy",
        max_iter=2000,
    )
    return make_pipeline(StandardScaler(), model)


def between_voices(clips: pd.DataFrame, means: Array) -> dict[str, tuple[float, float]]:
    """What a listener must see through: for each axis, in dB on the scale of the cue, two standard deviations.

    Between voices: of the clip means of one speaker about what the speaker's cue and sex predict. Within a voice: of a
    clip about its speaker.
    """
    place = (np.arange(BANDS) + 0.5) / BANDS
    found = {}
    for axis in ("u", "v", "age"):
        along = means @ (np.sqrt(2.0) * np.cos(np.pi * timbre.ORDER[axis] * place)) / BANDS - clips[f"cue_{axis}"]
        along -= along.groupby(clips["gender"]).transform("mean")
        voice = along.groupby(clips["speaker_id"]).mean()
        found[axis] = float(voice.std()), float((along - along.groupby(clips["speaker_id"]).transform("mean")).std())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the training part of the cohort")
    folder = parser.parse_args().folder
    table = pd.read_csv(folder / "speakers.csv", keep_default_na=False)
    clips = pd.read_csv(folder / "clips.csv").merge(table, on="speaker_id")
    if not set(clips["split"]) <= {"training", "validation"}:
        raise SystemExit("the probe never hears audited speakers; give it the training part")
    levels = [log_mel(soundfile.read(folder / name)[0]) for name in clips["audio"]]
    timbres = np.stack([timbre_features(one) for one in levels])
    rhythms = np.stack([rhythm_features(one) for one in levels])
    learn, test = (clips["split"] == "training").to_numpy(), (clips["split"] == "validation").to_numpy()
    new = test & clips["unseen_voice"].to_numpy()
    english = clips["language"].to_numpy() == "en"
    questions = {
        "axis u": (timbres, clips["lean_u"]),
        "axis v": (timbres, clips["lean_v"]),
        "group (of 4)": (timbres, clips["group"]),
        "gender": (timbres, clips["gender"]),
        "group from level": (np.array([_level(folder / name) for name in clips["audio"]]), clips["group"]),
        "language (of 3)": (rhythms, clips["language"]),
        "English or not": (rhythms, clips["language"] == "en"),
    }
    print(f"{'accuracy on validation clips':30s}   all  base voices heard / not heard   English / other")
    for name, (features, answer) in questions.items():
        model = classifier(clips.loc[learn, "speaker_id"]).fit(features[learn], answer[learn])
        right = np.asarray(model.predict(features) == answer)
        parts = [test, test & ~new, new, test & english, test & ~english]
        print(f"{name:30s} " + "   ".join(f"{right[part].mean():.3f}" for part in parts))
    for axis, (voices, within) in between_voices(clips, timbres[:, :BANDS]).items():
        print(f"axis {axis}: voice colour {voices:.2f} dB between speakers, {within:.2f} dB between clips of a speaker")


def _level(path: Path) -> Array:
    sound = soundfile.read(path)[0]
    return np.array([10 * np.log10((sound**2).mean()), 20 * np.log10(np.abs(sound).max())])


if __name__ == "__main__":
    main()
