"""The plan of an audit: TOML, every key typed, unknown keys refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from audit.core.errors import PlanError
from audit.core.typed_toml import parse_toml, read_text

PORTRAITS: Final = "portraits"
"""Instead of a file of labelled pictures: the cohort's own portraits calibrate the instrument."""


SIMILARITY: Final = ("FaceRes", "Dlib")
"""The similarity models of the default instrument, the primary one first."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CohortSettings(_Section):
    """Whom to audit: ``path`` is a folder, relative to the plan's own, or the name of an embedded cohort."""

    path: str = "synthetic_bilingual"


class MitigationSettings(_Section):
    """What is fitted between the model's voice feature and its faces; nothing where ``names`` is empty.

    Attributes
    ----------
    names : tuple of str
        Mitigations of the kinds representation and output, in the order in which they act: ``audit list mitigations``.
    cohort : str
        Whose voices they are fitted on: a folder, relative to the plan's own, or (a part of) an embedded cohort.
    heard_only : bool
        Leave out groups in languages that the model's own training never heard, as far as it tells.
    options : dict
        Options by mitigation.
    """

    names: tuple[str, ...] = ()
    cohort: str = "synthetic_bilingual/training"
    heard_only: bool = True
    options: dict[str, dict[str, Any]] = Field(default_factory=dict)


class ModelSettings(_Section):
    """What makes the faces: a name or ``module:factory``, its weights, its own options, and its mitigations."""

    name: str = "planted"
    weights: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    mitigation: MitigationSettings = MitigationSettings()


class InstrumentSettings(_Section):
    """What reads them: ``auto``, ``embedded``, ``deepface`` or ``module:factory``, and its own options."""

    name: str = "auto"
    similarity: tuple[str, ...] = SIMILARITY
    allow_download: bool = False
    options: dict[str, Any] = Field(default_factory=dict)

    @field_validator("options")
    @classmethod
    def _of_its_own(cls, options: dict[str, Any]) -> dict[str, Any]:
        if keys := sorted({"name", "similarity", "allow_download"} & set(options)):
            raise ValueError(f"{', '.join(keys)} stands in [instrument], not among the options")
        return options


class RunSettings(_Section):
    """How the harness goes about it.

    Attributes
    ----------
    seed : int
        For models that draw.
    part : int
        Clips in a part: so much is lost at most when a run is killed. Results do not depend on it.
    min_seconds, max_seconds : float
        A shorter clip is not rendered; a longer one is cut. Both are finite, and the first is the smaller.
    keep_faces : bool
        Keep every picture in the run's folder ``faces``.
    """

    seed: int = 0
    part: int = Field(default=64, ge=1, le=100_000)
    min_seconds: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    max_seconds: float = Field(default=60.0, gt=0, allow_inf_nan=False)
    keep_faces: bool = True

    @model_validator(mode="after")
    def _some_length_is_rendered(self) -> RunSettings:
        if self.min_seconds >= self.max_seconds:
            raise ValueError(f"min_seconds = {self.min_seconds:g} is not below max_seconds = {self.max_seconds:g}")
        return self


class EngineSettings(_Section):
    """Where a run is done; no result depends on it.

    Attributes
    ----------
    name : {"local", "ray"}
        This machine, or Ray (extra ``ray``): the cluster that ``RAY_ADDRESS`` names, else one on this machine.
    workers : int
        Processes or actors, each with a model and an instrument of its own. One is this process itself, which decodes
        ahead while it renders and reads.
    cache : str
        Where renderings and readings are kept by content for other runs: ``beside`` the run's folder, ``none``, or a
        folder.
    """

    name: Literal["local", "ray"] = "local"
    workers: int = Field(default=1, ge=1, le=1024)
    cache: str = "beside"


class MeasureSettings(_Section):
    """How the run is measured.

    Attributes
    ----------
    by : tuple of str
        Columns of the observations that the tables are stratified by, beside group and language.
    confidence : float
        Of every interval, in (0.5, 1).
    resamples : int
        Of the bootstrap over speakers.
    seed : int
        Of the bootstrap and of the gallery's sample.
    min_speakers : int
        Below it a figure has no interval, and a check is not evaluable.
    estimand : {"speaker", "clip"}
        Whether every speaker counts alike, or every clip.
    margins : dict
        How large a difference must be to matter, by check; the check's default for one that is not named.
    gallery : int
        Speakers shown in each stratum of the gallery.
    human_readings : str or None
        A filled labelling sheet, relative to the plan's folder: what people read in the rendered faces.
    calibration : str
        By what the instrument's errors are known: ``portraits`` of this cohort, or a CSV file of labelled pictures
        (columns truth, read and optionally subject), relative to the plan's own folder.
    suppress_below : int
        Figures of fewer speakers are left out of audit.json and all that is made of it; 0 leaves out none, 5 is usual.
        Verdicts do not depend on it.
    checks : tuple of str
        Third-party checks to make as well: ``module:name``, or an entry point's name.
    tables : tuple of str
        Third-party tables to add to those of the package: ``module:name``, or an entry point's name.
    retrieval_gallery : int
        Portraits at most among which a rendered face's own one is sought; of more speakers a sample by ``seed``.
    """

    by: tuple[str, ...] = ("group", "language")
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    resamples: int = Field(default=2000, ge=200, le=1_000_000)
    seed: int = 0
    min_speakers: int = Field(default=5, ge=2)
    estimand: Literal["speaker", "clip"] = "speaker"
    margins: dict[str, float] = Field(default_factory=dict)
    gallery: int = Field(default=2, ge=0, le=50)
    human_readings: str | None = None
    calibration: str = PORTRAITS
    suppress_below: int = Field(default=0, ge=0, le=1000)
    retrieval_gallery: int = Field(default=1000, ge=2, le=100_000)
    checks: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()


class Plan(_Section):
    r"""A whole audit, written down.

    Examples
    --------
    >>> Plan.parse('[model]\nname = "recorded"\n').model.name
    'recorded'
    """

    title: str = ""
    cohort: CohortSettings = CohortSettings()
    model: ModelSettings = ModelSettings()
    instrument: InstrumentSettings = InstrumentSettings()
    run: RunSettings = RunSettings()
    engine: EngineSettings = EngineSettings()
    measure: MeasureSettings = MeasureSettings()

    @classmethod
    def parse(cls, text: str, source: str = "the plan") -> Plan:
        """The plan that a TOML text holds.

        Raises
        ------
        PlanError
            If it is no TOML, or a key or value is not allowed; a near miss is named.
        """
        return parse_toml(cls, text, source, "docs/plan.md")

    @classmethod
    def read(cls, path: str | Path) -> Plan:
        """The plan in a file; relative paths in it are taken from the plan's own folder.

        Raises
        ------
        PlanError
            If the file cannot be read or is no plan.
        """
        path = Path(path)
        plan = cls.parse(read_text(path, "plan"), str(path))
        changed: dict[str, _Section] = {}
        beside = path.parent / plan.cohort.path
        if os.path.isdir(beside):  # noqa: PTH112  # Path raises at too long a name
            changed["cohort"] = CohortSettings(path=str(beside))
        voices = path.parent / plan.model.mitigation.cohort
        if os.path.isdir(voices):  # noqa: PTH112  # Path raises at too long a name
            mitigation = plan.model.mitigation.model_copy(update={"cohort": str(voices)})
            changed["model"] = plan.model.model_copy(update={"mitigation": mitigation})
        # absolute, since the plan's copy in the run's folder is followed whenever the run is measured again
        named = {"human_readings": plan.measure.human_readings, "calibration": plan.measure.calibration}
        try:
            files = {
                key: os.path.realpath(path.parent / name)
                for key, name in named.items()
                if name is not None and name != PORTRAITS
            }
        except ValueError as error:
            raise PlanError(f"{path} names a file that no path leads to: {error}.") from error
        if files:
            changed["measure"] = plan.measure.model_copy(update=files)
        return plan.model_copy(update=changed)
