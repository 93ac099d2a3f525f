"""Outcomes of language identification, by group and the language that the clips were declared to have."""

from __future__ import annotations

from dataclasses import replace

from audit.audits.table import GROUP, METHOD, N_CLIPS, N_SPEAKERS, Column, interval_columns
from audit.audits.tables.spec import Row, Source, TableSpec
from audit.core.identification import DECLARED, IDENTIFICATION, OUTCOMES, REJECTED, contradicted, rejected
from audit.stats import figure_curve


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
    other, value = (of(evidence.frame).to_numpy() for of in (contradicted, rejected))
    rows: list[Row] = []
    cells = evidence.cells("group", DECLARED)
    for i, key in enumerate(cells.keys):
        clips = cells.number == i
        of, n_other = evidence.frame[clips], int(other[clips].sum())
        rate = figure_curve(
            value[clips],
            evidence.speakers[clips],
            evidence.settings,
            name="/".join(("rejected", *map(str, key))),
            clusters=evidence.shared(clips),
        ).at(evidence.settings.confidence)
        counts = {outcome: int((of[IDENTIFICATION] == outcome).sum()) for outcome in OUTCOMES}
        rows.append(
            (
                *(*key, of["speaker_id"].nunique(), len(of), counts["accepted"] - n_other, n_other),
                *(counts[name] for name in REJECTED),
                *(counts["too_short"] + counts["silent"] + counts["unreadable"],),
                *(rate.value, rate.low, rate.high, rate.method),
            )
        )
    place = {group: i for i, group in enumerate(evidence.every_group)}
    return sorted(rows, key=lambda row: (place[str(row[0])], str(row[1])))


TABLE = TableSpec(
    name="language_identification",
    title="Language identification",
    note="A language is accepted where both identifiers name it with sufficient probability. Identifiers err more on "
    "accented speech, so a share that differs between groups may bias every figure by language. "
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
