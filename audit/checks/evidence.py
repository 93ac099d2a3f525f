"""The scored clips of a run, and the estimates that checks and tables make from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.checks.calibration import Calibration
from audit.checks.figure import Figure, FigureKind
from audit.checks.strata import Cells, Mask, Strata, computed_once
from audit.core.languages import same_language
from audit.core.metric import Metric
from audit.core.vocabulary import RACES, group_members
from audit.models.coverage import Heard
from audit.stats import (
    ALL,
    Corrected,
    Curve,
    Estimate,
    Misclassification,
    Pairs,
    Settings,
    figure_curve,
    paired,
    prediction_powered,
)
from audit.stats.pairs import PairSums, aligned_pairs, matched_pairs
from audit.stats.rates import estimates, sums_curve
from audit.stats.speakers import Reads, SpeakerSums, Standing, sorted_sums


@dataclass(frozen=True)
class Evidence(Strata):
    """The scored clips of one run, and how to estimate from them.

    Attributes
    ----------
    frame : DataFrame
        From :func:`audit.checks.metrics.metric_frame.metric_frame`.
    metrics : Mapping of str to Metric
        Every metric by its name.
    settings : Settings
        Settings of the statistics.
    margins : Mapping of str to float
        The margins, by their keys in a plan.
    instrument : str
        The instrument's name, for sentences.
    similarity_models : tuple of str
        The similarity models, the primary one first.
    coverage : tuple of Heard
        The model's training coverage by group and language; empty if unknown.
    human : DataFrame or None
        Human readings of some rendered faces, from :func:`audit.audits.human_readings.read_human_readings`.
    n_readers : int
        The number of human readers.
    calibration : Calibration or None
        Labelled pictures to estimate the instrument's errors from; ``None`` for this cohort's portraits.
    unfiltered : DataFrame or None
        The frame before clips were left out by :meth:`only`; ``None`` if none were.
    """

    metrics: Mapping[str, Metric]
    settings: Settings
    margins: Mapping[str, float]
    instrument: str
    similarity_models: tuple[str, ...]
    coverage: tuple[Heard, ...] = ()
    human: pd.DataFrame | None = None
    n_readers: int = 0
    calibration: Calibration | None = None
    unfiltered: pd.DataFrame | None = None

    @property
    def every_clip(self) -> pd.DataFrame:
        """All clips of the run, including those that no estimate uses."""
        return self.frame if self.unfiltered is None else self.unfiltered

    def only(self, clips: Mask) -> Evidence:
        """The evidence of a subset of the clips, for estimates; :attr:`every_clip` keeps the others."""
        if clips.all():
            return self
        return replace(self, frame=self.frame[clips].reset_index(drop=True), unfiltered=self.every_clip)

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
        """One metric at one stage, estimated from a subset of the clips.

        ``mask``, a bool array of shape (clips,), is the subset; ``group`` and ``language`` describe it for reports and
        suppression. ``name`` and ``label`` are those of the figure in its finding; by default the metric's.
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
        """A curve of a metric as a figure in the metric's unit; ``kind`` is by default the metric's."""
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
            cell=self.cell_of(group),
            curve=curve,
        )

    def recomputed(self, estimate: Callable[[Evidence], Estimate]) -> Curve:
        """A curve that recomputes an estimate at each confidence."""

        def at(confidence: float) -> Estimate:
            same = confidence == self.settings.confidence
            return estimate(self if same else replace(self, settings=self.at(confidence)))

        return Curve(at)

    def figure_curve(self, metric: str, stage: str, mask: Mask) -> Curve:
        """:meth:`figure` as a curve over confidences."""
        values, kind = self.values(stage, metric)[mask], self.metrics[metric].kind
        name, shared = f"{stage}.{metric}", self.shared(mask)
        return figure_curve(values, self.speakers[mask], self.settings, kind=kind, name=name, clusters=shared)

    def figures(self, metric: str, stage: str, cells: Cells, confidence: float | None = None) -> list[Estimate]:
        """One metric at one stage in every cell, like :meth:`figure`."""
        names = [f"{stage}.{metric}"] * len(cells.keys)
        return estimates(self.sums(metric, stage, cells), self.metrics[metric].kind, self.at(confidence), names)

    def curves(self, metric: str, stage: str, cells: Cells) -> list[Curve]:
        """One metric at one stage in every cell, as curves over confidences."""
        return self._curves(self.sums(metric, stage, cells), metric, stage)

    def curves_of_complement(
        self, metric: str, stage: str, cells: Cells, *, excluded: Sequence[int] = ()
    ) -> list[Curve]:
        """One metric at one stage over the complement of each cell, as curves over confidences.

        ``excluded`` are the indices of cells that are left out of every complement.
        """
        counts = ~np.isin(np.arange(len(cells.keys)), excluded)
        # a speaker is in several cells, or depends on speakers of others
        if len(cells.units) != len(self.cells().units) or self.shares_clusters:
            kind, name = self.metrics[metric].kind, f"{stage}.{metric}"
            return [
                sums_curve(standing.sums(reads), kind, self.settings, name)
                for reads, standing in self._complements(metric, stage, "", cells, excluded)
            ]
        sums = self.sums(metric, stage, cells)
        cell, chosen = np.nonzero((sums.cell != np.arange(len(cells.keys))[:, None]) & counts[sums.cell])
        missing = sums.missing[counts].sum() - np.where(counts, sums.missing, 0)
        number = None if sums.number is None else sums.number[chosen]
        complement = sorted_sums(cell, sums.total[chosen], sums.clips[chosen], missing, number=number)
        return self._curves(complement, metric, stage)

    def changes_of_complement(
        self, metric: str, before: str, after: str, cells: Cells, *, excluded: Sequence[int] = ()
    ) -> list[Pairs]:
        """:meth:`changed` for the complement of each cell; ``excluded`` as in :meth:`curves_of_complement`."""
        kind, name = self.metrics[metric].kind, f"{before}>{after}.{metric}"
        return [
            aligned_pairs(reads, standing).one(0, kind, self.settings, name)
            for reads, standing in self._complements(metric, after, before, cells, excluded)
        ]

    def _complements(
        self, metric: str, stage: str, before: str, cells: Cells, excluded: Sequence[int]
    ) -> Iterator[tuple[Reads, Standing]]:
        """The reads of each cell's complement, and their speakers."""
        reads, standing = self._reads_in(cells, metric, stage, before)
        speakers, number, clusters = standing.speaker, standing.cell, None
        if self.shares_clusters:  # a unit may have clips of several clusters
            reads, speakers, number, clusters = (
                self._reads_of_clips(metric, stage, before),
                self.speakers,
                cells.number,
                self.clusters,
            )
        else:
            reads = standing.gathered(reads)
        counts = ~np.isin(np.arange(len(cells.keys)), excluded)
        for i in range(len(cells.keys)):
            chosen = counts[number] & (number != i)
            of = Reads(reads.total[chosen], reads.clips[chosen], reads.missing[chosen])
            yield of, Standing.of(speakers[chosen], clusters=None if clusters is None else clusters[chosen])

    def _curves(self, sums: SpeakerSums, metric: str, stage: str) -> list[Curve]:
        kind, name = self.metrics[metric].kind, f"{stage}.{metric}"
        return [sums_curve(sums.one(i), kind, self.settings, name) for i in range(sums.n_cells)]

    def sums(self, metric: str, stage: str, cells: Cells, *, alike_as_one: bool = True) -> SpeakerSums:
        """Each speaker's sums in each cell; ``alike_as_one`` merges speakers with equal sums into one entry."""
        reads, standing = self._reads_in(cells, metric, stage)
        return standing.sums(reads, alike_as_one=alike_as_one)

    def _reads_in(self, cells: Cells, metric: str, stage: str, before: str = "") -> tuple[Reads, Standing]:
        """A metric's reads, or their change since the stage ``before``, and their cells.

        Reads are summed by part where every part lies in one cell.
        """
        if cells.parts is None:
            return self._reads_of_clips(metric, stage, before), cells.clips
        return self._reads_of_parts(metric, stage, before), cells.parts

    @computed_once
    def _reads_of_parts(self, metric: str, stage: str, before: str) -> Reads:
        return self.parts[1].gathered(self._reads_of_clips(metric, stage, before))

    def _reads_of_clips(self, metric: str, stage: str, before: str) -> Reads:
        values = self.values(stage, metric)
        return Reads.of(values - self.values(before, metric) if before else values)

    def changed(self, metric: str, before: str, after: str, mask: Mask) -> Pairs:
        """The change of a metric from one stage to a later one, over clips read at both stages, paired by speaker."""
        return paired(
            self.values(before, metric)[mask],
            self.values(after, metric)[mask],
            self.speakers[mask],
            self.settings,
            kind=self.metrics[metric].kind,
            name=f"{before}>{after}.{metric}",
            clusters=self.shared(mask),
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
            clusters=self.shared(first),
            second_clusters=self.shared(second),
        )

    def changes(self, metric: str, before: str, after: str, cells: Cells) -> PairSums:
        """:meth:`changed` for every cell."""
        return aligned_pairs(*self._reads_in(cells, metric, after, before), alike_as_one=True)

    def contrasts(self, metric: str, stage: str, first: Mask, second: Mask, cells: Cells) -> PairSums:
        """:meth:`contrasted` for every cell; the masks come from :meth:`where` and are disjoint."""
        reads, standing = self._reads_in(cells, metric, stage)
        if cells.parts is not None:
            first, second = first[self.parts[0]], second[self.parts[0]]
        number = np.where(first | second, standing.cell[standing.unit], -1)
        of_rows = self.parts[1].speaker if cells.parts else self.speakers
        placed = Standing.of(of_rows, number, len(cells.keys), standing.cluster)
        return matched_pairs(reads.where(first), reads.where(second), placed)

    @computed_once
    def span(self, metric: str, *stages: str) -> float | None:
        """The largest change of a clip's value that the values at these stages allow; ``None`` where all are equal."""
        values = np.concatenate([self.values(stage, metric) for stage in stages])
        known = values[np.isfinite(values)]
        return float(np.ptp(known)) or None if len(known) else None

    @cached_property
    def clips_trained(self) -> NDArray[np.float64]:
        """The number of training clips of each clip's group, in the grouping, and language; NaN if unknown."""
        cells = self.cells(self.group_column, "language")
        trained = np.full(len(cells.keys), np.nan)
        for i, (group, language) in enumerate(cells.keys):
            for item in self.coverage:
                if item.group == group and same_language(item.language, str(language)):
                    trained[i] = np.nansum([trained[i], item.clips])
        return trained[cells.number]

    def predicted(self, metric: str, mask: Mask) -> Estimate:
        """The prediction-powered estimate of what people would read in the rendered faces of a subset of the clips."""
        return prediction_powered(
            self.values("rendered", metric)[mask],
            self.human_values(metric)[mask],
            self.speakers[mask],
            self.settings,
            strata=self.strata[mask],
            readers=self.n_readers,
            name=f"rendered.{metric}",
            clusters=self.shared(mask),
        )

    def human_values(self, metric: str) -> NDArray[np.float64]:
        """The human readings of each clip's rendered face; NaN where there is none."""
        if self.human is None:
            return np.full(len(self.frame), np.nan)
        return self.human[metric].reindex(self.frame["clip_id"]).to_numpy(np.float64)

    @cached_property
    def strata(self) -> NDArray[np.int64]:
        """The sampling stratum (group and language) of each clip, as numbers."""
        return self.cells("group", "language").number

    @cached_property
    def misclassification(self) -> Misclassification:
        """The instrument's misclassification rates, from labelled pictures.

        Without a calibration file: from the readable portraits of speakers whose label allows one race only. Several
        portraits of a speaker count as their mean over clips.
        """
        if self.calibration is not None:
            given = self.calibration
            offset = int(self.speakers.max(initial=-1)) + 1  # subjects of the file are not speakers of the cohort
            return Misclassification.of(given.truth, given.read, given.subject + offset, RACES, self.settings)
        truth = pd.Index(RACES).get_indexer(pd.Index(self.frame["group"]))
        return Misclassification.of(truth, self.reads("portrait"), self.speakers, RACES, self.settings)

    def correction(self, stage: str, mask: Mask) -> dict[str, Corrected]:
        """The share of each race among a subset of the clips at a stage, corrected for misclassification.

        One for each race with calibration data; see :data:`audit.stats.TRANSFER` for the assumption. Empty estimates if
        a speaker's group has no calibration data, since such faces would be counted as another race.
        """
        found = self.misclassification.corrected(
            self.reads(stage)[mask], self.speakers[mask], name=f"{stage}, corrected"
        )
        calibrated = {RACES[code] for code in self.misclassification.classes}
        possible = frozenset[str]().union(*map(group_members, self.frame["group"][mask].unique()))
        lacking = [race for race in RACES if race in possible - calibrated]
        if not lacking:
            return found
        why = f"not corrected: no calibration units of {', '.join(lacking)}, whose faces would be taken for others"
        refused = {
            race: replace(each.estimate, value=None, low=None, high=None, method=why) for race, each in found.items()
        }
        return {race: replace(each, estimate=refused[race], effective_speakers=None) for race, each in found.items()}

    def corrected(self, stage: str, race: str, mask: Mask) -> Estimate:
        """The share of one race among a subset of the clips at a stage, corrected for misclassification."""
        found = self.correction(stage, mask).get(race)
        if found is not None:
            return found.estimate
        read = self.reads(stage)[mask] >= 0
        counts = (len(np.unique(self.speakers[mask][read])), int(read.sum()), int((~read).sum()))
        return Estimate(None, None, None, *counts, f"not corrected: no calibration units of {race}; some would help")

    @computed_once
    def reads(self, stage: str) -> NDArray[np.int64]:
        """The race read in each clip's face at a stage, as an index into ``RACES``; -1 if it was not read."""
        codes = np.full(len(self.frame), -1, np.int64)
        for i, race in enumerate(RACES):
            codes[self.values(stage, f"read_{race}") == 1] = i
        return codes

    @computed_once
    def values(self, stage: str, metric: str) -> NDArray[np.float64]:
        """One metric of each clip at one stage; NaN where it cannot be scored."""
        return np.asarray(self.frame[f"{stage}.{metric}"], np.float64)

    def at(self, confidence: float | None) -> Settings:
        """The settings, with another confidence if one is given."""
        return self.settings if confidence is None else replace(self.settings, confidence=confidence)
