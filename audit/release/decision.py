"""The decision document of the gate: rulings, outcome and exit code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, JsonValue, model_validator

from audit.audits.method import METHOD_VERSION
from audit.checks.figure import Figure
from audit.core.document import SCHEMA_VERSION, Document, Form
from audit.core.grouping import GROUP
from audit.core.shown import Shown, name_in_line, provided
from audit.release.outcomes import EXIT_CODES, WORDS, Outcome, worst
from audit.release.plans import RulePlan
from audit.stats import ALL


@dataclass(frozen=True)
class FigureRuling:
    """The outcome of one figure against the bound of its rule.

    Attributes
    ----------
    figure, group : str
        Its name among the finding's estimates, and its group or ``all``.
    estimate : Figure or None
        The figure; ``None`` if the run has none.
    outcome : {"pass", "breach", "inconclusive", "instrument"}
        ``breach``: the whole interval lies beyond the bound. ``pass``: it lies within, with enough speakers.
    reason : str
        The reason for the outcome.
    """

    figure: str
    group: str
    estimate: Figure | None
    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Ruling:
    """The outcome of one rule, or of one requirement of the policy on instrument and data.

    Attributes
    ----------
    id : str
        The id of the rule, or of the requirement, such as ``instrument.min_recall``.
    check, kind : str
        The check's code and the rule's kind; ``""`` and ``requirement`` for a requirement.
    outcome : {"pass", "breach", "inconclusive", "instrument", "incomplete", "waived"}
        Without waivers the worst outcome of its figures: one breach is a breach, and a pass needs all to pass.
    figure : str
        The deciding figure.
    estimate : Figure or None
        Its value and interval.
    side : str
        The required side of the limit.
    limit : float or None
        The limit; for a non-inferiority rule the margin, negative if low is worse.
    sentence : str
        The ruling in words.
    held : tuple of FigureRuling
        Every judged figure; named after its key in the JSON document.
    line : int
        Its first line in the policy's text, from 1.
    group : str
        The group of the deciding figure.
    groups : tuple of str
        For a requirement: the groups whose numbers its sentence contains.
    plan : RulePlan or None
        For an inconclusive rule: its chance of a pass, and the number of speakers that it needs.
    by : str
        The name of the grouping that the groups belong to.
    required : str
        The side and the limit in words, such as ``at most +10 points``; empty if the ruling is about no figure.
    """

    id: str
    check: str
    kind: str
    outcome: Outcome
    sentence: str
    line: int
    figure: str = ""
    estimate: Figure | None = None
    side: str = ""
    limit: float | None = None
    held: tuple[FigureRuling, ...] = ()
    group: str = ALL
    groups: tuple[str, ...] = ()
    plan: RulePlan | None = None
    by: str = GROUP.name
    required: str = ""


@dataclass(frozen=True)
class WaiverUse:
    """A waiver and its use.

    Attributes
    ----------
    rule, name, reason, expires : str
        As in the policy.
    state : str
        ``applied``, ``not_needed``, ``expired``, ``not_yet`` (granted later), ``other_run`` (about another run or
        model), or ``worse`` (a figure is worse than the worst that is waived, or there is none).
    """

    rule: str
    name: str
    reason: str
    expires: str
    state: Literal["applied", "not_needed", "expired", "not_yet", "other_run", "worse"]

    @property
    def sentence(self) -> str:
        """The waiver in one sentence."""
        words = {
            "applied": f"waived through {self.expires} by",
            "not_needed": f"waiver through {self.expires} not needed, from",
            "expired": f"waiver EXPIRED on {self.expires} and has no effect, from",
            "not_yet": "waiver granted for LATER, which has no effect yet, from",
            "other_run": "waiver about ANOTHER run or model, which has no effect, from",
            "worse": "waiver of a SMALLER figure than the run's, which has no effect, from",
        }
        return f"{self.rule}: {words[self.state]} {self.name}: {self.reason}"


class DecisionForm(Form):
    """The content of a decision."""

    outcome: Outcome
    method_version: int | None = None
    exit_code: int
    sentence: str
    decided: str
    policy: dict[str, str]
    run: dict[str, JsonValue]
    baseline: dict[str, JsonValue] | None
    code: dict[str, JsonValue]
    rulings: tuple[Ruling, ...] = Field(min_length=1)
    waivers: tuple[WaiverUse, ...]
    ledger: dict[str, JsonValue] | None = None
    not_checked: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _follows_from_its_rulings(self) -> DecisionForm:
        outcome = worst(ruling.outcome for ruling in self.rulings)
        if (self.outcome, self.exit_code) != (outcome, EXIT_CODES[outcome]):
            raise ValueError(f"the rulings give the outcome {outcome} and the exit code {EXIT_CODES[outcome]}")
        return self


@dataclass(frozen=True, repr=False)
class Decision(Shown, Document):
    """The gate's decision about a release.

    Attributes
    ----------
    policy : Mapping
        ``name``, ``source`` and ``sha256`` of the policy.
    run : Mapping
        The audited run: digest, model, weights_sha256, instrument, cohort and its digest, plan's digest, code.
    baseline : Mapping or None
        The same of the baseline run.
    rulings : tuple of Ruling
        The policy's requirements, then its rules in its own order.
    waivers : tuple of WaiverUse
        Every waiver of the policy.
    decided : str
        The date that waivers were checked against.
    code : Mapping
        The gate's version, and whether its files had changes.
    ledger : Mapping or None
        The look at the candidate: its number, share of alpha and entry in the policy's ledger, with the entry's digest.
    method_version : int or None
        The version of the method that measured the run; ``None`` in documents of earlier versions of the tool.
    not_checked : tuple of str
        The names of the pins that the policy leaves out, so that nothing was checked about them.
    """

    FILE: ClassVar[str] = "decision.json"
    COMMAND: ClassVar[str] = "audit gate RUN --json"
    FORM: ClassVar[type[Form]] = DecisionForm

    policy: Mapping[str, str]
    run: Mapping[str, object]
    baseline: Mapping[str, object] | None
    rulings: tuple[Ruling, ...]
    waivers: tuple[WaiverUse, ...]
    decided: str
    code: Mapping[str, object]
    ledger: Mapping[str, object] | None = None
    method_version: int | None = METHOD_VERSION
    schema_version: str = SCHEMA_VERSION
    not_checked: tuple[str, ...] = ()

    def _line(self) -> str:
        found = [ruling.outcome for ruling in self.rulings]
        counts = ", ".join(f"{found.count(outcome)} {outcome}" for outcome in EXIT_CODES if outcome in found)
        return f"{self.outcome}, exit code {self.exit_code}: {name_in_line(self.run.get('model'))}; {counts}"

    def write_report(self, folder: str | Path) -> Path:
        """Write ``decision.json``, ``decision.md``, ``decision.junit.xml`` and ``decision.sarif``.

        Returns
        -------
        Path
            The Markdown file.

        Raises
        ------
        RunError
            If a file to be replaced was not written by this tool.
        """
        page: Path = provided("write_decision_report")(self, folder)
        return page

    @property
    def outcome(self) -> Outcome:
        """The deciding outcome."""
        return worst(ruling.outcome for ruling in self.rulings)

    @property
    def unused_waivers(self) -> list[WaiverUse]:
        """The waivers that are expired or not needed; the sentences of rulings contain the others."""
        return [waiver for waiver in self.waivers if waiver.state != "applied"]

    @property
    def exit_code(self) -> int:
        """0 every rule holds; 10 breach, 11 inconclusive, 12 instrument not valid, 13 run incomplete."""
        return EXIT_CODES[self.outcome]

    @property
    def sentence(self) -> str:
        """The decision in one sentence, with the rules that decide it."""
        deciding = [ruling for ruling in self.rulings if ruling.outcome == self.outcome != "pass"]
        named = [f"{ruling.check} {ruling.id}".strip() for ruling in deciding]
        return WORDS[self.outcome] + (f" ({', '.join(named)})." if named else ".")
