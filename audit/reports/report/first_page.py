"""The first page: what was found, for whom, how sure, what is not known, and who decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from audit.audits.audit import Audit
from audit.checks.finding import OUTCOMES
from audit.core.units import write_interval, write_value
from audit.core.vocabulary import LABEL_SOURCES, UNKNOWN
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
from audit.reports.html.texts import fill, texts
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
    words = texts()["summary"]
    heard = ", ".join(f"{number} {texts()['outcomes'][outcome]['name']}" for outcome, number in tally(found))
    lines = [_line(place, verdict, words) for place, verdict in enumerate(found, 1)]
    return FirstPage(
        lead=fill(words["lead"], checks=counted(len(found), "check"), tally=heard or words["nothing"]),
        together=_together(audit, words),
        lines=tuple(sorted(lines, key=lambda line: line.verdict.code != NAMED_CHECK)),
        unknown=(
            (words["undecided"], _undecided(found, words)),
            (words["missing"], (_missing(audit, words),)),
            (words["labels"], _labels(audit, words)),
            (words["instrument"], (_instrument(audit, words),)),
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


def _line(place: int, verdict: Verdict, words: Mapping[str, Any]) -> Line:
    heard = words["heard"].get(verdict.code)
    # the outcome of every group stands in the reason, as the check wrote it
    lead = words["by_group"]
    each = [part.removeprefix(lead) for part in _END.split(verdict.reason) if part.startswith(lead)]
    whom = verdict.about
    if each:
        told = each[0].removesuffix(".")
        whom = told[:1].upper() + told[1:]
    return Line(place, verdict, "; ".join([whom, *([heard] if heard else [])]), first_sentence(verdict.sentence))


def _together(audit: Audit, words: Mapping[str, Any]) -> str:
    """Whether what is shown holds for all checks together, by the p-values that the audit adjusted."""
    confidence = audit.settings.get("confidence")
    shown = [finding for finding in audit.findings if finding.outcome == "shown"]
    if not isinstance(confidence, float) or not shown or any(finding.p_adjusted is None for finding in shown):
        return ""
    beyond = [f.code for f in shown if f.p_adjusted is not None and f.p_adjusted > 1 - confidence + 1e-9]
    return fill(words["together_some"], codes=", ".join(beyond)) if beyond else str(words["together_all"])


def _undecided(found: Sequence[Verdict], words: Mapping[str, Any]) -> tuple[str, ...]:
    """The checks that were not answered, and why or what would answer them."""
    lines = [
        fill(
            words["undecided_check"],
            code=verdict.code,
            outcome=texts()["outcomes"][verdict.outcome]["name"],
            why=first_sentence(verdict.would_change if verdict.outcome == "inconclusive" else verdict.reason),
        )
        for verdict in found
        if verdict.outcome in OUTCOMES[2:]
    ]
    if len(lines) > MOST:
        lines = [*lines[: MOST - 1], fill(words["undecided_more"], number=len(lines) - MOST + 1)]
    return tuple(lines) or (words["undecided_none"],)


def _missing(audit: Audit, words: Mapping[str, Any]) -> str:
    rows = where(disparities(audit), metric="no_face", stage="rendered", language="all")
    listed = _by_group(rows, MetricDefinitions.of(audit).unit("no_face"), words, lambda value: -value)
    return fill(words["missing_of"], listed=listed) if listed else str(words["missing_unknown"])


def _instrument(audit: Audit, words: Mapping[str, Any]) -> str:
    rows = where(disparities(audit), metric="read_own_group", stage="portrait", language="all")
    if all(count(row, "n_speakers") == 0 for row in rows):
        return str(words["instrument_unknown"])
    able = any(number(row, "value") is not None for row in rows if text(row, "group") != "all")
    listed = _by_group(rows, MetricDefinitions.of(audit).unit("read_own_group"), words, lambda value: value)
    said = fill(words["instrument_of" if able else "instrument_none"], listed=listed)
    return said if "human_readings" in audit.tables else f"{said} {words['instrument_rendered']}"


def _by_group(rows: Sequence[Record], unit: str, words: Mapping[str, Any], worst: Callable[[float], float]) -> str:
    """A figure of every group with its interval, of many those that come first by ``worst``; then who has none."""
    rows = [row for row in rows if text(row, "group") != "all"]
    able = [row for row in rows if number(row, "value") is not None]
    kept = sorted(able, key=lambda row: (worst(number(row, "value") or 0.0), text(row, "group")))[:MOST]
    parts = []
    for group in values(kept, "group", order_groups):
        row = where(kept, group=group)[0]
        interval = write_interval(number(row, "low"), number(row, "high"), unit)
        parts.append(f"{group_name(group)} {write_value(number(row, 'value') or 0.0, unit)} {interval}")
    said = [_few(parts, len(able), words)] if parts else []
    if without := values([row for row in rows if number(row, "value") is None], "group", order_groups):
        named = _few([group_name(group) for group in without[:MOST]], len(without), words)
        said.append(fill(words["without_value"], groups=named))
    return "; ".join(said)


def _few(named: Sequence[str], number_: int, words: Mapping[str, Any]) -> str:
    """A list of some of so many."""
    listed = ", ".join(named)
    return fill(words["more"], listed=listed, number=number_ - len(named)) if number_ > len(named) else listed


def _labels(audit: Audit, words: Mapping[str, Any]) -> tuple[str, ...]:
    rows = records(audit, "label_sources")
    if not rows:
        return (words["labels_unknown"],)

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
            fill(words["label"], field=field, source=" or ".join(dict.fromkeys(sources)).replace("_", " "))
            for field, sources in by_field.items()
        )

    weak = [row for row in rows if text(row, "source") in WEAK_SOURCES]
    said = [fill(words["labels_weak"], listed=named(weak)) if weak else fill(words["labels_sound"], listed=named(rows))]
    # the row of one figure over all languages counts each speaker once
    for row in where(disparities(audit), metric="no_face", stage="rendered", language="all", group=UNKNOWN)[:1]:
        unknown = count(row, "n_speakers")
        if unknown is None:
            said.append(words["unlabelled_withheld"])
        elif unknown:
            said.append(fill(words["unlabelled"], speakers=counted(unknown, "speaker")))
    return tuple(said)
