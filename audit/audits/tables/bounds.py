"""Worst-case (Manski) bounds of rates for missing faces, speakers of unknown group, and disputed group labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from audit.audits.table import GROUP, LANGUAGE, METHOD, N_CLIPS, N_SPEAKERS, Column
from audit.audits.tables.spec import Row, Source, TableSpec
from audit.checks.disputed import has_votes, memberships
from audit.checks.evidence import Evidence
from audit.core.vocabulary import RACES, UNKNOWN, group_members
from audit.stats import ALL, Bounds, Tally, missing_bounds, unknown_group_bounds

METRICS: Final = ("read_own_group", "read_white")
MISSING_FACES, UNKNOWN_GROUPS, DISPUTED_LABELS = "missing faces", "unknown groups", "disputed labels"


def bounds(source: Source) -> Iterator[Row]:
    """Worst-case bounds of the reads of rendered faces, by group and language, with and without sampling error."""
    evidence = source.evidence
    if evidence.has("rendered") and evidence.groups:
        for metric in METRICS:
            for language in (ALL, *evidence.languages):
                part = evidence.where() if language == ALL else evidence.where(language=language)
                yield from _rows(evidence, metric, language, np.flatnonzero(part))


def _rows(evidence: Evidence, metric: str, language: str, clips: NDArray[np.int64]) -> Iterator[Row]:
    reads, speakers = evidence.reads("rendered")[clips], evidence.speakers[clips]
    group_of = np.full(len(clips), -1, np.int64)
    for i, group in enumerate(evidence.groups):
        group_of[evidence.where(group=group)[clips]] = i
    names = [f"rendered.{metric}, bounds"] * len(evidence.groups)
    allowed = [_allowed(metric, group) for group in evidence.groups]
    known = group_of >= 0
    values = np.where(reads < 0, np.nan, np.array(allowed)[group_of, reads].astype(float))
    tally = Tally.of(values[known], speakers[known], group_of[known], len(evidence.groups))
    unknown = evidence.where(group=UNKNOWN)[clips]
    for i, found in enumerate(missing_bounds(tally, evidence.settings, names)):
        if not (group_of == i).any():
            continue
        yield _row(metric, evidence.groups[i], language, MISSING_FACES, found, 0)
        if unknown.any():
            others = Tally.of(_as_group(reads[unknown], allowed[i]), speakers[unknown])
            either = unknown_group_bounds(tally.of_cell(i), others, evidence.settings, name=names[i])
            yield _row(metric, evidence.groups[i], language, UNKNOWN_GROUPS, either, int((others.read > 0).sum()))
    if has_votes(evidence):
        for i, group in enumerate(evidence.groups):
            certain, disputed = (part[clips] for part in memberships(evidence, group.__eq__))
            if disputed.any():
                sure, maybe = (Tally.of(_as_group(reads[m], allowed[i]), speakers[m]) for m in (certain, disputed))
                either = unknown_group_bounds(sure, maybe, evidence.settings, name=names[i], whose="of disputed label")
                yield _row(metric, group, language, DISPUTED_LABELS, either, int((maybe.read > 0).sum()))


def _as_group(reads: NDArray[np.int64], allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The metric of each read as if its speaker belonged to the group; NaN where nothing was read."""
    return np.where(reads < 0, np.nan, allowed[reads].astype(float))


def _allowed(metric: str, group: str) -> NDArray[np.bool_]:
    """The reads that count for a speaker of the group."""
    counted = group_members(group) if metric == "read_own_group" else {"white"}
    return np.array([race in counted for race in RACES])


def _row(metric: str, group: str, language: str, not_known: str, found: Bounds, n_unknown: int) -> Row:
    least, most = found
    method = least.method if least.method == most.method else f"least: {least.method}; most: {most.method}"
    return (
        *(metric, group, language, not_known, least.value, most.value, least.low, most.high),
        *(max(least.n_speakers, most.n_speakers), max(least.n_clips, most.n_clips), least.n_missing, n_unknown, method),
    )


TABLE = TableSpec(
    name="bounds",
    title="Worst-case bounds of the rates",
    note="The smallest and largest possible rates, however missing faces would be read and whether or not speakers "
    "of unknown group, or of a group label that annotators dispute, belong to the group (Manski bounds); low and high "
    "also include sampling error.",
    columns=(
        Column("metric", "metric", "Figure"),
        GROUP,
        LANGUAGE,
        Column("not_known", "key", "Unknown"),
        Column("least", "value", "Lower bound", "share"),
        Column("most", "value", "Upper bound", "share"),
        Column("low", "low", "With sampling error, low", "share"),
        Column("high", "high", "With sampling error, high", "share"),
        N_SPEAKERS,
        N_CLIPS,
        Column("n_missing", "count", "Clips without a face"),
        Column("n_unknown", "count", "Unknown speakers"),
        METHOD,
    ),
    make=bounds,
)
