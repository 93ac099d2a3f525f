"""How often a face leads back to its own portrait, beside what chance would give."""

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
    """Retrieval by the primary similarity model, by group and language: those of ``figures``, with the gallery's size.

    Parameters
    ----------
    evidence : Evidence
        The run.
    figures : DataFrame
        Of :func:`audit.audits.tables.disparities.disparities`, in every combination of the columns of ``by``.
    by : tuple of str
        Group and language among them.

    Returns
    -------
    DataFrame
        Columns stage, first (so many portraits of the gallery are looked at), group, language, the columns of an
        estimate, gallery, and chance: ``first / gallery``.
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
    title="Own portraits found again",
    note="How often a face's own portrait is among the first ones of a gallery; chance is what any face would have.",
    columns=(
        Column("stage", "key", "Stage"),
        Column("first", "key", "Among the first"),
        GROUP,
        LANGUAGE,
        *estimate_columns("share"),
        Column("gallery", "setting", "Gallery"),
        Column("chance", "value", "Chance", "share"),
    ),
    make=lambda source: retrieval(source.evidence, source.tables["disparities"].frame, source.by),
)
