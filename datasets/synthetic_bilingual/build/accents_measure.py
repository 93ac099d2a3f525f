"""Which language a linear classifier takes the accented clips for; it is that of probe.py, learnt on training speakers.

python datasets/synthetic_bilingual/build/accents_measure.py datasets/synthetic_bilingual
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from probe import classifier, log_mel, rhythm_features


def features(home: Path, paths: list[str]) -> np.ndarray:
    return np.stack([rhythm_features(log_mel(soundfile.read(home / path)[0])) for path in paths])


def main() -> None:
    home = Path(sys.argv[1])
    learnt = pd.read_csv(home / "training" / "clips.csv")
    model = classifier(learnt["speaker_id"])
    model.fit(features(home / "training", learnt["audio"].tolist()), learnt["language"])
    table = pd.read_csv(home / "accents.csv")
    for accent, of in table.groupby("accent"):
        kinds = {
            "English clip": [f"audio/{clip}.ogg" for clip in of["of"]],
            "accented": of["audio"].tolist(),
            "other language": [f"audio/{speaker}_{accent}1.ogg" for speaker in of["speaker_id"]],
        }
        for kind, paths in kinds.items():
            taken = model.predict_proba(features(home, paths))
            counts = pd.Series(model.classes_[taken.argmax(1)]).value_counts().to_dict()
            english = taken[:, list(model.classes_).index("en")].mean()
            print(f"{accent} {kind:<15} taken for {counts}; mean probability of English {english:.2f}")


if __name__ == "__main__":
    main()
