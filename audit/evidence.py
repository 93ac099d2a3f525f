"""What the checks and tables ask of a run: figures of a part of its clips, each with its interval."""

from __future__ import annotations

from collections.abc import Mapping
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
from audit.stats.speakers import SpeakerSums, Standing
from audit.vocabulary import UNKNOWN, group_members, ordered_groups

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Cells:
    """A division of the clips, and who stands where in it.

    Attributes
    ----------
    keys : list of tuple
        What the clips of each cell have in common: one value for each column that divides them.
    standing : Standing
        Which clip is in which cell.
    """

    keys: list[tuple[object, ...]]
    standing: Standing


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
        return ordered_groups(str(group) for group in self._numbered("group")[1] if group != UNKNOWN)

    @cached_property
    def languages(self) -> list[str]:
        """The languages heard, by code."""
        return sorted(map(str, self._numbered("language")[1]))

    def cells(self, *columns: str) -> Cells:
        """The cells that some columns of the frame make, in the order of their values; found once."""
        if columns not in self._cells:
            n = len(self.frame)
            number, keys = np.zeros(n, np.int64), [()] if n else []
            for column in columns:
                codes, names = self._numbered(column)
                joint, number = np.unique(number * len(names) + codes, return_inverse=True)
                keys = [(*keys[i // len(names)], names[i % len(names)]) for i in joint.tolist()]
            self._cells[columns] = Cells(keys, Standing.of(self.speakers, number, len(keys)))
        return self._cells[columns]

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
            labels = pd.Categorical(self.frame[column])
            codes, there = np.unique(labels.codes, return_inverse=True)
            values = [np.nan if code < 0 else labels.categories[code] for code in codes.tolist()]
            if values and codes[0] < 0:
                values, there = [*values[1:], values[0]], (there - 1) % len(values)
            self._numbers[column] = np.asarray(there, np.int64), values
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
        sums = cells.standing.sums(self.values(stage, metric))
        names = [f"{stage}.{metric}"] * sums.n_cells
        return estimates(sums, self.metrics[metric].kind, self._settings(confidence), names)

    def figures_of_rest(self, metric: str, stage: str, cells: Cells, confidence: float | None = None) -> list[Estimate]:
        """One metric at one stage over all that is outside each cell, as :meth:`figure` gives it of each."""
        n = len(cells.keys)
        if len(cells.standing.cell) != len(self.cells().standing.cell):  # somebody stands in several cells
            number = cells.standing.cell[cells.standing.unit]
            return [self.figure(metric, stage, number != i, confidence) for i in range(n)]
        sums = cells.standing.sums(self.values(stage, metric))
        order = np.lexsort((sums.clips, sums.mean))
        outside = [order[sums.cell[order] != i] for i in range(n)]
        cell = np.repeat(np.arange(n), [len(part) for part in outside])
        chosen = np.concatenate(outside) if n else order
        rest = SpeakerSums(cell, sums.total[chosen], sums.clips[chosen], sums.missing.sum() - sums.missing)
        return estimates(rest, self.metrics[metric].kind, self._settings(confidence), [f"{stage}.{metric}"] * n)

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
        pairs = aligned_pairs(self.values(before, metric), self.values(after, metric), cells.standing)
        names = [f"{before}>{after}.{metric}"] * len(cells.keys)
        return paired_estimates(pairs, self.metrics[metric].kind, self._settings(confidence), names)

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

        The two parts have no clip in common.
        """
        values, unit = self.values(stage, metric), cells.standing.unit
        number = np.where(first | second, cells.standing.cell[unit], -1)
        standing = Standing.of(self.speakers, number, len(cells.keys))
        pairs = matched_pairs(np.where(first, values, np.nan), np.where(second, values, np.nan), standing)
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
