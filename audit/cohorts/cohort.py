"""The cohort: speakers and clips with language, group and the source of each label."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ConfigDict

from audit.core.vocabulary import ordered_groups

SET_ASIDE_SPLITS = ("training", "validation")
"""Speakers of these splits taught a model; an audit leaves them out and says so."""


class CohortNotes(BaseModel):
    """What ``cohort.toml`` says of a cohort.

    Attributes
    ----------
    name, licence, consent, notes : str
        Free text, shown in every report.
    fictional : bool
        Whether no real person is in the cohort; only then are faces shown without being asked for.
    files : str
        A folder outside the cohort that its link ``files`` leads to; empty where the cohort holds its own files.
    portraits : str
        The same for its link ``portraits``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    licence: str = ""
    consent: str = ""
    notes: str = ""
    fictional: bool = False
    files: str = ""
    portraits: str = ""


@dataclass(frozen=True)
class Cohort:
    """Speakers and their clips, validated.

    Build one with :meth:`read`; adapters write the folder that it reads.

    Attributes
    ----------
    root : Path
        The folder that all paths are relative to.
    speakers : DataFrame
        One row a speaker, sorted by ``speaker_id``: group, gender, age, portrait, the source of each, and any
        further columns.
    clips : DataFrame
        One row a clip, sorted by ``clip_id``: speaker_id, audio, language, language_source, portrait, rendered, ceiling
        and any further columns. Paths are relative to ``root``, empty where there is none.
    notes : CohortNotes
        Name, licence, consent and remarks.
    set_aside : tuple of str
        One sentence for each kind of row that was left out, with its count.
    """

    root: Path
    speakers: pd.DataFrame
    clips: pd.DataFrame
    notes: CohortNotes
    set_aside: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: str | Path) -> Cohort:
        """The cohort in a folder with ``speakers.csv`` and ``clips.csv`` (or ``.parquet``).

        Parameters
        ----------
        folder : str or Path
            The folder; see the contract for its columns.

        Raises
        ------
        CohortError
            With every fault found: file, row, what was found and what is allowed.
        """
        from audit.cohorts.reading import read_cohort

        return read_cohort(Path(folder))

    @property
    def name(self) -> str:
        """The name in ``cohort.toml``, else the folder's."""
        return self.notes.name or self.root.resolve().name

    @cached_property
    def digest(self) -> str:
        """sha256 over the two tables and the notes; independent of row order, column order and file format."""
        sha = hashlib.sha256()
        for frame in (self.speakers, self.clips):
            sha.update(frame[sorted(frame.columns)].to_csv(index=False, lineterminator="\n").encode())
        sha.update(self.notes.model_dump_json(exclude={"files", "portraits"}).encode())
        return sha.hexdigest()

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a clip with its speaker's columns beside it, sorted by ``clip_id``.

        A clip's own portrait, where it has one, stands before its speaker's.
        """
        joined = self.clips.merge(self.speakers, on="speaker_id", how="left", suffixes=("", "_of_speaker"))
        joined["portrait"] = joined["portrait"].where(joined["portrait"] != "", joined["portrait_of_speaker"])
        return joined.drop(columns="portrait_of_speaker").sort_values("clip_id", ignore_index=True)

    def audited(self) -> Cohort:
        """The cohort without speakers that taught a model, and with a sentence that says how many were set aside."""
        if "split" not in self.speakers:
            return self
        taught = self.speakers[self.speakers["split"].isin(SET_ASIDE_SPLITS)]
        if taught.empty:
            return self
        speakers = self.speakers.drop(taught.index).reset_index(drop=True)
        clips = self.clips[self.clips["speaker_id"].isin(speakers["speaker_id"])].reset_index(drop=True)
        sentence = (
            f"{len(taught)} speakers with {len(self.clips) - len(clips)} clips are of the split "
            f"{' or '.join(sorted(set(taught['split'])))} and were set aside: who taught a model is not audited."
        )
        return Cohort(self.root, speakers, clips, self.notes, (*self.set_aside, sentence))

    def strata(self, by: tuple[str, ...] = ("group", "language", "gender")) -> pd.DataFrame:
        """How many speakers and clips stand in each stratum, groups in the fixed order.

        Parameters
        ----------
        by : tuple of str
            Columns of :attr:`table`.

        Returns
        -------
        DataFrame
            The columns of ``by``, then ``n_speakers`` and ``n_clips``.
        """
        counts = (
            self.table.groupby(list(by), dropna=False, sort=True)
            .agg(n_speakers=("speaker_id", "nunique"), n_clips=("clip_id", "size"))
            .reset_index()
        )
        return in_group_order(counts) if "group" in by else counts


def in_group_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows sorted by ``group`` in the fixed order (``all`` first), keeping their order within a group."""
    named = [group for group in set(frame["group"]) if group != "all"]
    place = {group: i for i, group in enumerate(["all", *ordered_groups(named)])}
    return frame.sort_values(
        "group", key=lambda column: column.astype(object).map(place), kind="stable", ignore_index=True
    )
