"""The instrument's error: what it reads in faces that are known, and what rates are without its misreading."""

from __future__ import annotations

from dataclasses import astuple
from typing import Final

import numpy as np
import pandas as pd

from audit.audits.tables.figures import ESTIMATE
from audit.checks.evidence import Evidence
from audit.core.vocabulary import RACES
from audit.stats import ALL, TRANSFER, rate

NOTE: Final = (
    f"Raw and corrected side by side. {TRANSFER} Here: rendered faces are misread as the calibration pictures are."
)
"""What a reader must know of the table of corrected rates."""


def confusion(evidence: Evidence) -> pd.DataFrame:
    """What the instrument reads in the calibration pictures, by what they show; the sampling unit is who is shown."""
    known = evidence.misreading
    rows = []
    for code in known.classes:
        units = known.truth == code
        for i, read in enumerate(RACES):
            found = rate(known.shares[units, i], known.unit[units], evidence.settings, name=f"confusion.{read}")
            rows.append((RACES[code], read, *astuple(found)))
    return pd.DataFrame(rows, columns=["truth", "read", *ESTIMATE])


def corrected(evidence: Evidence) -> pd.DataFrame:
    """The rates of every calibrated race in what the model made, by group and language, raw and corrected."""
    rows = []
    for stage in ("ceiling", "rendered"):
        if not evidence.has(stage):
            continue
        for group in evidence.groups:
            mask = evidence.where(group=group)
            for language in (ALL, *evidence.languages):
                part = mask if language == ALL else mask & evidence.where(language=language)
                for read, found in evidence.correction(stage, part).items() if part.any() else ():
                    rows.append(
                        (
                            stage,
                            group,
                            language,
                            read,
                            found.raw,
                            *astuple(found.estimate),
                            found.condition_number,
                            found.effective_speakers,
                        )
                    )
    columns = ["stage", "group", "language", "read", "raw", *ESTIMATE, "condition_number", "effective_speakers"]
    numbers = ["raw", "value", "low", "high", "condition_number", "effective_speakers"]
    table = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(numbers, float))
    return table.replace({"condition_number": {np.inf: np.nan}})
