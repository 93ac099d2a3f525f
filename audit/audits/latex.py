"""LaTeX tables of findings and of a document's tables, with numbers as in the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import pandas as pd

from audit.audits.table import OF_METRIC, Column, Table
from audit.checks.finding import OUTCOME_WORDS, Finding
from audit.core.clean_text import clean
from audit.core.sentences import group_words
from audit.core.units import write_estimate, write_p, write_value

_FINDINGS: Final = ("Check", "Title", "Outcome", "Group", "Estimate", "Speakers", "p, adjusted")
_NUMBERS: Final = {"−": "$-$", "–": "--", "°": r"\textdegree{}", "<": "$<$", ">": "$>$"}
"""Signs that LaTeX does not have in every encoding."""


def findings_latex(findings: Iterable[Finding]) -> str:
    """The findings as a LaTeX table: check, outcome, group, estimate with interval, speakers and p."""
    rows = [
        {
            "Check": finding.code if finding.grouping == "group" else f"{finding.code} by {finding.grouping}",
            "Title": finding.title,
            "Outcome": OUTCOME_WORDS[finding.outcome],
            "Group": group_words(finding.group),
            "Estimate": finding.estimate.text if finding.estimate else "",
            "Speakers": f"{finding.estimate.n_speakers:,}" if finding.estimate else "",
            "p, adjusted": "" if finding.p_adjusted is None else write_p(finding.p_adjusted),
        }
        for finding in findings
    ]
    return _latex(
        pd.DataFrame(rows, columns=["Check", "Title", "Outcome", "Group", "Estimate", "Speakers", "p, adjusted"]),
        "Findings",
        "lp{4cm}lllrr",
    )


def table_latex(table: Table, definitions: Table | None = None) -> str:
    """A table as LaTeX; ``definitions`` is the document's table of metrics, which has the units of their values."""
    units: Mapping[str, str] = {}
    if definitions is not None:
        units = {str(row["metric"]): str(row["unit"] or "") for row in definitions.records}
    shown = [column for column in table.columns if column.kind not in ("low", "high", "picture", "detail")]
    rows = [[_cell(column, row, table, units) for column in shown] for row in table.records]
    numbers = ("n_speakers", "count", "value", "p_value", "setting")
    alignment = "".join("r" if column.kind in numbers else "l" for column in shown)
    return _latex(pd.DataFrame(rows, columns=[column.heading for column in shown]), table.title, alignment)


def _cell(column: Column, row: Mapping[str, object], table: Table, units: Mapping[str, str]) -> str:
    """One cell in words: a value with the interval that follows it."""
    found = row[column.name]
    if isinstance(found, bool) or not isinstance(found, int | float):
        return "" if found is None else group_words(str(found)) if column.kind == "group" else str(found)
    if column.kind in ("n_speakers", "count"):
        return f"{found:,.0f}"
    if column.kind == "p_value":
        return write_p(found)
    unit = units.get(str(row.get("metric")), "") if column.unit == OF_METRIC else column.unit
    if column.kind != "value":
        return write_value(found, unit, column.signed) if unit else f"{found:g}"
    low, high = _interval(column, row, table)
    if low is None or high is None:
        return write_value(found, unit, column.signed)
    return write_estimate(found, low, high, unit, column.signed)


def _interval(column: Column, row: Mapping[str, object], table: Table) -> tuple[float | None, float | None]:
    """The ends of a value's interval, whose columns directly follow it."""
    place = [each.name for each in table.columns].index(column.name)
    ends = []
    for kind, after in zip(("low", "high"), table.columns[place + 1 : place + 3], strict=False):
        end = row[after.name] if after.kind == kind else None
        ends.append(float(end) if isinstance(end, int | float) else None)
    low, high = (*ends, None, None)[:2]
    return low, high


def _latex(frame: pd.DataFrame, caption: str, alignment: str) -> str:
    # pandas escapes the cells; headings and caption are escaped as a frame of their own
    cells = frame.map(lambda cell: clean(str(cell)))
    cells.columns = pd.Index([escaped(str(name)) for name in frame.columns])
    text: str = cells.to_latex(index=False, escape=True, caption=escaped(caption), column_format=alignment)
    for sign, latex in _NUMBERS.items():
        text = text.replace(sign, latex)
    return text


def escaped(text: str) -> str:
    r"""A text with LaTeX's special characters escaped.

    Examples
    --------
    >>> print(escaped("50% of A_B & {C}"))
    50\% of A\_B \& \{C\}
    """
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(special.get(sign, f"\\{sign}" if sign in "&%$#_{}" else sign) for sign in clean(text))
