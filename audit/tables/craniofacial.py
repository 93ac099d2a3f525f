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
    frame, rows = evidence.frame, []
    groups = ordered_groups(set(frame["group"]))
    group = np.asarray(pd.Index(groups).get_indexer(pd.Index(frame["group"])), np.int64)
    demographic = np.asarray(pd.factorize(frame["group"] + "/" + frame["gender"])[0], np.int64)
    for measure in MEASURES:
        for stage in ("ceiling", "rendered"):
            if not {f"portrait.{measure.name}", f"{stage}.{measure.name}"} <= set(frame.columns):
                continue
            pair = [frame[f"{of}.{measure.name}"].to_numpy(np.float64) for of in ("portrait", stage)]
            for names, cells in (([ALL], np.zeros_like(group)), (groups, group)):
                found = correlations(
                    pair[0], pair[1], evidence.speakers, cells, len(names), demographic, evidence.settings
                )
                rows += [
                    (measure.name, stage, name, *astuple(each.estimate), each.others)
                    for name, each in zip(names, found, strict=True)
                ]
    return pd.DataFrame(rows, columns=["measure", "stage", "group", *ESTIMATE, "others"])
