"""What the checks and tables ask of a run: figures of a part of its clips, each with its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.metrics import Metric
from audit.stats import ALL, Estimate, Settings, mean, paired_difference, rate
from audit.stats.pairs import aligned_pairs, matched_pairs, paired_estimates
from audit.stats.rates import estimates
from audit.stats.speakers import Reads, SpeakerSums, Standing, divided, numbered, sorted_sums
from audit.vocabulary import UNKNOWN, group_members, ordered_groups

Mask = NDArray[np.bool_]
PART = ("group", "language", "gender")
"""The labels by which a speaker's clips are put together before any figure is made."""


@dataclass(frozen=True)
class Cells:
    """A division of the clips, and who stands where in it.

    Attributes
    ----------
    keys : list of tuple
        What the clips of each cell have in common: one value for each column that divides them.
    clips : Standing
        Which clip is in which cell.
    parts : Standing or None
        Which of :attr:`Evidence.parts` is in which cell; None where the cells cut through them.
    """

    keys: list[tuple[object, ...]]
    clips: Standing
    parts: Standing | None


@dataclass(frozen=True)
class Evidence:
    """One run, scored clip by clip, and how to estimate from it.

    Attributes
    ----------
    frame : DataFrame
        From :func:`audit.metrics.metric_frame`.
    metrics : Mapping of str to Metric
        Every metric by its name.
    settings : Settings
        Of the statistics.
    margins : Mapping of str to float
        How large a difference must be to matter, by check.
    instrument : str
        The instrument's name, for sentences.
    similarity_models : tuple of str
        The similarity models, the primary one first.
    """

    frame: pd.DataFrame
    metrics: Mapping[str, Metric]
    settings: Settings
    margins: Mapping[str, float]
    instrument: str
    similarity_models: tuple[str, ...]

    @cached_property
    def speakers(self) -> NDArray[np.int64]:
        """Whose clip each is, as numbers."""
        return self._numbered("speaker_id")[0]

    @cached_property
    def groups(self) -> list[str]:
        """The groups that can be judged, in the fixed order."""
        return [group for group in self.every_group if group != UNKNOWN]

    @cached_property
    def every_group(self) -> list[str]:
        """The groups, ``unknown`` too, in the fixed order."""
        return ordered_groups(map(str, self._numbered("group")[1]))

    @cached_property
    def languages(self) -> list[str]:
        """The languages heard, by code."""
        return sorted(map(str, self._numbered("language")[1]))

    def cells(self, *columns: str) -> Cells:
        """The cells that some columns of the frame make, in the order of their values; found once."""
        if columns not in self._cells:
            keys, number = divided([self._numbered(column) for column in columns], len(self.frame))
            parts = None
            if set(columns) < set(PART):
                first, standing = self.parts
                parts = Standing.of(standing.speaker, number[first], len(keys))
            self._cells[columns] = Cells(keys, Standing.of(self.speakers, number, len(keys)), parts)
        return self._cells[columns]

    @cached_property
    def parts(self) -> tuple[NDArray[np.int64], Standing]:
        """The clips of one speaker that are alike in their labels: the first of each, and which clip is in which."""
        standing = self.cells(*PART).clips
        first = np.empty(len(standing.cell), np.int64)
        first[standing.unit[::-1]] = np.arange(len(self.frame))[::-1]
        return first, standing

    def every_cell(self, *columns: str) -> list[tuple[list[tuple[object, ...]], Cells]]:
        """The cells of every combination of some columns, each with keys that have ``all`` in the other columns."""
        made = []
        for size in range(len(columns) + 1):
            for chosen in combinations(columns, size):
                cells = self.cells(*chosen)
                named = [dict(zip(chosen, key, strict=True)) for key in cells.keys]
                made.append(([tuple(key.get(name, ALL) for name in columns) for key in named], cells))
        return made

    def _numbered(self, column: str) -> tuple[NDArray[np.int64], list[object]]:
        """The number of each clip's value in a column, and the values in order, missing ones last; found once."""
        if column not in self._numbers:
            self._numbers[column] = numbered(self.frame[column])
        return self._numbers[column]

    @cached_property
    def _numbers(self) -> dict[str, tuple[NDArray[np.int64], list[object]]]:
        return {}

    @cached_property
    def _cells(self) -> dict[tuple[str, ...], Cells]:
        return {}

    def where(
        self,
        *,
        group: str | None = None,
        race: str | None = None,
        language: str | None = None,
        english: bool | None = None,
    ) -> Mask:
        """Which clips are of a group, of any group that allows a race, of a language, in English or not."""
        mask = np.ones(len(self.frame), bool)
        if group is not None:
            mask &= self._having("group").get(group, False)
        if race is not None:
            allowed = [of for name, of in self._having("group").items() if race in group_members(name)]
            mask &= np.any(allowed, axis=0) if allowed else False
        if language is not None:
            mask &= self._having("language").get(language, False)
        if english is not None:
            mask &= (self.frame["english"] == english).to_numpy()
        return mask

    def _having(self, column: str) -> dict[str, Mask]:
        """Which clips have each of a column's values; found once."""
        if column not in self._values_of:
            numbers, names = self._numbered(column)
            self._values_of[column] = {str(name): numbers == i for i, name in enumerate(names)}
        return self._values_of[column]

    @cached_property
    def _values_of(self) -> dict[str, dict[str, Mask]]:
        return {}

    def has(self, stage: str) -> bool:
        """Whether any face was read at a stage."""
        return "ok" in self._numbered(f"{stage}_status")[1]

    def figure(self, metric: str, stage: str, mask: Mask, confidence: float | None = None) -> Estimate:
        """One metric at one stage over the speakers of a part of the clips."""
        estimate = rate if self.metrics[metric].kind == "rate" else mean
        values = self.values(stage, metric)[mask]
        return estimate(values, self.speakers[mask], self._settings(confidence), name=f"{stage}.{metric}")

    def figures(self, metric: str, stage: str, cells: Cells, confidence: float | None = None) -> list[Estimate]:
        """One metric at one stage in every cell, as :meth:`figure` gives it of each."""
        names = [f"{stage}.{metric}"] * len(cells.keys)
        return estimates(self.sums(metric, stage, cells), self.metrics[metric].kind, self._settings(confidence), names)

    def figures_of_rest(self, metric: str, stage: str, cells: Cells, confidence: float | None = None) -> list[Estimate]:
        """One metric at one stage over all that is outside each cell, as :meth:`figure` gives it of each."""
        n = len(cells.keys)
        if not n:
            return []
        if len(cells.clips.cell) != len(self.cells().clips.cell):  # somebody stands in several cells
            number = cells.clips.cell[cells.clips.unit]
            return [self.figure(metric, stage, number != i, confidence) for i in range(n)]
        sums = self.sums(metric, stage, cells)
        outside = [np.flatnonzero(sums.cell != i) for i in range(n)]
        cell, chosen = np.repeat(np.arange(n), [len(part) for part in outside]), np.concatenate(outside)
        missing = sums.missing.sum() - sums.missing
        alike = None if sums.number is None else sums.number[chosen]
        rest = sorted_sums(cell, sums.total[chosen], sums.clips[chosen], missing, alike)
        return estimates(rest, self.metrics[metric].kind, self._settings(confidence), [f"{stage}.{metric}"] * n)

    def sums(self, metric: str, stage: str, cells: Cells) -> SpeakerSums:
        """What each speaker contributes to each cell."""
        reads, standing = self._reads(f"{stage}.{metric}", lambda: self.values(stage, metric), cells)
        return standing.sums(reads, alike_as_one=True)

    def _reads(self, name: str, values: Callable[[], NDArray[np.float64]], cells: Cells) -> tuple[Reads, Standing]:
        """A column's reads, part by part where the cells allow it, and where each of them stands."""
        if cells.parts is None:
            return Reads.of(values()), cells.clips
        if name not in self._reads_of_parts:
            self._reads_of_parts[name] = self.parts[1].gathered(Reads.of(values()))
        return self._reads_of_parts[name], cells.parts

    @cached_property
    def _reads_of_parts(self) -> dict[str, Reads]:
        return {}

    def change(self, metric: str, before: str, after: str, mask: Mask, confidence: float | None = None) -> Estimate:
        """How a metric changes from one stage to a later one, paired by speaker; clips read at both stages count."""
        return paired_difference(
            self.values(before, metric)[mask],
            self.values(after, metric)[mask],
            self.speakers[mask],
            self._settings(confidence),
            kind=self.metrics[metric].kind,
            name=f"{before}>{after}.{metric}",
        )

    def changes(
        self, metric: str, before: str, after: str, cells: Cells, confidence: float | None = None
    ) -> list[Estimate]:
        """How a metric changes from one stage to a later one in every cell, as :meth:`change` gives it of each."""
        name = f"{before}>{after}.{metric}"
        change, standing = self._reads(name, lambda: self.values(after, metric) - self.values(before, metric), cells)
        pairs = aligned_pairs(change, standing, alike_as_one=True)
        return paired_estimates(pairs, self.metrics[metric].kind, self._settings(confidence), [name] * len(cells.keys))

    def contrast(self, metric: str, stage: str, first: Mask, second: Mask, confidence: float | None = None) -> Estimate:
        """A metric over ``second`` minus over ``first``, paired by the speakers who stand in both parts."""
        values = self.values(stage, metric)
        return paired_difference(
            values[first],
            values[second],
            self.speakers[first],
            self._settings(confidence),
            second_speakers=self.speakers[second],
            kind=self.metrics[metric].kind,
            name=f"{stage}.{metric} by language",
        )

    def contrasts(self, metric: str, stage: str, first: Mask, second: Mask, cells: Cells) -> list[Estimate]:
        """A metric over ``second`` minus over ``first`` in every cell, as :meth:`contrast` gives it of each.

        The masks are such as :meth:`where` makes, and have no clip in common; so have the cells columns of its own.
        """
        reads, standing = self._reads(f"{stage}.{metric}", lambda: self.values(stage, metric), cells)
        if cells.parts is not None:
            first, second = first[self.parts[0]], second[self.parts[0]]
        number = np.where(first | second, standing.cell[standing.unit], -1)
        heard = Standing.of(self.parts[1].speaker if cells.parts else self.speakers, number, len(cells.keys))
        pairs = matched_pairs(reads.where(first), reads.where(second), heard)
        names = [f"{stage}.{metric} by language"] * len(cells.keys)
        settings = replace(self.settings, estimand="speaker")
        return paired_estimates(pairs, self.metrics[metric].kind, settings, names)

    def values(self, stage: str, metric: str) -> NDArray[np.float64]:
        """A metric of every clip at a stage, NaN where it was not scored."""
        column = f"{stage}.{metric}"
        if column not in self._columns:
            self._columns[column] = self.frame[column].to_numpy(np.float64)
        return self._columns[column]

    @cached_property
    def _columns(self) -> dict[str, NDArray[np.float64]]:
        return {}

    def _settings(self, confidence: float | None) -> Settings:
        return self.settings if confidence is None else replace(self.settings, confidence=confidence)
