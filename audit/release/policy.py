"""The policy of a release: TOML, every key typed, unknown keys refused."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from audit.checks import Check, Judged, chosen
from audit.core.errors import did_you_mean
from audit.core.typed_toml import parse_toml, read_text
from audit.core.units import unit_of
from audit.core.vocabulary import LABEL_SOURCES, RACES, UNKNOWN, group_members, is_language

Side = Literal["at_most", "at_least", "within"]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]

DEFAULT: Final = "release/policies/default.toml"
REQUIREMENTS: Final = ("instrument", "data")
"""What the rulings on the policy's own sections are called; no rule may be."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Section):
    """What a figure must be shown to be.

    Attributes
    ----------
    id : str
        Its name in every output; waivers name it.
    check : str
        The check's code.
    kind : {"absolute", "non_inferiority"}
        Whether the figure itself is held against ``limit``, or its change from the baseline run against ``margin``.
    figure : str or None
        One of the finding's estimates; the headline if left out. For each group: the name after ``group.``.
    groups : "all", tuple of str or None
        For which groups; every known group of the run, or those named. Left out, the figure as it stands, and every
        known group where the headline is one group's among several.
    side : {"at_most", "at_least", "within"} or None
        On which side of the limit the whole interval must lie; ``within``: between minus the limit and the limit. Left
        out, the side that the check declares for the figure: ``within`` where a difference in either direction is harm,
        else the side away from harm. For a change from the baseline it is the side away from harm. Required where a
        figure is named that the check does not judge.
    limit : float or None
        In the figure's unit: in [0, 1] for shares and cosines.
    margin : float or None
        How much worse than the baseline still counts as not worse, in the unit of the check's figure.
    min_speakers : int
        A figure of fewer speakers passes nothing.
    alpha : float
        The chance, at most, that the rule passes a model whose true figure lies beyond the limit. The interval is the
        two-sided one with confidence ``1 - 2 alpha``: at 0.025 that of the report.
    """

    id: Id
    check: str
    kind: Literal["absolute", "non_inferiority"] = "absolute"
    figure: Words | None = None
    groups: Literal["all"] | tuple[str, ...] | None = None
    side: Side | None = None
    limit: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    margin: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    min_speakers: int = Field(default=10, ge=2)
    alpha: float = Field(default=0.025, ge=0.001, le=0.1)

    @field_validator("groups")
    @classmethod
    def _known_groups(cls, groups: tuple[str, ...] | str | None) -> tuple[str, ...] | str | None:
        if isinstance(groups, tuple):
            if not groups:
                raise ValueError('name a group, or say "all"')
            for group in groups:
                _checked_group(group)
        return groups

    @model_validator(mode="after")
    def _whole(self) -> Rule:
        if self.id.split(".")[0] in REQUIREMENTS:
            raise ValueError(f"the id {self.id!r} begins as the policy's own sections do; choose another")
        if self.kind == "absolute" and (self.limit is None or self.margin is not None):
            raise ValueError(f"rule {self.id!r} is absolute: it needs a limit and takes no margin")
        if self.kind == "non_inferiority" and (self.margin is None or self.limit is not None or self.figure):
            raise ValueError(
                f"rule {self.id!r} is of non-inferiority: it needs a margin, and takes neither limit nor figure"
            )
        return self

    @property
    def confidence(self) -> float:
        """Of the two-sided interval whose one end is wrong with probability ``alpha``."""
        return round(1 - 2 * self.alpha, 12)


@dataclass(frozen=True)
class ResolvedRule:
    """A rule with what its check declares: which side of which bound the interval must lie on.

    Attributes
    ----------
    rule : Rule
        The rule of the policy.
    check : Check
        Its check.
    judged : Judged
        The declaration of the figure that the rule is about: the one it names, else the headline.
    side : {"at_most", "at_least", "within"}
        The side, stated or from the declaration.
    bound : float
        Where the side ends, in the figure's unit.
    """

    rule: Rule
    check: Check
    judged: Judged
    side: Side
    bound: float

    @classmethod
    def of(cls, rule: Rule, check: Check, headline: str = "") -> ResolvedRule:
        """The rule, joined with its check.

        Parameters
        ----------
        rule : Rule
            The rule.
        check : Check
            Its check.
        headline : str
            The judged figure that a rule without ``figure`` is about; the check's first one if empty.

        Raises
        ------
        ValueError
            If the limit or margin is out of the unit's range, or a figure is named that is not judged and has no side.
        """
        declared = {item.name: item for item in check.judged}
        judged = declared.get(rule.figure or headline, check.judged[0])
        away: Side = "at_most" if judged.harm == "high" else "at_least"
        if rule.figure and rule.figure not in declared:
            if rule.side is None:
                raise ValueError(
                    f"rule {rule.id!r} names a figure, so it must say its side: at_most, at_least or within"
                )
        else:
            largest, what = unit_of(judged.unit).largest, "limit" if rule.margin is None else "margin"
            given = rule.limit if rule.margin is None else rule.margin
            if given is not None and given > largest:
                raise ValueError(f"the {what} of rule {rule.id!r} is {given:g}; it lies in [0, {largest:g}]")
        if rule.margin is not None:
            side = rule.side or away
            return cls(rule, check, judged, side, -rule.margin if side == "at_least" else rule.margin)
        assert rule.limit is not None
        side = rule.side or ("within" if judged.two_sided else away)
        # a figure whose low end is harm is a difference: it must not fall below minus the limit
        return cls(rule, check, judged, side, -rule.limit if side == "at_least" and rule.side is None else rule.limit)


class InstrumentTerms(_Section):
    """What the instrument must be, for its readings to count.

    Attributes
    ----------
    allowed : tuple of str
        Names of instruments; any if left out.
    min_recall : float or None
        How often portraits must be read as their own group, in each group: the lower end of the interval, so that an
        instrument of which too few portraits are known is not taken for valid.
    groups : tuple of str or None
        In which groups; in every known one of the run if left out.
    """

    allowed: tuple[str, ...] = ()
    min_recall: float | None = Field(default=None, ge=0, le=1)
    groups: tuple[str, ...] | None = Field(default=None, min_length=1)

    @field_validator("groups")
    @classmethod
    def _known_groups(cls, groups: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for group in groups or ():
            _checked_group(group)
        return groups


class Stratum(_Section):
    """Speakers of a group that must have been heard in a language."""

    group: str
    language: str
    speakers: int = Field(default=1, ge=1)

    @field_validator("group")
    @classmethod
    def _known_group(cls, group: str) -> str:
        return _checked_group(group)

    @field_validator("language")
    @classmethod
    def _a_language(cls, language: str) -> str:
        if not is_language(language):
            raise ValueError("a language is a BCP-47 code such as en or zh-TW")
        return language


class DataTerms(_Section):
    """What the run's data must be. That the run is complete is always required; no key turns that off.

    Attributes
    ----------
    strata : tuple of Stratum
        Who must have been heard.
    label_sources : dict
        By ``group``, ``gender`` and ``language``: the sources from which all of these labels may come.
    max_missing : float or None
        The share of clips without a result that is allowed, in each known group.
    """

    strata: tuple[Stratum, ...] = ()
    label_sources: dict[Literal["group", "gender", "language"], tuple[str, ...]] = Field(default_factory=dict)
    max_missing: float | None = Field(default=None, ge=0, le=1)

    @field_validator("label_sources")
    @classmethod
    def _known_sources(cls, allowed: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for source in {name for names in allowed.values() for name in names}:
            if source not in LABEL_SOURCES:
                hint = did_you_mean(source, LABEL_SOURCES, ", {}")
                raise ValueError(f"there is no source {source!r}{hint}; they are {', '.join(LABEL_SOURCES)}")
        return allowed


class Waiver(_Section):
    """Somebody takes it upon themselves that a rule need not hold, through a day.

    Attributes
    ----------
    rule : str
        The rule's id.
    name, reason : str
        Who, and why.
    expires : date
        The last day on which it counts.
    """

    rule: str
    name: Words
    reason: Words
    expires: dt.date


class Terms(_Section):
    """All keys of a policy file.

    ``checks`` names third-party checks that rules are about, as in a plan: ``module:name`` or an entry point. The gate
    runs their code.
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
                raise ValueError(f"a waiver names the rule {waiver.rule!r}, which is not there{hint}")
        known = {check.code: check for check in chosen(self.checks)}
        for rule in self.rule:
            if rule.check not in known:
                hint = did_you_mean(rule.check, known, ", {}")
                raise ValueError(
                    f"rule {rule.id!r}: there is no such check{hint}; the checks are {', '.join(known)}. A third-party "
                    "check is named in the policy's key `checks`"
                )
            ResolvedRule.of(rule, known[rule.check])
        return self


@dataclass(frozen=True)
class Policy:
    r"""A policy as it was read.

    Attributes
    ----------
    terms : Terms
        What it says.
    text : str
        The text that says it, whose digest stands in every output.
    source : str
        The file's path, or what to call it.

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
        """The policy that a TOML text holds.

        Raises
        ------
        PlanError
            If it is no TOML, or a key or value is not allowed; a near miss is named.
        """
        return cls(parse_toml(Terms, text, source, "docs/gate.md"), text, source)

    @classmethod
    def read(cls, path: str | Path) -> Policy:
        """The policy in a file.

        Raises
        ------
        PlanError
            If the file cannot be read or is no policy.
        """
        path = Path(path)
        here = path.resolve()
        beside = here.relative_to(Path.cwd()) if here.is_relative_to(Path.cwd()) else path
        return cls.parse(read_text(path, "policy"), beside.as_posix())

    @classmethod
    def default(cls) -> Policy:
        """The policy that ships."""
        return cls.parse(files("audit").joinpath(DEFAULT).read_text(encoding="utf-8"), f"audit/{DEFAULT}")

    @cached_property
    def sha256(self) -> str:
        """Digest of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """The checks that ship, and the third-party ones that the policy names."""
        return chosen(self.terms.checks)

    @cached_property
    def rules(self) -> tuple[ResolvedRule, ...]:
        """Every rule with what its check declares."""
        known = {check.code: check for check in self.checks}
        return tuple(ResolvedRule.of(rule, known[rule.check]) for rule in self.terms.rule)

    @property
    def confidence(self) -> float:
        """The largest confidence that a rule asks for."""
        return max(rule.confidence for rule in self.terms.rule)

    def line(self, ruling: str) -> int:
        """The line, from 1, at which a rule or one of the policy's own sections begins; 1 where it has none."""
        ids = [rule.id for rule in self.terms.rule]
        if ruling in ids:
            headers = self._headers(r"\[\[\s*rule\s*\]\]")
            # written some other way, such as an array in one line, the rules are looked for by name
            found = headers if len(headers) == len(ids) else []
            return found[ids.index(ruling)] if found else next(iter(self._headers(rf".*[\"']{re.escape(ruling)}")), 1)
        section, _, name = ruling.partition(".")
        return next(iter([*self._headers(rf"\[+\s*{section}\.{name}\b"), *self._headers(rf"\[\s*{section}\s*\]")]), 1)

    def _headers(self, pattern: str) -> list[int]:
        lines = self.text.splitlines()
        return [number for number, line in enumerate(lines, 1) if re.match(rf"\s*{pattern}", line)]


def _checked_group(group: str) -> str:
    try:
        known = bool(group_members(group))
    except ValueError:
        known = False
    if not known:
        hint = did_you_mean(group, RACES, ", {}")
        raise ValueError(f"there is no group {group!r}{hint}; {UNKNOWN} is never judged")
    return group
