"""``recorded``: existing pictures of a model, named in the cohort's columns ``rendered`` and ``ceiling``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from audit.core.arrays import Picture
from audit.core.errors import ModelError
from audit.core.pictures import read_picture
from audit.core.registry import Part
from audit.models.protocol import Playback


@dataclass(frozen=True)
class Recorded:
    """Shows the pictures that the cohort's clips name; bind it to a cohort to get a playback."""

    name: str = "recorded"

    def bind(self, table: pd.DataFrame, root: Path) -> Playback:
        """The playback of a cohort.

        Parameters
        ----------
        table : DataFrame
            One row a clip, with ``clip_id``, ``rendered`` and ``ceiling``.
        root : Path
            Base folder of their paths.

        Raises
        ------
        ModelError
            If no clip names a rendered picture.
        """
        if not (table["rendered"] != "").any():
            raise ModelError(
                "The model 'recorded' shows existing pictures, and no clip of this cohort names one.",
                "a path in the column rendered of the clips' table",
                "Fill the column, or choose another model: audit list models.",
            )
        return RecordedPlayback(
            root, dict(zip(table["clip_id"], zip(table["rendered"], table["ceiling"], strict=True), strict=True))
        )


@dataclass(frozen=True)
class RecordedPlayback:
    """The recorded pictures of one cohort: ``paths`` maps a clip to its rendered and its ceiling picture."""

    root: Path
    paths: dict[str, tuple[str, str]]
    name: str = "recorded"

    def show(self, clip_ids: Sequence[str]) -> list[Picture | None]:
        """The rendered picture of each clip; ``None`` if none is named or it is not a picture."""
        return [self._picture(self.paths[clip][0]) for clip in clip_ids]

    def show_ceiling(self, clip_ids: Sequence[str]) -> list[Picture | None]:
        """The ceiling picture of each clip; ``None`` if none is named or it is not a picture."""
        return [self._picture(self.paths[clip][1]) for clip in clip_ids]

    def describe(self) -> dict[str, object]:
        """Number of pictures."""
        return {
            "rendered": sum(bool(rendered) for rendered, _ in self.paths.values()),
            "ceiling": sum(bool(ceiling) for _, ceiling in self.paths.values()),
        }

    def _picture(self, path: str) -> Picture | None:
        return read_picture(self.root / path).pixels if path else None


def recorded() -> Recorded:
    """The model ``recorded``; it has no options."""
    return Recorded()


MODEL = Part(
    name="recorded",
    summary="shows existing pictures of a model, named in the cohort's columns rendered and ceiling",
    value=recorded,
)
