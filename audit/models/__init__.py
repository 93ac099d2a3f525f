"""Models that render faces. They receive waveforms, never labels; playbacks show existing pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import pandas as pd

from audit.core.device import with_device
from audit.core.errors import ModelError
from audit.core.registry import Registry
from audit.models.protocol import Described, Playback, Reconstructor

__all__ = ["Bindable", "Described", "Playback", "Reconstructor", "available", "model"]

MODELS: Final = Registry("model", __name__, group="audit.models", declared_as="MODEL", error=ModelError)
"""The factories of models."""


@runtime_checkable
class Bindable(Protocol):
    """A model that becomes a playback of a cohort."""

    @property
    def name(self) -> str:
        """Name of the model in runs and reports."""
        ...

    def bind(self, table: pd.DataFrame, root: Path) -> Playback:
        """The playback of a cohort."""
        ...


AnyModel = Reconstructor | Playback | Bindable


def available() -> dict[str, str]:
    """Names that :func:`model` takes, with a one-line summary.

    Examples
    --------
    >>> sorted(available())[:3]
    ['command', 'planted', 'recorded']
    """
    return MODELS.available()


def model(
    name: str,
    *,
    weights: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
    device: str | None = None,
) -> AnyModel:
    """The model of that name.

    Parameters
    ----------
    name : str
        A name of :func:`available`, or ``module:factory``: a callable that returns an object with ``render``.
    weights : path, optional
        Passed to the factory as ``weights``, if given.
    options : mapping, optional
        Passed to the factory as keyword arguments.
    device : str, optional
        Where the model computes: ``auto`` (the first GPU, or the CPU if there is none), ``cpu``, ``cuda``, ``cuda:1``
        or ``mps``. Passed to the factory as ``device``; by default it is the model's own choice.

    Raises
    ------
    ModelError
        If the model does not exist, cannot be created, or does not take an option, or the device is not available.
    PlanError
        If it is not the name of a device.

    Examples
    --------
    >>> model("planted", options={"rendered": {"asian": {"en": {"white": 0.6}}}}).name
    'planted'
    """
    made = MODELS.create(
        name, with_device(MODELS, name, options or {}, device) | ({} if weights is None else {"weights": weights})
    )
    if not isinstance(made, (Reconstructor, Playback, Bindable)):
        raise ModelError(
            f"The model {name!r} made a {type(made).__name__} without name and render.",
            "an object with name and render(waveforms, sample_rate)",
        )
    return made
