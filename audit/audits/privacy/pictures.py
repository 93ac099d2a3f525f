"""The pictures that documents refer to: found in the run by the clip's pseudonym and the stage, verified when opened.

Audits and comparisons contain no name of a file: names depend on a secret key, while documents of equal runs are equal.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import replace
from functools import cached_property

import pandas as pd

from audit.audits.privacy.sharing import NAMED, pseudonym, pseudonym_key
from audit.core.arrays import Picture
from audit.core.errors import RunError
from audit.runs.faces import FaceError, open_face, recorded_face
from audit.runs.run import Run
from audit.runs.run_like import RunLike, as_run


class ShownPictures:
    """The pictures of some clips of a run.

    The run is read when the first picture is opened.

    Parameters
    ----------
    run : Run, Audit or path
        The run.
    clips : collection of str
        Ids or pseudonyms of the clips, as a document has them.
    named_by : ShownPictures, optional
        The run whose pseudonyms they are, with the same clips; by default the run itself.
    """

    def __init__(self, run: RunLike, clips: Collection[str], named_by: ShownPictures | None = None) -> None:
        self._given, self._shown, self._named_by = run, clips, named_by

    def open(self, clip: str, stage: str) -> Picture:
        """The picture of a clip at a stage.

        Raises
        ------
        FaceError
            If the run cannot be read or records no such picture; else as :func:`audit.runs.faces.open_face`.
        """
        if self._run is None:
            raise FaceError(stage, "the run cannot be read")
        if self._run.folder is None:
            raise FaceError(stage, "the run is in memory only")
        observation = self._observations.get((self._named_by or self)._ids.get(clip, ""))
        face = None if observation is None else recorded_face(observation, stage)
        if face is None:
            raise FaceError(stage, "not recorded in this run")
        return open_face(self._run.folder, face)

    @cached_property
    def _run(self) -> Run | None:
        """The run with its observations; ``None`` if it is not there or damaged."""
        try:
            run = as_run(self._given)
            return replace(run, held=run.observations)
        except RunError:
            return None

    @cached_property
    def _ids(self) -> dict[str, str]:
        """The id of each clip that is shown."""
        if self._run is None:
            return {}
        seen, wanted = self._run.observations, set(self._shown)
        names = seen["clip_id"].tolist()
        found = {name: name for name in wanted.intersection(names)}
        if left := wanted - found.keys():
            key, kind = pseudonym_key(seen), NAMED["clip_id"]
            for name in names:
                if (alias := pseudonym(key, kind, name)) in left:
                    found[alias] = name
                    if len(found) == len(wanted):
                        break
        return found

    @cached_property
    def _observations(self) -> dict[str, dict[Hashable, object]]:
        """The observations of these clips by id."""
        if self._run is None:
            return {}
        seen, ids = self._run.observations, (self._named_by or self)._ids
        rows: pd.DataFrame = seen[seen["clip_id"].isin(set(ids.values()))]
        return {str(row["clip_id"]): {**row} for row in rows.to_dict("records")}
