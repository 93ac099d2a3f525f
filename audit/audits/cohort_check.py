"""What a cohort can answer, before anything is run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from audit.checks import Check, margins_of, shipped
from audit.checks.power import detectable
from audit.cohorts.cohort import Cohort
from audit.core.vocabulary import UNKNOWN
from audit.stats import Settings


@dataclass(frozen=True)
class CohortCheck:
    """The tables of ``audit cohort check``.

    Attributes
    ----------
    name, digest : str
        Of the cohort.
    tables : dict of str to DataFrame
        Strata, label sources, missing files, and the smallest detectable differences, by title.
    remarks : tuple of str
        What else is to be known, a sentence each.
    """

    name: str
    digest: str
    tables: dict[str, pd.DataFrame]
    remarks: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON types only; missing values are ``None``."""
        return {
            "name": self.name,
            "digest": self.digest,
            "tables": {
                title: frame.astype(object).where(frame.notna(), None).to_dict("records")
                for title, frame in self.tables.items()
            },
            "remarks": list(self.remarks),
        }


def check_cohort(
    cohort: Cohort, checks: Sequence[Check] | None = None, settings: Settings | None = None
) -> CohortCheck:
    """Strata, label sources, missing files and power of a cohort.

    Parameters
    ----------
    cohort : Cohort
        The cohort; speakers set aside in an audit are left out here too.
    checks : sequence of Check, optional
        The checks whose power is computed, at their default margins; those that ship, if left out.
    settings : Settings, optional
        Confidence and the least number of speakers, for the power.
    """
    audited = cohort.audited()
    table = audited.table
    asked = shipped() if checks is None else checks
    power = _told(detectable(table, asked, margins_of(asked), settings or Settings()))
    silent = int((~audited.speakers["speaker_id"].isin(audited.clips["speaker_id"])).sum())
    remarks = [
        *audited.set_aside,
        f"{silent} speakers have no clip and take no part." if silent else "",
        f"{int((table['group'] == UNKNOWN).sum())} clips are of speakers whose group is unknown: they are never judged "
        "right or wrong."
        if (table["group"] == UNKNOWN).any()
        else "",
        *([audited.notes.notes] if audited.notes.notes else []),
    ]
    return CohortCheck(
        cohort.name,
        cohort.digest,
        {
            "Strata": audited.strata(),
            "Label sources": _sources(table),
            "Files": _files(audited),
            "Smallest difference that each check would find (power .80, rate one half)": power[power["check"] != ""],
            "Smallest difference of one rate from a fixed one in each cell": power.loc[
                power["check"] == "", ["group", "language", "n_speakers", "smallest_detectable", "note"]
            ],
        },
        tuple(filter(None, remarks)),
    )


def _sources(table: pd.DataFrame) -> pd.DataFrame:
    rows = [
        (label, source, part["speaker_id"].nunique(), len(part))
        for label in ("group", "gender", "language")
        for source, part in table.groupby(f"{label}_source", sort=True)
    ]
    return pd.DataFrame(rows, columns=["label", "source", "n_speakers", "n_clips"])


def _files(cohort: Cohort) -> pd.DataFrame:
    """How many files each column names, and how many of them are not there."""
    rows = []
    for column in ("audio", "portrait", "rendered", "ceiling"):
        named = cohort.table[column][cohort.table[column] != ""].unique()
        missing = [path for path in named if not os.path.isfile(f"{cohort.root}/{path}")]  # noqa: PTH113  # a million files, and Path raises at too long a name
        rows.append((column, len(named), len(missing), ", ".join(sorted(missing)[:3])))
    return pd.DataFrame(rows, columns=["column", "n_named", "n_missing", "first_missing"])


def _told(power: pd.DataFrame) -> pd.DataFrame:
    """The note only where there is no figure: its assumptions stand in the title."""
    note = power["note"].str.split(" (", regex=False).str[0].where(power["smallest_detectable"].isna(), "")
    return power.assign(note=note)
