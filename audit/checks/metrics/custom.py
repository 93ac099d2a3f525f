"""Custom metrics: third-party functions of a clip's readings, with the unit and kind that tables and checks need."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.core.errors import AuditError, did_you_mean
from audit.core.metric import Metric
from audit.core.registry import Registry
from audit.core.units import unit_of
from audit.core.vocabulary import STAGES
from audit.stats.settings import Kind

METRICS: Final = Registry("metric", "audit.checks.metrics", group="audit.metrics", declared_as="METRIC")
PAGE: Final = "docs/guide/own-metric.md"


class Columns(Mapping[str, NDArray[np.float64] | NDArray[np.object_]]):
    """Read-only columns of clips by name, each of shape [n_clips].

    Numbers are float64, NaN where they are missing; texts are objects, ``None`` where they are missing.

    Attributes
    ----------
    ok : bool array of shape [n_clips]
        Whether the clip's picture at this stage could be read; of the labels, always true.
    """

    def __init__(self, frame: pd.DataFrame, columns: Mapping[str, str], ok: NDArray[np.bool_]) -> None:
        self._frame, self._columns, self.ok = frame, columns, ok
        self.ok.flags.writeable = False

    def __getitem__(self, name: str) -> NDArray[np.float64] | NDArray[np.object_]:
        if name not in self._columns:
            raise KeyError(f"there is no {name!r}{did_you_mean(name, self._columns)}, only {', '.join(self._columns)}")
        values = _plain(self._frame[self._columns[name]])
        values.flags.writeable = False
        return values

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


@dataclass(frozen=True)
class Readings:
    """What is known of every clip and what was read in its picture at one stage.

    Attributes
    ----------
    frame : DataFrame
        From :func:`audit.checks.metrics.metric_frame.metric_frame`.
    stage : {"portrait", "ceiling", "rendered"}
        The stage.

    Examples
    --------
    >>> frame = pd.DataFrame({"age": [30.0], "portrait_status": ["ok"], "portrait_age": [31.0],
    ...                       "rendered_status": ["ok"], "rendered_age": [52.0]})
    >>> readings = Readings(frame, "rendered")
    >>> readings.labels["age"], readings.portrait["age"], readings.read["age"]
    (array([30.]), array([31.]), array([52.]))
    """

    frame: pd.DataFrame
    stage: str

    def __len__(self) -> int:
        """The number of clips."""
        return len(self.frame)

    @cached_property
    def labels(self) -> Columns:
        """The columns of the cohort and of the clip, such as ``group``, ``language`` or ``seconds``."""
        stages = tuple(f"{stage}_" for stage in STAGES)
        names = [str(name) for name in self.frame.columns]
        own = {name: name for name in names if "." not in name and not name.startswith(stages)}
        return Columns(self.frame, own, np.ones(len(self), bool))

    @cached_property
    def read(self) -> Columns:
        """The columns of the stage without its prefix, such as ``race``, ``race_asian``, ``age`` or ``similarity``."""
        return self._of(self.stage)

    @cached_property
    def portrait(self) -> Columns:
        """The same columns of the speaker's portrait."""
        return self._of("portrait")

    def _of(self, stage: str) -> Columns:
        prefix = f"{stage}_"
        names = [str(name) for name in self.frame.columns]
        columns = {name.removeprefix(prefix): name for name in names if name.startswith(prefix)}
        return Columns(self.frame, columns, (self.frame[f"{stage}_status"] == "ok").to_numpy(bool))


Score = Callable[[Readings], object]
"""The values of a metric: numbers or booleans of shape [n_clips], NaN where a clip has none."""


@dataclass(frozen=True)
class CustomMetric(Metric):
    """A third-party metric: a :class:`~audit.core.metric.Metric` with the function that computes it.

    With a ``margin`` it is also judged: a gap check with the code ``code`` compares each group with all others.

    Attributes
    ----------
    score : callable
        From :class:`Readings` to numbers or booleans of shape [n_clips]: NaN or finite, and in [0, 1] for a rate.
        Clips whose picture could not be read at the stage get NaN whatever it returns.
    code : str
        The code of the gap check, such as ``LAB-OLDER``.
    margin : float or None
        The default margin of the gap check, in the metric's unit: the smallest difference that matters.

    Raises
    ------
    AuditError
        If the declaration contradicts itself.

    Examples
    --------
    >>> def older(readings):
    ...     older = readings.read["age"] - readings.portrait["age"] > 10
    ...     return np.where(readings.portrait.ok, older, np.nan)
    >>> metric = CustomMetric("older", "rate", "read as 10 years older than the portrait", ("rendered",), "high",
    ...                       score=older, code="LAB-OLDER", margin=0.10)
    >>> metric.unit, metric.label
    ('share', 'read as 10 years older than the portrait')
    """

    score: Score = field(kw_only=True)
    code: str = field(default="", kw_only=True)
    margin: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if found := [words for words, is_so in self._problems().items() if is_so]:
            raise AuditError(
                f"The metric {self.name!r} cannot be declared: {'; '.join(found)}.", next_step=f"See {PAGE}."
            )

    def _problems(self) -> dict[str, bool]:
        """What could be wrong with the declaration, and whether it is."""
        judged, largest = self.margin is not None, unit_of(self.unit).largest
        return {
            "its name needs lower-case letters, digits and _": not re.fullmatch("[a-z][a-z0-9_]{0,63}", self.name),
            f"its kind is {self.kind!r}, not rate or mean": self.kind not in get_args(Kind),
            "it needs words that say what it measures": not self.words.strip(),
            "it needs a unit": not self.unit.strip(),
            f"a rate has the unit share, not {self.unit!r}": self.kind == "rate" and self.unit != "share",
            f"its stages are one or more of {', '.join(STAGES)}": not self.stages or not {*self.stages} <= {*STAGES},
            f"worse is {self.worse!r}, not low, high or None": self.worse not in ("low", "high", None),
            "score is not a function": not callable(self.score),
            "a code and a margin are given together, or neither": judged == (not self.code),
            "with a margin, it needs to say whether low or high is worse": judged and self.worse is None,
            "with a margin, rendered has to be one of its stages": judged and "rendered" not in self.stages,
            f"its margin is {self.margin}, not in [0, {largest:g}]": self.margin is not None
            and not 0 <= self.margin <= largest,
        }

    def values(self, readings: Readings) -> NDArray[np.float64]:
        """The values at one stage: shape [n_clips], NaN where the picture could not be read.

        Raises
        ------
        AuditError
            If ``score`` fails, or returns something other than one number for each clip, infinity, or, for a rate, a
            number outside [0, 1].
        """
        where = f"The metric {self.name!r} at the stage {readings.stage}"
        try:
            values = np.asarray(self.score(readings))
        except Exception as error:  # third-party code may raise anything
            words = error.args[0] if isinstance(error, KeyError) and error.args else error
            raise AuditError(f"{where} failed: {type(error).__name__}: {words}.", next_step=f"See {PAGE}.") from error
        if values.dtype.kind not in "biuf" or values.shape != (len(readings),):
            raise AuditError(
                f"{where} returned an array of {values.dtype} of shape {list(values.shape)}.",
                f"numbers or booleans of shape [{len(readings)}], one for each clip",
            )
        values = np.where(readings.read.ok, values.astype(np.float64), np.nan)
        low, high = (0.0, 1.0) if self.kind == "rate" else (-np.finfo(float).max, np.finfo(float).max)
        if (outside := ~np.isnan(values) & ~((values >= low) & (values <= high))).any():
            raise AuditError(
                f"{where} is {values[outside][0]:g} for {int(outside.sum())} clips.",
                "a rate in [0, 1], or NaN" if self.kind == "rate" else "finite numbers, or NaN",
            )
        return values


def custom_metrics(names: Sequence[str]) -> tuple[CustomMetric, ...]:
    """Third-party metrics, by the given names: entry points of the group ``audit.metrics``, or ``module:name``.

    Their modules are imported and executed: never pass names from untrusted files.

    Raises
    ------
    AuditError
        If a metric is not found, is not a :class:`CustomMetric`, or has the name of another one.
    """
    found: dict[str, CustomMetric] = {}
    for name in names:
        metric = METRICS.get(name)
        if not isinstance(metric, CustomMetric):
            allowed = "an audit.checks.CustomMetric"
            raise AuditError(f"The metric {name} is a {type(metric).__name__}.", allowed, f"See {PAGE}.")
        if metric.name in found:
            raise AuditError(f"Two custom metrics have the name {metric.name!r}: {', '.join(names)}.", "unique names")
        found[metric.name] = metric
    return tuple(found.values())


def scored(frame: pd.DataFrame, metrics: Sequence[CustomMetric], taken: Sequence[str] = ()) -> pd.DataFrame:
    """The frame with a column ``stage.metric`` for each custom metric and stage.

    Parameters
    ----------
    frame : DataFrame
        From :func:`audit.checks.metrics.metric_frame.metric_frame`.
    metrics : sequence of CustomMetric
        The metrics.
    taken : sequence of str
        Names of other metrics.

    Raises
    ------
    AuditError
        If a metric has the name of another one, or its values are not allowed.
    """
    used = {*taken, *(str(name).partition(".")[2] for name in frame.columns)}
    if repeated := [metric.name for metric in metrics if metric.name in used]:
        raise AuditError(f"The custom metric {repeated[0]!r} has the name of another metric.", "a unique name")
    columns = {f"{stage}.{each.name}": each.values(Readings(frame, stage)) for each in metrics for stage in each.stages}
    return pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1) if columns else frame


def _plain(column: pd.Series) -> NDArray[np.float64] | NDArray[np.object_]:
    """A column as a new array of float64, or of texts and ``None``."""
    if column.dtype.kind in "biuf":
        return column.to_numpy(np.float64, na_value=np.nan, copy=True)
    texts = column.astype("category")
    return np.array([*texts.cat.categories, None], object)[texts.cat.codes]
