"""The same speakers compared with themselves: from stage to stage, and from language to language."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import astuple
from functools import partial

import pandas as pd

from audit.evidence import Cells, Evidence
from audit.stats import ALL, Estimate
from audit.tables.figures import ESTIMATE
from audit.vocabulary import RACES, ordered_groups

STAGE_PAIRS = (("portrait", "ceiling"), ("ceiling", "rendered"), ("portrait", "rendered"))
CHANGING = ("read_own_group", "read_white", "gender_right", "age_error")


def changes(evidence: Evidence) -> pd.DataFrame:
    """What each step of the model changes, by group and language, paired by speaker."""
    rows = []
    for metric in CHANGING:
        for before, after in STAGE_PAIRS:
            if evidence.has(before) and evidence.has(after):
                found = _by_group_and_language(evidence, partial(evidence.changes, metric, before, after))
                rows += [(metric, before, after, *key, *astuple(estimate)) for key, estimate in found]
    return pd.DataFrame(rows, columns=["metric", "from_stage", "to_stage", "group", "language", *ESTIMATE])


def language_effects(evidence: Evidence) -> pd.DataFrame:
    """English minus another language in the rendered faces of the same speakers, by group."""
    rows = []
    english = evidence.where(english=True)
    others = [language for language in evidence.languages if not (evidence.where(language=language) & english).any()]
    metrics = ["read_own_group", "read_white", "gender_right"]
    metrics += [f"similarity_{model.lower()}" for model in evidence.similarity_models]
    for metric in metrics:
        found: dict[tuple[object, ...], Estimate] = {}
        for language in (ALL, *others):
            other = ~english if language == ALL else evidence.where(language=language)
            for keys, cells in evidence.every_cell("group"):
                estimates = evidence.contrasts(metric, "rendered", other, english, cells)
                found |= {(*key, language): each for key, each in zip(keys, estimates, strict=True)}
        rows += [(metric, *key, *astuple(found[key])) for key in _in_order(found) if found[key].n_speakers]
    return pd.DataFrame(rows, columns=["metric", "group", "language", *ESTIMATE])


def rendered_as(evidence: Evidence) -> pd.DataFrame:
    """The change of every read from portrait (or ceiling) to rendered, by group and language."""
    before = "portrait" if evidence.has("portrait") else "ceiling"
    if not evidence.has(before):
        return pd.DataFrame(columns=["group", "read", "language", *ESTIMATE])
    reads = {
        race: _by_group_and_language(evidence, partial(evidence.changes, f"read_{race}", before, "rendered"))
        for race in RACES
    }
    rows = [
        (group, race, language, *astuple(estimate))
        for race, found in reads.items()
        for (group, language), estimate in found
    ]
    place = {group: i for i, group in enumerate([ALL, *evidence.every_group])}
    rows.sort(key=lambda row: place[str(row[0])])
    return pd.DataFrame(rows, columns=["group", "read", "language", *ESTIMATE])


def _by_group_and_language(
    evidence: Evidence, estimated: Callable[[Cells], list[Estimate]]
) -> list[tuple[tuple[object, ...], Estimate]]:
    """What is estimated in every cell of group and language and over all of each, in order."""
    found: dict[tuple[object, ...], Estimate] = {}
    for keys, cells in evidence.every_cell("group", "language"):
        found |= zip(keys, estimated(cells), strict=True)
    return [(key, found[key]) for key in _in_order(found)]


def _in_order(keys: Iterable[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Keys of group and language: groups in their fixed order, languages by code, all of each first."""
    held = list(keys)
    place = {group: i for i, group in enumerate([ALL, *ordered_groups({str(key[0]) for key in held} - {ALL})])}
    return sorted(held, key=lambda key: (place[str(key[0])], key[1] != ALL, str(key[1])))
