"""The tables of an audit, each tidy: one figure a row, with its interval and with how many stand behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, fields
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from audit.audit import Table
from audit.cohort.cohort import in_group_order
from audit.errors import PlanError
from audit.evidence import Evidence
from audit.gallery import gallery
from audit.plan import MeasureSettings
from audit.stats import ALL, Estimate, cells, smallest_detectable
from audit.vocabulary import CLIP_STATUSES, RACES, STAGES, ordered_groups

ESTIMATE = [field.name for field in fields(Estimate)]
STAGE_PAIRS = (("portrait", "ceiling"), ("ceiling", "rendered"), ("portrait", "rendered"))
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
    subsets = [subset for size in range(len(by) + 1) for subset in combinations(by, size)]
    place = {group: i for i, group in enumerate([ALL, *ordered_groups(set(evidence.frame["group"]))])}
    parts = []
    frame = evidence.frame[[*by, *(name for name in evidence.frame if "." in str(name))]].assign(
        speaker=evidence.speakers
    )
    frame = frame.astype(dict.fromkeys(by, "category"))
    for metric in evidence.metrics.values():
        for stage in metric.stages:
            column = f"{stage}.{metric.name}"
            if not evidence.frame[column].notna().any():
                continue
            found = []
            for subset in subsets:
                table = cells(
                    frame, list(subset), column, speaker="speaker", kind=metric.kind, settings=evidence.settings
                )
                table = table.iloc[:-1] if subset else table
                found.append(table.assign(**{name: ALL for name in by if name not in subset}))
            table = pd.concat(found, ignore_index=True)
            table = table.sort_values(
                list(by),
                key=lambda values: values.map(place) if values.name == "group" else values.astype(str),
                kind="stable",
            )
            table.insert(0, "stage", stage)
            table.insert(0, "metric", metric.name)
            parts.append(table[["metric", "stage", *by, *ESTIMATE]])
    return pd.concat(parts, ignore_index=True)


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
        for comparison, design, number, other in (
            ("rendered against portrait, same speakers", "paired", n, None),
            ("English against another language, same speakers", "paired", bilingual, None),
            ("the group against all others", "unpaired", n, rest),
        ):
            found = smallest_detectable(number, design=design, other_speakers=other, settings=evidence.settings)  # type: ignore[arg-type]
            rows.append((comparison, group, number, found.size, found.method))
    return pd.DataFrame(rows, columns=["comparison", "group", "n_speakers", "smallest_detectable", "note"])


def _count(evidence: Evidence, mask: np.ndarray[Any, np.dtype[np.bool_]]) -> int:
    return int(evidence.frame["speaker_id"][mask].nunique())


def _bilingual(evidence: Evidence, mask: np.ndarray[Any, np.dtype[np.bool_]]) -> int:
    english = set(evidence.frame["speaker_id"][mask & evidence.where(english=True)])
    return len(english & set(evidence.frame["speaker_id"][mask & evidence.where(english=False)]))


def _failures(frame: pd.DataFrame) -> pd.DataFrame:
    failed = frame[frame["status"] != "ok"]
    return failed[["clip_id", "speaker_id", "group", "language", "status", "detail"]].reset_index(drop=True)
