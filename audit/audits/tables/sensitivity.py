"""How wrong would this have to be: the errors outside the intervals at which a verdict would change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

import pandas as pd

from audit.audits.table import GROUP, LANGUAGE, N_SPEAKERS, Column, interval_columns
from audit.audits.tables.spec import Row, Source, TableSpec
from audit.checks import chosen, sensitivities
from audit.checks.disputed import has_votes
from audit.checks.finding import OUTCOME_WORDS
from audit.checks.sensitivity import DOUBTS, OPPOSITE, Doubt, Sensitivity
from audit.core.sentences import group_words
from audit.core.units import write_value
from audit.stats.verdict import Outcome

DECIDED: Final[tuple[Outcome, ...]] = ("shown", "not_shown", "inconclusive")
DISPUTED_LABELS: Final = "disputed_labels"
COUNTS: Final = ("n_available", "n_to_change", "n_to_reverse")


def sensitivity(source: Source) -> pd.DataFrame:
    """The tipping points of every judged figure that decides the verdict of its check."""
    rows: list[Row] = []
    for check in chosen(source.settings.checks, source.settings.metrics):
        # twice, since the figures of many groups with their clips do not fit into memory together
        places = deciding([Asked.of(found) for found in sensitivities(check, source.evidence)])
        for place, found in enumerate(sensitivities(check, source.evidence) if places else ()):
            if place not in places:
                continue
            rows += (
                (check.code, *row) for doubt in DOUBTS for up in found.directions() for row in _rows(found, doubt, up)
            )
            if has_votes(source.evidence):
                rows += ((check.code, *_disputed(found, up)) for up in found.directions())
    frame = pd.DataFrame(rows, columns=TABLE.names)
    numbers = [column.name for column in TABLE.columns if column.kind in ("value", "low", "high")]
    return frame.astype(dict.fromkeys(numbers, "float64") | dict.fromkeys(COUNTS, "Int64"))


@dataclass(frozen=True)
class Asked:
    """What :func:`deciding` needs to know of a figure."""

    name: str
    outcome: Outcome
    towards_harm: float
    measured: bool

    @classmethod
    def of(cls, found: Sensitivity) -> Self:
        """Those of a figure."""
        figure = found.figure
        return cls(figure.name, figure.verdict.outcome, found.towards_harm, bool(found.directions()))


def deciding(figures: Sequence[Asked]) -> frozenset[int]:
    """The places of the figures that decide a verdict: of those with the name of the first that could be measured.

    Over groups: all that are shown, or else the inconclusive one with the largest value, or else all.
    """
    measured = [place for place, each in enumerate(figures) if each.measured]
    of_name = [place for place in measured if figures[place].name == figures[measured[0]].name]
    if shown := [place for place in of_name if figures[place].outcome == "shown"]:
        return frozenset(shown)
    inconclusive = [place for place in of_name if figures[place].outcome == "inconclusive"]
    if inconclusive:
        return frozenset({max(inconclusive, key=lambda place: figures[place].towards_harm)})
    return frozenset(of_name)


def _rows(found: Sensitivity, doubt: Doubt, up: bool) -> Iterator[Row]:
    """The row of one figure, doubt and direction; none where the question makes no sense."""
    if not found.asks(doubt):
        return
    figure, outcome = found.figure, found.figure.verdict.outcome
    targets = [frozenset(DECIDED) - {outcome}, frozenset({OPPOSITE[outcome]} if outcome in OPPOSITE else ())]
    numbers = found.tipping_points(doubt, up, lambda changed: changed.verdict.outcome, targets)
    rates = [None if number is None else found.rate(doubt, up, number) for number in numbers]
    becomes = [None if n is None else found.changed(doubt, up, n).verdict.outcome for n in numbers]
    n_available = found.n_speakers if doubt == "wrong_labels" else found.available(doubt, up)
    everything = found.changed(doubt, up, n_available) if doubt == "missing_faces" and n_available else None
    sentence = _sentence(found, doubt, up, numbers, becomes, n_available)
    yield (
        *(figure.name, figure.group, figure.language, doubt, "higher" if up else "lower", _words(found, doubt, up)[0]),
        *(outcome, n_available, numbers[0], rates[0], becomes[0], numbers[1], rates[1]),
        *((everything.value, everything.low, everything.high) if everything else (None, None, None)),
        everything.verdict.outcome if everything else None,
        found.n_speakers,
        sentence,
    )


def _disputed(found: Sensitivity, up: bool) -> Row:
    """The row on the group labels that annotators dispute."""
    figure, (n_disputed, worst) = found.figure, found.worst(up)
    whose, outcome = f"of {group_words(figure.group)} speakers", worst.verdict.outcome
    sentence = (
        f"Whichever annotators are right about the {n_disputed} disputed group labels {whose}, the figure is at "
        f"{'most' if up else 'least'} {worst.text}, and the verdict would be {OUTCOME_WORDS[outcome]}."
    )
    return (
        *(figure.name, figure.group, figure.language, DISPUTED_LABELS, "higher" if up else "lower"),
        *("another", figure.verdict.outcome, n_disputed, None, None, None, None, None),
        *(worst.value, worst.low, worst.high, outcome, found.n_speakers),
        sentence if n_disputed else f"No group label {whose} is disputed by annotators.",
    )


def _words(found: Sensitivity, doubt: Doubt, up: bool) -> tuple[str, str]:
    """What the changed clips would have to be, and what all others are."""
    if doubt == "wrong_labels" or found.read is None:
        return f"wrong, {'raising' if up else 'lowering'} the figure", "right"
    wanted = int(up == found.read.rises)
    return found.read.words[wanted], found.read.words[1 - wanted]


def _sentence(
    found: Sensitivity,
    doubt: Doubt,
    up: bool,
    numbers: Sequence[int | None],
    becomes: Sequence[Outcome | None],
    n_available: int,
) -> str:
    """A row in one or two plain sentences."""
    now = OUTCOME_WORDS[found.figure.verdict.outcome]
    whose, wanted, other = f"of {group_words(found.figure.group)} speakers", *_words(found, doubt, up)
    if doubt == "missing_faces" and not n_available:
        return f"Every clip {whose} has a readable face."
    if doubt == "misclassified_faces" and not n_available:
        return f"No rendered face {whose} is {other}."
    changes, reverses = ("" if each is None else OUTCOME_WORDS[each] for each in becomes)
    first, second = numbers
    if first is None and doubt == "wrong_labels":
        return f"No number of wrong labels {whose} would change the verdict from {now}."
    if first is None:
        every = {
            "missing_faces": f"all {n_available} missing faces {whose} were {wanted}",
            "misclassified_faces": f"all {n_available} rendered faces {whose} that are {other} were misclassified",
        }[doubt]
        return f"Even if {every}, the verdict would stay {now}."
    would = f"the verdict would be {changes}"
    would += "" if second in (None, first) else f"; with {second}, {reverses}"
    rate, were = write_value(found.rate(doubt, up, first), "share"), "was" if first == 1 else "were"
    if doubt == "missing_faces":
        return f"If {first} of the {n_available} missing faces {whose} {were} {wanted} and the others {other}, {would}."
    if doubt == "misclassified_faces":
        compared = f", in addition to what their {found.read.before}s show" if found.read and found.read.before else ""
        return (
            f"If {first} of the {n_available} rendered faces {whose} that are {other} should have been {wanted}, "
            f"{would}. That is an error in {rate} of the faces that should be {wanted}{compared}."
        )
    labels = "label" if first == 1 else "labels"
    return f"If {first} group {labels} {were} wrong ({rate} of the {n_available} labels {whose}), {would}."


TABLE = TableSpec(
    name="sensitivity",
    title="How wrong would this have to be?",
    note="The smallest number of errors at which a verdict would change: missing faces with one read (and all other "
    "missing faces with another), rendered faces that the instrument misreads although portraits are read as they are, "
    "and speakers with a wrong group label (those that matter most). No interval covers such errors. Where annotators "
    "dispute group labels: the worst case over the labels that they gave. Only the figures that decide a verdict are "
    "listed.",
    columns=(
        Column("check", "key", "Check"),
        Column("figure", "key", "Figure"),
        GROUP,
        LANGUAGE,
        Column("doubt", "key", "Error"),
        Column("direction", "key", "Figure would be"),
        Column("would_be", "text", "They would have to be"),
        Column("outcome", "text", "Verdict"),
        Column("n_available", "count", "Of"),
        Column("n_to_change", "count", "Errors that change it"),
        Column("rate_to_change", "value", "Error rate", "share"),
        Column("changes_to", "text", "It would be"),
        Column("n_to_reverse", "count", "Errors that reverse it"),
        Column("rate_to_reverse", "value", "Error rate", "share"),
        *interval_columns("if_all", "In the worst case", "share", signed=True),
        Column("outcome_if_all", "text", "Verdict in the worst case"),
        N_SPEAKERS,
        Column("sentence", "method", "In words"),
    ),
    make=sensitivity,
)
