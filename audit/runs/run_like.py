"""Runs as functions take them: a Run, the path of its folder, or an object made from a run, such as an Audit."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from audit.core.addresses import is_address, place
from audit.core.errors import RunError
from audit.runs.run import Run


@runtime_checkable
class MadeFromRun(Protocol):
    """An object that knows the run that it was made from."""

    def measured_run(self) -> Run:
        """The run."""
        ...


RunLike = Run | str | Path | MadeFromRun
"""What a parameter that is documented as ``Run, Audit or path`` takes."""


def as_run(given: RunLike) -> Run:
    """The run that was given as a Run, as the path of its folder, or by an Audit.

    Raises
    ------
    RunError
        If it is none of them, the folder is not a run, or the audit does not know its run.
    """
    if isinstance(given, Run):
        return given
    if isinstance(given, str | Path) or is_address(given):
        return Run.read(place(given))
    if isinstance(given, MadeFromRun):
        return given.measured_run()
    raise RunError(f"{type(given).__name__} is not a run.", "a Run, an Audit, or the path of a run's folder")


def folder_of(given: RunLike) -> Path:
    """The folder of a run, which need not exist where a path is given.

    Raises
    ------
    RunError
        As :func:`as_run`, or if the run is in memory only.
    """
    if isinstance(given, str | Path) or is_address(given):
        return place(given)
    run = as_run(given)
    if run.folder is None:
        raise RunError(
            "This run is in memory only and has no folder.",
            "a run that was written to a folder",
            "Give a folder when the run is made, as in audit.run(..., out=RUN) or audit.simulate(..., out=RUN).",
        )
    return run.folder
