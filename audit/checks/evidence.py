"""Evidence: a run scored clip by clip, and how checks and tables estimate from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.checks.calibration import Calibration
from audit.checks.figure import Figure, FigureKind
from audit.checks.strata import Cells, Mask, Strata
from audit.core.metric import Metric
from audit.core.vocabulary import RACES, group_members, same_language
from audit.models.coverage import Heard
from audit.stats import (
    ALL,
    Corrected,
    Curve,
    Estimate,
    Misreading,
    Pairs,
    Settings,
    figure_curve,
    paired,
    prediction_powered,
)
from audit.stats.pairs import PairSums, aligned_pairs, matched_pairs
from audit.stats.rates import estimates, sums_curve
from audit.stats.speakers import Reads, SpeakerSums, Standing, sorted_sums

if TYPE_CHECKING:
    from audit.checks.check import Check


@dataclass(frozen=True)
class Evidence(Strata):
    """One run, scored clip by clip, and how to estimate from it.

    Attributes
    ----------
    frame : DataFrame
        From :func:`audit.checks.metrics.metric_frame.metric_frame`.
    metrics : Mapping of str to Metric
        Every metric by its name.
    settings : Settings
        Of the statistics.
    margins : Mapping of str to float
        How large a difference must be to matter, by the keys of a plan.
    instrument : str
        The instrument's name, for sentences.
    similarity_models : tuple of str
        The similarity models, the primary one first.
    checks : tuple of Check
        The checks of the audit.
    coverage : tuple of Heard
        What the model's training heard, by group and language; empty where that is not known.
    human : DataFrame or None
        What people read in some rendered faces, from :func:`audit.audits.human_readings.read_human_readings`.
    n_readers : int
        How many people read.
    calibration : Calibration or None
        Labelled pictures by which the instrument's errors are known; without them, this cohort's portraits.
    """

    metrics: Mapping[str, Metric]
    settings: Settings
    margins: Mapping[str, float]
    instrument: str
    similarity_models: tuple[str, ...]
    checks: tuple[Check, ...] = ()
    coverage: tuple[Heard, ...] = ()
    human: pd.DataFrame | None = None
    n_readers: int = 0
    calibration: Calibration | None = None

    def has(self, stage: str) -> bool:
        """Whether any face was read at a stage."""
        return "ok" in self._numbered(f"{stage}_status")[1]

    def figure(
        self,
        metric: str,
        stage: str,
        mask: Mask,
        *,
        name: str = "",
        group: str = ALL,
        language: str = ALL,
        label: str = "",
    ) -> Figure:
        """One metric at one stage over the speakers of a part of the clips.

        Parameters
        ----------
        metric, stage : str
            What is measured.
        mask : bool array of shape (clips,)
            The part of the clips.
        name, label : str
            What the figure is called in its finding; the metric's name and label where left out.
        group, language : str
            Whom it is about; reports and suppression read it.
        """
        curve = self.figure_curve(metric, stage, mask)
        return self.as_figure(curve, metric, stage, name=name, group=group, language=language, label=label)

    def as_figure(
        self,
        curve: Curve,
        metric: str,
        stage: str = "",
        *,
        name: str = "",
        group: str = ALL,
        language: str = ALL,
        label: str = "",
        kind: FigureKind = "",
    ) -> Figure:
        """A curve of a metric as a figure, with the metric's unit; ``kind`` is the metric's own where left out."""
        known = self.metrics[metric]
        return Figure.of(
            curve.at(self.settings.confidence),
            name=name or metric,
            unit=known.unit,
            kind=kind or known.kind,
            group=group,
            language=language,
            stage=stage,
            label=label or known.words,
            curve=curve,
        )

    def recomputed(self, estimate: Callable[[Evidence], Estimate]) -> Curve:
        """A curve of an estimate that is made anew for each confidence."""

        def at(confidence: float) -> Estimate:
            same = confidence == self.settings.confidence
            return estimate(self if same else replace(self, settings=self.at(confidence)))

        return Curve(at)

    def figure_curve(self, metric: str, stage: str, mask: Mask) -> Curve:
        """:meth:`figure` at every confidence, as a curve."""
        values, kind = self.values(stage, metric)[mask], self.metrics[metric].kind
        return figure_curve(values, self.speakers[mask], self.settings, kind=kind, name=f"{stage}.{metric}")

    def figures(self, metric: str, stage: str, cells: Cells, confidence: float | None = None) -> list[Estimate]:
        """One metric at one stage in every cell, as :meth:`figure` gives it of each."""
        names = [f"{stage}.{metric}"] * len(cells.keys)
        return estimates(self.sums(metric, stage, cells), self.metrics[metric].kind, self.at(confidence), names)

    def curves(self, metric: str, stage: str, cells: Cells) -> list[Curve]:
        """One metric at one stage in every cell, at every confidence."""
        return self._curves(self.sums(metric, stage, cells), metric, stage)

    def curves_of_rest(self, metric: str, stage: str, cells: Cells, *, apart: Sequence[int] = ()) -> list[Curve]:
        """One metric at one stage over all that is outside each cell, at every confidence.

        ``apart`` are the cells that are in nobody's rest, by their places.
        """
        counts = ~np.isin(np.arange(len(cells.keys)), apart)
        if len(cells.clips.cell) != len(self.cells().clips.cell):  # somebody stands in several cells
            counted = counts[cells.number]
            return [self.figure_curve(metric, stage, counted & (cells.number != i)) for i in range(len(cells.keys))]
        sums, n = self.sums(metric, stage, cells), len(cells.keys)
        outside = [np.flatnonzero((sums.cell != i) & counts[sums.cell]) for i in range(n)]
        cell = np.repeat(np.arange(n), [len(part) for part in outside])
        chosen = np.concatenate([np.zeros(0, np.int64), *outside])
        missing = sums.missing[counts].sum() - np.where(counts, sums.missing, 0)
        alike = None if sums.number is None else sums.number[chosen]
        rest = sorted_sums(cell, sums.total[chosen], sums.clips[chosen], missing, number=alike)
        return self._curves(rest, metric, stage)

    def _curves(self, sums: SpeakerSums, metric: str, stage: str) -> list[Curve]:
        kind, name = self.metrics[metric].kind, f"{stage}.{metric}"
        return [sums_curve(sums.one(i), kind, self.settings, name) for i in range(sums.n_cells)]

    def sums(self, metric: str, stage: str, cells: Cells) -> SpeakerSums:
        """What each speaker contributes to each cell."""
        reads, standing = self._column_reads(f"{stage}.{metric}", lambda: self.values(stage, metric), cells)
        return standing.sums(reads, alike_as_one=True)

    def _column_reads(
        self, name: str, values: Callable[[], NDArray[np.float64]], cells: Cells
    ) -> tuple[Reads, Standing]:
        """A column's reads, part by part where the cells allow it, and where each of them stands."""
        if cells.parts is None:
            return Reads.of(values()), cells.clips
        if name not in self._reads_of_parts:
            self._reads_of_parts[name] = self.parts[1].gathered(Reads.of(values()))
        return self._reads_of_parts[name], cells.parts

    @cached_property
    def _reads_of_parts(self) -> dict[str, Reads]:
        return {}

    def changed(self, metric: str, before: str, after: str, mask: Mask) -> Pairs:
        """How a metric changes from one stage to a later one, paired by speaker; clips read at both stages count."""
        return paired(
            self.values(before, metric)[mask],
            self.values(after, metric)[mask],
            self.speakers[mask],
            self.settings,
            kind=self.metrics[metric].kind,
            name=f"{before}>{after}.{metric}",
        )

    def contrasted(self, metric: str, stage: str, first: Mask, second: Mask) -> Pairs:
        """A metric over ``second`` minus over ``first``, paired by the speakers with clips in both parts."""
        values = self.values(stage, metric)
        return paired(
            values[first],
            values[second],
            self.speakers[first],
            self.settings,
            second_speakers=self.speakers[second],
            kind=self.metrics[metric].kind,
            name=f"{stage}.{metric} by language",
        )

    def changes(self, metric: str, before: str, after: str, cells: Cells) -> PairSums:
        """The speakers of :meth:`changed` in every cell."""
        name = f"{before}>{after}.{metric}"
        change, standing = self._column_reads(
            name, lambda: self.values(after, metric) - self.values(before, metric), cells
        )
        return aligned_pairs(change, standing, alike_as_one=True)

    def contrasts(self, metric: str, stage: str, first: Mask, second: Mask, cells: Cells) -> PairSums:
        """The speakers of :meth:`contrasted` in every cell.

        The masks are such as :meth:`where` makes, and have no clip in common; so have the cells columns of its own.
        """
        reads, standing = self._column_reads(f"{stage}.{metric}", lambda: self.values(stage, metric), cells)
        if cells.parts is not None:
            first, second = first[self.parts[0]], second[self.parts[0]]
        number = np.where(first | second, standing.cell[standing.unit], -1)
        heard = Standing.of(self.parts[1].speaker if cells.parts else self.speakers, number, len(cells.keys))
        return matched_pairs(reads.where(first), reads.where(second), heard)

    @cached_property
    def clips_trained(self) -> NDArray[np.float64]:
        """How many clips of its group and language the training heard, for each clip; NaN where that is not told."""
        cells, told = self.cells("group", "language"), []
        for group, language in cells.keys:
            parts = [
                item.clips
                for item in self.coverage
                if item.group == group and same_language(item.language, str(language))
            ]
            told.append(float(sum(parts)) if parts else np.nan)
        return np.array(told, np.float64)[cells.number]

    def predicted(self, metric: str, mask: Mask) -> Estimate:
        """What people would have read in the rendered faces of a part of the clips; prediction-powered."""
        return prediction_powered(
            self.values("rendered", metric)[mask],
            self.human_values(metric)[mask],
            self.speakers[mask],
            self.settings,
            strata=self.strata[mask],
            readers=self.n_readers,
            name=f"rendered.{metric}",
        )

    def human_values(self, metric: str) -> NDArray[np.float64]:
        """What people read in each clip's rendered face, NaN where nobody did."""
        values = np.full(len(self.frame), np.nan)
        if self.human is not None:
            values[self._read_by_people] = self.human[metric]
        return values

    @cached_property
    def strata(self) -> NDArray[np.int64]:
        """Within which group and language each clip could be drawn for people to read, as numbers."""
        return self.cells("group", "language").number

    @cached_property
    def _read_by_people(self) -> NDArray[np.int64]:
        assert self.human is not None
        return np.asarray(pd.Index(self.frame["clip_id"]).get_indexer(self.human.index), np.int64)

    @cached_property
    def misreading(self) -> Misreading:
        """What the instrument reads in faces of which something else says what they show.

        Of this cohort's portraits, those that could be read and whose speakers' label allows one race only; several of
        a speaker count as their mean over clips.
        """
        if self.calibration is not None:
            given = self.calibration
            beyond = int(self.speakers.max(initial=-1)) + 1  # the subjects of a file are nobody of the cohort
            return Misreading.of(given.truth, given.read, given.subject + beyond, RACES, self.settings)
        truth = np.full(len(self.frame), -1, np.int64)
        for i, race in enumerate(RACES):
            truth[self.where(group=race)] = i
        return Misreading.of(truth, self.reads("portrait"), self.speakers, RACES, self.settings)

    def correction(self, stage: str, mask: Mask) -> dict[str, Corrected]:
        """What a part of the clips is read as at a stage, with the instrument's misreading taken out.

        One for each race that the instrument is calibrated for; see :data:`audit.stats.TRANSFER` for the assumption.
        Refused for speakers of a group that it is not calibrated for: what looks like them would be taken for others.
        """
        found = self.misreading.corrected(self.reads(stage)[mask], self.speakers[mask], name=f"{stage}, corrected")
        calibrated = {RACES[code] for code in self.misreading.classes}
        cells = self.cells("group")
        groups = [str(cells.keys[i][0]) for i in np.flatnonzero(np.bincount(cells.number[mask]))]
        lacking = [race for race in RACES if race not in calibrated and any(race in group_members(g) for g in groups)]
        if not lacking:
            return found
        why = f"not corrected: no calibration units of {', '.join(lacking)}, whose faces would be taken for others"
        return {
            race: replace(
                each,
                estimate=replace(each.estimate, value=None, low=None, high=None, method=why),
                effective_speakers=None,
            )
            for race, each in found.items()
        }

    def corrected(self, stage: str, race: str, mask: Mask) -> Estimate:
        """How much of a part of the clips is a race at a stage, with the instrument's misreading taken out."""
        found = self.correction(stage, mask).get(race)
        if found is not None:
            return found.estimate
        read = self.reads(stage)[mask] >= 0
        counts = (len(np.unique(self.speakers[mask][read])), int(read.sum()), int((~read).sum()))
        return Estimate(None, None, None, *counts, f"not corrected: no calibration units of {race}; some would help")

    def reads(self, stage: str) -> NDArray[np.int64]:
        """What each clip's face was read as at a stage: the race's place in the vocabulary, -1 if it was not read."""
        if stage not in self._reads:
            codes = np.full(len(self.frame), -1, np.int64)
            for i, race in enumerate(RACES):
                codes[self.values(stage, f"read_{race}") == 1] = i
            self._reads[stage] = codes
        return self._reads[stage]

    @cached_property
    def _reads(self) -> dict[str, NDArray[np.int64]]:
        return {}

    def values(self, stage: str, metric: str) -> NDArray[np.float64]:
        """One metric at one stage, clip by clip; NaN where it cannot be scored."""
        column = f"{stage}.{metric}"
        if column not in self._columns:
            self._columns[column] = self.frame[column].to_numpy(np.float64)
        return self._columns[column]

    @cached_property
    def _columns(self) -> dict[str, NDArray[np.float64]]:
        return {}

    def at(self, confidence: float | None) -> Settings:
        """The settings, at another confidence where one is given."""
        return self.settings if confidence is None else replace(self.settings, confidence=confidence)
