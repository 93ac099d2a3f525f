"""Reference models: simulated runs of four models whose failures are known, read without an error.

They are a test bed for checks. What each model renders is in :data:`REFERENCE_MODELS`; which verdicts are right is in
:mod:`audit.audits.reference_models`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from audit.core.attributes import READ_BY_DEFAULT, attributes
from audit.core.columns import EMBEDDING, schema, similarity_column
from audit.core.errors import PlanError, did_you_mean
from audit.core.plan import ModelSettings
from audit.core.vocabulary import GENDERS, RACES, STAGES
from audit.models.coverage import COVERAGE, Heard
from audit.runs.run import Run
from audit.runs.simulation.drawing import generator, shared_uniforms, simulated_manifest

ReferenceName = Literal["perfect", "constant", "shuffled", "biased"]

REFERENCE: Final = "reference"
"""The kind of model in the manifest of a reference model's run."""

REFERENCE_MODELS: Final[dict[ReferenceName, str]] = {
    "perfect": "renders each speaker's own portrait",
    "constant": "renders one average face, which is read as white, for everybody",
    "shuffled": "renders the portrait of another random speaker of the same group and gender",
    "biased": "renders each speaker's own portrait, but some faces of one group in one language are read as white",
}
"""What each reference model does."""

GROUPS: Final = ("asian", "black", "indian", "white")
LANGUAGES: Final = ("en", "zh")
CLIPS: Final = 2
"""Clips of each speaker in each language."""
PLANTED_GROUP: Final = "asian"
PLANTED_LANGUAGE: Final = "en"
PLANTED_READ: Final = "white"
EXCESS: Final = 0.60
"""The probability that ``biased`` is read as white in a clip of the planted group and language. Over both languages the
own-group reads fall by half of it, so that every check for this failure shows it with 100 speakers in a group."""
ICC: Final = 0.3
"""The correlation between the planted reads of two clips of one speaker, by default."""
FEWEST: Final = 4
"""The fewest speakers in a group: two of each gender, so that portraits can be shuffled."""

SIMILARITY: Final = "Reference"
"""The similarity model of the simulated instrument."""
_DIMENSIONS: Final = 64
_ALIKE: Final = {"asian": 0.30, "black": 0.20, "indian": 0.10, "white": 0.0}
"""The expected cosine between two portraits of a group, which no check may take for a failure of the model."""
_SKIN: Final = {"asian": 35.0, "black": -30.0, "indian": 10.0, "white": 45.0}
"""The mean typology angle of each group's skin in degrees; made up, as everything here."""
_SKIN_DEVIATION: Final = 8.0
_NATIVE: Final = {PLANTED_GROUP: "zh"}
"""The first language of a group's speakers, English for the other groups."""
_HUE, _CHROMA = 55.0, 20.0
_COVERED, _HARDLY_COVERED = (100, 1000, 5000.0), (2, 20, 100.0)
"""Speakers, clips and seconds of a group and language in the training data."""


@dataclass(frozen=True)
class _Faces:
    """Faces by row: the speakers' portraits, group by group, then the average face.

    Attributes
    ----------
    race, man : int array of shape (n,)
        Places among the labels of race and gender.
    age : float array of shape (n,)
        Years.
    skin : float array of shape (n, 4)
        The numbers of the attribute ``skin_tone``.
    feature : float array of shape (n, _DIMENSIONS)
        Unit features of the similarity model.
    """

    race: NDArray[np.int64]
    man: NDArray[np.int64]
    age: NDArray[np.float64]
    skin: NDArray[np.float64]
    feature: NDArray[np.float32]


def reference_run(
    model: ReferenceName,
    speakers_per_group: int = 100,
    *,
    seed: int = 0,
    excess: float = EXCESS,
    icc: float = ICC,
) -> Run:
    """The run of a reference model over simulated speakers, in memory, with everything that the shipped checks read.

    Four groups (asian, black, indian, white) have the same number of speakers, each with two clips in English and two
    in Chinese. Genders alternate, and the i-th speakers of all groups have the same age, so that groups differ only in
    their label, their skin tone and the similarity of their portraits to one another. Faces are read without an error,
    and the ceiling equals the portrait. The training hardly covered English by asian speakers, and the rest well.

    Parameters
    ----------
    model : {"perfect", "constant", "shuffled", "biased"}
        The reference model.
    speakers_per_group : int
        At least 4.
    seed : int
        The same model, size and seed give the same run; the speakers are the same for all models.
    excess : float
        Of ``biased``: the probability, in [0, 1], that an asian speaker's rendered face is read as white in an English
        clip. It applies to the read alone: gender, age, skin tone and features remain those of the own portrait.
    icc : float
        Of ``biased``: the correlation, in [0, 1], between the planted reads of two clips of one speaker.

    Returns
    -------
    Run
        The complete run. The kind of its model in the manifest is ``reference``.

    Raises
    ------
    PlanError
        If the model does not exist, or a number is outside its range.

    Examples
    --------
    >>> run = reference_run("constant", 4)
    >>> run.observations["rendered_race"].unique().tolist(), run.manifest["model"]["kind"]
    (['white'], 'reference')
    """
    if model not in REFERENCE_MODELS:
        names = get_args(ReferenceName)
        raise PlanError(f"There is no reference model {model!r}{did_you_mean(str(model), names)}.", ", ".join(names))
    whole = isinstance(speakers_per_group, int | np.integer) and not isinstance(speakers_per_group, bool)
    if not whole or speakers_per_group < FEWEST:
        raise PlanError(
            f"A reference model has {speakers_per_group!r} speakers in a group.",
            f"a whole number of at least {FEWEST}, two of each gender",
        )
    for name, number in (("excess", excess), ("icc", icc)):
        if not 0 <= number <= 1:
            raise PlanError(f"The {name} of a reference model is {number!r}.", "a number in [0, 1]")
    faces = _faces(int(speakers_per_group), seed)
    shown = _shown(model, int(speakers_per_group), seed)
    own = np.broadcast_to(np.arange(len(shown))[:, None, None], shown.shape)
    as_white = np.zeros(shown.shape, bool)
    if model == "biased":
        rows = np.arange(GROUPS.index(PLANTED_GROUP) * speakers_per_group, len(shown))[:speakers_per_group]
        drawn = shared_uniforms(generator(seed, "planted"), (len(rows), 1, CLIPS), icc, icc)
        as_white[rows, LANGUAGES.index(PLANTED_LANGUAGE)] = drawn[:, 0] < excess
    stages = {"portrait": own.ravel(), "ceiling": own.ravel(), "rendered": shown.ravel()}
    return Run(
        _observations(faces, stages, as_white.ravel(), int(speakers_per_group)),
        _manifest(model, int(speakers_per_group), seed, excess, icc),
        features={(stage, SIMILARITY): faces.feature[index] for stage, index in stages.items()},
    )


def _faces(per_group: int, seed: int) -> _Faces:
    """The portraits of all speakers, and their average."""
    rng, n = generator(seed, "portraits"), len(GROUPS) * per_group
    group = np.repeat(np.arange(len(GROUPS)), per_group)
    ages = np.tile(rng.integers(18, 81, per_group).astype(np.float64), len(GROUPS))
    ita = np.array([_SKIN[name] for name in GROUPS])[group] + _SKIN_DEVIATION * rng.standard_normal(n)
    alike = np.array([_ALIKE[name] for name in GROUPS])[group, None]
    common, own = _unit(rng.standard_normal((len(GROUPS), _DIMENSIONS))), rng.standard_normal((n, _DIMENSIONS))
    features = _unit(np.sqrt(alike) * common[group] + np.sqrt(1 - alike) * _unit(own))
    skin = _skin(np.append(ita, ita.mean()))
    return _Faces(
        race=np.array([*(RACES.index(GROUPS[place]) for place in group), RACES.index(PLANTED_READ)]),
        man=np.append(_men(per_group), GENDERS.index("man")),
        age=np.append(ages, ages.mean()),
        skin=skin,
        feature=np.vstack([features, _unit(features.mean(axis=0, keepdims=True))]).astype(np.float32),
    )


def _men(per_group: int) -> NDArray[np.int64]:
    """The place of each speaker's gender among the labels."""
    return np.tile(np.arange(per_group) % 2, len(GROUPS))


def _skin(ita: NDArray[np.float64]) -> NDArray[np.float64]:
    """The numbers of the attribute ``skin_tone`` for typology angles, at one hue and chroma."""
    yellow = _CHROMA * np.sin(np.radians(_HUE))
    lightness = 50 + yellow * np.tan(np.radians(ita))
    return np.stack([ita, np.full_like(ita, _HUE), lightness, np.full_like(ita, _CHROMA)], axis=1)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _shown(model: ReferenceName, per_group: int, seed: int) -> NDArray[np.int64]:
    """The row of the face that is rendered from each clip: shape [speakers, languages, clips].

    ``shuffled`` gives every portrait to one other speaker, in every clip anew, and in the same way in every group.
    """
    n = len(GROUPS) * per_group
    shape = (n, len(LANGUAGES), CLIPS)
    if model == "constant":
        return np.full(shape, n)
    shown = np.broadcast_to(np.arange(n)[:, None, None], shape).copy()
    if model != "shuffled":
        return shown
    rng, men = generator(seed, "shuffled"), _men(per_group)[:per_group]
    starts = per_group * np.arange(len(GROUPS))[:, None]
    for language, clip in np.ndindex(shape[1:]):
        for gender in range(len(GENDERS)):
            circle = rng.permutation(np.flatnonzero(men == gender))
            shown[starts + circle, language, clip] = starts + np.roll(circle, 1)
    return shown


def _observations(
    faces: _Faces, stages: dict[str, NDArray[np.int64]], as_white: NDArray[np.bool_], per_group: int
) -> pd.DataFrame:
    """The observations, sorted by clip; ``stages`` has the row of each clip's face."""
    width = len(str(per_group - 1))
    clips = [
        (f"{group}-{i:0{width}d}", group, language, clip)
        for group in GROUPS
        for i in range(per_group)
        for language in LANGUAGES
        for clip in range(CLIPS)
    ]
    own, n = stages["portrait"], len(clips)
    read = attributes(READ_BY_DEFAULT)
    columns: dict[str, Any] = {
        "clip_id": [f"{speaker}-{language}-{clip}" for speaker, _, language, clip in clips],
        "speaker_id": [speaker for speaker, *_ in clips],
        "group": [group for _, group, *_ in clips],
        "gender": np.array(GENDERS, object)[faces.man[own]],
        "age": faces.age[own],
        "language": [language for *_, language, _ in clips],
        "native_language": [_NATIVE.get(group, "en") for _, group, *_ in clips],
        "status": ["ok"] * n,
        "detail": [""] * n,
    }
    columns |= {f"{label}_source": ["synthetic"] * n for label in ("group", "gender", "language")}
    for stage in STAGES:
        rows = stages[stage]
        race = faces.race[rows]
        if stage == "rendered":
            race = np.where(as_white, RACES.index(PLANTED_READ), race)
        truths: dict[str, NDArray[np.int64] | NDArray[np.float64]] = {
            "race": race,
            "gender": faces.man[rows],
            "age": faces.age[rows],
            "skin_tone": faces.skin[rows],
        }
        columns[f"{stage}_status"] = ["ok"] * n
        for attribute in read:
            columns |= attribute.exact(stage, truths[attribute.name])
        if stage != "portrait":
            cosine = np.einsum("ij,ij->i", faces.feature[rows], faces.feature[own], dtype=np.float64)
            columns[similarity_column(stage, SIMILARITY, SIMILARITY)] = np.round(cosine, 6)
    fields = [field for field in schema((SIMILARITY,), {}, optional=False, read=read) if EMBEDDING not in field.name]
    absent = pa.nulls(n)
    arrays = [pa.array(columns[f.name], f.type) if f.name in columns else absent.cast(f.type) for f in fields]
    frame: pd.DataFrame = pa.table(arrays, pa.schema(fields)).to_pandas()
    return frame


def _manifest(model: ReferenceName, per_group: int, seed: int, excess: float, icc: float) -> dict[str, Any]:
    options: dict[str, object] = {"speakers_per_group": per_group}
    if model == "biased":
        planted = {"group": PLANTED_GROUP, "language": PLANTED_LANGUAGE, "read": PLANTED_READ}
        options |= planted | {"excess": excess, "icc": icc}
    return simulated_manifest(
        {
            "name": model,
            "kind": REFERENCE,
            "does": REFERENCE_MODELS[model],
            "options": options,
            COVERAGE: [heard.model_dump() for heard in _coverage()],
        },
        ModelSettings(name=model, options=options),
        people=[REFERENCE, GROUPS, per_group, LANGUAGES, CLIPS],
        n_speakers=len(GROUPS) * per_group,
        n_clips=len(GROUPS) * per_group * len(LANGUAGES) * CLIPS,
        seed=seed,
        similarity=(SIMILARITY,),
        read=READ_BY_DEFAULT,
    )


def _coverage() -> Sequence[Heard]:
    """The training coverage of every reference model."""
    made = []
    for group in GROUPS:
        for language in LANGUAGES:
            hardly = (group, language) == (PLANTED_GROUP, PLANTED_LANGUAGE)
            speakers, clips, seconds = _HARDLY_COVERED if hardly else _COVERED
            made.append(Heard(group=group, language=language, speakers=speakers, clips=clips, seconds=seconds))
    return made
