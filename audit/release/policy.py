"""The policy of a release: TOML, every key typed, unknown keys refused."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from audit.checks import Check, Figure, Judged, chosen
from audit.core.errors import did_you_mean
from audit.core.grouping import GROUP, Grouping
from audit.core.plan import GroupingName
from audit.core.typed_toml import Section, parse_toml, read_text
from audit.core.units import unit_of
from audit.release.evidence import EvidenceTerms, Kind
from audit.release.outcomes import Outcome
from audit.release.pins import Pins
from audit.release.sections import DataTerms, Id, InstrumentTerms, LedgerTerms, Words, known_groups
from audit.release.waivers import Waiver
from audit.release.wording import Side, write_bound, write_reason
from audit.stats import ALL, Verdict
from audit.stats.verdict import Outcome as VerdictOutcome

DEFAULT: Final = "release/policies/default.toml"
OF_VERDICT: Final[Mapping[VerdictOutcome, Outcome]] = {"shown": "breach", "not_shown": "pass"}
"""The outcome of a rule by the verdict of its figure; of any other verdict: inconclusive."""
REQUIREMENTS: Final = ("instrument", "data", "ledger", "evidence", "pins")
"""Prefixes of the rulings on the policy's own sections, reserved from rule ids."""


class Rule(Section):
    """A rule: a bound that a figure must be shown to satisfy.

    Attributes
    ----------
    id : str
        Its id in every output and in waivers.
    check : str
        The check's code.
    kind : {"absolute", "non_inferiority"}
        Whether the figure itself is compared with ``limit``, or its change from the baseline run with ``margin``. A
        non-inferiority rule with a ``limit`` does both, and both must hold.
    figure : str or None
        One of the finding's estimates; by default the headline. For each group: the name after ``group.``.
    by : str
        The grouping of the groups: a column of the observations, or several that are crossed, as in
        ``accent x gender``.
    groups : "all", tuple of str or None
        By default the figure itself, or every known group if the check's headline is chosen among groups.
    side : {"at_most", "at_least", "within"} or None
        The side of the limit on which the whole interval must lie; ``within``: between minus the limit and the limit.
        By default the side that the check declares for the figure: ``within`` if a difference in either direction is
        harm, otherwise (and for a change from the baseline) the side away from harm. Required for a figure that the
        check does not judge.
    limit : float or None
        In the figure's unit: in [0, 1] for shares and cosines. For a non-inferiority rule the absolute cap on the
        run's own figure, so that a chain of baselines, each slightly worse than the one before, cannot drift beyond it.
    margin : float or None
        The largest tolerated worsening from the baseline, in the unit of the check's figure.
    min_speakers : int
        A figure with fewer speakers never passes.
    alpha : float
        The largest probability that the rule passes a model whose true figure lies beyond the limit. The interval is
        two-sided with confidence ``1 - 2 alpha``: at 0.025 that of the report.
    missing : {"ignored", "worst_case"}
        Whether the rule must also hold with every missing face read in the harmful way
        (:mod:`audit.release.worst_case`).
    readings : {"instrument", "human"}
        Whether the figure is the instrument's, or its prediction-powered version with human readings
        (:mod:`audit.release.human`).
    """

    id: Id
    check: str
    kind: Literal["absolute", "non_inferiority"] = "absolute"
    figure: Words | None = None
    by: GroupingName = GROUP.name
    groups: Annotated[Literal["all"] | tuple[str, ...] | None, AfterValidator(known_groups)] = None
    side: Side | None = None
    limit: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    margin: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    min_speakers: int = Field(default=10, ge=2)
    alpha: float = Field(default=0.025, ge=0.001, le=0.1)
    missing: Literal["ignored", "worst_case"] = "ignored"
    readings: Literal["instrument", "human"] = "instrument"

    @model_validator(mode="after")
    def _whole(self) -> Rule:
        if self.id.split(".")[0] in REQUIREMENTS:
            raise ValueError(f"the id {self.id!r} begins with the name of a policy section; choose another")
        if self.kind == "absolute" and (self.limit is None or self.margin is not None):
            raise ValueError(f"rule {self.id!r} is absolute: it needs a limit and takes no margin")
        if self.kind == "non_inferiority" and (self.margin is None or self.figure):
            raise ValueError(f"rule {self.id!r} is a non-inferiority rule: it needs a margin, and takes no figure")
        strict = self.missing == "worst_case", self.readings == "human"
        if any(strict) and self.kind == "non_inferiority":
            raise ValueError(f"rule {self.id!r} is a non-inferiority rule: it takes neither missing nor readings")
        if all(strict):
            raise ValueError(f"rule {self.id!r} has both missing and readings: use one rule for each")
        return self

    @property
    def parts(self) -> tuple[Rule, ...]:
        """The rules to decide: this one, and the cap ``ID.limit`` of a non-inferiority rule with a ``limit``."""
        if self.kind == "absolute" or self.limit is None:
            return (self,)
        cap = {"id": f"{self.id}.limit", "kind": "absolute", "margin": None}
        return self.model_copy(update={"limit": None}), self.model_copy(update=cap)

    @property
    def confidence(self) -> float:
        """The confidence of the two-sided interval with error probability ``alpha`` at each end."""
        return round(1 - 2 * self.alpha, 12)


@dataclass(frozen=True)
class ResolvedRule:
    """A rule joined with its check's declarations: the side and the bound for the interval.

    Attributes
    ----------
    judged : Judged
        The declaration of the figure that the rule is about: the one it names, else the headline.
    side : {"at_most", "at_least", "within"}
        The side, from the rule or from the declaration.
    bound : float
        The bound, in the figure's unit.
    """

    rule: Rule
    check: Check
    judged: Judged
    side: Side
    bound: float

    @classmethod
    def of(cls, rule: Rule, check: Check, headline: str = "") -> ResolvedRule:
        """Join a rule with its check.

        A rule without ``figure`` is about the judged figure ``headline``, or the check's first one if that is empty.

        Raises
        ------
        ValueError
            If the limit or margin is out of the unit's range, or a figure is named that is not judged and has no side.
        """
        declared = {item.name: item for item in check.judged}
        if (own := check.grouping) is not None:
            if rule.by not in (GROUP.name, own.name):
                raise ValueError(f"rule {rule.id!r}: {check.code} has figures by {own.name} only, not by {rule.by}")
            rule = rule.model_copy(update={"by": own.name})
        if not check.fits(Grouping.parse(rule.by)):
            raise ValueError(f"rule {rule.id!r}: {check.code} needs race labels, so it has no figures by {rule.by}")
        judged = declared.get(rule.figure or headline, check.judged[0])
        what, given = ("limit", rule.limit) if rule.margin is None else ("margin", rule.margin)
        assert given is not None  # by Rule
        if rule.figure and rule.figure not in declared:
            if rule.side is None:
                raise ValueError(f"rule {rule.id!r} names a figure, so it needs a side: at_most, at_least or within")
        elif given > (largest := unit_of(judged.unit).largest):
            raise ValueError(f"the {what} of rule {rule.id!r} is {given:g}; it lies in [0, {largest:g}]")
        away: Side = "at_most" if judged.harm == "high" else "at_least"
        side = rule.side or ("within" if judged.two_sided and what == "limit" else away)
        # a figure whose low end is harm is a difference, and so is a change: it must not fall below minus the limit
        below_zero = side == "at_least" and (rule.side is None or what == "margin")
        return cls(rule, check, judged, side, -given if below_zero else given)

    def required(self, figure: Figure | None) -> str:
        """What the rule requires of its figure, in words: with the judged figure's unit if the run has no figure."""
        if figure is not None:
            return write_bound(self.side, self.bound, figure.unit, figure.signed)
        is_judged = self.rule.figure in (None, self.judged.name)
        return write_bound(self.side, self.bound, self.judged.unit if is_judged else "", signed=is_judged)

    def at_share(self, share: float) -> ResolvedRule:
        """The rule at a share of its alpha."""
        return replace(self, rule=self.rule.model_copy(update={"alpha": self.rule.alpha * share}))

    def groups(self, known: Sequence[str]) -> list[str] | None:
        """The groups that the rule judges one by one, of the ``known`` ones; ``None`` for the figure itself."""
        rule = self.rule
        if isinstance(rule.groups, tuple):
            return list(rule.groups)
        if rule.groups == ALL or (rule.figure in (None, self.judged.name) and self.judged.per_group):
            return [group for group in known if self.check.judges(group)] or None
        return None

    def outcome(self, figure: Figure) -> tuple[Outcome, str]:
        """The outcome of a figure, and its reason: a pass also needs the rule's number of speakers."""
        judged, fewest = self.verdict(figure), self.rule.min_speakers
        outcome = OF_VERDICT.get(judged.outcome, "inconclusive")
        # of a difference between groups, the smaller side counts
        n_speakers = figure.n_speakers if figure.n_smaller is None else min(figure.n_speakers, figure.n_smaller)
        if outcome == "pass" and n_speakers < fewest:
            reason = f"{judged.reason}, but it has {n_speakers} speakers and the rule requires {fewest}"
            return "inconclusive", reason
        return outcome, judged.reason

    def verdict(self, figure: Figure) -> Verdict:
        """A figure's intervals compared with the bound: ``shown`` beyond it, ``not_shown`` wholly within it.

        It is ``inconclusive`` if the interval cannot be computed at the rule's confidence: a bootstrap of 2000
        resamples has no quantile at 0.0001.
        """
        error = 1 - self.rule.confidence
        if figure.curve is not None and error < figure.curve.least:
            why = f"{figure.method} cannot resolve an error probability of {error:.2g}, only {figure.curve.least:.2g}"
            return Verdict("inconclusive", f"{why}; measure the run with more resamples")
        if self.side == "at_least":
            found = figure.against(-self.bound, "less")
        else:
            found = figure.against(self.bound, "greater" if self.side == "at_most" else "two_sided")
        return Verdict(found.outcome, write_reason(figure, self.side, self.bound, found.outcome))


class Terms(Section):
    """All keys of a policy file.

    ``checks`` and ``metrics`` name the third-party checks and the custom metrics of rules, as in a plan:
    ``module:name`` or an entry point. The gate runs their code.
    """

    schema_version: Literal[1] = Field(alias="schema")
    name: Words
    checks: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    rule: tuple[Rule, ...] = Field(min_length=1)
    instrument: InstrumentTerms = InstrumentTerms()
    data: DataTerms = DataTerms()
    ledger: LedgerTerms | None = None
    evidence: EvidenceTerms = EvidenceTerms()
    pins: Pins = Pins()
    waiver: tuple[Waiver, ...] = ()

    @model_validator(mode="after")
    def _named(self) -> Terms:
        ids = [part.id for rule in self.rule for part in rule.parts]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"two rules have the id {twice[0]!r}")
        for waiver in self.waiver:
            if waiver.rule not in ids:
                hint = did_you_mean(waiver.rule, ids, ", {}")
                raise ValueError(f"a waiver names the rule {waiver.rule!r}, which does not exist{hint}")
        for rule in self.rule:
            if rule.check not in self.known_checks:
                hint = did_you_mean(rule.check, self.known_checks, ", {}")
                raise ValueError(
                    f"rule {rule.id!r}: there is no such check{hint}; the checks are {', '.join(self.known_checks)}. A "
                    "third-party check is named in the policy's key `checks`, a custom metric in `metrics`"
                )
        _ = self.resolved  # refuses rules that do not fit their check
        return self

    @cached_property
    def known_checks(self) -> dict[str, Check]:
        """The shipped checks, and those of the third-party checks and custom metrics that the policy names, by code."""
        return {check.code: check for check in chosen(self.checks, self.metrics)}

    @cached_property
    def resolved(self) -> tuple[ResolvedRule, ...]:
        """Every rule, and every cap of a non-inferiority rule, joined with its check."""
        return tuple(ResolvedRule.of(part, self.known_checks[part.check]) for rule in self.rule for part in rule.parts)


@dataclass(frozen=True)
class Policy:
    r"""A policy and its text.

    Attributes
    ----------
    terms : Terms
        The keys and values.
    text : str
        The TOML text; its digest is part of every output.
    source : str
        The file's path, or a name for messages.
    folder : Path
        The folder that paths in the policy are relative to.
    share : float
        The share of every rule's alpha at which it is decided, in (0, 1]: below 1 if the candidate is gated repeatedly.

    Examples
    --------
    >>> text = 'schema = 1\nname = "x"\n[[rule]]\nid = "asian-as-white"\ncheck = "S2F001"\nlimit = 0.1\n'
    >>> policy = Policy.parse(text)
    >>> policy.rules[0].side, policy.line("asian-as-white")
    ('at_most', 3)
    """

    terms: Terms
    text: str
    source: str
    folder: Path = Path()
    share: float = 1.0

    @classmethod
    def parse(cls, text: str, source: str = "the policy") -> Policy:
        """Parse a policy from TOML.

        Raises
        ------
        PlanError
            If it is not TOML, or a key or value is not allowed; the message suggests a similar name.
        """
        return cls(parse_toml(Terms, text, source, "docs/guide/gate.md"), text, source)

    @classmethod
    def read(cls, path: str | Path) -> Policy:
        """Read a policy from a file.

        Raises
        ------
        PlanError
            If the file cannot be read or is not a policy.
        """
        path = Path(path)
        here = path.resolve()
        relative = here.relative_to(Path.cwd()) if here.is_relative_to(Path.cwd()) else path
        return replace(cls.parse(read_text(path, "policy"), relative.as_posix()), folder=path.parent)

    @classmethod
    def default(cls, allow: Sequence[Kind] = ()) -> Policy:
        """The policy that ships, as it is or allowing further evidence.

        Parameters
        ----------
        allow : sequence of str
            What it allows besides ``unpinned``, of :data:`audit.release.evidence.KINDS`: ``simulated`` for simulated
            runs, ``reference_model`` for reference models. Its text and digest then differ.

        Raises
        ------
        PlanError
            If there is no such kind of evidence.

        Examples
        --------
        >>> Policy.default(allow=["simulated"]).terms.evidence.allow
        ('unpinned', 'simulated')
        """
        text = files("audit").joinpath(DEFAULT).read_text(encoding="utf-8")
        further = "".join(f", {json.dumps(str(kind))}" for kind in allow)
        text = text.replace('allow = ["unpinned"', f'allow = ["unpinned"{further}', 1)
        return cls.parse(text, f"audit/{DEFAULT}")

    @cached_property
    def sha256(self) -> str:
        """Digest of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def checks(self) -> tuple[Check, ...]:
        """The shipped checks, and those of the third-party checks and custom metrics that the policy names."""
        return tuple(self.terms.known_checks.values())

    @property
    def rules(self) -> tuple[ResolvedRule, ...]:
        """Every rule, and every cap of a non-inferiority rule, joined with its check, at its share of alpha."""
        return tuple(resolved.at_share(self.share) for resolved in self.terms.resolved)

    @property
    def groupings(self) -> tuple[str, ...]:
        """The groupings of the rules, besides ``group``."""
        rules = (resolved.rule for resolved in self.terms.resolved)
        return tuple(dict.fromkeys(rule.by for rule in rules if rule.by != GROUP.name))

    @property
    def needs_baseline(self) -> bool:
        """Whether a rule judges the change from a baseline."""
        return any(rule.kind == "non_inferiority" for rule in self.terms.rule)

    @property
    def confidence(self) -> float:
        """The largest confidence of any rule."""
        return max(rule.confidence for rule in self.terms.rule)

    def line(self, ruling: str) -> int:
        """The first line, from 1, of a rule or a section of the policy; 1 if there is none."""
        ids = [rule.id for rule in self.terms.rule for part in rule.parts if part.id == ruling]
        if ids:
            headers, rules = self._lines(r"\[\[\s*rule\s*\]\]"), [rule.id for rule in self.terms.rule]
            if len(headers) == len(rules):
                return headers[rules.index(ids[0])]
            # rules in another notation, such as an inline array, are searched by name
            return next(iter(self._lines(rf".*[\"']{re.escape(ids[0])}")), 1)
        section, _, name = ruling.partition(".")
        return next(iter(self._lines(rf"\[+\s*{section}\.{name}\b") + self._lines(rf"\[\s*{section}\s*\]")), 1)

    def _lines(self, pattern: str) -> list[int]:
        lines = self.text.splitlines()
        return [number for number, line in enumerate(lines, 1) if re.match(rf"\s*{pattern}", line)]
