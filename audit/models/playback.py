"""A playback: existing pictures of a cohort, by clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from audit.core.pictures import MAX_FILE_BYTES, PictureFile, read_picture
from audit.core.transfer import fetched


@dataclass(frozen=True)
class PicturePlayback:
    """The pictures that a model shows for each clip of a cohort.

    Attributes
    ----------
    name : str
        The name of the model.
    root : Path
        Base folder of the pictures.
    rendered, ceiling : mapping of str to str
        The path of the picture of each clip id; empty for none.
    description : mapping
        What :meth:`describe` returns.
    """

    name: str
    root: Path
    rendered: Mapping[str, str]
    ceiling: Mapping[str, str]
    description: Mapping[str, object]

    def show(self, clip_ids: Sequence[str]) -> list[PictureFile | None]:
        """The rendered picture of each clip, or why its file cannot be read; ``None`` if the cohort names none."""
        return self._pictures([self.rendered[clip] for clip in clip_ids])

    def show_ceiling(self, clip_ids: Sequence[str]) -> list[PictureFile | None]:
        """The ceiling picture of each clip, or why its file cannot be read; ``None`` if the cohort names none."""
        return self._pictures([self.ceiling[clip] for clip in clip_ids])

    def describe(self) -> dict[str, object]:
        """The description, for the manifest."""
        return dict(self.description)

    def _pictures(self, paths: Sequence[str]) -> list[PictureFile | None]:
        with fetched(self.root, paths, MAX_FILE_BYTES) as files:
            return [read_picture(files[path]) if path else None for path in paths]
