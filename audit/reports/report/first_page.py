"""The first page: findings by group with uncertainty, what is not known, and who decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from audit.audits.audit import Audit
from audit.checks.finding import OUTCOMES
from audit.core.sentences import listing
from audit.core.vocabulary import LABEL_SOURCES, UNKNOWN
from audit.reports.html.badges import BADGES
from audit.reports.html.records import (
    MetricDefinitions,
    Record,
    Value,
    count,
    disparities,
    number,
    records,
    split,
    text,
    values,
    where,
)
from audit.reports.html.verdicts import Verdict, tally
from audit.reports.html.wording import counted, group_name

MOST: Final = 6
"""Groups, or undecided checks, that the first page names; the rest is counted."""
WEAK_SOURCES: Final = ("inferred", "assumed")
_END: Final = re.compile(r"(?<=[.!?]) (?=[A-Z0-9])")


@dataclass(frozen=True)
class Line:
    """One check on the first page."""

    verdict: Verdict
    about: str
    short: str


@dataclass(frozen=True)
class FirstPage:
    """The content of the first page; ``unknown`` has terms with their sentences."""

    lead: str
    adjusted: str
    lines: tuple[Line, ...]
    unknown: tuple[tuple[str, tuple[str, ...]], ...]


def first_page(audit: Audit, found: Sequence[Verdict]) -> FirstPage:
    """The first page of an audit with the given findings."""
    return FirstPage(
        lead=f"Of {counted(len(found), 'check')}: {tally(found) or 'none made'}.",
        adjusted=_adjusted(audit),
        lines=tuple(map(_line, found)),
        unknown=(
            ("Not answered", _undecided(found)),
            ("Missing faces", (_missing(audit),)),
            ("Labels", _labels(audit)),
            ("Instrument", (_instrument(audit),)),
        ),
    )


def first_sentence(sentences: str) -> str:
    """The first of several sentences.

    Examples
    --------
    >>> first_sentence("Of 3 speakers, 0.5 are. In another language none.")
    'Of 3 speakers, 0.5 are.'
    """
    return _END.split(sentences, maxsplit=1)[0]


def _line(verdict: Verdict) -> Line:
    finding, about = verdict.finding, verdict.about
    if finding.by_group:
        named = [
            f"{BADGES[outcome].name} for {listing(list(map(group_name, groups)))}"
            for outcome in OUTCOMES
            if (groups := [group for group, found in finding.by_group.items() if found == outcome])
        ]
        about = "; ".join(named)
        about = about[:1].upper() + about[1:]
    return Line(verdict, "; ".join(filter(None, (about, finding.scope))), first_sentence(finding.sentence))


def _adjusted(audit: Audit) -> str:
    """Whether shown findings remain shown after Holm adjustment over all checks."""
    confidence = audit.settings.get("confidence")
    shown = [finding for finding in audit.findings if finding.outcome == "shown"]
    if not isinstance(confidence, float) or not shown or any(finding.p_adjusted is None for finding in shown):
        return ""
    beyond = [f.code for f in shown if f.p_adjusted is not None and f.p_adjusted > 1 - confidence + 1e-9]
    if not beyond:
        return "All shown findings remain shown after adjustment for the number of checks (Holm)."
    return f"Not shown after adjustment for the number of checks (Holm): {', '.join(beyond)}."


def _undecided(found: Sequence[Verdict]) -> tuple[str, ...]:
    """The checks without an answer, each with the reason or what would answer it."""
    lines = [
        f"{verdict.finding.code}{f' {verdict.by}' if verdict.by else ''} ({BADGES[verdict.finding.outcome].name}): "
        + first_sentence(verdict.would_change if verdict.finding.outcome == "inconclusive" else verdict.reason)
        for verdict in found
        if verdict.finding.outcome in OUTCOMES[2:]
    ]
    if len(lines) > MOST:
        lines = [*lines[: MOST - 1], f"And {len(lines) - MOST + 1} more under Results."]
    return tuple(lines) or ("Every check could be judged.",)


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


def _few(named: Sequence[str], number_: int) -> str:
    """A list of the first of ``number_`` items, with the number of the others."""
    listed = ", ".join(named)
    return f"{listed}, and {number_ - len(named)} more in the tables" if number_ > len(named) else listed


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
