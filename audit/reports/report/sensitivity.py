"""How wrong would this have to be: the tipping points of each finding, as sentences and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from audit.audits.audit import Audit
from audit.checks.finding import Finding
from audit.core.grouping import GROUP as BY_GROUP
from audit.core.units import write_value
from audit.reports.html.badges import BADGES
from audit.reports.html.records import Record, Value, count, number, records, text, where
from audit.reports.html.tabular import DASH, Cell, Column, TableView, estimate, head, missing, words, written
from audit.reports.html.wording import counted, figure_name, group_name

ERRORS: Final = {
    "missing_faces": "Missing faces",
    "misclassified_faces": "Rendered faces misread",
    "wrong_labels": "Wrong group labels",
    "disputed_labels": "Disputed group labels",
}
"""The labels of the kinds of errors."""


def tipping_points(audit: Audit) -> list[str]:
    """One sentence for each finding that the table is about: the fewest errors that would change its verdict."""
    found = []
    for finding in (each for each in audit.findings if each.grouping == BY_GROUP.name):
        named = finding.estimate.name if finding.estimate else ""
        rows = where(records(audit, "sensitivity"), check=finding.code, figure=named)
        if known := [row for row in rows if count(row, "n_speakers")]:
            found.append(_sentence(finding, known))
    return found


def _sentence(finding: Finding, rows: Sequence[Record]) -> str:
    conditions, stays, missing = list[str](), "", 0
    for doubt in ERRORS:
        of_doubt = where(rows, doubt=doubt)
        tipping = [row for row in of_doubt if number(row, "rate_to_change") is not None]
        if tipping:
            conditions.append(_condition(min(tipping, key=lambda row: number(row, "rate_to_change") or 0.0)))
        elif doubt == "missing_faces":
            missing = sum({text(row, "group"): count(row, "n_available") or 0 for row in of_doubt}.values())
            stays = f" The {missing:,} missing faces alone would not change it, however they were read."
    about = f"{finding.code} ({BADGES[finding.outcome].name})"
    # a finding about several groups is not_shown only if all are; otherwise the others may keep it as it is
    of_one = finding.outcome != "not_shown" and len(finding.groups_with(finding.outcome)) > 1
    verdict = "the verdict of one group" if of_one else "the verdict"
    would = f"{verdict} would change if {_either(conditions)}." if conditions else "no such error would change it."
    return f"{about}: {would}{stays if missing else ''}"


def _condition(row: Record) -> str:
    """What would have to be wrong for the verdict to change, after "if"."""
    doubt, needed, of = text(row, "doubt"), count(row, "n_to_change") or 0, count(row, "n_available")
    were = "was" if needed == 1 else "were"
    whose, wanted = f"{group_name(text(row, 'group'))} speakers", text(row, "would_be")
    rate = write_value(number(row, "rate_to_change") or 0.0, "share")
    if doubt == "missing_faces":
        return f"{needed:,} of the {of:,} missing faces of {whose} {were} {wanted}"
    if doubt == "misclassified_faces":
        return f"{counted(needed, 'rendered face')} of {whose} should have been {wanted} ({rate} of all that should)"
    return f"{counted(needed, 'group label')} {were} wrong ({rate} of the {of:,} {whose})"


def _either(conditions: Sequence[str]) -> str:
    """Conditions joined by "or".

    Examples
    --------
    >>> _either(["it rains", "it snows", "it hails"])
    'it rains, if it snows, or if it hails'
    """
    *others, last = conditions
    return ", if ".join(others) + (", or if " if others else "") + last


def sensitivity(audit: Audit) -> TableView:
    """The tipping points of every figure that decides a verdict."""
    labels = {
        (finding.code, figure.name, figure.group): figure_name(figure)
        for finding in audit.findings
        if finding.grouping == BY_GROUP.name
        for figure in finding.estimates.values()
    }

    def figure(row: Record) -> Cell:
        key = (text(row, "check"), text(row, "figure"), text(row, "group"))
        return words(labels.get(key, key[1]))

    columns = (
        Column[Record]("Check", lambda row: head(text(row, "check"))),
        Column[Record]("Figure", figure),
        Column[Record]("Error", lambda row: words(ERRORS.get(text(row, "doubt"), text(row, "doubt")))),
        Column[Record]("Would have to be", lambda row: words(text(row, "would_be"))),
        Column[Record]("Verdict", lambda row: words(_outcome(row, "outcome"))),
        Column[Record]("Errors that change it", lambda row: _needed(row, "change"), numeric=True),
        Column[Record]("It would be", lambda row: words(_outcome(row, "changes_to"))),
        Column[Record]("Errors that reverse it", lambda row: _needed(row, "reverse"), numeric=True),
        Column[Record]("In the worst case", _if_all, numeric=True),
    )
    caption = "How wrong would this have to be?"
    return TableView.of("sensitivity", caption, columns, records(audit, "sensitivity"), sortable=False)


def _outcome(row: Record, key: str) -> str:
    return next((badge.name for outcome, badge in BADGES.items() if outcome == text(row, key)), "\N{EN DASH}")


def _needed(row: Record, target: str) -> Cell:
    """A number of errors with the number of clips or speakers and the error rate, or that no number is enough."""
    needed, of, rate = (
        found(row, key)
        for found, key in ((count, f"n_to_{target}"), (count, "n_available"), (number, f"rate_to_{target}"))
    )
    if of is None or text(row, "doubt") == "disputed_labels":
        return DASH
    if needed is None or rate is None:
        asked = target == "change" or text(row, "outcome") != "inconclusive"
        return missing("no number" if of else "none there") if asked else DASH
    return written(needed, f"{needed:,} of {of:,.0f}", write_value(rate, "share"))


def _if_all(row: Record) -> Cell:
    found = Value.of(row, "if_all")
    return DASH if found.value is None else estimate(found, "share", signed=True, speakers=False)
