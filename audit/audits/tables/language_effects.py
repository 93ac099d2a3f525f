"""English against the speakers' other languages."""

from __future__ import annotations

from collections.abc import Iterator

from audit.audits.table import GROUP, LANGUAGE, OF_METRIC, Column
from audit.audits.tables.paired import Compared, compared, compared_columns, in_order
from audit.audits.tables.spec import Row, Source, TableSpec
from audit.stats import ALL


def language_effects(source: Source) -> Iterator[Row]:
    """English minus another language in the rendered faces of the same speakers, by group."""
    evidence = source.evidence
    english, other_than_english = evidence.where(english=True), evidence.where(english=False)
    others = [code for code in evidence.languages if (evidence.where(language=code) & other_than_english).any()]
    metrics = ["read_own_group", "read_white", "gender_right"]
    metrics += [f"similarity_{model.lower()}" for model in evidence.similarity_models]
    for metric in metrics:
        found: dict[tuple[object, ...], Compared] = {}
        for language in (ALL, *others):
            other = other_than_english if language == ALL else evidence.where(language=language)
            for keys, cells in evidence.every_cell("group"):
                pairs = evidence.contrasts(metric, "rendered", other, english, cells)
                differences = compared(evidence, pairs, metric, f"rendered.{metric} by language")
                found |= {(*key, language): each for key, each in zip(keys, differences, strict=True)}
        yield from ((metric, *key, *found[key]) for key in in_order(found) if found[key][0].n_speakers)


TABLE = TableSpec(
    name="language_effects",
    title="English against the speakers' other languages",
    note="Rendered faces of the same speakers: English minus the other language. q: p-value adjusted for the number of "
    "rows (Benjamini-Hochberg).",
    columns=(Column("metric", "metric", "Metric"), GROUP, LANGUAGE, *compared_columns(OF_METRIC)),
    make=language_effects,
)
