"""Models: what makes the faces. They see waveforms, never labels; playbacks show pictures that exist already."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pandas as pd
from pydantic import ValidationError

from audit.core.arrays import Picture, Waveform
from audit.core.errors import ModelError
from audit.core.registry import installed, load
from audit.models.protocol import Decoder, Described, Featured, Playback, Reconstructor

__all__ = [
    "Bindable",
    "Decoder",
    "Described",
    "Featured",
    "Picture",
    "Playback",
    "Reconstructor",
    "Waveform",
    "available",
    "model",
]

ENTRY_POINTS = "audit.models"

BUILT_IN = {
    "speech2face-small-gap": (
        "audit.models.speech2face.shipped:small_gap",
        "Speech2Face, small, trained here on fictional voices; asian and indian speakers never heard in English",
    ),
    "speech2face-small-full": (
        "audit.models.speech2face.shipped:small_full",
        "its twin, trained on every group in every language",
    ),
    "speech2face": (
        "audit.models.speech2face.model:speech2face",
        "Speech2Face with weights of your own (--weights FILE)",
    ),
    "wen2019": (
        "audit.models.wen2019:wen2019",
        "Wen et al. 2019 with their two published checkpoints (--weights FOLDER)",
    ),
    "command": (
        "audit.models.command:command",
        "your own program, which is handed the clips as files; see docs/own-model.md",
    ),
}
"""Models that are made by a factory: where it is, imported only when it is asked for, and one line on what it makes."""


@runtime_checkable
class Bindable(Protocol):
    """A model that becomes a playback once it is told whose clips it shows."""

    @property
    def name(self) -> str:
        """What the model is called in every run and report."""
        ...

    def bind(self, table: pd.DataFrame, root: Path) -> Playback:
        """The playback of one cohort."""
        ...


AnyModel = Reconstructor | Playback | Bindable


def available() -> dict[str, str]:
    """The names that :func:`model` takes, each with one line on what it is.

    Examples
    --------
    >>> sorted(available())[:3]
    ['command', 'planted', 'recorded']
    """
    built_in = {
        "planted": "shows portraits, some of the wrong group on purpose: known truth for testing the audit itself",
        "recorded": "shows pictures that a model made elsewhere, named in the cohort's columns rendered and ceiling",
        **{name: line for name, (_, line) in BUILT_IN.items()},
    }
    return built_in | installed(ENTRY_POINTS)


def model(name: str, *, weights: str | Path | None = None, options: Mapping[str, Any] | None = None) -> AnyModel:
    """The model of that name.

    Parameters
    ----------
    name : str
        A name of :func:`available`, or ``module:factory``: a callable that returns an object with ``render``.
    weights : path, optional
        Passed to the factory as ``weights`` where given.
    options : mapping, optional
        Passed to the factory as keyword arguments.

    Raises
    ------
    ModelError
        If there is no such model, it cannot be made, or it takes no such option.

    Examples
    --------
    >>> model("planted", options={"rendered": {"asian": {"en": {"white": 0.6}}}}).name
    'planted'
    """
    chosen = dict(options or {})
    if name in ("recorded", "planted") and weights is not None:
        raise ModelError(f"The model {name!r} has no weights to load.", "a run without --weights")
    if name == "recorded":
        from audit.models.recorded import Recorded

        if chosen:
            raise ModelError(f"The model 'recorded' was given the options {', '.join(chosen)}.", "none")
        return Recorded()
    if name == "planted":
        from audit.models.planted import Planted, PlantedOptions

        try:
            return Planted(PlantedOptions.model_validate(chosen))
        except ValidationError as error:
            first = error.errors()[0]
            raise ModelError(
                f"The options of 'planted', {'.'.join(map(str, first['loc']))}: {first['msg']}.",
                "rendered.GROUP.LANGUAGE = {GROUP = probability}, ceiling likewise, and seed",
            ) from error
    factory = _factory(name)
    keywords = chosen | ({} if weights is None else {"weights": weights})
    try:
        inspect.signature(factory).bind(**keywords)
    except (TypeError, ValueError) as error:
        raise ModelError(f"The model {name!r} cannot be made with {', '.join(keywords) or 'no options'}: {error}.",
                         "the options that its factory takes") from error  # fmt: skip
    made = factory(**keywords)
    if not isinstance(made, (Reconstructor, Playback, Bindable)):
        raise ModelError(
            f"The model {name!r} made a {type(made).__name__} without name and render.",
            "an object with name and render(waveforms, sample_rate)",
        )
    return made


def _factory(name: str) -> Any:
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name][0].partition(":")
        return getattr(importlib.import_module(module), attribute)
    return load(name, ENTRY_POINTS, "model", available(), ModelError)
