"""Recall@k of the own portrait in a gallery, and chance level."""

from __future__ import annotations

import pandas as pd

from audit.audits.table import ESTIMATE, GROUP, LANGUAGE, Column, estimate_columns
from audit.audits.tables.spec import STRATA, Source, TableSpec
from audit.checks.metrics.metric_frame import GALLERY, retrieval_metric
from audit.checks.metrics.similarity import FIRST
from audit.stats import ALL


def retrieval(source: Source) -> pd.DataFrame:
    """Recall@k by the primary similarity model, by group and language, with the gallery's size and chance level."""
    figures, parts = source.tables["disparities"].frame, []
    figures = figures[(figures[[*source.by[len(STRATA) :]]] == ALL).all(axis=1)]
    for model in source.evidence.similarity_models[:1]:
        for stage in ("ceiling", "rendered"):
            for first in FIRST:
                of = (figures["metric"] == retrieval_metric(first, model)) & (figures["stage"] == stage)
                if of.any():
                    gallery = int(source.evidence.frame[f"{stage}.{GALLERY}"].max())
                    part = figures.loc[of, [*STRATA, *ESTIMATE]]
                    parts.append(part.assign(stage=stage, first=first, gallery=gallery, chance=first / gallery))
    return pd.concat(parts, ignore_index=True)[TABLE.names] if parts else pd.DataFrame(columns=TABLE.names)


TABLE = TableSpec(
    name="retrieval",
    title="Recall@k of the own portrait",
    note="How often the own portrait is among the k most similar ones of a gallery; chance: the rate for random ranks.",
    columns=(
        Column("stage", "key", "Stage"),
        Column("first", "key", "k"),
        GROUP,
        LANGUAGE,
        *estimate_columns("share"),
        Column("gallery", "setting", "Gallery"),
        Column("chance", "value", "Chance", "share"),
    ),
    make=retrieval,
)
