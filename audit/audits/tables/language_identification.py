"""Outcomes of language identification, by group and the language that the clips were declared to have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from audit.audits.table import GROUP, METHOD, N_CLIPS, N_SPEAKERS, Column, interval_columns
from audit.audits.tables.spec import Row, Source, TableSpec
from audit.core.identification import DECLARED, IDENTIFICATION, Outcome, contradicted, rejected
from audit.stats import figure_curve

NOT_IDENTIFIED: Final[tuple[Outcome, ...]] = ("too_short", "silent", "unreadable")


def language_identification(source: Source) -> list[Row] | None:
    """One row for each group and declared language, over the clips for which identification was asked.

    ``und`` are the clips without a language before. ``accepted`` does not count the clips of a declared language for
    which the identifiers agree on another one: ``contradicted``. ``rejected`` is the share of identified clips that are
    not accepted, a rate over speakers. ``None`` for a cohort whose languages were not identified.
    """
    frame = source.evidence.every_clip
    if IDENTIFICATION not in frame or not (asked := frame[IDENTIFICATION] != "not_run").any():
        return None
    evidence = replace(source.evidence, frame=frame[asked].reset_index(drop=True), unfiltered=None)
    other, value = contradicted(evidence.frame), rejected(evidence.frame)
    found = evidence.frame.assign(other=other, value=value)

    def rows() -> Iterator[Row]:
        cells = evidence.cells("group", DECLARED)
        for i, (group, declared) in enumerate(cells.keys):
            clips = cells.number == i
            of = found[clips]
            rate = figure_curve(
                of["value"].to_numpy(np.float64),
                evidence.speakers[clips],
                evidence.settings,
                name=f"rejected/{group}/{declared}",
                clusters=evidence.shared(clips),
            ).at(evidence.settings.confidence)
            counts = of[IDENTIFICATION].value_counts()
            n_other = int(of["other"].sum())
            yield (
                *(group, declared, of["speaker_id"].nunique(), len(of)),
                *(int(counts.get("accepted", 0)) - n_other, n_other),
                *(int(counts.get(name, 0)) for name in ("disagreement", "low_probability")),
                sum(int(counts.get(name, 0)) for name in NOT_IDENTIFIED),
                *(rate.value, rate.low, rate.high, rate.method),
            )

    place = {group: i for i, group in enumerate(evidence.every_group)}
    return sorted(rows(), key=lambda row: (place[str(row[0])], str(row[1])))


TABLE = TableSpec(
    name="language_identification",
    title="Language identification",
    note="A language is accepted where both identifiers name it with sufficient probability. Identifiers err more on "
    "accented speech, so a share that differs between groups may bias every figure by language."
    "Language before is und for clips without one.",
    columns=(
        GROUP,
        Column(DECLARED, "key", "Language before"),
        N_SPEAKERS,
        N_CLIPS,
        Column("accepted", "count", "Accepted"),
        Column("contradicted", "count", "Accepted as another language"),
        Column("disagreement", "count", "Disagreement"),
        Column("low_probability", "count", "Low probability"),
        Column("not_identified", "count", "Too short, silent or unreadable"),
        *interval_columns("rejected", "Rejected", "share"),
        METHOD,
    ),
    make=language_identification,
)
