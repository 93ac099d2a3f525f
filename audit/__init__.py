"""Bias and fairness audits for models that reconstruct a face from a voice.

The steps of an audit::

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
import sys
from typing import TYPE_CHECKING, Any

from audit.core.moved import MovedModules

if TYPE_CHECKING:
    from audit import plot
    from audit.audits.audit import Audit
    from audit.audits.human_readings import labelling_sheet
    from audit.audits.measure import measure
    from audit.audits.privacy.sharing import with_ids
    from audit.audits.recommendations import recommend
    from audit.audits.reference_models import reference_verdicts
    from audit.audits.table import Table
    from audit.checks.finding import Finding
    from audit.cohorts import Cohort, CohortNotes
    from audit.cohorts.drawing import draw_cohort
    from audit.cohorts.identification import identify_cohort
    from audit.cohorts.importing import embedded, import_cohort
    from audit.comparisons import Comparison, compare
    from audit.core.errors import AuditError, CohortError, ModelError, PlanError, RunError
    from audit.core.front_matter import FrontMatter
    from audit.core.plan import Plan
    from audit.forgetting import Forgotten, forget
    from audit.instruments import instrument
    from audit.models import model
    from audit.probes import Probe, probe
    from audit.release import Decision, Policy
    from audit.release.attestation.attesting import attest
    from audit.release.gate import gate
    from audit.reports.tracking import track
    from audit.runs.harness import read_again, run
    from audit.runs.run import Run
    from audit.runs.simulation import simulate
    from audit.runs.verifying import verify
    from audit.series import History, history
    from audit.series.sweep import Sweep
    from audit.series.sweeping import sweep
    from audit.stats import Estimate
    from audit.training.mitigations.mitigated import mitigate

_HOMES = {
    "Audit": "audit.audits.audit",
    "AuditError": "audit.core.errors",
    "Cohort": "audit.cohorts",
    "CohortError": "audit.core.errors",
    "CohortNotes": "audit.cohorts",
    "Comparison": "audit.comparisons",
    "Decision": "audit.release",
    "Estimate": "audit.stats",
    "Finding": "audit.checks.finding",
    "Forgotten": "audit.forgetting",
    "FrontMatter": "audit.core.front_matter",
    "History": "audit.series",
    "ModelError": "audit.core.errors",
    "Plan": "audit.core.plan",
    "PlanError": "audit.core.errors",
    "Probe": "audit.probes",
    "Policy": "audit.release",
    "Run": "audit.runs.run",
    "RunError": "audit.core.errors",
    "Sweep": "audit.series.sweep",
    "Table": "audit.audits.table",
    "attest": "audit.release.attestation.attesting",
    "compare": "audit.comparisons",
    "draw_cohort": "audit.cohorts.drawing",
    "embedded": "audit.cohorts.importing",
    "forget": "audit.forgetting",
    "gate": "audit.release.gate",
    "history": "audit.series",
    "identify_cohort": "audit.cohorts.identification",
    "import_cohort": "audit.cohorts.importing",
    "instrument": "audit.instruments",
    "labelling_sheet": "audit.audits.human_readings",
    "measure": "audit.audits.measure",
    "mitigate": "audit.training.mitigations.mitigated",
    "model": "audit.models",
    "plot": "audit.plot",
    "probe": "audit.probes",
    "read_again": "audit.runs.harness",
    "recommend": "audit.audits.recommendations",
    "reference_verdicts": "audit.audits.reference_models",
    "run": "audit.runs.harness",
    "simulate": "audit.runs.simulation",
    "sweep": "audit.series.sweeping",
    "track": "audit.reports.tracking",
    "verify": "audit.runs.verifying",
    "with_ids": "audit.audits.privacy.sharing",
}
"""The module of each public name; imported on first use, so that ``import audit`` does not load torch."""

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
    "Forgotten",
    "FrontMatter",
    "History",
    "ModelError",
    "Plan",
    "PlanError",
    "Policy",
    "Probe",
    "Run",
    "RunError",
    "Sweep",
    "Table",
    "__version__",
    "attest",
    "compare",
    "draw_cohort",
    "embedded",
    "forget",
    "gate",
    "history",
    "identify_cohort",
    "import_cohort",
    "instrument",
    "labelling_sheet",
    "measure",
    "mitigate",
    "model",
    "plot",
    "probe",
    "read_again",
    "recommend",
    "reference_verdicts",
    "run",
    "simulate",
    "sweep",
    "track",
    "verify",
    "with_ids",
]

sys.meta_path.insert(0, MovedModules)  # first, so that no module of a moved package is loaded twice


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'audit' has no attribute {name!r}")
    module = importlib.import_module(_HOMES[name])
    value = module if module.__name__ == f"{__name__}.{name}" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
