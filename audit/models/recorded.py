"""``recorded``: existing pictures of a model, named in the cohort's columns ``rendered`` and ``ceiling``."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from audit.core.errors import ModelError
from audit.core.registry import Part
from audit.models.playback import PicturePlayback


class Recorded:
    """Shows the pictures that the cohort's clips name; bind it to a cohort to get a playback."""

    name = "recorded"

    def bind(self, table: pd.DataFrame, root: Path) -> PicturePlayback:
        """The playback of a cohort; ModelError if no clip names a rendered picture.

        ``table`` has one row per clip, with ``clip_id``, ``rendered`` and ``ceiling``: paths relative to ``root``.
        """
        if not (table["rendered"] != "").any():
            raise ModelError(
                "The model 'recorded' shows existing pictures, and no clip of this cohort names one.",
                "a path in the column rendered of the clips' table",
                "Fill the column, or choose another model: audit list models.",
            )
        rendered, ceiling = (
            dict(zip(table["clip_id"], table[stage], strict=True)) for stage in ("rendered", "ceiling")
        )
        counts = {"rendered": sum(map(bool, rendered.values())), "ceiling": sum(map(bool, ceiling.values()))}
        return PicturePlayback(self.name, root, rendered, ceiling, counts)


MODEL = Part(
    name="recorded",
    summary="shows existing pictures of a model, named in the cohort's columns rendered and ceiling",
    value=Recorded,
)
