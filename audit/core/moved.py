"""Aliases for the old names of modules that plug-ins import; deprecated, to be removed in the next version."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED = {
    "audit.audit": "audit.audits.audit",
    "audit.cohort": "audit.cohorts",
    "audit.comparing": "audit.comparisons",
    "audit.datasets": "audit.cohorts.importing",
    "audit.datasets.adapters": "audit.cohorts.importing.adapter",
    "audit.errors": "audit.core.errors",
    "audit.evidence": "audit.checks.evidence",
    "audit.fairness": "audit.audits.fairness",
    "audit.finding": "audit.checks.finding",
    "audit.metrics": "audit.checks.metrics.metric_frame",
    "audit.mitigations": "audit.training.mitigations",
    "audit.observations": "audit.runs.run",
    "audit.plan": "audit.core.plan",
    "audit.vocabulary": "audit.core.vocabulary",
}
"""The documented modules before the package was divided into layers, and those that plug-ins need."""


class MovedModules:
    """Finds modules by their old names, including submodules, so that no module is loaded twice."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec of the module that replaces an old name; see :class:`importlib.abc.MetaPathFinder`."""
        parent, _, child = name.rpartition(".")
        new = MOVED.get(name) or (f"{MOVED[parent]}.{child}" if parent in MOVED else "")
        return ModuleSpec(name, _Moved(new)) if new else None  # type: ignore[arg-type]  # it needs no load_module


class _Moved:
    """Loads the new module under the old name."""

    def __init__(self, new: str) -> None:
        self.new = new

    def create_module(self, spec: ModuleSpec) -> None:
        """Use the default module, which :meth:`exec_module` replaces."""

    def exec_module(self, module: ModuleType) -> None:
        """Replace the module by the new one."""
        old = module.__name__
        warnings.warn(
            f"{old} is now {self.new}; the old name will be removed in the next version.", DeprecationWarning, 2
        )
        sys.modules[old] = importlib.import_module(self.new)
