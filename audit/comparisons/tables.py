"""The tables of a comparison and their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, get_args

import pandas as pd

from audit.audits.table import (
    GROUP,
    LANGUAGE,
    METHOD,
    N_CLIPS,
    N_SPEAKERS,
    OF_METRIC,
    P_VALUE,
    Column,
    Table,
    interval_columns,
)
from audit.audits.tables.gallery import random_sample
from audit.audits.tables.metric_definitions import definitions_table
from audit.checks.evidence import Evidence
from audit.checks.metrics.metric_frame import over_impostors
from audit.comparisons.changes import Change, Word
from audit.comparisons.harms import HarmChange
from audit.core.plan import MeasureSettings
from audit.stats import Estimate

RUNS: Final = (
    Column("letter", "key", "Run"),
    Column("model", "text", "Model"),
    Column("weights_sha256", "text", "Weights, sha256"),
    Column("digest", "text", "Digest"),
    N_SPEAKERS,
    N_CLIPS,
)
HARMS: Final = (
    Column("candidate", "key", "Candidate"),
    Column("figure", "key", "Check"),
    Column("grouping", "grouping", "Grouping"),
    Column("outcome", "text", "Harm"),
    Column("gains", "text", "Less harm for"),
    Column("pays", "text", "More harm for"),
    Column("no_difference", "text", "No difference for"),
    Column("inconclusive", "text", "Undecided for"),
    Column("sentence", "text", "In words"),
    Column("would_change", "text", "What would decide it"),
)
PARETO: Final = (
    Column("run", "key", "Run"),
    Column("metric", "metric", "Metric"),
    *interval_columns("overall", "All speakers", OF_METRIC),
    Column("worst_group", "text", "Worst group", about="worst_group"),
    *interval_columns("worst", "Its figure", OF_METRIC, about="worst_group"),
    N_SPEAKERS,
    Column("n_speakers_worst", "n_speakers", "Speakers of the worst group", about="worst_group"),
    METHOD,
)


def _changes_columns(figure: Column, unit: str) -> tuple[Column, ...]:
    return (
        Column("candidate", "key", "Candidate"),
        figure,
        Column("grouping", "grouping", "Grouping"),
        GROUP,
        LANGUAGE,
        Column("headline", "text", "Headline"),
        *interval_columns("before", "Baseline", unit),
        *interval_columns("after", "Candidate", unit),
        *interval_columns("change", "Change", unit, signed=True),
        P_VALUE,
        Column("p_adjusted", "p_value", "p, adjusted"),
        Column("worse", "text", "Worse end"),
        Column("margin", "setting", "Margin", unit),
        Column("word", "text", "What it means"),
        N_SPEAKERS,
        N_CLIPS,
        Column("n_missing", "count", "Not read"),
        METHOD,
    )


CHECK_CHANGES: Final = _changes_columns(Column("figure", "key", "Check"), "")
METRIC_CHANGES: Final = _changes_columns(Column("figure", "metric", "Metric"), OF_METRIC)


def runs_table(runs: Sequence[Mapping[str, object]]) -> Table:
    """The table of the compared runs."""
    rows = [[run.get(column.name) for column in RUNS] for run in runs]
    return Table("What is compared", "A is the baseline.", _frame(rows, RUNS), RUNS)


def harms_table(found: Sequence[HarmChange], confidence: float) -> Table:
    """The table of the harms: one row for each check, with the groups by what the change means for them."""
    rows = [
        (
            *(harm.candidate, harm.figure, harm.headline.grouping, harm.outcome),
            *("; ".join(change.group for change in harm.named(word)) for word in get_args(Word)),
            *(harm.sentence(confidence), harm.would_change),
        )
        for harm in found
    ]
    return Table("Every harm", "What the changes of each check mean, over its groups.", _frame(rows, HARMS), HARMS)


def changes_frame(changes: Sequence[Change]) -> pd.DataFrame:
    """Changes as rows; counts and method are those of the change."""
    rows = [
        (
            *(change.candidate, change.figure, change.grouping, change.group, change.language, change.headline),
            *(*_ends(change.before), *_ends(change.after), *_ends(change.change)),
            *(change.p_value, change.p_adjusted, change.worse, change.margin, change.word),
            *(change.change.n_speakers, change.change.n_clips, change.change.n_missing, change.change.method),
        )
        for change in changes
    ]
    return _frame(rows, CHECK_CHANGES)


def given_tables(letters: str, evidence: Sequence[Evidence], settings: MeasureSettings) -> dict[str, Table]:
    """The tables besides those of changes."""
    return {
        "pareto": _pareto(letters, evidence),
        "faces": _faces(letters, evidence, settings),
        "metric_definitions": definitions_table(evidence[0].metrics.values()),
    }


def _pareto(letters: str, evidence: Sequence[Evidence]) -> Table:
    """Each run over all clips, and for its worst group."""
    rows = []
    similarity = [over_impostors(model) for model in evidence[0].similarity_models[:1]]
    for metric in ("read_own_group", *similarity):
        for letter, each in zip(letters, evidence, strict=False):
            simultaneous = 1 - (1 - each.settings.confidence) / max(1, len(each.groups))
            by_group = {
                group: each.figure_curve(metric, "rendered", each.where(group=group)).at(simultaneous)
                for group in each.groups
            }
            measured = {group: found for group, found in by_group.items() if found.value is not None}
            if not measured:
                continue
            worst = min(measured, key=lambda group: measured[group].value or 0.0)
            overall, least = each.figure(metric, "rendered", each.where()), measured[worst]
            method = f"overall: {overall.method}; worst: {least.method}"
            counts = overall.n_speakers, least.n_speakers
            rows.append((letter, metric, *_ends(overall), worst, *_ends(least), *counts, method))
    return Table(
        "Over all and for the worst group",
        "Each run's figure over all clips, and for its worst group, with an interval that is simultaneous over the "
        "groups.",
        _frame(rows, PARETO),
        PARETO,
    )


def _faces(letters: str, evidence: Sequence[Evidence], settings: MeasureSettings) -> Table:
    """The sample of pictures: one row for each clip, with its portrait and the rendered face of each run."""
    columns = [GROUP, LANGUAGE, Column("speaker_id", "speaker_id", "Speaker"), Column("clip_id", "clip_id", "Clip")]
    samples = [random_sample(each.frame, settings.gallery, settings.seed) for each in evidence]
    frame = samples[0][[column.name for column in columns]].copy()
    shown = [("portrait", "Portrait", "portrait", samples[0])]
    shown += [(letter, f"Rendered by {letter}", "rendered", of) for letter, of in zip(letters, samples, strict=False)]
    for name, label, stage, sample in shown:
        frame[name], frame[f"{name}_read"] = sample[stage], sample[f"{stage}_read"]
        columns += [Column(name, "picture", label), Column(f"{name}_read", "read", f"{label}, read as")]
    note = "A random sample of each group, drawn with a fixed seed."
    return Table("The same speakers by every model", note, frame, tuple(columns))


def _ends(estimate: Estimate) -> tuple[float | None, float | None, float | None]:
    return estimate.value, estimate.low, estimate.high


def _frame(rows: Sequence[object], columns: Sequence[Column]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[column.name for column in columns])
