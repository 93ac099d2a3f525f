"""The policy of a release: TOML, every key typed, unknown keys refused."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from audit.checks import Check, Figure, Judged, chosen
from audit.core.errors import did_you_mean
from audit.core.typed_toml import Section, parse_toml, read_text
from audit.core.units import unit_of
from audit.core.vocabulary import LABEL_SOURCES, RACES, UNKNOWN, group_members, is_language
from audit.stats import Verdict, verdict

Side = Literal["at_most", "at_least", "within"]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Groups = TypeVar("Groups", str | tuple[str, ...] | None, tuple[str, ...] | None)
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]

DEFAULT: Final = "release/policies/default.toml"
REQUIREMENTS: Final = ("instrument", "data")
"""Prefixes of the rulings on the policy's own sections, reserved from rule ids."""


def _known_group(group: str) -> str:
    try:
        known = bool(group_members(group))
    except ValueError:
        known = False
    if not known:
        hint = did_you_mean(group, RACES, ", {}")
        raise ValueError(f"there is no group {group!r}{hint}; {UNKNOWN} is never judged")
    return group


def _known_groups(groups: Groups) -> Groups:
    if isinstance(groups, tuple):
        if not groups:
            raise ValueError('name a group, or say "all"')
        for group in groups:
            _known_group(group)
    return groups


def _known_language(language: str) -> str:
    if not is_language(language):
        raise ValueError("a language is a BCP-47 code such as en or zh-TW")
    return language


def _known_sources(allowed: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    for source in {name for names in allowed.values() for name in names}:
        if source not in LABEL_SOURCES:
            hint = did_you_mean(source, LABEL_SOURCES, ", {}")
            raise ValueError(f"there is no source {source!r}{hint}; they are {', '.join(LABEL_SOURCES)}")
    return allowed


class Rule(Section):
    """A rule: a bound that a figure must be shown to satisfy.

    Attributes
    ----------
    id : str
        Its id in every output and in waivers.
    check : str
        The check's code.
    kind : {"absolute", "non_inferiority"}
        Whether the figure itself is compared with ``limit``, or its change from the baseline run with ``margin``.
    figure : str or None
        One of the finding's estimates; by default the headline. For each group: the name after ``group.``.
    groups : "all", tuple of str or None
        By default the figure itself, or every known group if the check's headline is chosen among groups.
    side : {"at_most", "at_least", "within"} or None
        The side of the limit on which the whole interval must lie; ``within``: between minus the limit and the limit.
        By default the side that the check declares for the figure: ``within`` if a difference in either direction is
        harm, otherwise (and for a change from the baseline) the side away from harm. Required for a figure that the
        check does not judge.
    limit : float or None
        In the figure's unit: in [0, 1] for shares and cosines.
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
    groups: Annotated[Literal["all"] | tuple[str, ...] | None, AfterValidator(_known_groups)] = None
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
        if self.kind == "non_inferiority" and (self.margin is None or self.limit is not None or self.figure):
            raise ValueError(
                f"rule {self.id!r} is a non-inferiority rule: it needs a margin, and takes neither limit nor figure"
            )
        strict = self.missing == "worst_case", self.readings == "human"
        if any(strict) and self.kind == "non_inferiority":
            raise ValueError(f"rule {self.id!r} is a non-inferiority rule: it takes neither missing nor readings")
        if all(strict):
            raise ValueError(f"rule {self.id!r} has both missing and readings: use one rule for each")
        return self

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

    def verdict(self, figure: Figure) -> Verdict:
        """A figure's interval compared with the bound: ``shown`` beyond it, ``not_shown`` wholly within it."""
        if self.side == "at_least":
            return verdict(figure, -self.bound, "less")
        return verdict(figure, self.bound, "greater" if self.side == "at_most" else "two_sided")


class InstrumentTerms(Section):
    """Requirements on the instrument.

    Attributes
    ----------
    allowed : tuple of str
        Names of allowed instruments; by default any.
    min_recall : float or None
        How often portraits must be read as their own group, in each group. The lower end of the interval counts, so
        that an instrument with too few portraits is not accepted.
    groups : tuple of str or None
        The groups; by default every known group of the run.
    """

    allowed: tuple[str, ...] = ()
    min_recall: float | None = Field(default=None, ge=0, le=1)
    groups: Annotated[tuple[str, ...] | None, AfterValidator(_known_groups)] = None


class Stratum(Section):
    """The number of speakers that a run needs in a group and language."""

    group: Annotated[str, AfterValidator(_known_group)]
    language: Annotated[str, AfterValidator(_known_language)]
    speakers: int = Field(default=1, ge=1)


class DataTerms(Section):
    """Requirements on the run's data. A complete run is always required.

    Attributes
    ----------
    strata : tuple of Stratum
        The required numbers of speakers.
    label_sources : dict
        The allowed sources of all labels of ``group``, ``gender`` and ``language``.
    max_missing : float or None
        The largest allowed share of clips without a result, in each known group.
    """

    strata: tuple[Stratum, ...] = ()
    label_sources: Annotated[
        dict[Literal["group", "gender", "language"], tuple[str, ...]], AfterValidator(_known_sources)
    ] = Field(default_factory=dict)
    max_missing: float | None = Field(default=None, ge=0, le=1)


class Waiver(Section):
    """The decision of a person (``name``) that the rule with the id ``rule`` need not hold through ``expires``."""

    rule: str
    name: Words
    reason: Words
    expires: dt.date


class Terms(Section):
    """All keys of a policy file.

    ``checks`` names the third-party checks of rules, as in a plan: ``module:name`` or an entry point. The gate runs
    their code.
    """

    schema_version: Literal[1] = Field(alias="schema")
    name: Words
    checks: tuple[str, ...] = ()
    rule: tuple[Rule, ...] = Field(min_length=1)
    instrument: InstrumentTerms = InstrumentTerms()
    data: DataTerms = DataTerms()
    waiver: tuple[Waiver, ...] = ()

    @model_validator(mode="after")
    def _named(self) -> Terms:
        ids = [rule.id for rule in self.rule]
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
                    "third-party check is named in the policy's key `checks`"
                )
        _ = self.resolved  # refuses rules that do not fit their check
        return self

    @cached_property
    def known_checks(self) -> dict[str, Check]:
        """The shipped checks and the third-party checks that the policy names, by code."""
        return {check.code: check for check in chosen(self.checks)}

    @cached_property
    def resolved(self) -> tuple[ResolvedRule, ...]:
        """Every rule joined with its check."""
        return tuple(ResolvedRule.of(rule, self.known_checks[rule.check]) for rule in self.rule)


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
        return cls.parse(read_text(path, "policy"), relative.as_posix())

    @classmethod
    def default(cls) -> Policy:
        """The policy that ships."""
        return cls.parse(files("audit").joinpath(DEFAULT).read_text(encoding="utf-8"), f"audit/{DEFAULT}")

    @cached_property
    def sha256(self) -> str:
        """Digest of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def checks(self) -> tuple[Check, ...]:
        """The shipped checks and the third-party checks that the policy names."""
        return tuple(self.terms.known_checks.values())

    @property
    def rules(self) -> tuple[ResolvedRule, ...]:
        """Every rule joined with its check."""
        return self.terms.resolved

    @property
    def confidence(self) -> float:
        """The largest confidence of any rule."""
        return max(rule.confidence for rule in self.terms.rule)

    def line(self, ruling: str) -> int:
        """The first line, from 1, of a rule or a section of the policy; 1 if there is none."""
        ids = [rule.id for rule in self.terms.rule]
        if ruling in ids:
            headers = self._lines(r"\[\[\s*rule\s*\]\]")
            if len(headers) == len(ids):
                return headers[ids.index(ruling)]
            # rules in another notation, such as an inline array, are searched by name
            return next(iter(self._lines(rf".*[\"']{re.escape(ruling)}")), 1)
        section, _, name = ruling.partition(".")
        return next(iter(self._lines(rf"\[+\s*{section}\.{name}\b") + self._lines(rf"\[\s*{section}\s*\]")), 1)

    def _lines(self, pattern: str) -> list[int]:
        lines = self.text.splitlines()
        return [number for number, line in enumerate(lines, 1) if re.match(rf"\s*{pattern}", line)]
