"""The cohort: speakers and clips with language, group and the source of each label."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from audit.cohorts.csv_texts import csv_texts
from audit.cohorts.languages import language_notes
from audit.cohorts.notes import CohortNotes
from audit.cohorts.reading import read_tables
from audit.cohorts.validation import SET_ASIDE_SPLITS
from audit.core.addresses import place
from audit.core.group_order import in_group_order
from audit.core.shown import Shown, name_in_line, sizes_in_line


@dataclass(frozen=True, repr=False)
class Cohort(Shown):
    """Speakers and their clips, validated.

    Use :meth:`read` to create one from a folder, which adapters write.

    Attributes
    ----------
    root : Path
        Base folder of all paths.
    speakers : DataFrame
        One row per speaker, sorted by ``speaker_id``: group, gender, age, portrait, the source of each, and any
        further columns.
    clips : DataFrame
        One row per clip, sorted by ``clip_id``: speaker_id, audio, language, language_source, portrait, rendered,
        ceiling and any further columns. Paths are relative to ``root``, empty where there is none. The column
        ``cluster``, if there is one, names the video, session or source voice, empty where none is known. Languages
        are canonical codes; ``language_given``, if there is one, has the codes that differ as they were given.
    notes : CohortNotes
        Name, licence, consent and remarks.
    set_aside : tuple of str
        A note on each kind of excluded rows and of replaced language codes, with its count.
    remarks : tuple of str
        How the tables were read where they are not plain CSV: delimiter, encoding, headings, and paths of other
        systems. Not part of the digest.
    """

    root: Path
    speakers: pd.DataFrame
    clips: pd.DataFrame
    notes: CohortNotes
    set_aside: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: str | Path) -> Cohort:
        """The cohort in a folder with ``speakers.csv`` and ``clips.csv`` (or ``.parquet``).

        Raises
        ------
        CohortError
            With all validation errors: file, row, what was found and what is allowed.
        """
        root = place(folder)
        speakers, clips, notes, remarks = read_tables(root)
        changed = (
            *language_notes(speakers, "native_language", "speakers"),
            *language_notes(clips, "language", "clips"),
        )
        return cls(root, speakers, clips, notes, changed, remarks)

    def _line(self) -> str:
        languages = ", ".join(self.clips["language"].value_counts().index[:6])
        return f"{name_in_line(self.name)}: {sizes_in_line(len(self.speakers), len(self.clips))}; {languages}"

    @property
    def name(self) -> str:
        """The name in ``cohort.toml``, or the folder name."""
        return self.notes.name or self.root.resolve().name

    @cached_property
    def digest(self) -> str:
        """sha256 over the two tables and the notes; independent of row order, column order and file format."""
        sha = hashlib.sha256()
        for frame in (self.speakers, self.clips):
            for text in csv_texts(frame[sorted(frame.columns)]):
                sha.update(text)
        # left out where there are none, as in the digests of earlier versions
        without = {"files", "portraits"} | (set() if self.notes.categories else {"categories"})
        sha.update(self.notes.model_dump_json(exclude=without).encode())
        return sha.hexdigest()

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per clip with the columns of its speaker, sorted by ``clip_id``.

        The portrait of a clip takes precedence over that of its speaker.
        """
        joined = self.clips.merge(self.speakers, on="speaker_id", how="left", suffixes=("", "_of_speaker"))
        joined["portrait"] = joined["portrait"].where(joined["portrait"] != "", joined["portrait_of_speaker"])
        return joined.drop(columns="portrait_of_speaker").sort_values("clip_id", ignore_index=True)

    def audited(self) -> Cohort:
        """The cohort without the speakers of training splits, with a note on their number."""
        if "split" not in self.speakers:
            return self
        trained = self.speakers[self.speakers["split"].isin(SET_ASIDE_SPLITS)]
        if trained.empty:
            return self
        speakers = self.speakers.drop(trained.index).reset_index(drop=True)
        clips = self.clips[self.clips["speaker_id"].isin(speakers["speaker_id"])].reset_index(drop=True)
        sentence = (
            f"{len(trained)} speakers with {len(self.clips) - len(clips)} clips are of the split "
            f"{' or '.join(sorted(set(trained['split'])))} and were excluded: training speakers are not audited."
        )
        return Cohort(self.root, speakers, clips, self.notes, (*self.set_aside, sentence), self.remarks)

    def strata(self, by: tuple[str, ...] = ("group", "language", "gender")) -> pd.DataFrame:
        """Number of speakers and clips of each stratum, with groups in the fixed order.

        ``by`` are columns of :attr:`table`; the result has them, then ``n_speakers`` and ``n_clips``.
        """
        cells = self.table.groupby(list(by), dropna=False, sort=True)
        counts = cells.agg(n_speakers=("speaker_id", "nunique"), n_clips=("clip_id", "size")).reset_index()
        return in_group_order(counts, self.notes.order.get("group", ())) if "group" in by else counts
