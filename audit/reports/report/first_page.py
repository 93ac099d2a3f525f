"""The first page: what was found, for whom, how sure, what is not known, and who decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from audit.audits.audit import Audit
from audit.checks.finding import OUTCOMES
from audit.core.sentences import listing
from audit.core.units import write_interval, write_value
from audit.core.vocabulary import LABEL_SOURCES, UNKNOWN
from audit.reports.html.badges import BADGES
from audit.reports.html.records import (
    MetricDefinitions,
    Record,
    count,
    disparities,
    number,
    records,
    text,
    values,
    where,
)
from audit.reports.html.verdicts import Verdict, tally
from audit.reports.html.wording import counted, group_name, order_groups

NAMED_CHECK: Final = "S2F001"
"""The failure that the audit is named for stands first."""
MOST: Final = 6
"""Groups, or checks that cannot be told, which a line of the first page names; the rest is counted."""
WEAK_SOURCES: Final = ("inferred", "assumed")
_END: Final = re.compile(r"(?<=[.!?]) (?=[A-Z0-9])")


@dataclass(frozen=True)
class Line:
    """One check on the first page; ``place`` is that of its article in the results, from 1."""

    place: int
    verdict: Verdict
    whom: str
    short: str


@dataclass(frozen=True)
class FirstPage:
    """What the first page says beside the names of who decides; ``unknown`` holds a term and its sentences."""

    lead: str
    together: str
    lines: tuple[Line, ...]
    unknown: tuple[tuple[str, tuple[str, ...]], ...]


def first_page(audit: Audit, found: Sequence[Verdict]) -> FirstPage:
    """The first page of an audit, whose findings are given as they are shown."""
    heard = ", ".join(f"{number} {BADGES[outcome].name}" for outcome, number in tally(found))
    lines = [_line(place, verdict) for place, verdict in enumerate(found, 1)]
    return FirstPage(
        lead=f"Of {counted(len(found), 'check')}: {heard or 'none made'}.",
        together=_together(audit),
        lines=tuple(sorted(lines, key=lambda line: line.verdict.code != NAMED_CHECK)),
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


def _line(place: int, verdict: Verdict) -> Line:
    whom = verdict.about
    if verdict.by_group:
        alike = [
            (outcome, [group_name(group) for group, found in verdict.by_group.items() if found == outcome])
            for outcome in OUTCOMES
        ]
        named = [f"{BADGES[outcome].name} for {listing(groups)}" for outcome, groups in alike if groups]
        whom = "; ".join(named)
        whom = whom[:1].upper() + whom[1:]
    whom = "; ".join(filter(None, (whom, verdict.scope)))
    return Line(place, verdict, whom, first_sentence(verdict.sentence))


def _together(audit: Audit) -> str:
    """Whether what is shown holds for all checks together, by the p-values that the audit adjusted."""
    confidence = audit.settings.get("confidence")
    shown = [finding for finding in audit.findings if finding.outcome == "shown"]
    if not isinstance(confidence, float) or not shown or any(finding.p_adjusted is None for finding in shown):
        return ""
    beyond = [f.code for f in shown if f.p_adjusted is not None and f.p_adjusted > 1 - confidence + 1e-9]
    if not beyond:
        return "What is shown also holds for all checks together (Holm)."
    return f"Of what is shown, {', '.join(beyond)} would not hold for all checks together (Holm)."


def _undecided(found: Sequence[Verdict]) -> tuple[str, ...]:
    """The checks that were not answered, and why or what would answer them."""
    lines = [
        f"{verdict.code} ({BADGES[verdict.outcome].name}): "
        + first_sentence(verdict.would_change if verdict.outcome == "inconclusive" else verdict.reason)
        for verdict in found
        if verdict.outcome in OUTCOMES[2:]
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
        return "Its error on this cohort is not known: there are no portraits that it could read."
    able = any(number(row, "value") is not None for row in rows if text(row, "group") != "all")
    listed = _by_group(rows, MetricDefinitions.of(audit).unit("read_own_group"), lambda value: value)
    error = f"it reads the own group in {listed}" if able else f"its error is {listed}"
    said = f"On this cohort\u2019s portraits {error}."
    return said if "human_readings" in audit.tables else f"{said} On rendered faces its error is not known."


def _by_group(rows: Sequence[Record], unit: str, worst: Callable[[float], float]) -> str:
    """A figure of every group with its interval, of many those that come first by ``worst``; then who has none."""
    rows = [row for row in rows if text(row, "group") != "all"]
    able = [row for row in rows if number(row, "value") is not None]
    kept = sorted(able, key=lambda row: (worst(number(row, "value") or 0.0), text(row, "group")))[:MOST]
    parts = []
    for group in values(kept, "group", order_groups):
        row = where(kept, group=group)[0]
        interval = write_interval(number(row, "low"), number(row, "high"), unit)
        parts.append(f"{group_name(group)} {write_value(number(row, 'value') or 0.0, unit)} {interval}")
    said = [_few(parts, len(able))] if parts else []
    if without := values([row for row in rows if number(row, "value") is None], "group", order_groups):
        named = _few([group_name(group) for group in without[:MOST]], len(without))
        said.append(f"not estimable for {named}")
    return "; ".join(said)


def _few(named: Sequence[str], number_: int) -> str:
    """A list of some of so many."""
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
    said = [
        f"Nobody stated these, they were inferred or assumed: {named(weak)}."
        if weak
        else f"None was inferred or assumed: {named(rows)}."
    ]
    # the row of one figure over all languages counts each speaker once
    for row in where(disparities(audit), metric="no_face", stage="rendered", language="all", group=UNKNOWN)[:1]:
        unknown = count(row, "n_speakers")
        if unknown is None:
            said.append("Speakers of unknown group, never judged right or wrong; how many is withheld.")
        elif unknown:
            said.append(f"{counted(unknown, 'speaker')} of unknown group, never judged right or wrong.")
    return tuple(said)
