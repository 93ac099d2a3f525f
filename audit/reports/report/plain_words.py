"""One finding in plain words, from its typed fields: who, how much, and how sure."""

from __future__ import annotations

from typing import Final

from audit.checks.figure import Figure
from audit.checks.finding import Finding
from audit.core.clean_text import clean
from audit.core.language_names import language_name
from audit.core.units import unit_of, write_margin, write_number, write_value
from audit.core.vocabulary import STAGES
from audit.reports.html.wording import cell_name, counted

_MANY: Final = 2
"""From this number of groups on, the headline is the largest of several."""
NUMBERS: Final = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"
)  # fmt: skip


def in_words(number: int) -> str:
    """A count in words, in digits above twelve.

    Examples
    --------
    >>> in_words(0), in_words(4), in_words(13)
    ('no', 'four', '13')
    """
    return NUMBERS[number] if number < len(NUMBERS) else f"{number:,}"


def who(figure: Figure) -> str:
    """The speakers that a figure is about, and their language.

    Examples
    --------
    >>> who(Figure(0.5, 0.4, 0.6, 9, 9, 0, "exact", group="asian", language="en"))
    'asian speakers in English'
    """
    of_cell = len(figure.cell) > 1
    named = cell_name(figure.cell) if of_cell else cell_name({} if figure.group == "all" else {"group": figure.group})
    named = named if figure.group != "all" else "speakers of all groups"
    spoken = figure.language != "all" and "language" not in figure.cell
    return f"{named} in {language_name(figure.language)}" if spoken else named


def how_much(finding: Finding) -> str:
    """The group with the headline figure and its size, then the same metric at each stage; empty without a figure."""
    figure = finding.estimate
    if figure is None or figure.value is None:
        return ""
    several, label = len(finding.by_group) >= _MANY, f"({clean(figure.label or figure.name)})"
    size, named = write_value(figure.value, figure.unit, figure.signed), who(figure)
    stages = at_each_stage(finding)
    start = f"Largest for {named}" if several else _capital(named)
    return f"{start}: {size} {label}.{stages}"


def how_sure(finding: Finding) -> str:
    """The interval in words, against the margin, with the number of speakers and the adjusted p-value."""
    figure = finding.estimate
    if figure is None or figure.value is None or figure.margin is None:
        return ""
    low, high = figure.deciding
    sizes = counted(figure.n_speakers, "speaker")
    if figure.n_smaller is not None and figure.n_smaller < figure.n_speakers:
        sizes += f", {figure.n_smaller:,} in the smaller group"
    if low is None or high is None:
        return f"There is no interval, so nothing can be said about other speakers ({sizes})."
    ends = f"{write_number(low, figure.unit, figure.signed)} to {write_value(high, figure.unit, figure.signed)}"
    tolerated = f"the {write_margin(figure.margin, figure.unit)} that {_is(figure)} tolerated"
    against = {
        "shown": f"more than {tolerated}",
        "not_shown": f"within {tolerated}",
        "inconclusive": f"both within and beyond {tolerated}",
    }.get(figure.verdict.outcome, f"against {tolerated}")
    p = finding.p_adjusted if finding.outcome == "shown" else None
    adjusted = f"; adjusted p {f'{p:.3f}' if p >= 0.001 else '< 0.001'}" if p is not None else ""
    return f"The data fit {ends}, {against} ({sizes}{adjusted})."


def at_each_stage(finding: Finding) -> str:
    """The headline's metric at each stage, where the finding has one figure of it for each; begins with a space."""
    head = finding.estimate
    if head is None:
        return ""
    found: dict[str, str] = {}
    for stage in STAGES:
        alike = [
            figure
            for figure in finding.estimates.values()
            if (figure.stage, figure.unit, figure.group, figure.language)
            == (stage, head.unit, head.group, head.language)
            and not figure.signed
            and figure.value is not None
        ]
        if len(alike) > 1:
            alike = [figure for figure in alike if figure.name == figure.stage]
        if len(alike) == 1 and (value := alike[0].value) is not None:
            found[stage] = write_value(value, head.unit)
    if len(found) < _MANY or STAGES[-1] not in found:
        return ""
    return f" {_capital(', '.join(f'{stage} {value}' for stage, value in found.items()))}."


def _is(figure: Figure) -> str:
    one = write_number(abs(figure.margin or 0.0), figure.unit, signed=True).strip("+") == "1"
    return "is" if one or not unit_of(figure.unit).change_suffix else "are"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
