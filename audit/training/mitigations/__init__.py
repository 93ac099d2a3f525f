"""Mitigations: what may be done about a failure, before, in and after training; each fitted on training speakers only.

Those of the kinds ``data`` and ``training`` are named in a training plan's section ``mitigation`` and take effect
through ``audit train``. Those of the kinds ``representation`` and ``output`` are fitted later, by :func:`mitigate`, to
any model that exposes its voice feature.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from audit.training.mitigations.protocol import FeatureMitigation, FittedStep

if TYPE_CHECKING:
    from audit.training.mitigations.mitigated import Mitigated, mitigate

__all__ = ["FeatureMitigation", "FittedStep", "Mitigated", "available", "mitigate"]

IN_TRAINING: Final = {
    "balanced": ("data", "every group in every language is drawn equally often (balanced sampling)"),
    "reweighted": ("data", "losses weighted so that group and language are independent (Kamiran & Calders 2012)"),
    "coverage": ("data", "more languages of a group are heard: new data, where the plan left it out"),
    "group_dro": ("training", "the group and language that fare worst count most (Sagawa et al. 2020)"),
    "language_adversarial": (
        "training",
        "a classifier of the language pulls the encoder the other way (gradient reversal, Ganin & Lempitsky 2015)",
    ),
}
"""What a training plan can name: the kind, and one line on what it does."""

AFTER_TRAINING: Final = {
    "correlation_remover": (
        "audit.training.mitigations.correlation_remover:CorrelationRemoval",
        "representation",
        "the feature without its regression on the estimated language (fairlearn's CorrelationRemover)",
    ),
    "leace": (
        "audit.training.mitigations.leace:Leace",
        "representation",
        "least-squares erasure of the language from the feature (Belrose et al. 2023)",
    ),
    "recentred": (
        "audit.training.mitigations.recentred:Recentred",
        "representation",
        "the mean feature of each estimated language is moved to the mean of all",
    ),
    "abstention": (
        "audit.training.mitigations.abstention:Abstention",
        "output",
        "no face where the voice is far from every training voice (nearest neighbours, Sun et al. 2022)",
    ),
}
"""What :func:`mitigate` can name: where it is, imported only when asked for, its kind, and one line on what it does."""


def available() -> dict[str, str]:
    """The names of all mitigations, each with its kind and one line on what it does.

    Examples
    --------
    >>> sorted(available())[:3]
    ['abstention', 'balanced', 'correlation_remover']
    """
    return {name: f"{kind}: {line}" for name, (kind, line) in IN_TRAINING.items()} | {
        name: f"{kind}: {line}" for name, (_, kind, line) in AFTER_TRAINING.items()
    }


def __getattr__(name: str) -> Any:
    if name in ("Mitigated", "mitigate"):  # loads no scikit-learn until something is fitted
        return getattr(importlib.import_module("audit.training.mitigations.mitigated"), name)
    raise AttributeError(f"module 'audit.training.mitigations' has no attribute {name!r}")
