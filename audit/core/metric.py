"""Metrics: scores of a face, with the metadata for tables and reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from audit.core.vocabulary import STAGES
from audit.stats.settings import Kind


@dataclass(frozen=True)
class Metric:
    """A score of a face.

    Attributes
    ----------
    name : str
        Name in tables.
    kind : {"rate", "mean"}
        Whether its values are shares in [0, 1], such as 0 or 1 for a read, or any real numbers.
    words : str
        What it measures, as a short phrase.
    stages : tuple of str
        The stages at which it is scored.
    worse : {"low", "high"} or None
        Which direction is harm to a group; ``None`` for neither.
    unit : str
        A name in :data:`audit.core.units.UNITS`.
    label : str
        Name in reports; default ``words``.
    quantity : str
        What it measures, by whichever model: ``similarity`` for the similarity of every similarity model; default
        ``name``.
    """

    name: str
    kind: Kind
    words: str
    stages: tuple[str, ...] = STAGES
    worse: Literal["low", "high"] | None = None
    unit: str = "share"
    label: str = ""
    quantity: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", self.label or self.words)
        object.__setattr__(self, "quantity", self.quantity or self.name)

    @property
    def scored_against_truth(self) -> bool:
        """Whether a portrait's score shows the instrument's own error."""
        return self.worse is not None and "portrait" in self.stages
