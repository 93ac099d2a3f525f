"""Reads that change with the language."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from audit.audits.table import GROUP, Column, estimate_columns
from audit.audits.tables.spec import Row, Source, TableSpec
from audit.checks.flips import SpeakerFlips
from audit.core.languages import UNDETERMINED
from audit.stats import ALL


def language_flips(source: Source) -> Iterator[Row]:
    """How often two clips of one speaker are read as different races, by group and pair of languages."""
    evidence = source.evidence
    pairs = [(ALL, evidence.where())] + [
        (f"{one} {other}", evidence.where(language=one) | evidence.where(language=other))
        for one, other in combinations([code for code in evidence.languages if code != UNDETERMINED], 2)
        if evidence.n_in_both(evidence.where(language=one), evidence.where(language=other))
    ]
    of_pairs = [(languages, SpeakerFlips.of(evidence, part)) for languages, part in pairs]
    for group, mask in evidence.by_group():
        for languages, of_speakers in of_pairs:
            found = of_speakers.of_clips(mask)
            curves = {"within": found.within, "between": found.between, "excess": found.excess.curve()}
            figures = {name: curve.at(evidence.settings.confidence) for name, curve in curves.items()}
            if figures["between"].n_speakers:
                yield from ((name, group, languages, figure) for name, figure in figures.items())


TABLE = TableSpec(
    name="language_flips",
    title="Reads that change with the language",
    note="Share of the pairs of clips of one speaker that are read as different races: within one language, between "
    "two, and between minus within.",
    columns=(
        Column("figure", "key", "Figure"),
        GROUP,
        Column("languages", "key", "Languages"),
        *estimate_columns("share"),
    ),
    make=language_flips,
)
