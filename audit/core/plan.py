"""The plan of an audit: TOML, every key typed, unknown keys refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import tomli_w
from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from audit.core.addresses import is_address, place, recorded
from audit.core.channels import Channel
from audit.core.errors import PlanError
from audit.core.front_matter import SECTION, FrontMatter
from audit.core.grouping import GROUP, Grouping
from audit.core.typed_toml import Section, parse_toml, read_text

PORTRAITS: Final = "portraits"
"""Use the cohort's portraits for calibration, instead of a file of labelled pictures."""
SIMILARITY: Final = ("SFace", "FaceRes")
"""The similarity models of the default instrument, the primary one first."""


def _grouping_name(text: str) -> str:
    return Grouping.parse(text).name


GroupingName = Annotated[str, AfterValidator(_grouping_name)]
"""The name of a :class:`~audit.core.grouping.Grouping`: a column, or several with `` x `` between them."""


AUTO: Final = "auto"
SMALLEST_PART: Final = 64
LARGEST_PART: Final = 1024
MOST_PARTS: Final = 4096


def _part_size(given: object) -> object:
    # one message for both kinds of values: a union of types would report one for each
    if given == AUTO or (type(given) is int and 1 <= given <= 100_000):
        return given
    raise ValueError("Input should be a whole number from 1 to 100000, or auto")


PartSize = Annotated[int | Literal["auto"], BeforeValidator(_part_size)]


class CohortSettings(Section):
    """The cohort to audit: ``path`` is a folder, relative to that of the plan, or the name of an embedded cohort."""

    path: str = "synthetic_bilingual"


class MitigationSettings(Section):
    """Mitigations between the model's voice feature and its faces; none if ``names`` is empty.

    Attributes
    ----------
    names : tuple of str
        Mitigations of the kinds representation and output, in order of application; see ``audit list mitigations``.
    cohort : str
        Cohort to fit on: a folder, relative to that of the plan, or (a part of) an embedded cohort.
    heard_only : bool
        Leave out groups in languages that the model's training did not cover, as far as known.
    options : dict
        Options by mitigation.
    """

    names: tuple[str, ...] = ()
    cohort: str = "synthetic_bilingual/training"
    heard_only: bool = True
    options: dict[str, dict[str, Any]] = Field(default_factory=dict)


class ModelSettings(Section):
    """The model: a name or ``module:factory``, weights, options and mitigations."""

    name: str = "planted"
    weights: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    mitigation: MitigationSettings = MitigationSettings()


class InstrumentSettings(Section):
    """The instrument: ``auto``, ``embedded``, ``deepface`` or ``module:factory``, and its options."""

    name: str = "auto"
    similarity: tuple[str, ...] = SIMILARITY
    allow_download: bool = False
    options: dict[str, Any] = Field(default_factory=dict)

    @field_validator("options")
    @classmethod
    def _of_its_own(cls, options: dict[str, Any]) -> dict[str, Any]:
        if keys := sorted({"name", "similarity", "allow_download"} & set(options)):
            raise ValueError(f"{', '.join(keys)} belongs in [instrument], not in its options")
        return options


class RunSettings(Section):
    """Settings of the run.

    Attributes
    ----------
    seed : int
        Seed of models with random output.
    part : int or "auto"
        Clips per part, the most that is lost if a run is killed. Results do not depend on it. ``auto`` is chosen by the
        number of clips; see :meth:`sized`.
    min_seconds, max_seconds : float
        A shorter clip is not rendered; a longer one is cut. Both are finite, and the first is the smaller.
    channel : {"mix", "left", "right"}
        What the model hears of clips with several channels: their average, or one of the first two.
    keep_faces : bool
        Keep every picture in the run's folder ``faces``.
    """

    seed: int = 0
    part: PartSize = AUTO
    min_seconds: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    max_seconds: float = Field(default=60.0, gt=0, allow_inf_nan=False)
    channel: Channel = "mix"
    keep_faces: bool = True

    @model_validator(mode="after")
    def _some_length_is_rendered(self) -> RunSettings:
        if self.min_seconds >= self.max_seconds:
            raise ValueError(f"min_seconds = {self.min_seconds:g} is not below max_seconds = {self.max_seconds:g}")
        return self

    def sized(self, n_clips: int) -> RunSettings:
        """The settings with a number of clips per part; as they are if they state one.

        ``auto`` is 64, doubled until there are at most 4,096 parts, up to 1,024. It depends on nothing but the number
        of clips, so parts do not depend on the engine.

        Examples
        --------
        >>> [RunSettings().sized(n).part for n in (512, 262_144, 1_000_000, 10_000_000)]
        [64, 64, 256, 1024]
        """
        if self.part != AUTO:
            return self
        size = SMALLEST_PART
        while size < LARGEST_PART and n_clips > size * MOST_PARTS:
            size *= 2
        return self.model_copy(update={"part": size})

    def part_size(self, n_clips: int) -> int:
        """The number of clips per part in a run of so many clips."""
        size = self.sized(n_clips).part
        assert size != AUTO
        return size

    def in_manifest(self) -> dict[str, Any]:
        """The settings as a manifest has them: ``channel`` only if one is chosen, as runs before this key lack it."""
        return self.model_dump(mode="json", exclude={"channel"} if self.channel == "mix" else None)


class EngineSettings(Section):
    """Where a run is computed; results do not depend on it.

    Attributes
    ----------
    name : {"local", "ray"}
        This machine, or Ray (extra ``ray``): the cluster that ``RAY_ADDRESS`` names, else one on this machine.
    workers : int
        Processes or actors, each with its own model and instrument. 1 means this process, which decodes audio ahead.
    cache : str
        Cache of renderings and readings for other runs: ``beside`` the run's folder, ``none``, or a folder.
    shared : bool
        Whether other users of this machine may read the run's folder, as far as the umask allows. By default new
        folders of runs, faces and caches are private.
    keys : str
        Secret keys of the names of kept pictures, one for each cohort: ``beside`` the run's folder, or a folder.
    num_cpus, num_gpus : float, optional
        What one actor of Ray claims: by default one CPU and no GPU. ``num_gpus = 0.5`` places two actors on a GPU.
    """

    name: Literal["local", "ray"] = "local"
    workers: int = Field(default=1, ge=1, le=1024)
    cache: str = "beside"
    shared: bool = False
    keys: str = "beside"
    num_cpus: float | None = Field(default=None, gt=0, le=1024)
    num_gpus: float | None = Field(default=None, ge=0, le=1024)

    @model_validator(mode="after")
    def _claimed_by_actors(self) -> EngineSettings:
        claims = {"num_cpus": self.num_cpus, "num_gpus": self.num_gpus}
        given = [f"{name} = {value:g}" for name, value in claims.items() if value is not None]
        if given and self.name != "ray":
            raise ValueError(f"{' and '.join(given)} is for the engine ray, and this one is {self.name}")
        if self.num_gpus is not None and self.num_gpus > 1 and self.num_gpus % 1:
            raise ValueError(f"num_gpus = {self.num_gpus:g} is neither a part of one GPU nor a number of GPUs")
        return self


class MeasureSettings(Section):
    """Settings of the measurement.

    Attributes
    ----------
    by : tuple of str
        Columns of the observations that the tables are stratified by, besides group and language.
    group_by : tuple of str
        Further groupings for the checks, besides ``group``: columns of the observations, or several that are crossed,
        as in ``accent x gender``.
    intersect : tuple of str
        Columns with which every grouping is crossed to find the worst cell of each check; empty for no such search.
    slice_depth : int
        The most columns that define a slice in the search for the worst slices, from 0 (no search) to 3.
    slice_columns : tuple of str
        The columns of that search; by default all categories that the cohort declares, and bands of age.
    adjust_for : tuple of str or None
        Columns of the observations that gaps are adjusted for; by default age, gender and the measures of the recording
        that the run has.
    confidence : float
        Confidence of all intervals, in (0.5, 1).
    resamples : int
        Number of bootstrap resamples.
    seed : int
        Seed of the bootstrap and of the gallery's sample.
    min_speakers : int
        Minimum number of speakers for intervals and checks.
    estimand : {"speaker", "clip"}
        Whether speakers or clips have equal weight (macro or micro average).
    margins : dict
        Smallest relevant difference by check; default: that of the check.
    gallery : int
        Number of clips per stratum of the gallery: half failures, half successes.
    human_readings : str or None
        Completed labelling sheet of human readings, relative to the plan's folder.
    calibration : str
        Source of the instrument's errors: ``portraits`` of this cohort, or a CSV file of labelled pictures
        (columns truth, read and optionally subject), relative to the plan's folder.
    suppress_below : int
        Figures of fewer speakers are left out of audit.json and all outputs; 0 keeps all, 5 is usual.
        Verdicts do not depend on it.
    checks : tuple of str
        Third-party checks to make as well: ``module:name``, or an entry point's name.
    metrics : tuple of str
        Custom metrics to add to those of the package: ``module:name``, or an entry point's name.
    tables : tuple of str
        Third-party tables to add to those of the package: ``module:name``, or an entry point's name.
    retrieval_gallery : int
        Maximum number of portraits in the retrieval gallery; of more, a sample by ``seed``.
    """

    by: tuple[str, ...] = ("group", "language")
    group_by: tuple[GroupingName, ...] = ()
    intersect: tuple[str, ...] = ("gender", "language")
    slice_depth: int = Field(default=3, ge=0, le=3)
    slice_columns: tuple[str, ...] = ()
    adjust_for: tuple[str, ...] | None = None
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
    metrics: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()

    @property
    def groupings(self) -> tuple[Grouping, ...]:
        """The groupings that checks are made for: by ``group``, then those of ``group_by``."""
        return tuple(dict.fromkeys((GROUP, *map(Grouping.parse, self.group_by))))


class Plan(Section):
    r"""Plan of an audit.

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
    audit: FrontMatter = FrontMatter()

    @classmethod
    def parse(cls, text: str, source: str = "the plan") -> Plan:
        """The plan in a TOML text; raises PlanError if it is not TOML, or a key or value is not allowed."""
        return parse_toml(cls, text, source, "docs/reference/plan.md")

    @property
    def names_model(self) -> bool:
        """Whether the plan names a model; otherwise ``audit run`` audits the default one, ``planted``."""
        return "name" in self.model.model_fields_set

    def to_toml(self) -> str:
        """The plan as TOML, every key written except ``model.name`` if the plan names no model.

        ``[audit]`` has what is stated, and is left out if nothing is.
        """
        sections = self.model_dump(mode="json", exclude_none=True, exclude={SECTION})
        sections["cohort"]["path"] = recorded(self.cohort.path)
        sections["engine"]["cache"] = recorded(self.engine.cache)
        if not self.names_model:
            del sections["model"]["name"]
        return tomli_w.dumps(sections | ({SECTION: self.audit.as_dict()} if self.audit else {}))

    @classmethod
    def read(cls, path: str | Path) -> Plan:
        """The plan in a file, with paths relative to the plan's folder; raises PlanError as :meth:`parse`."""
        path = place(path)
        plan = cls.parse(read_text(path, "plan"), str(path))

        def beside(name: str) -> str:
            """The folder of that name beside the plan, if there is one."""
            if is_address(path) or is_address(name):
                return name
            folder = path.parent / name
            return str(folder) if os.path.isdir(folder) else name  # noqa: PTH112  # Path raises at too long a name

        mitigation = plan.model.mitigation.model_copy(update={"cohort": beside(plan.model.mitigation.cohort)})
        # absolute, since the plan's copy in the run's folder is followed whenever the run is measured again
        named = {"human_readings": plan.measure.human_readings, "calibration": plan.measure.calibration}
        try:
            files = {
                key: os.path.realpath(path.parent / name)
                for key, name in named.items()
                if name is not None and name != PORTRAITS and not is_address(path)
            }
        except ValueError as error:
            raise PlanError(f"{path} names a file with an invalid path: {error}.") from error
        changed = {
            "cohort": CohortSettings(path=beside(plan.cohort.path)),
            "model": plan.model.model_copy(update={"mitigation": mitigation}),
            "measure": plan.measure.model_copy(update=files),
        }
        return plan.model_copy(update=changed)
