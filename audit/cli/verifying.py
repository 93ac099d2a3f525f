"""The option ``--verify`` of ``audit measure``."""

from __future__ import annotations

from pathlib import Path

import audit
from audit.cli.terminal import progress, say


def verify_files(run: audit.Run, cohort: Path) -> None:
    """Raise RunError if a file of the cohort is not the one that the run read."""
    with progress() as bar:
        task = bar.add_task("clips of the cohort")
        made = audit.verify(run, cohort, progress=lambda n, total: bar.update(task, completed=n, total=total))
    if made.n_different:
        named = ", ".join(made.different) + (", ..." if made.n_different > len(made.different) else "")
        raise audit.RunError(
            f"{made.n_different} files of {cohort} are not those that the run read: {named}.",
            "the cohort as it was when it was audited",
            "Restore the files, or run again into a new folder.",
        )
    say(f"All {made.content.n_files} files of {cohort} are those that the run read: sha256 {made.content.sha256}.")
