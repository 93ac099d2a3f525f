"""The tables of an audit, each tidy: one figure a row, with its interval and with how many stand behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from functools import cache
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.audit import Table
from audit.cohort.cohort import in_group_order
from audit.errors import PlanError
from audit.evidence import Evidence
from audit.gallery import gallery
from audit.metrics import Metric
from audit.plan import MeasureSettings
from audit.stats import ALL, Detectable, Estimate, Settings, smallest_detectable
from audit.stats.rates import estimates as estimates_of
from audit.stats.speakers import checked_values, speaker_sums
from audit.vocabulary import CLIP_STATUSES, RACES, STAGES, ordered_groups

ESTIMATE = [field.name for field in fields(Estimate)]
STAGE_PAIRS = (("portrait", "ceiling"), ("ceiling", "rendered"), ("portrait", "rendered"))
AT_ONCE = 2_000_000
"""So many values are put together at a time."""
CHANGING = ("read_own_group", "read_white", "gender_right", "age_error")


def tables(evidence: Evidence, settings: MeasureSettings) -> dict[str, Table]:
    """Every table of the audit, by name.

    Raises
    ------
    PlanError
        If a column to stratify by is not in the run.
    """
    by = tuple(dict.fromkeys(("group", "language", *settings.by)))
    absent = [column for column in by if column not in evidence.frame]
    if absent:
        raise PlanError(
            f"measure.by names {', '.join(absent)}.", f"columns of the run: {', '.join(_columns(evidence.frame))}"
        )
    return {
        "strata": Table(
            "Who is audited",
            "Speakers and clips of each stratum; a speaker may stand in several languages.",
            _strata(evidence.frame),
        ),
        "label_sources": Table(
            "Where the labels come from", "A label is only as good as its source.", _sources(evidence.frame)
        ),
        "statuses": Table(
            "What became of every clip", "No clip is dropped: each has one status.", _statuses(evidence.frame)
        ),
        "stage_statuses": Table(
            "What could be read at each stage",
            "A picture without a face is never scored.",
            _stage_statuses(evidence.frame),
        ),
        "instrument": Table(
            "The instrument on this cohort's portraits",
            "What the instrument gets wrong in true faces it will get wrong in rendered ones.",
            _instrument(evidence),
        ),
        "disparities": Table(
            "Every figure", "Averaged over speakers unless the settings say clips.", _disparities(evidence, by)
        ),
        "changes": Table(
            "From stage to stage",
            "Paired by speaker: portrait to ceiling is the decoder's doing, ceiling to rendered the voice encoder's.",
            _changes(evidence),
        ),
        "language_effects": Table(
            "English against the speakers' other languages",
            "Rendered faces of the same speakers: English minus the other language.",
            _language_effects(evidence),
        ),
        "rendered_as": Table(
            "Rendered as another group (exploratory)",
            "Rendered minus portrait, paired by speaker; not adjusted for how many figures there are.",
            _rendered_as(evidence),
        ),
        "power": Table(
            "What this cohort could show",
            "The smallest difference that would be found with a power of .80, at a rate of one half.",
            _power(evidence),
        ),
        "gallery": Table(
            "Faces",
            "A sample with a fixed seed in each stratum, never chosen by eye.",
            gallery(evidence.frame, settings.gallery, settings.seed),
        ),
        "failures": Table("Clips without a result", "Every clip whose status is not ok.", _failures(evidence.frame)),
    }


def _columns(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name in frame.columns if "." not in str(name)]


def _strata(frame: pd.DataFrame) -> pd.DataFrame:
    counts = frame.groupby(["group", "language", "gender"], sort=True).agg(
        n_speakers=("speaker_id", "nunique"), n_clips=("clip_id", "size")
    )
    return in_group_order(counts.reset_index())


def _sources(frame: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for label in ("group", "gender", "language"):
        for source, part in frame.groupby(f"{label}_source", sort=True):
            rows.append((label, source, part["speaker_id"].nunique(), len(part)))
    return pd.DataFrame(rows, columns=["field", "source", "n_speakers", "n_clips"])


def _statuses(frame: pd.DataFrame) -> pd.DataFrame:
    ordered = frame.assign(status=pd.Categorical(frame["status"], CLIP_STATUSES, ordered=True))
    counts = ordered.groupby(["group", "language", "status"], observed=True, sort=True).agg(
        n_clips=("clip_id", "size"), n_speakers=("speaker_id", "nunique")
    )
    return in_group_order(counts.reset_index().astype({"status": object}))


def _stage_statuses(frame: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for stage in STAGES:
        counts = frame.groupby(["group", f"{stage}_status"], sort=True).size().rename("n_clips").reset_index()
        counts = counts.rename(columns={f"{stage}_status": "status"})
        counts.insert(0, "stage", stage)
        parts.append(in_group_order(counts))
    return pd.concat(parts, ignore_index=True)


def _instrument(evidence: Evidence) -> pd.DataFrame:
    rows = []
    for group in evidence.groups:
        for gender in (ALL, "woman", "man"):
            mask = evidence.where(group=group)
            if gender != ALL:
                mask = mask & (evidence.frame["gender"] == gender).to_numpy()
            if mask.any():
                rows += [
                    (group, gender, metric, *astuple(evidence.figure(metric, "portrait", mask)))
                    for metric in ("read_own_group", "gender_right", "age_error")
                ]
    return pd.DataFrame(rows, columns=["group", "gender", "metric", *ESTIMATE])


def _disparities(evidence: Evidence, by: tuple[str, ...]) -> pd.DataFrame:
    """Every metric at every stage, in every combination of the columns of ``by`` and over all of each."""
    frame = evidence.frame
    columns = [
        (metric, stage, values)
        for metric in evidence.metrics.values()
        for stage in metric.stages
        if not np.isnan(values := checked_values(frame[f"{stage}.{metric.name}"].to_numpy(), metric.kind)).all()
    ]
    keys: list[tuple[object, ...]] = []
    found: list[list[Estimate]] = [[] for _ in columns]
    for size in range(len(by) + 1):
        for subset in combinations(by, size):
            cells = _cells_of(frame, subset)
            keys += [tuple(dict(zip(subset, key, strict=True)).get(name, ALL) for name in by) for key in cells.keys]
            for i, estimates in _figures(evidence, columns, cells).items():
                found[i] += estimates
    place = {group: i for i, group in enumerate([ALL, *ordered_groups(set(frame["group"]))])}
    order = pd.DataFrame(keys, columns=list(by)).sort_values(
        list(by),
        key=lambda values: values.map(place) if values.name == "group" else values.astype(str),
        kind="stable",
    )
    rows = [
        (metric.name, stage, *keys[i], *astuple(estimates[i]))
        for (metric, stage, _), estimates in zip(columns, found, strict=True)
        for i in order.index
    ]
    table = pd.DataFrame(rows, columns=["metric", "stage", *by, *ESTIMATE])
    return table.astype({"value": float, "low": float, "high": float})


@dataclass(frozen=True)
class _Cells:
    """The cells that some columns make: their keys, and the number of each clip's."""

    keys: list[tuple[object, ...]]
    number: NDArray[np.int64]


def _cells_of(frame: pd.DataFrame, columns: tuple[str, ...]) -> _Cells:
    if not columns:
        return _Cells([()], np.zeros(len(frame), np.int64))
    labels = frame[list(columns)]
    grouped = labels.astype("category").groupby(list(columns), sort=True, dropna=False, observed=True)
    number = np.asarray(grouped.ngroup(), np.int64)
    first = np.unique(number, return_index=True)[1]
    return _Cells(list(labels.iloc[first].astype(object).itertuples(index=False, name=None)), number)


def _figures(
    evidence: Evidence, columns: list[tuple[Metric, str, NDArray[np.float64]]], cells: _Cells
) -> dict[int, list[Estimate]]:
    """The estimates of every column in every cell: as many columns at a time as keep memory small."""
    made: dict[int, list[Estimate]] = {}
    n, at_once = len(cells.keys), max(1, AT_ONCE // len(cells.number))
    for kind in ("rate", "mean"):
        of_kind = [i for i, (metric, _, _) in enumerate(columns) if metric.kind == kind]
        for start in range(0, len(of_kind), at_once):
            chosen = of_kind[start : start + at_once]
            sums = speaker_sums(
                np.concatenate([columns[i][2] for i in chosen]),
                np.tile(evidence.speakers, len(chosen)),
                np.concatenate([cells.number + place * n for place in range(len(chosen))]),
                n * len(chosen),
            )
            names = [
                f"{columns[i][1]}.{columns[i][0].name}/" + "/".join(map(str, key)) for i in chosen for key in cells.keys
            ]
            estimates = estimates_of(sums, kind, evidence.settings, names)
            made |= {i: estimates[place * n : (place + 1) * n] for place, i in enumerate(chosen)}
    return made


def _parts(evidence: Evidence) -> Iterator[tuple[str, np.ndarray[Any, np.dtype[np.bool_]]]]:
    yield ALL, evidence.where()
    for group in ordered_groups(set(evidence.frame["group"])):
        yield group, evidence.where(group=group)


def _changes(evidence: Evidence) -> pd.DataFrame:
    rows = []
    for metric in CHANGING:
        for before, after in STAGE_PAIRS:
            if not (evidence.has(before) and evidence.has(after)):
                continue
            for group, mask in _parts(evidence):
                for language in (ALL, *evidence.languages):
                    part = mask if language == ALL else mask & evidence.where(language=language)
                    if part.any():
                        rows.append(
                            (
                                metric,
                                before,
                                after,
                                group,
                                language,
                                *astuple(evidence.change(metric, before, after, part)),
                            )
                        )
    return pd.DataFrame(rows, columns=["metric", "from_stage", "to_stage", "group", "language", *ESTIMATE])


def _language_effects(evidence: Evidence) -> pd.DataFrame:
    rows = []
    english = evidence.where(english=True)
    others = [language for language in evidence.languages if not (evidence.where(language=language) & english).any()]
    metrics = ["read_own_group", "read_white", "gender_right"]
    metrics += [f"similarity_{model.lower()}" for model in evidence.similarity_models]
    for metric in metrics:
        for group, mask in _parts(evidence):
            for language in (ALL, *others):
                other = mask & (~english if language == ALL else evidence.where(language=language))
                estimate = evidence.contrast(metric, "rendered", other, mask & english)
                if estimate.n_speakers:
                    rows.append((metric, group, language, *astuple(estimate)))
    return pd.DataFrame(rows, columns=["metric", "group", "language", *ESTIMATE])


def _rendered_as(evidence: Evidence) -> pd.DataFrame:
    before = "portrait" if evidence.has("portrait") else "ceiling"
    rows = []
    for group, mask in _parts(evidence):
        for race in RACES:
            for language in (ALL, *evidence.languages):
                part = mask if language == ALL else mask & evidence.where(language=language)
                if part.any() and evidence.has(before):
                    rows.append(
                        (group, race, language, *astuple(evidence.change(f"read_{race}", before, "rendered", part)))
                    )
    return pd.DataFrame(rows, columns=["group", "read", "language", *ESTIMATE])


def _power(evidence: Evidence) -> pd.DataFrame:
    rows = []
    speakers = evidence.frame.drop_duplicates("speaker_id")
    for group in evidence.groups:
        own = evidence.where(group=group)
        n, rest = _count(evidence, own), len(speakers) - _count(evidence, own)
        bilingual = _bilingual(evidence, own)
        comparisons: tuple[tuple[str, Literal["paired", "unpaired"], int, int | None], ...] = (
            ("rendered against portrait, same speakers", "paired", n, None),
            ("English against another language, same speakers", "paired", bilingual, None),
            ("the group against all others", "unpaired", n, rest),
        )
        for comparison, design, number, other in comparisons:
            found = _detectable(number, design, other, evidence.settings)
            rows.append((comparison, group, number, found.size, found.method))
    return pd.DataFrame(rows, columns=["comparison", "group", "n_speakers", "smallest_detectable", "note"])


@cache
def _detectable(
    speakers: int, design: Literal["paired", "unpaired"], other: int | None, settings: Settings
) -> Detectable:
    return smallest_detectable(speakers, design=design, other_speakers=other, settings=settings)


def _count(evidence: Evidence, mask: np.ndarray[Any, np.dtype[np.bool_]]) -> int:
    return int(evidence.frame["speaker_id"][mask].nunique())


def _bilingual(evidence: Evidence, mask: np.ndarray[Any, np.dtype[np.bool_]]) -> int:
    english = set(evidence.frame["speaker_id"][mask & evidence.where(english=True)])
    return len(english & set(evidence.frame["speaker_id"][mask & evidence.where(english=False)]))


def _failures(frame: pd.DataFrame) -> pd.DataFrame:
    failed = frame[frame["status"] != "ok"]
    return failed[["clip_id", "speaker_id", "group", "language", "status", "detail"]].reset_index(drop=True)
