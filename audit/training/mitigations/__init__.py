"""Mitigations before, in and after training, fitted on training speakers only.

Mitigations of the kinds ``data`` and ``training`` are named in the section ``[mitigation]`` of a training plan and take
effect in ``audit train``. Those of the kinds ``representation`` and ``output`` are fitted after training by
:func:`mitigate`, to any model that exposes its voice feature.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from audit.training.mitigations.protocol import FeatureMitigation, FittedStep
from audit.training.mitigations.registry import available

if TYPE_CHECKING:
    from audit.training.mitigations.mitigated import Mitigated, mitigate

__all__ = ["FeatureMitigation", "FittedStep", "Mitigated", "available", "mitigate"]


def __getattr__(name: str) -> Any:
    if name in ("Mitigated", "mitigate"):  # loads no scikit-learn until something is fitted
        return getattr(importlib.import_module("audit.training.mitigations.mitigated"), name)
    raise AttributeError(f"module 'audit.training.mitigations' has no attribute {name!r}")
