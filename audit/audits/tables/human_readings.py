"""Reads of the rendered faces by people and by the instrument, and their prediction-powered combination."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.audits.table import ESTIMATE, GROUP, LANGUAGE, Column, estimate_columns
from audit.audits.tables.spec import Row, Source, TableSpec
from audit.checks.evidence import Evidence
from audit.core.vocabulary import RACES, UNKNOWN, ordered_groups
from audit.stats import ALL, Estimate
from audit.stats.predicted import Design, Predicted, design, predicted_cells

READS = ("read_own_group", *(f"read_{race}" for race in RACES))
PEOPLE_ONLY = ("alike", "read_cannot_tell", "read_no_face")
"""Metrics of human readings only: agreement with the instrument, and answers that the instrument cannot give."""

UNREAD = Estimate(None, None, None, 0, 0, 0, "not estimable: no speaker was read")


def human_readings(source: Source) -> list[Row] | None:
    """Rates of rendered faces by reader (instrument, people, prediction_powered), for every group and language.

    ``alike`` is the share of human readings that agree with the instrument.
    """
    evidence = source.evidence
    if evidence.human is None:
        return None
    groupings = [_Grouping.of(evidence, by) for by in ((), ("group",), ("language",), ("group", "language"))]
    known = _instrument(source.tables["disparities"].frame)
    asked = [
        (metric, grouping, [known.get((metric, *key), UNREAD) for key in grouping.keys])
        for metric in (*READS, *PEOPLE_ONLY)
        for grouping in groupings
    ]
    found = _predicted(evidence, asked)
    rows: list[Row] = []
    for metric, grouping, everyone in asked:
        for key, first, (people, powered) in zip(grouping.keys, everyone, found, strict=False):
            by = {"instrument": first, "people": people, "prediction_powered": powered}
            rows += [(metric, *key, name, by[name]) for name in (by if metric in READS else ("people",))]
    groups = ordered_groups(evidence.frame["group"].unique())
    places = {name: i for i, name in enumerate([*READS, *PEOPLE_ONLY, ALL, *groups])}
    return sorted(rows, key=lambda row: (places[str(row[0])], places[str(row[1])], str(row[2])))


@dataclass(frozen=True)
class _Grouping:
    """The cells of some columns: keys of group and language, the cell of each clip, and the sampling designs.

    ``judged`` is the design without the clips of speakers of unknown group.
    """

    keys: list[tuple[str, str]]
    cells: NDArray[np.int64]
    all: Design
    judged: Design

    @classmethod
    def of(cls, evidence: Evidence, by: tuple[str, ...]) -> _Grouping:
        labels = [evidence.frame[name] if name in by else None for name in ("group", "language")]
        factors = [(np.zeros(len(evidence.frame), np.int64), [ALL]) if x is None else pd.factorize(x) for x in labels]
        (group, groups), (language, languages) = factors
        cells = np.asarray(group * len(languages) + language, np.int64)
        keys = [(str(one), str(other)) for one in groups for other in languages]
        read, labelled = ~np.isnan(evidence.values("rendered", READS[1])), ~np.isnan(evidence.human_values("alike"))
        known = read & (evidence.frame["group"] != UNKNOWN).to_numpy()

        def designed(of: NDArray[np.bool_]) -> Design:
            estimand = evidence.settings.estimand
            people, strata = evidence.speakers, evidence.strata
            return design(of, of & labelled, people, strata, cells, len(keys), estimand=estimand)

        everyone = designed(read)
        return cls(keys, cells, everyone, everyone if (known == read).all() else designed(known))


def _predicted(evidence: Evidence, asked: list[tuple[str, _Grouping, list[Estimate]]]) -> Iterator[Predicted]:
    """The estimates of all metrics and cells, in order."""
    people = evidence.speakers[~np.isnan(evidence.human_values("alike"))]
    mine = np.flatnonzero(np.isin(evidence.speakers, people))
    unread = np.where(np.isnan(evidence.values("rendered", READS[1])[mine]), np.nan, 0.0)
    instrument = {name: evidence.values("rendered", name)[mine] for name in READS} | dict.fromkeys(PEOPLE_ONLY, unread)
    human = {name: evidence.human_values(name)[mine] for name in instrument}
    plans = [grouping.judged if metric == READS[0] else grouping.all for metric, grouping, _ in asked]
    starts = np.cumsum([0, *(len(everyone) for *_, everyone in asked)])
    return iter(
        predicted_cells(
            [estimate for *_, everyone in asked for estimate in everyone],
            np.concatenate([instrument[metric] for metric, *_ in asked]),
            np.concatenate([human[metric] for metric, *_ in asked]),
            np.tile(evidence.speakers[mine], len(asked)),
            Design(
                np.concatenate([plan.weight[mine] for plan in plans]),
                np.concatenate([plan.uncovered for plan in plans]),
                np.concatenate([plan.strata for plan in plans]),
            ),
            np.concatenate([g.cells[mine] + start for (_, g, _), start in zip(asked, starts, strict=False)]),
            evidence.settings,
            readers=evidence.n_readers,
        )
    )


def _instrument(figures: pd.DataFrame) -> dict[tuple[str, str, str], Estimate]:
    """The instrument's rates of rendered faces, by metric, group and language."""
    chosen = figures[(figures["stage"] == "rendered") & figures["metric"].isin(READS)]
    for column in figures.columns.difference(["metric", "stage", "group", "language", *ESTIMATE]):
        chosen = chosen[chosen[column] == ALL]
    keys = zip(*(chosen[name].astype(str) for name in ("metric", "group", "language")), strict=True)
    numbers = chosen[[*ESTIMATE]]
    plain = numbers.astype(object).where(numbers.notna(), None)
    return {key: Estimate(*row) for key, row in zip(keys, plain.itertuples(index=False, name=None), strict=True)}


TABLE = TableSpec(
    name="human_readings",
    title="Human readings of the rendered faces",
    note="The instrument on all speakers, people on a sample, and the prediction-powered combination of both.",
    columns=(
        Column("metric", "metric", "Metric"),
        GROUP,
        LANGUAGE,
        Column("read_by", "key", "Read by"),
        *estimate_columns("share"),
    ),
    make=human_readings,
)
