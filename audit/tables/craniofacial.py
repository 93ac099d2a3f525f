"""Do the measures of a face go with those of its portrait? The paper's craniofacial correlations, by group."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pandas as pd

from audit.craniofacial import MEASURES
from audit.evidence import Evidence
from audit.stats import ALL, correlations
from audit.tables.figures import ESTIMATE
from audit.vocabulary import ordered_groups


def craniofacial(evidence: Evidence) -> pd.DataFrame:
    """Pearson's r across speakers of every measure of the face with the portrait's, by group; no row without landmarks.

    Returns
    -------
    DataFrame
        Columns measure, stage, group, the columns of an estimate, and ``others``: what r would be with the portraits of
        other speakers of the same group and gender.
    """
    columns = ["measure", "stage", "group", *ESTIMATE, "others"]
    frame = evidence.frame
    read = [
        (measure.name, stage)
        for measure in MEASURES
        for stage in ("ceiling", "rendered")
        if {f"portrait.{measure.name}", f"{stage}.{measure.name}"} <= set(frame.columns)
    ]
    if not read:
        return pd.DataFrame(columns=columns)
    rows = []
    groups = ordered_groups(set(frame["group"]))
    group = np.asarray(pd.Index(groups).get_indexer(pd.Index(frame["group"])), np.int64)
    demographic = np.asarray(pd.factorize(frame["group"] + "/" + frame["gender"])[0], np.int64)
    for name, stage in read:
        portrait, face = (frame[f"{of}.{name}"].to_numpy(np.float64) for of in ("portrait", stage))
        for cells, number in (([ALL], np.zeros_like(group)), (groups, group)):
            found = correlations(portrait, face, evidence.speakers, number, len(cells), demographic, evidence.settings)
            rows += [
                (name, stage, cell, *astuple(each.estimate), each.others)
                for cell, each in zip(cells, found, strict=True)
            ]
    return pd.DataFrame(rows, columns=columns)
