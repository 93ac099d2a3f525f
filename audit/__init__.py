"""Bias and fairness audits for models that reconstruct a face from a voice.

The path of an audit is one direction::

    data set on disk --adapter--> Cohort --harness(model, instrument)--> Run --measure--> Audit --> report | gate

Examples
--------
>>> import audit
>>> cohort = audit.Cohort.read(audit.embedded("synthetic_bilingual"))
>>> cohort.strata(("group",))["group"].tolist()
['asian', 'indian', 'black', 'white']
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit.audit import Audit, Table
    from audit.cohort import Cohort, CohortNotes
    from audit.comparing import Comparison, compare
    from audit.datasets import embedded, import_cohort
    from audit.errors import AuditError, CohortError, ModelError, PlanError, RunError
    from audit.finding import Finding
    from audit.gating import gate
    from audit.harness import run
    from audit.instruments import instrument
    from audit.labelling import labelling_sheet
    from audit.measuring import measure
    from audit.mitigations import mitigate
    from audit.models import model
    from audit.observations import Run
    from audit.plan import Plan
    from audit.probing import Probe, probe
    from audit.release import Decision, Policy
    from audit.sharing import with_ids
    from audit.simulation import simulate
    from audit.stats import Estimate
    from audit.tracking import track

_HOMES = {
    "Audit": "audit.audit",
    "AuditError": "audit.errors",
    "Cohort": "audit.cohort",
    "CohortError": "audit.errors",
    "CohortNotes": "audit.cohort",
    "Comparison": "audit.comparing",
    "Decision": "audit.release",
    "Estimate": "audit.stats",
    "Finding": "audit.finding",
    "ModelError": "audit.errors",
    "Plan": "audit.plan",
    "PlanError": "audit.errors",
    "Probe": "audit.probing",
    "Policy": "audit.release",
    "Run": "audit.observations",
    "RunError": "audit.errors",
    "Table": "audit.audit",
    "compare": "audit.comparing",
    "embedded": "audit.datasets",
    "gate": "audit.gating",
    "import_cohort": "audit.datasets",
    "instrument": "audit.instruments",
    "labelling_sheet": "audit.labelling",
    "measure": "audit.measuring",
    "mitigate": "audit.mitigations",
    "model": "audit.models",
    "probe": "audit.probing",
    "run": "audit.harness",
    "simulate": "audit.simulation",
    "track": "audit.tracking",
    "with_ids": "audit.sharing",
}
"""Where each public name lives: each is imported when it is first used, so that ``import audit`` loads no torch."""

__version__ = "0.1.0"
__all__ = [
    "Audit",
    "AuditError",
    "Cohort",
    "CohortError",
    "CohortNotes",
    "Comparison",
    "Decision",
    "Estimate",
    "Finding",
    "ModelError",
    "Plan",
    "PlanError",
    "Policy",
    "Probe",
    "Run",
    "RunError",
    "Table",
    "__version__",
    "compare",
    "embedded",
    "gate",
    "import_cohort",
    "instrument",
    "labelling_sheet",
    "measure",
    "mitigate",
    "model",
    "probe",
    "run",
    "simulate",
    "track",
    "with_ids",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'audit' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
