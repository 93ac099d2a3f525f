"""Suppression in findings: hidden figures, those from which they could be computed, and texts that quote them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Final, TypeVar

from audit.audits.privacy.small_cells import SmallCells
from audit.checks.figure import Figure
from audit.checks.finding import OUTCOME_WORDS, Finding, WorstCell
from audit.core.sentences import group_words
from audit.core.units import write_estimate
from audit.stats import ALL

Key = TypeVar("Key")
_NUMBER: Final = re.compile(r"(?<![\w.,])[+\-\N{MINUS SIGN}]?(\d[\d,]*(?:\.\d+)?)")
_CLAUSE: Final = re.compile(r"(?<=[.;:])\s+")


def hidden_figures(figures: Mapping[Key, Figure], small: SmallCells) -> set[Key]:
    """The keys of the figures that are suppressed.

    These are the figures of small cells and of few speakers; where only one group, or one language of a group, is
    hidden among the figures of a name, also that of the next smallest, since one could be computed from a total; and
    the differences of a group in which a rate or mean is hidden, since it could be computed from a difference.
    """
    hidden = {key for key, figure in figures.items() if small.hides(figure)}
    while True:
        further = _next_smallest(figures, hidden) | _differences(figures, hidden)
        if further <= hidden:
            return hidden
        hidden |= further


def suppressed_finding(finding: Finding, small: SmallCells) -> tuple[Finding, int]:
    """A finding without the figures of small cells, and their number. Its outcomes stay.

    A sentence that quotes a hidden figure is replaced by one that gives the headline figure, or says why there is none.
    """
    masked = hidden_figures(finding.estimates, small)
    gone = [finding.estimates[key] for key in masked]
    head = finding.estimate
    same = [key for key, figure in finding.estimates.items() if head is not None and _about(figure) == _about(head)]
    hidden = small.hide(finding.group, grouping=finding.grouping) or (
        head is not None and (small.hides(head) or any(key in masked for key in same))
    )
    worst, lost = _worst_cell(finding.worst_cell, small, hidden)
    figures = {key: finding.estimates[key].emptied(small.words) for key in masked}
    changed = replace(finding, estimates={**finding.estimates, **figures}, worst_cell=worst)
    if hidden:
        words = f"The figures are {small.words}."
        sentence = f"{finding.title}: {OUTCOME_WORDS[finding.outcome]}. {words}"
        changed = replace(changed, sentence=sentence, reason=words, would_change=words, p_value=None, p_adjusted=None)
        emptied = None if head is None else head.emptied(small.words)
        return replace(changed, estimate=emptied), len(masked) + (head is not None)
    # the sentence may quote any figure of the headline's group, or over all groups
    near = any(figure.group in (finding.group, ALL) for figure in gone)
    words = f"Other figures are {small.words}."
    if near or quotes(finding.sentence, [*gone, *lost]):
        found = "" if head is None else f", {head.text}"
        about = "" if finding.group == ALL else f" for group {group_words(finding.group)}"
        sentence = f"{finding.title}: {OUTCOME_WORDS[finding.outcome]}{about}{found}. {words}"
        changed = replace(changed, sentence=sentence)
    if near or quotes(finding.reason, [*gone, *lost]):
        changed = replace(changed, reason=words)
    if near or quotes(finding.would_change, [*gone, *lost]):
        changed = replace(changed, would_change=f"Not given, since it follows from figures that are {small.words}.")
    return changed, len(masked)


def quotes(text: str, figures: Iterable[Figure]) -> bool:
    """Whether a text contains a figure: its interval in any format, its value beside its group, or its sample size.

    Examples
    --------
    >>> gap = Figure(0.591, 0.49, 0.68, 32, 64, 0, "exact", unit="share", kind="rate", group="asian")
    >>> quotes("No better than chance: asian 59% [49, 68].", [gap]), quotes("The interval from 0.490 to 0.680.", [gap])
    (True, True)
    >>> quotes("black 58% [47, 68]", [gap]), quotes("59% of asian speakers", [gap]), quotes("59% of all", [gap])
    (False, True, False)
    """
    clauses = [
        (clause, [number.replace(",", "") for number in _NUMBER.findall(clause)]) for clause in _CLAUSE.split(text)
    ]
    return any(_quoted(clause, numbers, figure) for figure in figures for clause, numbers in clauses)


def _quoted(clause: str, numbers: list[str], figure: Figure) -> bool:
    if figure.value is None:
        return False
    for low, high in ((figure.low, figure.high), figure.alone or (None, None)):
        if low is not None and high is not None:
            ends, pairs = (_written(low), _written(high)), list(pairwise(numbers))
            if any(first in ends[0] and second in ends[1] for first, second in pairs):
                return True
            signed = (True, False)
            if any(write_estimate(figure.value, low, high, figure.unit, sign) in clause for sign in signed):
                return True
    counts = {n for n in (figure.n_speakers, figure.n_smaller) if n}
    if any(re.search(rf"(?<![\w.,]){n:,} speakers?\b", clause) for n in counts):
        return True
    named = figure.group != ALL and re.search(rf"(?<!\w){re.escape(group_words(figure.group))}(?!\w)", clause)
    return bool(named) and not _written(figure.value).isdisjoint(numbers)


def _written(number: float) -> set[str]:
    """A number without its sign as texts may write it: as it is or in per cent, with up to four digits."""
    return {f"{abs(number) * scale:.{digits}f}" for scale in (1, 100) for digits in range(5)}


def _about(figure: Figure) -> tuple[str, str, str, str]:
    return figure.name, figure.grouping.name, figure.group, figure.language


def _size(figure: Figure) -> int:
    return figure.n_speakers if figure.n_smaller is None else min(figure.n_speakers, figure.n_smaller)


def _next_smallest(figures: Mapping[Key, Figure], hidden: set[Key]) -> set[Key]:
    """In each line of figures that differ in group or in language alone, the smallest seen one if one is hidden."""
    lines: dict[tuple[str, ...], list[Key]] = {}
    for key, figure in figures.items():
        name, grouping, group, language = _about(figure)
        if group != ALL:
            lines.setdefault(("groups", name, grouping, language), []).append(key)
        if language != ALL:
            lines.setdefault(("languages", name, grouping, group), []).append(key)
    found = set()
    for line in lines.values():
        filled = [key for key in line if figures[key].value is not None]
        seen = [key for key in filled if key not in hidden]
        if seen and len(filled) - len(seen) == 1:
            found.add(min(seen, key=lambda key: (_size(figures[key]), _about(figures[key]))))
    return found


def _differences(figures: Mapping[Key, Figure], hidden: set[Key]) -> set[Key]:
    """The differences of every group, grouping and language in which a rate or mean is hidden."""
    parts = {_about(figures[key])[1:] for key in hidden if figures[key].kind != "difference"}
    return {key for key, figure in figures.items() if figure.kind == "difference" and _about(figure)[1:] in parts}


def _worst_cell(worst: WorstCell | None, small: SmallCells, hidden: bool) -> tuple[WorstCell | None, list[Figure]]:
    """The worst cell without hidden figures, and those figures; none is shown beside a hidden headline."""
    if worst is None:
        return None, []
    cells = dict(enumerate((worst.figure, *worst.others)))
    gone = set(cells) if hidden else hidden_figures(cells, small)
    first, *others = (cell.emptied(small.words) if place in gone else cell for place, cell in cells.items())
    if first.value is None:
        worst = replace(worst, shrunk=None, shrinkage=None)
    return replace(worst, figure=first, others=tuple(others)), [cells[place] for place in gone]
