"""Reading and validating completed labelling sheets."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from audit.audits.human_readings.sample import draw, strata_of
from audit.core.blind_page import CANNOT_TELL, whole
from audit.core.errors import AuditError
from audit.core.opening import MAX_TABLE_BYTES, read_regular
from audit.core.vocabulary import RACES, group_members
from audit.runs.run import Run

NO_FACE = "no_face"
ANSWERS = (*RACES, CANNOT_TELL, NO_FACE)
SHEET_COLUMNS = ("picture", "reader", "race", "gender", "age", "remark", "seed", "faces")


@dataclass(frozen=True)
class HumanReadings:
    """Human readings of one run's rendered faces.

    Attributes
    ----------
    frame : DataFrame
        One row per clip that was read, sorted by ``clip_id``: the shares of its readers who gave each answer
        (``read_<answer>``), who read the speaker's own group (``read_own_group``, NaN if the group is unknown) and who
        agreed with the instrument (``alike``).
    n_readers : int
        The number of different names in the column ``reader``.
    facts : Mapping
        For audit.json: SHA-256 of the file, counts, and the sampling if the file is a completed sheet.
    """

    frame: pd.DataFrame
    n_readers: int
    facts: Mapping[str, Any]


def read_human_readings(path: str | Path, run: Run) -> HumanReadings:
    """Read a completed labelling sheet, or a custom table with clip ids.

    Parameters
    ----------
    path : path
        A CSV file with the columns ``race`` and either ``picture`` (with ``seed`` and ``faces``, as in the sheet) or
        ``clip_id``, and optionally ``reader``. Rows with an empty ``race`` are not counted.
    run : Run
        The run whose faces were read.

    Raises
    ------
    AuditError
        If the file cannot be read or lacks a column; if a picture is not in the sheet of this run, seed and number of
        faces; if a clip has no rendered face that was read; if an answer is unknown; or if a reader has two rows for a
        picture.
    """
    path = Path(path)
    try:
        data = read_regular(path, MAX_TABLE_BYTES)
        rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise AuditError(f"The human readings {path} cannot be read: {error}.", "a CSV file in UTF-8") from error
    columns = set(rows[0]) if rows else set()
    key = "picture" if "picture" in columns else "clip_id"
    if not rows or not {key, "race"} <= columns:
        raise AuditError(
            f"{path} lacks the column race, or both picture and clip_id, or has no rows.",
            f"the columns {', '.join(SHEET_COLUMNS)}, or clip_id, reader, race",
            "Create a sheet: audit sheet RUN -o DIR.",
        )
    drawn = _sheet(path, rows, run) if key == "picture" else None
    if drawn is None:
        clips = run.observations.loc[run.observations["rendered_status"] == "ok", "clip_id"]
        known = dict(zip(clips, clips, strict=True))
    else:
        known = dict(zip(drawn["picture"], drawn["clip_id"], strict=True))
    checked = _checked(path, rows, key, set(known))
    read = [(known[name], reader, answer) for name, reader, answer in checked if answer]
    table = pd.DataFrame(read, columns=["clip_id", "reader", "answer"])
    facts: dict[str, Any] = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "n_pictures": int(table["clip_id"].nunique()),
        "n_readers": int(table["reader"].nunique()),
        "n_readings": len(table),
        "n_not_read": len(rows) - len(table),
        "sampling": None,
    }
    if drawn is not None:
        facts["sampling"] = {
            "seed": whole(rows[0]["seed"]),
            "faces": whole(rows[0]["faces"]),
            "strata": strata_of(run, drawn).to_dict("records"),
        }
    return HumanReadings(_shares(table, run), facts["n_readers"], facts)


def _sheet(path: Path, rows: list[dict[str, str]], run: Run) -> pd.DataFrame:
    """The sample of the sheet, drawn again."""
    plans = {(whole(row.get("seed")), whole(row.get("faces"))) for row in rows}
    seed, faces = next(iter(plans))
    if len(plans) != 1 or seed is None or faces is None or faces < 1:
        raise AuditError(
            f"{path} does not identify its sheet: the columns seed and faces have {len(plans)} pairs of values.",
            "the same seed and number of faces in every row, as in the sheet",
            "Copy the two columns from the sheet, or name clips in a column clip_id instead of picture.",
        )
    return draw(run, faces, seed)


def _checked(path: Path, rows: list[dict[str, str]], key: str, known: set[str]) -> list[tuple[str, str, str]]:
    """The picture, reader and answer of each row; errors name the row (the header is row 1)."""
    found, counted = [], Counter[tuple[str, str]]()
    for number, row in enumerate(rows, start=2):
        name, reader = (row[key] or "").strip(), (row.get("reader") or "").strip()
        answer = (row["race"] or "").strip().lower().replace(" ", "_")
        if name not in known:
            raise AuditError(
                f"{path}, row {number}: {key} {name!r} is not among the faces of this run's sheet."
                if key == "picture"
                else f"{path}, row {number}: {key} {name!r} has no rendered face that the instrument read in this run.",
                f"a {key} of this run",
                "Pass the run from which the sheet was created, unchanged.",
            )
        if answer and answer not in ANSWERS:
            raise AuditError(
                f"{path}, row {number}: race {row['race']!r}.", f"{', '.join(ANSWERS)}, or empty for not read"
            )
        counted[name, reader] += 1
        if counted[name, reader] > 1:
            raise AuditError(
                f"{path}, row {number}: {'reader ' + repr(reader) if reader else 'a reader without a name'} "
                f"reads {name} twice.",
                "one row for each reader and picture",
                "Delete one of the two rows, or give the readers different names in the column reader.",
            )
        found.append((name, reader, answer))
    return found


def _shares(table: pd.DataFrame, run: Run) -> pd.DataFrame:
    """The share of each clip's readers who gave each answer."""
    seen = run.observations[["clip_id", "group", "rendered_race"]]
    seen = seen[seen["clip_id"].isin(table["clip_id"].unique())].set_index("clip_id").sort_index()
    votes = np.zeros((len(seen), len(ANSWERS)))
    of = seen.index.get_indexer(pd.Index(table["clip_id"].to_numpy()))
    np.add.at(votes, (of, pd.Index(ANSWERS).get_indexer(pd.Index(table["answer"].to_numpy()))), 1.0)
    own = np.array([[answer in group_members(group) for answer in ANSWERS] for group in seen["group"]], bool)
    own = own.reshape(votes.shape)
    same = seen["rendered_race"].to_numpy()[:, None] == np.array(ANSWERS, object)[None, :]
    total = votes.sum(axis=1)  # divided last, so that shares do not depend on the order of addition
    return pd.DataFrame(
        {f"read_{answer}": votes[:, i] / total for i, answer in enumerate(ANSWERS)}
        | {
            "read_own_group": np.where(own.any(axis=1), (votes * own).sum(axis=1) / total, np.nan),
            "alike": (votes * same).sum(axis=1) / total,
        },
        index=seen.index,
    )
