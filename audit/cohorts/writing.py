"""Writing of a cohort that is made from another one, with other clips."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import pandas as pd
import tomli_w

from audit.cohorts.cohort import Cohort
from audit.cohorts.paths import FILE_COLUMNS
from audit.cohorts.validation import UNSTATED
from audit.core.addresses import refuse_address
from audit.core.files import replacing
from audit.core.opening import open_regular
from audit.core.written_files import refuse_foreign_files, write_files

FILES: Final = "files"
"""Name of a cohort's link to the download; paths in its tables begin with it."""
PORTRAITS: Final = "portraits"
"""Name of a cohort's link to a folder of portraits outside the download."""


def write_derived(cohort: Cohort, clips: pd.DataFrame, notes: str, out: Path) -> Cohort:
    """Write a cohort with other clips and further notes, and return it as read from ``out``.

    Links are made anew. Files in the cohort itself are linked (hard links) or, on other file systems, copied.
    ``clips.csv`` is written last: without it, the folder is not a cohort.
    """
    refuse_address(cohort.root, "The cohort that is to be copied or linked")
    targets = {name: (cohort.root / name).resolve() for name in (FILES, PORTRAITS) if getattr(cohort.notes, name)}
    for name, target in targets.items():
        if not ((out / name).is_symlink() and (out / name).readlink() == target):
            (out / name).symlink_to(target, target_is_directory=True)  # FileExistsError for anything else there
    columns = [frame[name] for frame in (cohort.speakers, clips) for name in FILE_COLUMNS if name in frame]
    paths = sorted({path for column in columns for path in column if path})
    own = [path for path in paths if Path(path).parts[0] not in targets]
    refuse_foreign_files(out, ("cohort.toml", "speakers.csv", "clips.csv"), {str(Path(path).parent) for path in own})
    for path in own:
        if (cohort.root / path).is_file() and not (out / path).exists():
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link((cohort.root / path).resolve(), out / path)
            except FileExistsError:  # a link to nothing: what it points at is not written
                raise
            except OSError:
                with open_regular(cohort.root / path) as source, replacing(out / path) as copy:
                    shutil.copyfileobj(source, copy)
    about = cohort.notes.model_dump() | {name: str(target) for name, target in targets.items()}
    about |= {"name": cohort.name, "notes": f"{cohort.notes.notes} {notes}".strip()}
    about |= {"categories": cohort.notes.order}  # the tables have the words, not the values that they stand for
    write_files(
        out,
        {
            "cohort.toml": tomli_w.dumps({key: value for key, value in about.items() if value}),
            "speakers.csv": table_text(cohort.speakers),
            "clips.csv": table_text(clips),
        },
    )
    return Cohort.read(out)


def table_text(frame: pd.DataFrame) -> str:
    r"""A table of a cohort as CSV; what is missing, and a source that is not stated, is empty.

    Examples
    --------
    >>> table_text(pd.DataFrame({"speaker_id": ["a"], "age": [None]}))
    'speaker_id,age\na,\n'
    """
    table = frame.astype(object).where(frame.notna(), "")
    for column in table.columns[table.columns.str.endswith("_source")]:
        table[column] = table[column].replace(UNSTATED, "")
    text: str = table.to_csv(index=False, lineterminator="\n")
    return text
