"""Exchange of voices between fictional training speakers: the words of one, with the cue of timbre and face of another.

Every speaker of the embedded and of drawn cohorts carries a synthetic cue of timbre (an equaliser). Where a clip gets
the cue of another speaker, the other's portrait becomes its target. A network then meets each voice with many cues and
faces, and cannot learn the training speakers by heart.
"""

from __future__ import annotations

import torch
from torch import Tensor

from audit.cohorts.drawing.timbre import AXES, ORDER, RATE, pattern
from audit.core.errors import PlanError
from audit.training.data import Part


class Exchange:
    """Draws for each clip another speaker of the same gender who has a covered clip in the clip's language.

    Raises
    ------
    PlanError
        If the speakers have no cue of timbre.
    """

    def __init__(self, part: Part) -> None:
        columns = [f"cue_{axis}" for axis in AXES]
        if missing := [name for name in columns if name not in part.speakers]:
            raise PlanError(
                f"exchange: the training speakers have no column {', '.join(missing)}.",
                "the embedded training speakers, or drawn ones",
                "Leave exchange out of [voices].",
            )
        self.cues = torch.tensor(part.speakers[columns].astype(float).to_numpy(), dtype=torch.float32)
        self.speakers = torch.tensor(part.clips["speaker"].tolist())
        cells = part.clips.groupby(["language", "gender"], sort=True)
        own = cells.ngroup().tolist()
        eligible = [sorted({*rows["speaker"]}) for _, rows in cells]
        self._eligible = [torch.tensor(eligible[cell]) for cell in own]

    def drawn(self, rows: Tensor) -> Tensor:
        """The speaker whose cue and face each of the clips gets: [B]; it may be its own."""
        places = torch.rand(len(rows))
        return torch.stack(
            [(choice := self._eligible[row])[int(place * len(choice))] for row, place in zip(rows, places, strict=True)]
        )

    def applied(self, waveforms: Tensor, rows: Tensor, speakers: Tensor) -> Tensor:
        """The clips [B, T] at 16 kHz of these rows, with the cues of these speakers instead of their own."""
        gains = (self.cues[speakers] - self.cues[self.speakers[rows]]).to(waveforms.device)
        spectrum = torch.fft.rfft(waveforms)
        hertz = torch.linspace(0, RATE / 2, spectrum.shape[1], dtype=torch.float64).numpy()
        patterns = torch.stack([torch.from_numpy(pattern(ORDER[axis], hertz)).float() for axis in AXES])
        decibels = gains @ patterns.to(waveforms.device)
        filtered: Tensor = torch.fft.irfft(spectrum * 10 ** (decibels / 20), n=waveforms.shape[1])
        return filtered
