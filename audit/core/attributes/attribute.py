"""The declaration of an attribute: its columns, which readings are valid, how they are scored and compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.core.arrays import Picture
from audit.core.errors import AuditError
from audit.core.metric import Metric

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Read = float | Mapping[str, float] | None
"""What a reading holds of an attribute: its only number, or its numbers by name; ``None`` where it has none."""
Landmarks = NDArray[np.float32]

TOLERANCE = 1e-3
"""Tolerance of the sum of rounded probabilities."""


@dataclass(frozen=True)
class Number:
    """A number that is read of an attribute.

    Attributes
    ----------
    name : str
        Follows the attribute's name in the column, as in ``rendered_gender_man``. Empty: the number of an attribute
        without labels, as in ``rendered_age``.
    unit : str
        The name of its unit in :data:`audit.core.units.UNITS`.
    low, high : float
        Its range, both ends included. The number must be finite.
    """

    name: str = ""
    unit: str = "share"
    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True)
class Reads:
    """What was read of an attribute in every face of a table, to be scored.

    Attributes
    ----------
    attribute : Attribute
        The attribute.
    frame : DataFrame
        One row for each face, with the labels of its speaker.
    read : bool array
        Which faces were read.
    columns : Mapping of str to str
        The column of each number by its name, and of the label under ``label``. Without a column of labels, they are
        made from the numbers.
    """

    attribute: Attribute
    frame: pd.DataFrame
    read: NDArray[np.bool_]
    columns: Mapping[str, str]

    @cached_property
    def label(self) -> NDArray[np.int64]:
        """The place of each read label among the attribute's labels, -1 where there is none."""
        if "label" in self.columns:
            return self.places(self.columns["label"], self.attribute.labels)
        numbers = np.stack([self.number(number.name) for number in self.attribute.numbers], axis=1)
        return np.where(self.read & ~np.isnan(numbers).any(axis=1), self.attribute.labels_of(numbers), -1)

    def number(self, name: str = "") -> Floats:
        """A number of each face, NaN where it was not read."""
        return np.asarray(self.frame[self.columns[name]].astype(float), np.float64)

    @property
    def truth(self) -> pd.Series:
        """The cohort's label of each face's speaker; missing where the cohort has no such column."""
        import pandas as pd

        if self.attribute.truth in self.frame:
            return self.frame[self.attribute.truth]
        return pd.Series(np.nan, index=self.frame.index)

    def where_read(self, values: NDArray[np.bool_] | Floats) -> Floats:
        """The values as floats, NaN where the face was not read."""
        return np.where(self.read, values, np.nan)

    def places(self, column: str, names: Sequence[str]) -> NDArray[np.int64]:
        """The place of each of a column's texts among some names, -1 for anything else."""
        import pandas as pd

        texts = self.frame[column].astype("category")
        place = pd.Index(names).get_indexer(texts.cat.categories)
        return np.append(place, -1)[texts.cat.codes]


Scores = Callable[[Reads], Mapping[str, Floats]]
"""The values of metrics by name, shape [n_faces]; NaN where a face cannot be scored."""


@dataclass(frozen=True)
class Probed:
    """How a probe compares two faces by an attribute.

    Attributes
    ----------
    title : str
        What is compared, such as ``the read age``.
    sentence : str
        The result in words, with ``{}`` for the number: ``the age read changes by {}``.
    margin : float
        Smallest relevant change by a factor, beyond that of a second clip of the same voice.
    number : str or None
        The number whose absolute difference is taken. ``None``: the share of pairs with different labels.
    columns : Mapping of str to str
        Columns of the probe's table of faces, each with the number that it shows, or ``label``. Empty: the label, or
        else the number, under the attribute's name.
    metrics : tuple of Metric
        Metrics of single faces, to show the direction of a change.
    score : callable
        The values of those metrics.
    """

    title: str
    sentence: str
    margin: float
    number: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()
    score: Scores = lambda _: {}


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """Something that an instrument can read in a face.

    Attributes
    ----------
    name : str
        Its name in columns and readings: lower case, digits and underscores.
    summary : str
        One line for ``audit list attributes``.
    numbers : tuple of Number
        The numbers that are read, each a column of the observations.
    labels : tuple of str
        The labels that are read, in the order in which they are shown; a further column holds the label.
    label_of : callable, optional
        From numbers of shape [n, len(numbers)] to places among the labels, shape [n]. Without it: the label with the
        highest number where each label has one; of two labels with one number, the second from 0.5 on.
    sums_to_one : bool
        Whether the numbers are probabilities that sum to 1.
    optional : bool
        Whether an instrument may find a face and yet read nothing of this attribute.
    truth : str
        Column of the cohort with the truth; empty if there is none.
    metrics : tuple of Metric
        How readings are scored.
    score : callable
        The values of those metrics at one stage.
    measure : callable, optional
        Reads the attribute in a picture without a model: takes the picture (RGB, uint8, [H, W, 3]) and the face's
        landmarks ([68, 2], x and y in pixels). The built-in instruments read any attribute that has it.
    probed : Probed, optional
        How a probe compares it; without it, a probe leaves it out.

    Raises
    ------
    AuditError
        If the declaration contradicts itself.

    Examples
    --------
    >>> glasses = Attribute(
    ...     name="glasses", summary="Glasses", labels=("without", "with"), numbers=(Number("with", low=0, high=1),)
    ... )
    >>> glasses.row("rendered", 0.75)
    {'rendered_glasses_with': 0.75, 'rendered_glasses': 'with'}
    >>> glasses.fault(1.5)
    'glasses = 1.5, not with in [0, 1]'
    """

    name: str
    summary: str
    numbers: tuple[Number, ...]
    labels: tuple[str, ...] = ()
    label_of: Callable[[Floats], NDArray[np.int64]] | None = None
    sums_to_one: bool = False
    optional: bool = False
    truth: str = ""
    metrics: tuple[Metric, ...] = ()
    score: Scores = lambda _: {}
    measure: Callable[[Picture, Landmarks], Read] | None = None
    probed: Probed | None = None

    def __post_init__(self) -> None:
        names = [number.name for number in self.numbers]
        problems = {
            "its name is not lower case letters, digits and underscores": not (
                self.name.isascii() and self.name.isidentifier() and self.name.islower()
            ),
            "it has no number": not names,
            "two numbers have the same name": len(set(names)) != len(names),
            "a number without a name stands next to labels or other numbers": "" in names
            and (len(names) > 1 or bool(self.labels)),
            "a number is called label": "label" in names,
            "label_of is missing": bool(self.labels)
            and self.label_of is None
            and len(names) != len(self.labels)
            and (len(names), len(self.labels)) != (1, 2),
        }
        if found := [fault for fault, is_so in problems.items() if is_so]:
            raise AuditError(f"The attribute {self.name!r} cannot be declared: {'; '.join(found)}.")

    def column(self, stage: str, number: str = "") -> str:
        """The column of the label or only number at a stage, or of a number by its name."""
        return f"{stage}_{self.name}" + (f"_{number}" if number else "")

    def columns(self, stage: str) -> dict[str, type]:
        """The columns at a stage, each with the type of its values."""
        label: dict[str, type] = {self.column(stage): str} if self.labels else {}
        return label | {self.column(stage, number.name): float for number in self.numbers}

    def reads(self, frame: pd.DataFrame, stage: str) -> Reads:
        """What was read at a stage of a run's observations."""
        read = (frame[f"{stage}_status"] == "ok").to_numpy() & frame[self.column(stage, self._main)].notna().to_numpy()
        columns = {number.name: self.column(stage, number.name) for number in self.numbers}
        return Reads(self, frame, read, columns | ({"label": self.column(stage)} if self.labels else {}))

    @property
    def probe_columns(self) -> dict[str, str]:
        """The columns of a probe's table of faces, each with the number that it shows, or ``label``."""
        if self.probed is not None and self.probed.columns:
            return dict(self.probed.columns)
        shown = {self.name: "label"} if self.labels else {}
        return shown | {
            f"{self.name}_{number.name}".rstrip("_"): number.name
            for number in self.numbers
            if not self.labels or (self.probed is not None and number.name == self.probed.number)
        }

    def probe_reads(self, frame: pd.DataFrame) -> Reads:
        """What was read in the faces of a probe's table."""
        columns = {shown: column for column, shown in self.probe_columns.items()}
        return Reads(self, frame, (frame["status"] == "ok").to_numpy(), columns)

    @property
    def _main(self) -> str:
        """The number whose column shows whether the attribute was read; empty for the column of labels."""
        return "" if self.labels else self.numbers[0].name

    def labels_of(self, numbers: Floats) -> NDArray[np.int64]:
        """The places of the labels that some numbers stand for.

        Parameters
        ----------
        numbers : float array of shape (n, len(self.numbers))
            Read numbers.
        """
        if self.label_of is not None:
            return self.label_of(numbers)
        if len(self.labels) == len(self.numbers):
            return np.asarray(numbers.argmax(axis=1), np.int64)
        return np.asarray(numbers[:, 0] >= 0.5, np.int64)

    def values(self, read: Read) -> list[float | None]:
        """The numbers of a reading, in order; NaN for one that it lacks."""
        if isinstance(read, Mapping):
            return [read.get(number.name, math.nan) for number in self.numbers]
        return [read] * len(self.numbers) if read is None else [read]

    def fault(self, read: Read) -> str:
        """Why a reading's value is not valid; empty if it is.

        Raises
        ------
        TypeError
            If it holds something other than numbers.
        """
        values = self.values(read)
        if self.optional and read is None:
            return ""
        fits = len(values) == len(self.numbers) and not (isinstance(read, Mapping) and len(read) != len(values))
        fits = fits and all(
            value is not None and math.isfinite(value) and number.low <= value <= number.high
            for number, value in zip(self.numbers, values, strict=False)
        )
        if fits and self.sums_to_one:
            fits = abs(math.fsum(value for value in values if value is not None) - 1) <= TOLERANCE
        if fits:
            return ""
        shown = dict(read) if isinstance(read, Mapping) else read
        return f"{self.name} = {shown}, not {self._allowed}"

    @property
    def _allowed(self) -> str:
        parts = [f"{number.name or 'a number'} in [{number.low:g}, {number.high:g}]" for number in self.numbers]
        return ", ".join(parts) + (", summing to 1" if self.sums_to_one else "")

    def row(self, stage: str, read: Read) -> dict[str, float | str | None]:
        """The columns of one valid reading at a stage."""
        values = [None if value is None else float(value) for value in self.values(read)]
        row: dict[str, float | str | None] = {
            self.column(stage, number.name): value for number, value in zip(self.numbers, values, strict=True)
        }
        if self.labels:
            there = [value for value in values if value is not None]
            label = int(self.labels_of(np.array([there]))[0]) if len(there) == len(values) else None
            row[self.column(stage)] = None if label is None else self.labels[label]
        return row

    def exact(self, stage: str, truth: NDArray[np.int64] | Floats) -> dict[str, NDArray[np.object_] | Floats]:
        """The columns of readings without an error, for simulations.

        Parameters
        ----------
        stage : str
            The stage.
        truth : array of shape (n,) or (n, len(self.numbers))
            Places among the labels, or for an attribute without labels its only number; else the numbers.

        Raises
        ------
        ValueError
            If places are given and a number is not the probability of a label, so that it cannot be derived from one.
        """
        if np.ndim(truth) > 1:
            numbers = np.asarray(truth, np.float64)
            found: dict[str, NDArray[np.object_] | Floats] = {
                self.column(stage, number.name): numbers[:, i] for i, number in enumerate(self.numbers)
            }
            if self.labels:
                found[self.column(stage)] = np.array(self.labels, object)[self.labels_of(numbers)]
            return found
        if not self.labels:
            return {self.column(stage): np.asarray(truth, np.float64)}
        columns: dict[str, NDArray[np.object_] | Floats] = {
            self.column(stage): np.array(self.labels, object)[np.asarray(truth, np.int64)]
        }
        for number in self.numbers:
            columns[self.column(stage, number.name)] = (truth == self.labels.index(number.name)).astype(np.float64)
        return columns
