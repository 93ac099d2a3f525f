"""Six questions that every reader asks, each with a short answer and a link to the details."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from audit.audits.audit import Audit
from audit.checks.finding import Finding
from audit.checks.judging import largest
from audit.core.clean_text import clean
from audit.core.grouping import GROUP
from audit.core.language_names import language_name
from audit.core.sentences import listing
from audit.core.units import write_value
from audit.core.vocabulary import LABEL_SOURCES, RACES, UNKNOWN, group_members
from audit.reports.html import identity
from audit.reports.html.records import (
    MetricDefinitions,
    Record,
    Value,
    count,
    disparities,
    mapping,
    number,
    records,
    split,
    text,
    values,
    where,
)
from audit.reports.html.wording import counted, group_name, order_groups, sizes, write_confidence
from audit.reports.report.plain_words import who
from audit.reports.report.sign_off import SignOffs

MOST: Final = 6
"""Groups or checks that an answer names; the rest is counted."""
MOST_ADVICE: Final = 3
"""Recommendations that the first page has, one for each check; the section has all."""
WEAK_SOURCES: Final = ("inferred", "assumed")
NOT_STATED: Final = "not stated"
PACKAGE: Final = "speech2face-audit"


@dataclass(frozen=True)
class Answer:
    """A question, its answer in sentences, and the section with the details: its id and the words of the link."""

    question: str
    sentences: tuple[str, ...]
    place: str
    link: str


class Recommended(Protocol):
    """A recommendation that follows from a finding."""

    @property
    def code(self) -> str:
        """The check's code."""
        ...

    @property
    def text(self) -> str:
        """What would help, in one sentence."""
        ...

    @property
    def strength(self) -> str:
        """The strength of the evidence."""
        ...


def six_questions(audit: Audit, signed: SignOffs, recommended: Sequence[Recommended] = ()) -> tuple[Answer, ...]:
    """The answers, from the audit, its sign-offs and the recommendations."""
    doubt = ("method", "Method and standards")
    if records(audit, "sensitivity"):
        doubt = ("sensitivity", "How wrong would this have to be?")
    advice = ("recommendations", "Recommendations") if recommended else ("sign_off", "Sign-off")
    return (
        Answer("Who is harmed?", who_is_harmed(audit), "results", "Results by check"),
        Answer("How sure is it?", how_sure(audit), *doubt),
        Answer("Is it the classifier?", is_it_the_classifier(audit), "instrument", "The instrument and its error"),
        Answer("What was not looked at?", not_looked_at(audit), "cohort", "Data and labels"),
        Answer("Who says so?", who_says_so(audit, signed), "front_matter", "Front matter"),
        Answer("What should happen?", what_should_happen(audit, recommended), *advice),
    )


def who_is_harmed(audit: Audit) -> tuple[str, ...]:
    """The groups for which a check is shown, with its code, and the worst intersection among these checks."""
    shown = [finding for finding in audit.findings if finding.outcome == "shown"]
    of_group: dict[str, list[str]] = {}
    for finding in shown:
        for group in finding.groups_with("shown") or [finding.group]:
            of_group.setdefault(group, []).append(_code(finding))
    if not shown:
        undecided = sum(finding.outcome in ("inconclusive", "not_evaluable") for finding in audit.findings)
        more = f" {counted(undecided, 'check')} could not be decided, which is not a pass." if undecided else ""
        return (f"No harm was found for any group.{more}",)
    named = [
        f"{'all groups together' if group == 'all' else group_name(group)} ({', '.join(of_group[group])})"
        for group in order_groups(of_group)
    ]
    sentences = [f"Found for {_few(named[:MOST], len(named), '; ', 'under Results')}."]
    cells = {_code(found): found.worst_cell.figure for found in shown if found.worst_cell is not None}
    able = {code: figure for code, figure in cells.items() if figure.value is not None}
    if able:
        worst = largest([*able.values()])
        code = next(code for code, figure in able.items() if figure is worst)
        size = write_value(worst.value or 0.0, worst.unit, worst.signed)
        sentences.append(f"Worst where groups meet: {who(worst)}, {size} ({code}).")
    return tuple(sentences)


def how_sure(audit: Audit) -> tuple[str, ...]:
    """What the intervals cover, and what they do not."""
    speakers, _ = sizes(audit.run)
    return (
        f"Each range is a {write_confidence(audit.settings)} interval over {speakers}; adjusted p-values count all "
        "checks (Holm). Neither covers missing faces, wrong labels, or errors that the instrument makes in rendered "
        "faces only.",
    )


def is_it_the_classifier(audit: Audit) -> tuple[str, ...]:
    """What cancels between stages, and the instrument's error on this cohort's portraits."""
    return ("One instrument reads every stage, so that an error which all stages share cancels.", _instrument(audit))


def not_looked_at(audit: Audit) -> tuple[str, ...]:
    """The checks without an answer, the groups and languages of the cohort, missing faces, and weak labels."""
    return tuple(filter(None, (_undecided(audit), _covered(audit), _missing(audit), *_labels(audit))))


def who_says_so(audit: Audit, signed: SignOffs) -> tuple[str, ...]:
    """The auditor from the front matter, the tool and instrument with versions, and who signed."""
    stated, versions = audit.front_matter, mapping(audit.run.get("versions"))
    auditor, contact = (clean(value) or NOT_STATED for value in (stated.auditor, stated.contact))
    tool = f"{PACKAGE} {text(versions, PACKAGE)}".strip()
    instrument = identity.name_of(audit.run.get("instrument"), "the instrument")
    names = [f"{found.name}, {found.role}" for found in signed.counting]
    signers = f"Signed by {listing(names[:MOST])}." if names else "Nobody has signed it yet."
    return (f"Auditor: {auditor}; contact: {contact}. Measured by {tool}, read by {instrument}. {signers}",)


def what_should_happen(audit: Audit, recommended: Sequence[Recommended] = ()) -> tuple[str, ...]:
    """The recommendations; without any, what the outcomes ask of the person who decides."""
    decides = "A person decides on a release, not the audit."
    if recommended:
        first = {each.code: each for each in reversed(recommended)}
        shown = [each for each in recommended if first[each.code] is each][:MOST_ADVICE]
        listed = [f"{each.code}: {each.text} (evidence: {each.strength})" for each in shown]
        more = f" And {len(recommended) - len(shown)} more." if len(recommended) > len(shown) else ""
        return (decides, *listed[:-1], f"{listed[-1]}{more}")
    outcomes = {finding.outcome for finding in audit.findings}
    asked = [
        *(["what was found calls for another model, a limit on its use, or a stated reason to accept it"]
          if "shown" in outcomes else []),
        *(["what could not be decided calls for more data: it is not a pass"]
          if outcomes & {"inconclusive", "not_evaluable"} else []),
    ]  # fmt: skip
    sentence = "; ".join(asked) or "no harm beyond the margins was found in these data"
    return (f"{sentence[:1].upper()}{sentence[1:]}. {decides}",)


def _code(finding: Finding) -> str:
    """The code of a finding, with its grouping if it is not by group."""
    return finding.code if finding.grouping == GROUP.name else f"{finding.code} by {finding.grouping}"


def _undecided(audit: Audit) -> str:
    """The checks without an answer, by outcome."""
    parts = []
    for outcome, words in (("inconclusive", "Not decided"), ("not_evaluable", "Not evaluable")):
        codes = [_code(finding) for finding in audit.findings if finding.outcome == outcome]
        if codes:
            parts.append(f"{words}: {_few(codes[:MOST], len(codes), rest='under Results')}.")
    parts += ["What would settle each is under Results."] if parts else []
    return " ".join(parts) or "Every check could be judged."


def _covered(audit: Audit) -> str:
    """The race labels without any speaker, and the languages of the clips; empty where neither is known."""
    rows = records(audit, "strata") or disparities(audit)
    groups = [group for group in values(rows, "group") if group not in ("all", UNKNOWN)]
    members = {race for group in groups for race in group_members(group)}
    absent = [group_name(race) for race in RACES if race not in members] if members else []
    spoken = [language_name(code) for code in values(rows, "language") if code not in ("all", "", "und")]
    sentences = [f"No speakers of {listing(absent)}." if absent else ""]
    sentences.append(f"Languages: {_few(spoken[:MOST], len(spoken))}." if spoken else "")
    return " ".join(filter(None, sentences))


def _missing(audit: Audit) -> str:
    rows = where(disparities(audit), metric="no_face", stage="rendered", language="all")
    listed = _by_group(rows, MetricDefinitions.of(audit).unit("no_face"), lambda value: -value)
    if not listed:
        return "The audit does not say how many clips are without a face."
    return f"Clips without a usable rendered face: {listed}."


def _instrument(audit: Audit) -> str:
    rows = where(disparities(audit), metric="read_own_group", stage="portrait", language="all")
    if all(count(row, "n_speakers") == 0 for row in rows):
        return "Its error on this cohort is not known: it could read no portraits."
    able = any(number(row, "value") is not None for row in rows if text(row, "group") != "all")
    listed = _by_group(rows, MetricDefinitions.of(audit).unit("read_own_group"), lambda value: value)
    error = f"it reads the own group in {listed}" if able else f"its error is {listed}"
    sentence = f"On this cohort\u2019s portraits {error}."
    return sentence if "human_readings" in audit.tables else f"{sentence} On rendered faces its error is not known."


def _by_group(rows: Sequence[Record], unit: str, worst: Callable[[float], float]) -> str:
    """The figures of at most :data:`MOST` groups, the worst ones, with intervals; then the groups without a figure."""
    figures = {group: Value.of(of[0]) for of in split(rows, "group") if (group := text(of[0], "group")) != "all"}
    able = {group: found.value for group, found in figures.items() if found.value is not None}
    kept = sorted(able, key=lambda group: (worst(able[group]), group))[:MOST]
    parts = [f"{group_name(group)} {figures[group].words(unit)}" for group in figures if group in kept]
    listed = [_few(parts, len(able))] if parts else []
    if without := [group_name(group) for group in figures if group not in able]:
        listed.append(f"not estimable for {_few(without[:MOST], len(without))}")
    return "; ".join(listed)


def _few(named: Sequence[str], number_: int, between: str = ", ", rest: str = "in the tables") -> str:
    """A list of the first of ``number_`` items, with the number of the others."""
    listed = between.join(named)
    return f"{listed}, and {number_ - len(named)} more {rest}" if number_ > len(named) else listed


def _labels(audit: Audit) -> tuple[str, ...]:
    rows = records(audit, "label_sources")
    if not rows:
        return ("The audit does not say where the labels come from.",)

    def named(chosen: Sequence[Record]) -> str:
        by_field = {
            field: [
                source
                for source in (*LABEL_SOURCES, *values(chosen, "source"))
                if where(chosen, field=field, source=source)
            ]
            for field in dict.fromkeys(text(row, "field") for row in chosen)
        }
        return ", ".join(
            f"{field} {' or '.join(dict.fromkeys(sources)).replace('_', ' ')}" for field, sources in by_field.items()
        )

    weak = [row for row in rows if text(row, "source") in WEAK_SOURCES]
    sentences = [
        f"These labels were inferred or assumed, not stated by anyone: {named(weak)}."
        if weak
        else f"No label was inferred or assumed: {named(rows)}."
    ]
    # the row over all languages counts each speaker once
    for row in where(disparities(audit), metric="no_face", stage="rendered", language="all", group=UNKNOWN)[:1]:
        unknown = count(row, "n_speakers")
        if unknown is None:
            sentences.append("Speakers of unknown group are never judged right or wrong; their number is withheld.")
        elif unknown:
            sentences.append(f"{counted(unknown, 'speaker')} of unknown group, never judged right or wrong.")
    return tuple(sentences)
