"""The front matter of a run's audit: read from its plan, or taken from a file without measuring again."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import tomli_w

from audit.audits.audit import Audit
from audit.core.addresses import place
from audit.core.front_matter import SECTION, FrontMatter
from audit.core.typed_toml import read_text
from audit.core.written_files import write_files
from audit.runs.manifest import MANIFEST
from audit.runs.run import PLAN, Run


def front_matter_of(run: Run) -> FrontMatter:
    """That of the plan in a run's folder, or else in its manifest; raises PlanError if it is not valid."""
    path = run.folder / PLAN if run.folder is not None else None
    if path is not None and path.is_file():
        found = FrontMatter.of(read_text(path, "plan"), str(path))
    else:
        found = FrontMatter.of(str(run.manifest.get("plan", "")), "the plan of the run")
    return found or FrontMatter()


def keep_in_plan(front: FrontMatter, folder: str | Path) -> None:
    """Write front matter into the plan of a run's folder, in place of what it has; raises RunError if it cannot."""
    home = place(folder)
    plan = tomllib.loads(read_text(home / PLAN, "plan")) if (home / PLAN).is_file() else {}
    plan.pop(SECTION, None)
    write_files(home, {PLAN: tomli_w.dumps(plan | ({SECTION: front.as_dict()} if front else {}))})


def keep_front_matter(front: FrontMatter, folder: str | Path) -> Audit:
    """Put front matter into a run's audit.json, and into the plan of its run for measuring again; nothing is measured.

    Sign-offs of the former audit.json do not count for the new one, whose readers see other front matter.

    Raises
    ------
    RunError
        If the folder has no audit.json, or a file cannot be written.
    """
    made = replace(Audit.read(folder), front_matter=front)
    if (place(folder) / MANIFEST).is_file():  # an audit may be without its run
        keep_in_plan(front, folder)
    made.write(folder)
    return made
