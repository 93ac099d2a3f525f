"""Mitigations before, in and after training, fitted on training speakers only.

Mitigations of the kinds ``data`` and ``training`` are named in the section ``[mitigation]`` of a training plan and take
effect in ``audit train``. Those of the kinds ``representation`` and ``output`` are fitted after training by
:func:`mitigate`, to any model that exposes its voice feature.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from audit.core.errors import PlanError
from audit.core.registry import Part, Registry
from audit.training.mitigations.protocol import FeatureMitigation, FittedStep

if TYPE_CHECKING:
    from audit.training.mitigations.mitigated import Mitigated, mitigate

__all__ = ["FeatureMitigation", "FittedStep", "Mitigated", "available", "mitigate"]

Kind = Literal["data", "training", "representation", "output"]


@dataclass(frozen=True, kw_only=True)
class Mitigation(Part):
    """Declares a shipped mitigation.

    Attributes
    ----------
    kind : str
        ``data`` or ``training``: named in a training plan; ``value`` makes a
        :class:`audit.training.mitigations.training.TrainingMitigation` from a
        :class:`audit.training.mitigations.training.TrainingSetup`. ``representation`` or ``output``: named to
        :func:`mitigate`; ``value`` makes a :class:`FeatureMitigation` from its options.
    """

    kind: Kind


MITIGATIONS: Final = Registry(
    "mitigation", __name__, group="audit.mitigations", declared_as="MITIGATION", error=PlanError
)
"""All mitigations. Those of installed packages must be of the kinds that :func:`mitigate` fits."""


def available() -> dict[str, str]:
    """The kind and summary of each mitigation, by name.

    Examples
    --------
    >>> sorted(available())[:3]
    ['abstention', 'balanced', 'correlation_remover']
    """
    shipped = MITIGATIONS.shipped
    return {
        name: f"{shipped[name].fields['kind']}: {summary}" if name in shipped else summary
        for name, summary in MITIGATIONS.available().items()
    }


def in_training() -> list[str]:
    """The names that a training plan accepts: the kinds data and training."""
    return [name for name, part in MITIGATIONS.shipped.items() if part.fields["kind"] in ("data", "training")]


def after_training() -> list[str]:
    """The names that :func:`mitigate` accepts: all others."""
    return [name for name in MITIGATIONS.available() if name not in in_training()]


def __getattr__(name: str) -> Any:
    if name in ("Mitigated", "mitigate"):  # loads no scikit-learn until something is fitted
        return getattr(importlib.import_module("audit.training.mitigations.mitigated"), name)
    raise AttributeError(f"module 'audit.training.mitigations' has no attribute {name!r}")
