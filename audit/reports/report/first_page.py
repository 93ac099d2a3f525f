"""The first page: every check in plain words, what else is significant, and six questions with their answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audit.audits.audit import Audit
from audit.checks.finding import OUTCOMES, Finding
from audit.core.clean_text import clean
from audit.core.sentences import listing
from audit.reports.html.badges import BADGES
from audit.reports.html.verdicts import Verdict, of_cell
from audit.reports.html.wording import group_name
from audit.reports.report.also_significant import Also, also_significant
from audit.reports.report.plain_words import how_much, how_sure, in_words
from audit.reports.report.sign_off import SignOffs
from audit.reports.report.six_questions import Answer, Recommended, six_questions
from audit.stats.verdict import Outcome

MEANINGS: Final[dict[Outcome, str]] = {
    "shown": "beyond the margin",
    "not_shown": "within it",
    "inconclusive": "across it: not a pass",
    "not_evaluable": "the data cannot answer",
}
"""What each outcome means, in a few words."""
_END: Final = re.compile(r"(?<=[.!?]) (?=[A-Z0-9])")


@dataclass(frozen=True)
class Line:
    """One check on the first page: whom it is about, how much and how sure in sentences, and its place in Results."""

    verdict: Verdict
    place: str
    about: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class FirstPage:
    """The content of the first page; ``overview`` has the meaning of each outcome that occurs, and its checks."""

    lead: str
    adjusted: str
    overview: tuple[tuple[Outcome, str, tuple[Line, ...]], ...]
    lines: tuple[Line, ...]
    also: tuple[Also, ...]
    questions: tuple[Answer, ...]


def first_page(
    audit: Audit,
    found: Sequence[Verdict],
    signed: SignOffs | None = None,
    on_page: Sequence[str] = (),
    recommended: Sequence[Recommended] = (),
) -> FirstPage:
    """The first page of an audit with the given findings.

    Parameters
    ----------
    audit : Audit
        The audit.
    found : sequence of Verdict
        Its findings for display.
    signed : SignOffs, optional
        The sign-offs in its folder; by default none.
    on_page : sequence of str
        The names of the tables on the page.
    recommended : sequence of Recommended
        The recommendations that follow from the findings.
    """
    lines = tuple(_line(verdict, f"check-{place}") for place, verdict in enumerate(found, 1))
    return FirstPage(
        lead=lead([verdict.finding.outcome for verdict in found]),
        adjusted=_adjusted(audit),
        overview=tuple(
            (outcome, MEANINGS[outcome], of)
            for outcome in OUTCOMES
            if (of := tuple(line for line in lines if line.verdict.finding.outcome == outcome))
        ),
        lines=lines,
        also=also_significant(audit, on_page),
        questions=six_questions(audit, signed or SignOffs(), recommended),
    )


def lead(outcomes: Sequence[Outcome]) -> str:
    """How many harms were found, ruled out, and neither, in one sentence.

    Examples
    --------
    >>> lead(["shown", "shown", "not_shown", "inconclusive", "inconclusive"])
    'Two of five harms were found, one was ruled out within its margin, and two could not be decided.'
    >>> lead(["not_shown", "not_evaluable"])
    'None of two harms was found: one was ruled out within its margin, and one could not be examined with these data.'
    >>> lead(["shown"]), lead([])
    ('The one harm that was looked for was found.', 'No check was made.')
    """
    if not outcomes:
        return "No check was made."
    of = {outcome: outcomes.count(outcome) for outcome in OUTCOMES}
    parts = [
        f"{in_words(number)} {words[number > 1]}" for outcome, words in _NOT_FOUND.items() if (number := of[outcome])
    ]
    if len(outcomes) == 1:
        said = "was found" if of["shown"] else parts[0].removeprefix("one ")
        return f"The one harm that was looked for {said}."
    found, total = of["shown"], in_words(len(outcomes))
    if found == len(outcomes):
        return f"All {total} harms were found."
    joined = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])}, and {parts[-1]}"
    if not found:
        return f"None of {total} harms was found: {joined}."
    start = f"{in_words(found)} of {total} harms {'was' if found == 1 else 'were'} found"
    return f"{start[:1].upper()}{start[1:]}{' and ' if len(parts) == 1 else ', '}{joined}."


_NOT_FOUND: Final[dict[Outcome, tuple[str, str]]] = {
    "not_shown": ("was ruled out within its margin", "were ruled out within their margins"),
    "inconclusive": ("could not be decided", "could not be decided"),
    "not_evaluable": ("could not be examined with these data", "could not be examined with these data"),
}
"""The words for one harm and for several, by outcome."""


def first_sentence(sentences: str) -> str:
    """The first of several sentences.

    Examples
    --------
    >>> first_sentence("Of 3 speakers, 0.5 are. In another language none.")
    'Of 3 speakers, 0.5 are.'
    """
    return _END.split(sentences, maxsplit=1)[0]


def _line(verdict: Verdict, place: str) -> Line:
    finding, about = verdict.finding, verdict.about
    if finding.by_group:
        named = [
            f"{BADGES[outcome].name} for {listing(list(map(group_name, groups)))}"
            for outcome in OUTCOMES
            if (groups := finding.groups_with(outcome))
        ]
        about = "; ".join(named)
    sentences = [how_much(finding), how_sure(finding)]
    if sentences[0] and not finding.by_group:
        about = ""  # the sentence names whom it is about
    if finding.outcome == "not_evaluable" or not sentences[0]:
        sentences.append(first_sentence(verdict.reason))
    sentences.append(_where_groups_meet(finding))
    about = "; ".join(filter(None, (about, finding.scope)))
    return Line(verdict, place, about[:1].upper() + about[1:], tuple(filter(None, sentences)))


def _where_groups_meet(finding: Finding) -> str:
    """The worst intersection, with the label of its figure if that is not the headline's; empty without one."""
    if finding.worst_cell is None or finding.worst_cell.figure.value is None:
        return ""
    figure = finding.worst_cell.figure
    same = finding.estimate is not None and finding.estimate.name == figure.name
    label = "" if same else f" ({clean(figure.label or figure.name)})"
    return f"Worst where groups meet: {of_cell(figure)}{label}."


def _adjusted(audit: Audit) -> str:
    """Whether shown findings remain shown after Holm adjustment over all checks."""
    confidence = audit.settings.get("confidence")
    shown = [finding for finding in audit.findings if finding.outcome == "shown"]
    if not isinstance(confidence, float) or not shown or any(finding.p_adjusted is None for finding in shown):
        return ""
    beyond = [f.code for f in shown if f.p_adjusted is not None and f.p_adjusted > 1 - confidence + 1e-9]
    if not beyond:
        return "All shown findings remain shown after adjustment for the number of checks (Holm)."
    return f"Of these, not shown after adjustment for the number of checks (Holm): {', '.join(beyond)}."
