"""Where fairlearn begins: the audit's figures as its ``MetricFrame``, and the audit's way of averaging as its metric.

A ``MetricFrame`` resamples rows, and of clips that resemble each other its intervals are too narrow. So what passes
here is the point figures; intervals are the audit's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from audit.stats.rates import moments, shortened
from audit.stats.settings import Settings
from audit.stats.speakers import checked_values, codes_of, speaker_sums

if TYPE_CHECKING:
    from fairlearn.metrics import MetricFrame


def speaker_mean(y_true: ArrayLike, y_pred: ArrayLike, *, speaker: ArrayLike, estimand: str = "speaker") -> float:
    """The mean of ``y_pred`` over speakers, each weighing the same however many clips they have.

    A metric for ``fairlearn.metrics.MetricFrame``: ``mean_s(mean_c(y_pred_sc))``, the same figure as
    :func:`audit.stats.rate` and :func:`audit.stats.mean` give. ``y_pred`` is what was scored of each clip (1 where it
    is right, a number of years); ``y_true`` is asked for by fairlearn and not looked at.

    Parameters
    ----------
    y_true : array of shape (clips,)
        Not used.
    y_pred : array of shape (clips,)
        Any finite numbers; NaN for a clip that was not scored, which enters nothing.
    speaker : array of shape (clips,)
        Who is heard: fairlearn slices it with the rest if it is given in ``sample_params``.
    estimand : {"speaker", "clip"}
        ``clip``: every clip weighs the same. By ``functools.partial``, if asked for.

    Returns
    -------
    float
        NaN where no clip was scored: nothing is not nought.

    Raises
    ------
    ValueError
        For an infinite value, a missing speaker, or lengths that differ.

    Examples
    --------
    >>> from fairlearn.metrics import MetricFrame
    >>> right, who, group = [1, 0, 0, 0, 1], [*"abbbc"], [*"xxxxy"]
    >>> frame = MetricFrame(metrics=speaker_mean, y_true=right, y_pred=right, sensitive_features=group,
    ...                     sample_params={"speaker": who})
    >>> frame.by_group.to_dict(), float(frame.overall)  # of x: a 1, b 0
    ({'x': 0.5, 'y': 1.0}, 0.666666666667)
    """
    values = checked_values(y_pred, "mean")
    settings = Settings(estimand=estimand)  # type: ignore[arg-type]  # Settings refuses what it does not know
    sums = speaker_sums(values, codes_of(np.asarray(speaker), len(values)))
    value = shortened(float(moments(sums, settings).value[0]))
    return float("nan") if value is None else value


def metric_frame_of(
    scores: pd.DataFrame, metrics: Mapping[str, str], by: tuple[str, ...], estimand: str = "speaker"
) -> MetricFrame:
    """A ``MetricFrame`` of columns of clip-level scores, each averaged by :func:`speaker_mean`.

    Parameters
    ----------
    scores : DataFrame
        One row a clip: ``speaker_id``, the columns of ``by``, the columns of ``metrics``.
    metrics : mapping of str to str
        The name that each metric gets, and its column.
    by : tuple of str
        The sensitive features.
    estimand : {"speaker", "clip"}
        As in :func:`speaker_mean`.
    """
    from fairlearn.metrics import MetricFrame

    nothing = np.zeros(len(scores))
    speaker = codes_of(scores["speaker_id"], len(scores))
    return MetricFrame(
        metrics=dict.fromkeys(metrics, partial(_score_mean, estimand=estimand)),
        y_true=nothing,
        y_pred=nothing,
        sensitive_features=scores[list(by)].astype(str),
        sample_params={
            name: {"speaker": speaker, "score": scores[column].to_numpy(np.float64)} for name, column in metrics.items()
        },
    )


def _score_mean(y_true: ArrayLike, y_pred: ArrayLike, *, score: ArrayLike, speaker: ArrayLike, estimand: str) -> float:
    """:func:`speaker_mean` of a score of its own: a MetricFrame has but one ``y_pred`` for all of its metrics."""
    return speaker_mean(y_true, score, speaker=speaker, estimand=estimand)
