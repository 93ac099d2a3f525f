"""Models with mitigations between voice feature and face; they see waveforms only."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from audit.cohorts import Cohort
from audit.core.arrays import Picture, Waveform
from audit.core.errors import ModelError, PlanError
from audit.models.fitted import Fitted, FittedOn
from audit.models.protocol import Decoder, Described, Featured
from audit.training.mitigations.protocol import FeatureMitigation, FittedStep
from audit.training.mitigations.registry import MITIGATIONS, after_training, in_training
from audit.training.mitigations.voices import fitting_voices


class Mitigated:
    """A model whose voice feature passes through fitted mitigations; made by :func:`mitigate`.

    Parameters
    ----------
    model : Featured
        The underlying model.
    steps : sequence of FittedStep
        The fitted mitigations, in order.
    records : sequence of mapping
        Name, options, findings and fitting cohort of each, for the manifest.
    fitted_on : FittedOn
        The speakers and recordings that they were fitted on.
    mitigations : sequence of object
        The mitigation objects. With the model they are ``made_of``: the objects whose code determines the faces.
    """

    def __init__(
        self,
        model: Featured,
        steps: Sequence[FittedStep],
        records: Sequence[Mapping[str, Any]],
        fitted_on: FittedOn,
        mitigations: Sequence[object],
    ) -> None:
        self.made_of = (model, *mitigations)
        self.model, self.steps, self.records = model, tuple(steps), tuple(records)
        self.fitted_on = fitted_on | model.fitted_on if isinstance(model, Fitted) else fitted_on
        self.name = "+".join([model.name, *(str(record["name"]) for record in records)])

    def render(self, waveforms: Sequence[Waveform], sample_rate: int) -> list[Picture | None]:
        """One face for each clip; ``None`` where a mitigation abstains or the model makes none.

        Clips pass through the mitigations one by one, so that a face does not depend on the other clips of a batch.
        """
        faces: list[Picture | None] = [None] * len(waveforms)
        changed = {}
        for place, feature in enumerate(self.model.voice_features(waveforms, sample_rate)):
            row, keep = np.asarray(feature, np.float64)[None], True
            for step in self.steps:
                keep = keep and bool(step.keeps(row)[0])
                row = step.change(row)
            if keep:
                changed[place] = row[0]
        if changed:
            shown = np.asarray([*changed.values()], np.float32)
            for place, face in zip(changed, self.model.from_features(shown), strict=True):
                faces[place] = face
        return faces

    def describe(self) -> dict[str, object]:
        """The model's description, with the name, options, findings and fitting cohort of each mitigation."""
        own = self.model.describe() if isinstance(self.model, Described) else {}
        return own | {"mitigations": [dict(record) for record in self.records]}


class MitigatedDecoder(Mitigated):
    """A mitigated model with a ceiling, which mitigations do not change."""

    def ceiling(self, portraits: Sequence[Picture]) -> list[Picture | None]:
        """The ceiling of each portrait by the underlying model."""
        assert isinstance(self.model, Decoder)
        return list(self.model.ceiling(portraits))


def mitigate(
    model: object,
    mitigations: str | FeatureMitigation | Sequence[str | FeatureMitigation],
    *,
    cohort: Cohort,
    heard_only: bool = True,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> Mitigated:
    """Fit mitigations on training voices and insert them between a model's voice feature and its faces.

    The model still sees waveforms only: if a mitigation needs the language, it is estimated from the voice. An audit of
    the mitigated model rejects speakers and recordings that it was fitted on.

    Parameters
    ----------
    model : Featured
        A model with ``voice_features`` and ``from_features``, such as Speech2Face.
    mitigations : str, FeatureMitigation, or a sequence of them
        Names of :func:`audit.training.mitigations.available` that are fitted after training, ``module:name``, or
        objects; each is fitted on the output of the previous ones.
    cohort : Cohort
        Training speakers; if it has splits, only the split training is used.
    heard_only : bool
        Leave out groups and languages that the model reports as not covered by its training.
    options : mapping
        Options by mitigation: ``{"abstention": {"coverage": 0.8}}``.

    Returns
    -------
    Mitigated
        The mitigated model, named after the model and its mitigations.

    Raises
    ------
    ModelError
        If the model does not expose its voice feature.
    PlanError
        If a mitigation or option does not exist.
    CohortError
        If there are no training voices.
    """
    if not isinstance(model, Featured):
        raise ModelError(
            f"The model {getattr(model, 'name', model)!r} does not expose its voice feature.",
            "a model with voice_features(waveforms, sample_rate) and from_features(features)",
            "See docs/guide/mitigations.md.",
        )
    wanted = [mitigations] if isinstance(mitigations, str) or not isinstance(mitigations, Sequence) else [*mitigations]
    given = dict(options or {})
    chosen = [_made(one, given.pop(one, {})) if isinstance(one, str) else one for one in wanted]
    if given or not chosen:
        raise PlanError(
            f"There are options for {', '.join(given)}, which are not named." if given else "No mitigation is named.",
            f"one or more of: {', '.join(after_training())}",
        )
    voices, fitted_on, record = fitting_voices(model, cohort, heard_only)
    steps, records = [], []
    for one in chosen:
        step = one.fit(voices)
        voices = dataclasses.replace(voices, features=step.change(voices.features))
        steps.append(step)
        set_options: dict[str, Any] = dataclasses.asdict(one) if dataclasses.is_dataclass(one) else {}
        records.append({"name": one.name, "options": set_options, "found": dict(step.found), **record})
    kind = MitigatedDecoder if isinstance(model, Decoder) else Mitigated
    return kind(model, steps, records, fitted_on, chosen)


def _made(name: str, options: Mapping[str, Any]) -> FeatureMitigation:
    """The named mitigation with its options."""
    if name in in_training():
        raise PlanError(f"The mitigation {name!r} takes effect in training.", ", ".join(after_training()),
                        "Name it in the section [mitigation] of a training plan: audit train.")  # fmt: skip
    made = MITIGATIONS.create(name, options)
    if not isinstance(made, FeatureMitigation):
        raise PlanError(
            f"The mitigation {name!r} returned a {type(made).__name__}.",
            "an object with name and fit(voices) (audit.training.mitigations.FeatureMitigation)",
        )
    return made
