"""in-toto statements about runs and decisions: their forms, and how they are made from a run or a decision.

The layout is that of https://in-toto.io/Statement/v1; docs/guide/attest.md documents the predicates. The models are
pydantic's and not the protobuf classes of in-toto-attestation: those turn every integer of a predicate into a float.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias

from pydantic import Field, JsonValue

from audit.audits.audit import Audit
from audit.audits.method import METHOD_VERSION
from audit.checks.figure import Figure
from audit.checks.finding import Finding
from audit.core.document import Form
from audit.core.provenance import code_version
from audit.release.deciding import MEASURED
from audit.release.decision import Decision
from audit.release.writers import Writers
from audit.runs.run import Run

STATEMENT: Final = "https://in-toto.io/Statement/v1"
RUN: Final = "https://github.com/speech2face-audit/speech2face-audit/attestations/run/v1"
DECISION: Final = "https://github.com/speech2face-audit/speech2face-audit/attestations/decision/v1"
FINDING_KEYS: Final = ("code", "grouping", "outcome", "group", "threshold", "p_value", "by_group")
FIGURE_KEYS: Final = (
    *("name", "group", "language", "stage", "kind", "unit"),
    *("value", "low", "high", "n_speakers", "n_clips", "n_missing"),
)
"""What of findings and figures their digest covers: no display text, and nothing that depends on other findings."""
_FROM_PEOPLE: Final = "prediction_powered"
_SETTINGS: Final = ("confidence", *MEASURED, "suppress_below", "group_by")

Digest = dict[str, str]


class Subject(Form):
    """What a statement is about: a name and a digest."""

    name: str
    digest: Digest


class Material(Form):
    """What a run or decision was made from: a ResourceDescriptor of in-toto, with facts about it in ``annotations``."""

    name: str
    uri: str | None = None
    digest: Digest = Field(default_factory=dict)
    annotations: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def words(self) -> str:
        """Its digest, or its facts if it has none, in a few words."""
        if self.digest:
            return ", ".join(value[:12] for value in self.digest.values())
        facts = (f"{key} {json.dumps(value)}" for key, value in self.annotations.items() if value is not None)
        return " ".join([self.uri or "", *facts]).strip()


class Findings(Form):
    """The digest of a run's findings, their number, and the settings that they were measured with."""

    sha256: str
    n: int
    settings: dict[str, JsonValue]
    method_version: int


class RunPredicate(Form):
    """What is stated of a run.

    Attributes
    ----------
    materials : tuple of Material
        Model, weights, cohort, instrument, plan, code, and where there are some, baseline and human readings.
    findings : Findings
        What was measured anew before signing.
    n_speakers, n_clips : int
        The size of the run, which was complete.
    finished : str or None
        When the run finished, by its manifest.
    attested : str
        The signer's clock, in UTC.
    tool : dict
        The version of the code that attested.
    """

    materials: tuple[Material, ...]
    findings: Findings
    n_speakers: int
    n_clips: int
    finished: str | None = None
    attested: str
    tool: dict[str, JsonValue]


class DecisionPredicate(Form):
    """What is stated of a decision: its outcome, what it was made from, and when it was attested."""

    outcome: str
    exit_code: int
    decided: str
    materials: tuple[Material, ...]
    attested: str
    tool: dict[str, JsonValue]


class _Statement(Form):
    type_: Literal["https://in-toto.io/Statement/v1"] = Field(default=STATEMENT, alias="_type")
    subject: tuple[Subject, ...] = Field(min_length=1, max_length=1)

    @property
    def payload(self) -> bytes:
        """The statement as the JSON that is signed."""
        return json.dumps(self.model_dump(mode="json", by_alias=True, exclude_none=True)).encode()

    @property
    def sha256(self) -> str | None:
        """The digest of its subject."""
        return self.subject[0].digest.get("sha256")


class RunStatement(_Statement):
    """The statement about a run, whose digest is :attr:`Run.digest`."""

    predicate_type: Literal["https://github.com/speech2face-audit/speech2face-audit/attestations/run/v1"] = Field(
        default=RUN, alias="predicateType"
    )
    predicate: RunPredicate


class DecisionStatement(_Statement):
    """The statement about a decision, whose digest is :attr:`Decision.content_sha256`."""

    predicate_type: Literal["https://github.com/speech2face-audit/speech2face-audit/attestations/decision/v1"] = Field(
        default=DECISION, alias="predicateType"
    )
    predicate: DecisionPredicate


Statement: TypeAlias = RunStatement | DecisionStatement


def state_run(
    run: Run, published: Audit, baseline: Mapping[str, object] | None = None, attested: str = ""
) -> RunStatement:
    """The statement about a run.

    Parameters
    ----------
    run : Run
        The run.
    published : Audit
        Its new measurement, with the findings that audit.json publishes.
    baseline : Mapping, optional
        The identity of the baseline run, as in :attr:`Audit.run`.
    attested : str, optional
        The time; by default now.
    """
    findings = tuple(published.findings)
    return RunStatement(
        subject=(Subject(name="run", digest={"sha256": str(published.run["digest"])}),),
        predicate=RunPredicate(
            materials=_materials(run, published, baseline),
            findings=Findings(
                sha256=findings_sha256(findings),
                n=len(findings),
                settings={name: _plain(published.settings.get(name)) for name in _SETTINGS},
                method_version=published.method_version or METHOD_VERSION,
            ),
            n_speakers=_count(published.run["n_speakers"]),
            n_clips=_count(published.run["n_clips"]),
            finished=_plain(run.manifest.get("finished")),
            attested=attested or now(),
            tool=_plain(code_version()),
        ),
    )


def state_decision(decision: Decision, attested: str = "") -> DecisionStatement:
    """The statement about a decision, by default of now."""
    policy, run, ledger = decision.policy, decision.run, decision.ledger
    materials = [
        Material(name="run", digest=_sha(run["digest"]), annotations=_plain({"model": run.get("model")})),
        Material(name="policy", digest=_sha(policy["sha256"]), annotations=_plain({"name": policy["name"]})),
    ]
    if decision.baseline is not None:
        materials.append(Material(name="baseline", digest=_sha(decision.baseline["digest"])))
    if ledger is not None:
        facts = _plain({"entry": ledger.get("entry"), "look": ledger.get("look")})
        materials.append(Material(name="ledger entry", digest=_sha(ledger.get("sha256")), annotations=facts))
    return DecisionStatement(
        subject=(Subject(name="decision", digest=_sha(decision.content_sha256)),),
        predicate=DecisionPredicate(
            outcome=decision.outcome,
            exit_code=decision.exit_code,
            decided=decision.decided,
            materials=tuple(materials),
            attested=attested or now(),
            tool=_plain(code_version()),
        ),
    )


def findings_sha256(findings: Iterable[Finding]) -> str:
    """The SHA-256 of findings: of their outcomes and figures, not of display text.

    It is made from JSON with sorted keys and without white space: a list of the findings by grouping and code, each
    with the keys :data:`FINDING_KEYS`, its headline as ``estimate`` and its ``estimates`` with the keys
    :data:`FIGURE_KEYS`. Figures that are based on human readings and p-values that are adjusted for other findings are
    left out.
    """
    ordered = sorted(findings, key=lambda finding: (finding.grouping, finding.code))
    return json_sha256([_finding(finding) for finding in ordered])


def json_sha256(value: object) -> str:
    """The SHA-256 of a value as JSON with sorted keys and without white space."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def now() -> str:
    """The time in UTC, to the second."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def _finding(finding: Finding) -> dict[str, object]:
    kept = {name: figure for name, figure in finding.estimates.items() if _FROM_PEOPLE not in name}
    return {
        **{key: _plain(getattr(finding, key)) for key in FINDING_KEYS},
        "estimate": _figure(finding.estimate),
        "estimates": {name: _figure(figure) for name, figure in kept.items()},
    }


def _figure(figure: Figure | None) -> dict[str, object] | None:
    return None if figure is None else {key: _plain(getattr(figure, key)) for key in FIGURE_KEYS}


def _materials(run: Run, published: Audit, baseline: Mapping[str, object] | None) -> tuple[Material, ...]:
    manifest, facts = run.manifest, published.run
    # without paths, and as audit.json publishes them, so that the digests can be computed from it
    model, cohort, instrument, code, people = (
        dict(found) if isinstance(found := facts.get(name), Mapping) else {}
        for name in ("model_description", "cohort", "instrument", "code", "human_readings")
    )
    made = [
        Material(name="model", digest=_sha(json_sha256(model)), annotations=_named(model, "kind")),
        Material(name="cohort", digest=_sha(cohort.get("digest")), annotations=_named(cohort)),
        Material(name="instrument", digest=_sha(json_sha256(instrument)), annotations=_named(instrument)),
        Material(name="plan", digest=_sha(hashlib.sha256(str(facts.get("plan", "")).encode()).hexdigest())),
        Material(
            name="code", uri=f"pkg:pypi/speech2face-audit@{code.get('version', 'unknown')}", annotations=_plain(code)
        ),
    ]
    content, writers = manifest.get("content"), Writers.of(run.folder, manifest)
    optional = {
        "weights": model.get("weights_sha256"),
        "model code": writers.model,
        "instrument code": writers.instrument,
        "cohort content": content.get("sha256") if isinstance(content, dict) else None,
        "journal": manifest.get("journal"),
        "human readings": people.get("sha256"),
        "baseline": baseline["digest"] if baseline else None,
    }
    made += [Material(name=name, digest=_sha(digest)) for name, digest in optional.items() if digest]
    return tuple(made)


def _named(section: Mapping[str, Any], *keys: str) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = _plain({key: section.get(key) for key in ("name", *keys)})
    return found


def _sha(digest: object) -> Digest:
    return {"sha256": str(digest)} if digest else {}


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0


def _plain(value: Any) -> Any:
    """A value as JSON types, with half of a surrogate pair replaced, which JSON in UTF-8 cannot have."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return json.loads(text.encode("utf-8", "replace"))
