"""What a cohort can answer, before anything is run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from audit.cohort.cohort import Cohort
from audit.stats import Settings, smallest_detectable
from audit.vocabulary import UNKNOWN, ordered_groups, same_language


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


def check_cohort(cohort: Cohort, settings: Settings | None = None) -> CohortCheck:
    """Strata, label sources, missing files and power of a cohort.

    Parameters
    ----------
    cohort : Cohort
        The cohort; speakers set aside in an audit are left out here too.
    settings : Settings, optional
        Confidence and the least number of speakers, for the power.
    """
    audited = cohort.audited()
    table = audited.table
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
            "Smallest detectable difference (power .80, rate one half)": _power(table, settings or Settings()),
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
        missing = [path for path in named if not (cohort.root / path).is_file()]
        rows.append((column, len(named), len(missing), ", ".join(sorted(missing)[:3])))
    return pd.DataFrame(rows, columns=["column", "n_named", "n_missing", "first_missing"])


def _power(table: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    english = table[[same_language(code, "en") for code in table["language"]]]
    rows = []
    for group in ordered_groups(name for name in set(table["group"]) if name != UNKNOWN):
        own = table[table["group"] == group]
        both = (
            set(own["speaker_id"]) & set(english["speaker_id"]) & set(own["speaker_id"][~own.index.isin(english.index)])
        )
        n, others = own["speaker_id"].nunique(), table["speaker_id"].nunique() - own["speaker_id"].nunique()
        comparisons = {
            "rendered against portrait": smallest_detectable(n, design="paired", settings=settings),
            "English against another language": smallest_detectable(len(both), design="paired", settings=settings),
            "the group against all others": smallest_detectable(
                n, design="unpaired", other_speakers=others, settings=settings
            ),
        }
        counts = (n, len(both), n)
        rows += [
            (group, name, count, found.size, "" if found.size is not None else found.method.split(" (")[0])
            for (name, found), count in zip(comparisons.items(), counts, strict=True)
        ]
    return pd.DataFrame(rows, columns=["group", "comparison", "n_speakers", "smallest_difference", "note"])
