"""The audit's estimates as a fairlearn ``MetricFrame``, and a fairlearn metric that averages over speakers.

Only point estimates are passed on: a ``MetricFrame`` resamples rows, so its intervals are too narrow for clips of the
same speaker.
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
    """The mean of ``y_pred`` over speakers, each with the same weight.

    A metric for ``fairlearn.metrics.MetricFrame``: ``mean_s(mean_c(y_pred_sc))``, equal to :func:`audit.stats.rate`
    and :func:`audit.stats.mean`.

    Parameters
    ----------
    y_true : array of shape (clips,)
        Required by fairlearn, not used.
    y_pred : array of shape (clips,)
        The score of each clip (1 for a correct read, or a number of years): finite, or NaN if it was not scored.
    speaker : array of shape (clips,)
        The speaker of each clip. Pass it in ``sample_params``, so that fairlearn slices it.
    estimand : {"speaker", "clip"}
        ``clip``: every clip has the same weight. Set it with ``functools.partial``.

    Returns
    -------
    float
        NaN if no clip was scored.

    Raises
    ------
    ValueError
        If a value is infinite, a speaker is missing, or lengths differ.

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
    settings = Settings(estimand=estimand)  # type: ignore[arg-type]  # validated by Settings
    sums = speaker_sums(values, codes_of(np.asarray(speaker), len(values)))
    value = shortened(float(moments(sums, settings).value[0]))
    return float("nan") if value is None else value


def metric_frame_of(
    scores: pd.DataFrame, metrics: Mapping[str, str], by: tuple[str, ...], estimand: str = "speaker"
) -> MetricFrame:
    """A ``MetricFrame`` of clip-level scores, each averaged by :func:`speaker_mean`.

    ``scores`` has one row per clip, with ``speaker_id``, the sensitive features ``by``, and the columns to which
    ``metrics`` maps the names of the metrics.
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
    """:func:`speaker_mean` of ``score``, since a MetricFrame has one ``y_pred`` for all of its metrics."""
    return speaker_mean(y_true, score, speaker=speaker, estimand=estimand)
