"""Reading all files of a cohort again, and comparing them with those that a run read."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit.cohorts import Cohort
from audit.core.audio_decoding import MAX_FILE_BYTES
from audit.core.errors import RunError
from audit.core.transfer import fetched
from audit.runs.content import Content, clip_files, content_of, files_of_clips, named_files
from audit.runs.journal import journal_state
from audit.runs.run import Run, part_files
from audit.runs.run_like import RunLike, as_run

_NAMED: Final = 3


@dataclass(frozen=True)
class Verified:
    """A comparison of a cohort's files with those that a run read.

    Attributes
    ----------
    content : Content
        The content that the run read.
    n_different : int
        How many files of clips differ now; a portrait of two clips counts twice.
    different : tuple of str
        The first of them, such as ``the audio of the clip s0-en``.
    """

    content: Content
    n_different: int
    different: tuple[str, ...]


def verify(
    run: RunLike, cohort: Cohort | str | Path, *, progress: Callable[[int, int], None] | None = None
) -> Verified:
    """Read all files of a run's cohort again, and compare them with the digests that the run recorded.

    Parameters
    ----------
    run : Run, Audit or path
        A complete run.
    cohort : Cohort or path
        The cohort of the run.
    progress : callable, optional
        Called after every part with the number of finished clips and the total number.

    Returns
    -------
    Verified
        The content, and what differs.

    Raises
    ------
    RunError
        If the run is of another cohort or has no digests of files, or its journal or parts were changed.
    CohortError
        If the cohort is not valid.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import audit
    >>> with TemporaryDirectory() as folder:
    ...     verify(audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 2}, out=folder + "/run"), "people")
    Traceback (most recent call last):
    audit.core.errors.RunError: The run has no digests of files. Allowed: a complete run of this version, not simulated. Next: Run again into a new folder.
    """  # noqa: E501  # the message is one line
    found = as_run(run)
    recorded = _recorded(found)
    voices = (cohort if isinstance(cohort, Cohort) else Cohort.read(cohort)).audited()
    if voices.digest != found.manifest["cohort"].get("digest"):
        raise RunError(
            f"{voices.root} is not the cohort of the run: its tables differ.",
            f"the cohort {found.manifest['cohort']['name']!r} with the digest {found.manifest['cohort'].get('digest')}",
            "Name the folder of the run's cohort.",
        )
    table = voices.table.set_index("clip_id", drop=False)
    assert found.folder is not None
    done, different = 0, []
    with ThreadPoolExecutor(os.cpu_count() or 1) as workers:
        for path in part_files(found.folder):
            clips = dict(clip_files(path) or ())
            rows = table.loc[[*clips]]
            with fetched(voices.root, named_files(rows), MAX_FILE_BYTES) as here:
                now = files_of_clips(rows, voices.root, workers, {}, here)
            for (clip, before), files in zip(clips.items(), now, strict=True):
                different += [f"the {kind} of the clip {clip}" for kind, *_ in {*before} ^ {*files}]
            done += len(clips)
            if progress:
                progress(done, len(table))
    names = sorted({*different})
    return Verified(recorded, len(names), tuple(names[:_NAMED]))


def _recorded(run: Run) -> Content:
    """The content that a run recorded, after a comparison of manifest, journal and parts."""
    stated = run.manifest.get("content")
    content = content_of(run.folder) if run.folder is not None and run.complete and stated else None
    if run.folder is None or content is None or stated is None:
        raise RunError(
            "The run has no digests of files.",
            "a complete run of this version, not simulated",
            "Run again into a new folder.",
        )
    if stated.get("sha256") != content.sha256 or journal_state(run.folder, run.manifest) == "changed":
        raise RunError(
            f"The journal or the content of {run.folder} is not the one that its manifest names.",
            "the files as the run wrote them",
            "Restore them, or run again into a new folder.",
        )
    return content
