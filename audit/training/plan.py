"""Training plans in TOML, with typed keys; unknown keys are errors."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from audit.core.languages import same_language
from audit.core.typed_toml import parse_toml, read_text
from audit.training.mitigations.plan import OTHER, MitigationPlan, Section, known_group, known_language


class Optimiser(Section):
    """Adam and its schedule: the rate is multiplied by ``decay`` every ``decay_every`` steps.

    Oh et al. 2019, section 4: beta1 .5, eps 1e-4, rate 1e-3, times .95 every 10,000 steps, batches of 8.
    """

    steps: int = Field(ge=1, le=10_000_000)
    batch: int = Field(default=8, ge=2, le=4096)
    rate: float = Field(default=1e-3, gt=0)
    beta1: float = Field(default=0.5, ge=0, lt=1)
    beta2: float = Field(default=0.999, ge=0, lt=1)
    eps: float = Field(default=1e-4, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    decay: float = Field(default=0.95, gt=0, le=1)
    decay_every: int = Field(default=10_000, ge=1)


class FaceStage(Optimiser):
    """The first stage: face encoder and decoder, as an autoencoder of the training portraits.

    Attributes
    ----------
    landmark, texture, picture, edges, tone, identity, size : float
        Weights of the losses: positions of the landmarks; pixels of texture and picture; differences of neighbouring
        pixels; light and colour of larger squares; classification of the training speaker; mean square of the feature.
    outside : float
        The weight of a pixel outside the face, relative to 1 inside.
    noise : float
        Noise added to the feature in training, so that similar features give similar faces.
    """

    landmark: float = Field(default=60.0, ge=0)
    texture: float = Field(default=1.0, ge=0)
    picture: float = Field(default=2.0, ge=0)
    edges: float = Field(default=2.0, ge=0)
    tone: float = Field(default=0.0, ge=0)
    identity: float = Field(default=0.02, ge=0)
    size: float = Field(default=1e-3, ge=0)
    outside: float = Field(default=0.3, ge=0, le=1)
    noise: float = Field(default=0.1, ge=0)


class VoiceStage(Optimiser):
    """The second stage: the voice encoder against the frozen decoder, with the paper's three-term loss.

    Attributes
    ----------
    first : float
        Weight of the L1 distance between the decoder's first layers (1 in the paper).
    feature : float
        Weight of the squared distance between the normalized features (.025 in the paper).
    distillation : float
        Weight of the distillation of the face encoder's identity layer (200 in the paper, of VGG-Face's fc8). Dropped
        with a notice if the face encoder has none.
    temperature : float
        Temperature of the distillation.
    sharpen, sharpen_light : float
        Factors on the distance of the trained encoder's features from the mean feature of the training portraits,
        applied once at the end. Regression makes features of unfamiliar voices too average: their faces are between
        those of the groups. ``sharpen_light`` is for the direction in which the decoder's mean face becomes lighter,
        so that sharpening need not exaggerate skin tone; ``sharpen`` for all other directions. 1 changes nothing.
    crop_seconds : float
        Length of the random crop of a clip in each step; 0 for the whole clip.
    exchange : bool
        Whether clips get the cue of timbre and the portrait of other training speakers in each step; for fictional
        speakers of the embedded and of drawn cohorts.
    gain_db, noise_db, tract, pitch, colour_db : float
        Waveform augmentation in each step: gain within +-gain_db; white noise at a signal-to-noise ratio of at least
        noise_db (0 for none); vocal tract and pitch within a factor of 1 +- tract and 1 +- pitch; a random smooth
        frequency response on the mel axis, whose cosines have colour_db each.
    """

    first: float = Field(default=1.0, ge=0)
    feature: float = Field(default=0.025, ge=0)
    distillation: float = Field(default=200.0, ge=0)
    temperature: float = Field(default=2.0, gt=0)
    sharpen: float = Field(default=1.0, gt=0, le=5)
    sharpen_light: float = Field(default=1.0, gt=0, le=5)
    crop_seconds: float = Field(default=0.0, ge=0)
    exchange: bool = False
    gain_db: float = Field(default=6.0, ge=0)
    noise_db: float = Field(default=25.0, ge=0)
    tract: float = Field(default=0.03, ge=0, lt=0.3)
    pitch: float = Field(default=0.03, ge=0, lt=0.3)
    colour_db: float = Field(default=1.0, ge=0)


class DrawnSpeakers(Section):
    """Fictional training speakers, drawn by :func:`audit.draw_cohort` from the embedded training speakers.

    Attributes
    ----------
    speakers : int
        Number of speakers in each group; even.
    clips : int
        Number of clips of each speaker in each language: 1 or 2.
    seed : str
        The seed of the draw.
    """

    speakers: int = Field(ge=2, le=10_000, multiple_of=2)
    clips: int = Field(default=1, ge=1, le=2)
    seed: str = Field(min_length=1)


class TrainPlan(Section):
    r"""The plan of a training.

    Attributes
    ----------
    name : str
        The name of the model.
    configuration : {"small", "paper"}
        The network's sizes.
    face : {"own", "vgg_face"}, optional
        The face encoder; by default that of the configuration.
    cohort : str
        The folder of a cohort with a column ``split`` (training, validation), relative to the plan's folder, or the
        path of an embedded one.
    draw : DrawnSpeakers, optional
        Train on new speakers drawn into the training's folder, instead of on the training speakers of ``cohort``. Its
        validation speakers are used as they are.
    coverage : dict
        For each group the covered languages, or a mapping from languages to the covered share of its speakers. Groups
        that are not named are fully covered; languages that are not named for a group are not covered. ``other`` means
        every language except English.
    seed : int
        Seed of all random numbers.
    save_every, log_every : int
        Steps between saved states, and between rows of the losses.
    faces, voices : FaceStage, VoiceStage
        The two stages.
    mitigation : MitigationPlan
        Mitigations in training; by default none. See docs/guide/mitigations.md.

    Examples
    --------
    >>> TrainPlan.parse('name = "x"\n[faces]\nsteps = 10\n[voices]\nsteps = 10\n').configuration
    'small'
    """

    name: str = Field(min_length=1, pattern=r"^[A-Za-z0-9._-]+$")
    configuration: Literal["small", "paper"] = "small"
    face: Literal["own", "vgg_face"] | None = None
    cohort: str = "synthetic_bilingual/training"
    draw: DrawnSpeakers | None = None
    coverage: dict[str, dict[str, float]] = Field(default_factory=dict)
    seed: int = Field(default=0, ge=0)
    save_every: int = Field(default=200, ge=1)
    log_every: int = Field(default=20, ge=1)
    faces: FaceStage
    voices: VoiceStage
    mitigation: MitigationPlan = MitigationPlan()

    @field_validator("coverage", mode="before")
    @classmethod
    def _as_shares(cls, coverage: Any) -> Any:
        if not isinstance(coverage, dict):
            return coverage
        return {
            group: dict.fromkeys(given, 1.0)
            if isinstance(given, list | tuple) and all(isinstance(code, str) for code in given)
            else given
            for group, given in coverage.items()
        }

    @field_validator("coverage")
    @classmethod
    def _known(cls, coverage: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        canonical: dict[str, dict[str, float]] = {}
        for group, languages in coverage.items():
            canonical[known_group(group)] = {}
            for given, share in languages.items():
                language = known_language(given)
                if language in canonical[group]:
                    raise ValueError(f"{group}: {given} is {language}, which has another share")
                canonical[group][language] = share
                if not 0 <= share <= 1:
                    raise ValueError(f"{group}, {language}: the share is {share:g}; allowed: [0, 1]")
        return canonical

    def share(self, group: str, language: str) -> float:
        r"""The share of a group's speakers that is covered in a language: 0 to 1.

        Examples
        --------
        >>> plan = TrainPlan.parse('name="x"\ncoverage={asian={en=0.5,other=1}}\n[faces]\nsteps=1\n[voices]\nsteps=1\n')
        >>> plan.share("asian", "zh"), plan.share("asian", "en-GB"), plan.share("white", "en")
        (1.0, 0.5, 1.0)
        """
        shares = self.coverage.get(group)
        if shares is None:
            return 1.0
        named = [share for code, share in shares.items() if code != OTHER and same_language(code, language)]
        other = 0.0 if same_language(language, "en") else shares.get(OTHER, 0.0)
        added = self.mitigation.coverage.added(group, language) if "coverage" in self.mitigation.names else 0.0
        return max(max(named, default=other), added)

    def left_out(self, *names: str) -> set[str]:
        """The keys that are not written: ``names``, and the draw and the mitigation if there are none."""
        absent = {"draw"} if self.draw is None else set()
        return absent | {*names} if self.mitigation.names else absent | {*names, "mitigation"}

    @classmethod
    def parse(cls, text: str, source: str = "the plan") -> TrainPlan:
        """The plan in a TOML text; PlanError if it is not valid TOML, or a key or value is not allowed."""
        return parse_toml(cls, text, source, "audit/training/plan.py")

    @classmethod
    def read(cls, path: str | Path) -> TrainPlan:
        """The plan in a file, or the shipped plan of that name (``train-small-gap``).

        PlanError if it does not exist or is not a plan.
        """
        path = Path(path)
        shipped = files("audit.core").joinpath("plans", f"{path.name.removesuffix('.toml')}.toml")
        if not path.is_file() and path.parent == Path() and path.name.startswith("train-") and shipped.is_file():
            return cls.parse(shipped.read_text(encoding="utf-8"), path.name)
        text = read_text(path, "plan", "a TOML file, or train-small-gap, train-small-full, train-paper")
        plan = cls.parse(text, str(path))
        folder = path.parent / plan.cohort
        return plan.model_copy(update={"cohort": str(folder)}) if os.path.isdir(folder) else plan  # noqa: PTH112  # Path raises at too long a name
