"""The mitigations by name, and their kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from audit.core.errors import PlanError
from audit.core.registry import Part, Registry


@dataclass(frozen=True, kw_only=True)
class Mitigation(Part):
    """Declares a shipped mitigation.

    Attributes
    ----------
    kind : {"data", "training", "representation", "output"}
        ``data`` or ``training``: named in a training plan; ``value`` is a subclass of
        :class:`audit.training.mitigations.training.TrainingMitigation`. ``representation`` or ``output``: named to
        :func:`mitigate`; ``value`` makes a :class:`FeatureMitigation` from its options.
    """

    kind: Literal["data", "training", "representation", "output"]


MITIGATIONS: Final = Registry(
    "mitigation", "audit.training.mitigations", group="audit.mitigations", declared_as="MITIGATION", error=PlanError
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
