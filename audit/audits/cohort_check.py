"""Tables about a cohort before a run: strata, label sources, missing files and power."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from audit.audits.tables.label_sources import label_sources
from audit.audits.tables.power import detectable
from audit.checks import Check, margins_of, shipped
from audit.cohorts.cohort import Cohort
from audit.core.clusters import Clusters
from audit.core.grouping import GROUP, Grouping
from audit.core.vocabulary import UNKNOWN
from audit.stats import Settings


@dataclass(frozen=True)
class CohortCheck:
    """The tables of ``audit cohort check``.

    Attributes
    ----------
    name, digest : str
        The cohort's name and digest.
    tables : dict of str to DataFrame
        Strata, label sources, missing files, and minimum detectable effects, by title.
    notes : tuple of str
        Further notes, one sentence each.
    """

    name: str
    digest: str
    tables: dict[str, pd.DataFrame]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON types only; missing values are ``None``."""
        return {
            "name": self.name,
            "digest": self.digest,
            "tables": {
                title: frame.astype(object).where(frame.notna(), None).to_dict("records")
                for title, frame in self.tables.items()
            },
            "remarks": list(self.notes),
        }


def check_cohort(
    cohort: Cohort,
    checks: Sequence[Check] | None = None,
    settings: Settings | None = None,
    groupings: Sequence[Grouping] = (GROUP,),
) -> CohortCheck:
    """Strata, label sources, missing files and power of a cohort, without the speakers that audits exclude.

    The power is computed for ``checks``, by default the shipped ones, at their default margins, in every grouping.
    """
    audited = cohort.audited()
    table = audited.table
    asked = shipped() if checks is None else checks
    power = detectable(table, asked, margins_of(asked), settings or Settings(), groupings)
    # a note with a value only has the assumptions, which are in the table's title
    reason = power["note"].str.split(" (", regex=False).str[0]
    power = power.assign(note=reason.where(power["smallest_detectable"].isna(), ""))
    without_clips = int((~audited.speakers["speaker_id"].isin(audited.clips["speaker_id"])).sum())
    clusters = Clusters.of(table)
    unknown = int((table["group"] == UNKNOWN).sum())
    notes = [
        *audited.remarks,
        *audited.set_aside,
        f"{without_clips} speakers have no clips and are not used." if without_clips else "",
        f"{unknown} clips are of speakers whose group is unknown: their reads are never counted as right or wrong."
        if unknown
        else "",
        clusters.warning,
        clusters.sentence if len(table) else "",
        audited.notes.notes,
    ]
    return CohortCheck(
        cohort.name,
        cohort.digest,
        {
            "Strata": audited.strata(),
            "Label sources": label_sources(table).rename(columns={"field": "label"}),
            "Files": _files(audited),
            "Minimum detectable effect of each check (power .80, rate one half)": power[power["check"] != ""],
            "Minimum detectable difference of a rate from a fixed value, by cell": power.loc[
                power["check"] == "", ["grouping", "group", "language", "n_speakers", "smallest_detectable", "note"]
            ],
        },
        tuple(filter(None, notes)),
    )


def _files(cohort: Cohort) -> pd.DataFrame:
    """The number of files that each column names, and how many of them are missing."""
    rows = []
    for column in ("audio", "portrait", "rendered", "ceiling"):
        named = cohort.table[column][cohort.table[column] != ""].unique()
        missing = [path for path in named if not os.path.isfile(f"{cohort.root}/{path}")]  # noqa: PTH113  # a million files, and Path raises at too long a name
        rows.append((column, len(named), len(missing), ", ".join(sorted(missing)[:3])))
    return pd.DataFrame(rows, columns=["column", "n_named", "n_missing", "first_missing"])
