"""Exchange of voices: which speakers a clip may get, and that it carries their cue."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

import audit
from audit.cohorts.drawing.timbre import AXES, ORDER, pattern
from audit.training.data import Part
from audit.training.exchanging import Exchange

CUES = {"u": [2.0, -1.0, 0.5, 1.5], "v": [1.0, -1.0, 0.0, 0.5], "age": [0.0, 1.0, -0.5, 0.25]}


def part(**columns: list[float]) -> Part:
    """Two women and two men; the second woman is covered in English only, everybody else in English and Chinese."""
    speakers = pd.DataFrame({"speaker_id": [*"abcd"], "gender": ["woman", "woman", "man", "man"], **columns})
    spoken = [(0, "en"), (0, "zh"), (1, "en"), (2, "en"), (2, "zh"), (3, "en"), (3, "zh")]
    clips = pd.DataFrame(spoken, columns=["speaker", "language"])
    clips = clips.assign(gender=speakers["gender"].to_numpy()[clips["speaker"]])
    return Part(speakers, [], torch.empty(0), clips, torch.empty(0))


def with_cues() -> Part:
    return part(**{f"cue_{axis}": CUES[axis] for axis in AXES})


def test_a_clip_gets_speakers_of_its_gender_who_are_covered_in_its_language() -> None:
    torch.manual_seed(0)
    exchange, rows = Exchange(with_cues()), torch.arange(7)
    seen = [{*column} for column in torch.stack([exchange.drawn(rows) for _ in range(100)]).T.tolist()]
    assert seen == [{0, 1}, {0}, {0, 1}, {2, 3}, {2, 3}, {2, 3}, {2, 3}]


def test_the_clip_carries_the_cue_of_the_other_speaker_instead_of_its_own() -> None:
    exchange = Exchange(with_cues())
    clip = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 16_000))).float()
    changed = exchange.applied(clip, torch.tensor([0]), torch.tensor([1]))
    ratio = 20 * torch.log10(torch.fft.rfft(changed).abs() / torch.fft.rfft(clip).abs())[0, 1:-1].numpy()
    hertz = np.arange(1, 8_000, dtype=np.float64)
    wanted = -3.0 * pattern(ORDER["u"], hertz) - 2.0 * pattern(ORDER["v"], hertz) + 1.0 * pattern(ORDER["age"], hertz)
    np.testing.assert_allclose(ratio, wanted, atol=0.01)


def test_a_clip_that_keeps_its_own_speaker_is_unchanged() -> None:
    clip = torch.randn(2, 8_000)
    rows = torch.tensor([3, 5])
    same = Exchange(with_cues()).applied(clip, rows, torch.tensor([2, 3]))
    torch.testing.assert_close(same, clip, atol=1e-5, rtol=0)


def test_speakers_without_a_cue_are_refused() -> None:
    with pytest.raises(audit.PlanError, match="cue_v"):
        Exchange(part(cue_u=CUES["u"]))
