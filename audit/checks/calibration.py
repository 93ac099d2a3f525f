"""Calibration files: pictures labelled by people and read by an instrument, to estimate the instrument's errors."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.core.errors import AuditError
from audit.core.plan import PORTRAITS
from audit.core.vocabulary import RACES

_ALLOWED: Final = f"columns truth, read and optionally subject; labels {', '.join(RACES)}"


@dataclass(frozen=True)
class Calibration:
    """Labelled pictures; labels are indices into :data:`audit.core.vocabulary.RACES`.

    Of each picture, ``truth`` is the label given by people, ``read`` the label read by the instrument, and ``subject``
    the number of the person shown; a different one for each picture where the file has no subjects. ``sha256`` is that
    of the file.
    """

    truth: NDArray[np.int64]
    read: NDArray[np.int64]
    subject: NDArray[np.int64]
    sha256: str


def read_calibration(path: str | Path) -> Calibration:
    """Read labelled pictures from a CSV file with one row per picture.

    Raises
    ------
    AuditError
        If the file cannot be read, lacks a column, has no rows or an unknown label, or has a subject with two truths.
    """
    try:
        content = Path(path).read_bytes()
        table = pd.read_csv(BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise AuditError(
            f"The calibration {path} cannot be read: {error}.",
            f'"{PORTRAITS}" or a CSV file with {_ALLOWED}',
            "Correct the key calibration in the section [measure] of the plan.",
        ) from error
    absent = [name for name in ("truth", "read") if name not in table]
    if absent:
        raise AuditError(f"The calibration {path} has no column {' and no column '.join(absent)}.", _ALLOWED)
    if table.empty:
        raise AuditError(f"The calibration {path} has no rows.", _ALLOWED, "Add labelled pictures, one per row.")
    codes = {name: pd.Index(RACES).get_indexer(pd.Index(table[name])) for name in ("truth", "read")}
    for name, found in codes.items():
        if (found < 0).any():
            row = int(np.argmax(found < 0))
            raise AuditError(
                f"The calibration {path}, row {row + 2}: {name} {table[name][row]!r} is not a known label.",
                ", ".join(RACES),
                "Correct the row or delete it.",
            )
    subject = np.arange(len(table))
    if "subject" in table:
        named = (table["subject"] != "").to_numpy()
        subject[named] = len(table) + pd.factorize(table["subject"][named])[0]
    truths = pd.Series(codes["truth"]).groupby(subject).nunique()
    if (truths > 1).any():
        name = table["subject"][int(np.argmax(subject == truths.index[truths > 1][0]))]
        raise AuditError(
            f"The calibration {path}: subject {name!r} has two truths.", "one per subject", "Correct the labels."
        )
    truth, read = (np.asarray(codes[name], np.int64) for name in ("truth", "read"))
    return Calibration(truth, read, subject.astype(np.int64), hashlib.sha256(content).hexdigest())
