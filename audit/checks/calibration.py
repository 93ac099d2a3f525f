"""Pictures of which people said what they show and an instrument what it reads: a file to know its errors by."""

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
    """Labelled pictures, by the places of their labels in the vocabulary's order.

    Attributes
    ----------
    truth, read : int arrays of shape (pictures,)
        What people say, and what the instrument reads.
    subject : int array of shape (pictures,)
        Whose picture it is, by number; every picture has its own where the file does not say.
    sha256 : str
        Of the file.
    """

    truth: NDArray[np.int64]
    read: NDArray[np.int64]
    subject: NDArray[np.int64]
    sha256: str


def read_calibration(path: str | Path) -> Calibration:
    """The labelled pictures in a CSV file, one a row.

    Raises
    ------
    AuditError
        If the file cannot be read, lacks a column, holds no picture or an unknown label, or has a subject with two
        truths.
    """
    try:
        content = Path(path).read_bytes()
        table = pd.read_csv(BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise AuditError(
            f"The calibration {path} cannot be read: {error}.",
            f'"{PORTRAITS}" or a CSV file with {_ALLOWED}',
            "Mend the key calibration of the plan's section measure.",
        ) from error
    absent = [name for name in ("truth", "read") if name not in table]
    if absent:
        raise AuditError(f"The calibration {path} has no column {' and no column '.join(absent)}.", _ALLOWED)
    if table.empty:
        raise AuditError(f"The calibration {path} holds no picture.", _ALLOWED, "Add labelled pictures, one a row.")
    codes = {name: pd.Index(RACES).get_indexer(pd.Index(table[name])) for name in ("truth", "read")}
    for name, found in codes.items():
        if (found < 0).any():
            row = int(np.argmax(found < 0))
            raise AuditError(
                f"The calibration {path}, row {row + 2}: {name} {table[name][row]!r} is no label.",
                ", ".join(RACES),
                "Mend the row, or leave the picture out.",
            )
    subject = np.arange(len(table))
    if "subject" in table:
        named = (table["subject"] != "").to_numpy()
        subject[named] = len(table) + pd.factorize(table["subject"][named])[0]
    truths = pd.Series(codes["truth"]).groupby(subject).nunique()
    if (truths > 1).any():
        name = table["subject"][int(np.argmax(subject == truths.index[truths > 1][0]))]
        raise AuditError(
            f"The calibration {path}: subject {name!r} has two truths.", "one truth a subject", "Mend the labels."
        )
    truth, read = (np.asarray(codes[name], np.int64) for name in ("truth", "read"))
    return Calibration(truth, read, subject.astype(np.int64), hashlib.sha256(content).hexdigest())
