"""The planted model shows the planted pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import audit
from audit.models.planted import Planted


def table(speakers: int, clips: int = 4) -> pd.DataFrame:
    rows = []
    for i in range(speakers):
        for c in range(clips):
            rows.append(
                {
                    "clip_id": f"s{i}-{c}",
                    "speaker_id": f"s{i}",
                    "group": ("asian", "white")[i % 2],
                    "gender": ("man", "woman")[i // 2 % 2],
                    "language": ("en-GB", "zh")[c % 2],
                    "portrait": f"{i}.png",
                }
            )
    return pd.DataFrame(rows)


def swapped(frame: pd.DataFrame, seed: int = 0, share: float = 0.6) -> pd.Series:
    playback = Planted(rendered={"asian": {"en": {"white": share}}}, seed=seed).bind(frame, Path())
    return frame["clip_id"].map(playback.rendered) != frame["portrait"]


def test_the_share_that_is_planted_is_the_share_that_is_shown() -> None:
    frame = table(1000)
    other = swapped(frame)
    target = (frame["group"] == "asian") & (frame["language"] == "en-GB")
    assert other[target].mean() == pytest.approx(0.6, abs=3 * np.sqrt(0.24 / target.sum()))
    assert not other[~target].any()


def test_what_a_clip_shows_depends_on_the_seed_and_its_name_only() -> None:
    frame = table(100)
    shuffled = frame.sample(frac=1, random_state=1)
    pd.testing.assert_series_equal(swapped(frame), swapped(shuffled).sort_index())
    assert (swapped(frame) != swapped(frame, seed=1)).any()


def test_another_speaker_is_of_the_same_gender() -> None:
    frame = table(40)
    shown = Planted(rendered={"asian": {"zh": {"white": 1.0}}}).bind(frame, Path()).rendered
    gender = frame.drop_duplicates("portrait").set_index("portrait")["gender"]
    rows = frame[(frame["group"] == "asian") & (frame["language"] == "zh")]
    assert (rows["clip_id"].map(shown).map(gender) == rows["gender"]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rendered": {"asian": {"en": {"white": 0.7, "black": 0.4}}}}, "sum to at most 1"),
        ({"render": {}}, "'planted' cannot be made with render: .*rendered, ceiling, seed"),
        ({"rendered": {"asian": {"en": 0.6}}}, "rendered.asian.en"),
    ],
)
def test_an_invalid_dial_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(audit.ModelError, match=message):
        audit.model("planted", options=options)


def test_a_dial_for_a_missing_group_is_refused() -> None:
    model = Planted(rendered={"black": {"en": {"white": 0.6}}})
    with pytest.raises(audit.ModelError, match="names the group 'black'.*asian, white"):
        model.bind(table(4), Path())


def test_a_mistyped_model_is_named() -> None:
    with pytest.raises(audit.ModelError, match="did you mean 'recorded'"):
        audit.model("recored")
