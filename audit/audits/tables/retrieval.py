"""Recall@k of the own portrait in a gallery, and chance level."""

from __future__ import annotations

import pandas as pd

from audit.audits.table import GROUP, LANGUAGE, Column, estimate_columns
from audit.audits.tables.disparities import ESTIMATE
from audit.audits.tables.spec import TableSpec
from audit.checks.evidence import Evidence
from audit.checks.metrics.metric_frame import GALLERY, retrieval_metric
from audit.checks.metrics.similarity import FIRST
from audit.stats import ALL


def retrieval(evidence: Evidence, figures: pd.DataFrame, by: tuple[str, ...]) -> pd.DataFrame:
    """Recall@k by the primary similarity model, by group and language, with the gallery's size and chance level.

    Parameters
    ----------
    evidence : Evidence
        The run.
    figures : DataFrame
        From :func:`audit.audits.tables.disparities.disparities`.
    by : tuple of str
        The columns that ``figures`` is stratified by.

    Returns
    -------
    DataFrame
        Columns stage, first (k), group, language, the columns of an estimate, gallery, and chance: ``first / gallery``.
    """
    parts = []
    for model in evidence.similarity_models[:1]:
        further = [name for name in by if name not in ("group", "language")]
        whole = (figures[further] == ALL).all(axis=1)
        for stage in ("ceiling", "rendered"):
            for first in FIRST:
                of = (figures["metric"] == retrieval_metric(first, model)) & (figures["stage"] == stage) & whole
                if of.any():
                    gallery = int(evidence.frame[f"{stage}.{GALLERY}"].max())
                    part = figures.loc[of, ["group", "language", *ESTIMATE]]
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
    make=lambda source: retrieval(source.evidence, source.tables["disparities"].frame, source.by),
)
