"""The tables of an audit, one per file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final, cast

from audit.audits.table import PERSONAL, Table
from audit.audits.tables.spec import Source, TableSpec
from audit.checks.evidence import Evidence
from audit.checks.finding import Finding
from audit.core.errors import AuditError, PlanError
from audit.core.plan import MeasureSettings
from audit.core.registry import Registry

REGISTRY: Final = Registry(
    "table", "audit.audits.tables", group="audit.tables", declared_as="TABLE", summary_field="title"
)
ORDER: Final = (
    "strata",
    "groupings",
    "label_sources",
    "language_identification",
    "statuses",
    "your_files",
    "recording",
    "stage_statuses",
    "faces_found",
    "instrument",
    "metric_definitions",
    "disparities",
    "groups",
    "intersections",
    "worst_slices",
    "adjusted_gaps",
    "bands",
    "trends",
    "retrieval",
    "craniofacial",
    "changes",
    "language_effects",
    "language_flips",
    "coverage",
    "rendered_as",
    "confusion",
    "corrected",
    "bounds",
    "sensitivity",
    "power",
    "gallery",
    "failures",
    "human_readings",
)
"""The order of the tables in audit.json; a table may use those before it. Others follow by name."""


@cache
def shipped() -> tuple[TableSpec, ...]:
    """The shipped tables, one in each module of this folder, in the order of audit.json."""
    names = sorted(REGISTRY.shipped, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
    return tuple(cast(TableSpec, REGISTRY.get(name)) for name in names)


def third_party(names: Sequence[str]) -> dict[str, TableSpec]:
    """Third-party tables, by the given names: entry points of the group ``audit.tables``, or ``module:name``.

    Their modules are imported and executed: never pass names from untrusted files.

    Raises
    ------
    AuditError
        If a table is not found or is not a :class:`TableSpec`.
    """
    found: dict[str, TableSpec] = {}
    for name in names:
        spec = REGISTRY.get(name)
        if not isinstance(spec, TableSpec):
            raise AuditError(f"The table {name} is a {type(spec).__name__}.", "an audit.audits.tables.spec.TableSpec")
        found[name] = spec
    return found


def tables(evidence: Evidence, settings: MeasureSettings, findings: Sequence[Finding] = ()) -> dict[str, Table]:
    """Every table of the audit, by name: the shipped ones, then the third-party ones named in the settings.

    ``findings`` are those of the audit; without them, there is no table of intersections.

    Raises
    ------
    PlanError
        If a column of ``measure.by`` is not in the run, or identifies people.
    AuditError
        If a third-party table fails or has the name of another table.
    """
    made: dict[str, Table] = {}
    source = Source(evidence, settings, made, findings)
    if absent := [column for column in source.by if column not in evidence.frame]:
        known = [name for name in map(str, evidence.frame.columns) if "." not in name]
        raise PlanError(f"measure.by names {', '.join(absent)}.", f"columns of the run: {', '.join(known)}")
    if personal := [column for column in source.by if column in PERSONAL]:
        raise PlanError(
            f"measure.by names {', '.join(personal)}, whose values may identify people.",
            "columns that describe speakers or clips, such as gender",
        )
    for spec in shipped():
        if (table := spec.table(source)) is not None:
            made[spec.name] = table
    for name, spec in third_party(settings.tables).items():
        if spec.name in made:
            raise AuditError(f"The table {name} has the name {spec.name} of another.", "a unique name")
        try:
            table = spec.table(source)
        except Exception as error:  # third-party code may raise anything
            raise AuditError(f"The table {name} failed: {type(error).__name__}: {error}.") from error
        if table is not None:
            made[spec.name] = table
    return made
