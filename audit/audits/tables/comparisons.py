"""The same speakers compared with themselves: from stage to stage, and from language to language.

Each row has the p-value of "no change" (speakers' changes with their signs exchanged) and, for as many as the table has
rows, its q-value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple
from itertools import combinations
from typing import Any

import pandas as pd

from audit.audits.tables.figures import ESTIMATE
from audit.checks.evidence import Evidence
from audit.checks.flips import flip_figures
from audit.core.vocabulary import RACES, UNDETERMINED, ordered_groups
from audit.stats import ALL, benjamini_hochberg
from audit.stats.pairs import PairSums, paired_estimates

STAGE_PAIRS = (("portrait", "ceiling"), ("ceiling", "rendered"), ("portrait", "rendered"))
CHANGING = ("read_own_group", "read_white", "gender_right", "age_error")
COMPARED = [*ESTIMATE, "p_value"]


def changes(evidence: Evidence) -> pd.DataFrame:
    """What each step of the model changes, by group and language, paired by speaker."""
    rows: list[tuple[Any, ...]] = []
    for metric in CHANGING:
        for before, after in STAGE_PAIRS:
            if evidence.has(before) and evidence.has(after):
                rows += [(metric, before, after, *row) for row in _changed(evidence, metric, before, after)]
    return _with_q(pd.DataFrame(rows, columns=["metric", "from_stage", "to_stage", "group", "language", *COMPARED]))


def language_effects(evidence: Evidence) -> pd.DataFrame:
    """English minus another language in the rendered faces of the same speakers, by group."""
    rows: list[tuple[Any, ...]] = []
    english = evidence.where(english=True)
    other_than_english = evidence.where(english=False)
    others = [code for code in evidence.languages if (evidence.where(language=code) & other_than_english).any()]
    metrics = ["read_own_group", "read_white", "gender_right"]
    metrics += [f"similarity_{model.lower()}" for model in evidence.similarity_models]
    for metric in metrics:
        found: dict[tuple[object, ...], tuple[Any, ...]] = {}
        for language in (ALL, *others):
            other = other_than_english if language == ALL else evidence.where(language=language)
            for keys, cells in evidence.every_cell("group"):
                pairs = evidence.contrasts(metric, "rendered", other, english, cells)
                compared = _compared(evidence, pairs, metric, f"rendered.{metric} by language")
                found |= {(*key, language): each for key, each in zip(keys, compared, strict=True)}
        heard = [key for key in _in_order(found) if found[key][COMPARED.index("n_speakers")]]
        rows += [(metric, *key, *found[key]) for key in heard]
    return _with_q(pd.DataFrame(rows, columns=["metric", "group", "language", *COMPARED]))


def rendered_as(evidence: Evidence) -> pd.DataFrame:
    """The change of every read from portrait (or ceiling) to rendered, by group and language."""
    before = "portrait" if evidence.has("portrait") else "ceiling"
    rows: list[tuple[Any, ...]] = []
    for race in RACES if evidence.has(before) else ():
        found = _changed(evidence, f"read_{race}", before, "rendered")
        rows += [(group, race, language, *row) for group, language, *row in found]
    place = {group: i for i, group in enumerate([ALL, *evidence.every_group])}
    rows.sort(key=lambda row: place[str(row[0])])
    return _with_q(pd.DataFrame(rows, columns=["group", "read", "language", *COMPARED]))


def language_flips(evidence: Evidence) -> pd.DataFrame:
    """How often two clips of one speaker are read differently, by group and pair of languages."""
    rows = []
    everything = evidence.where()
    pairs = [(ALL, everything)] + [
        (f"{one} {other}", evidence.where(language=one) | evidence.where(language=other))
        for one, other in combinations([code for code in evidence.languages if code != UNDETERMINED], 2)
        if evidence.shared(evidence.where(language=one), evidence.where(language=other))
    ]
    for group, mask in evidence.by_group():
        for languages, part in pairs:
            found = flip_figures(evidence, mask & part)
            if found.between.n_speakers:
                figures = {"within": found.within, "between": found.between, "excess": found.excess.difference()}
                rows += [(name, group, languages, *astuple(figure)) for name, figure in figures.items()]
    return pd.DataFrame(rows, columns=["figure", "group", "languages", *ESTIMATE])


def coverage(evidence: Evidence) -> pd.DataFrame:
    """What the training heard of each group in each language, beside how often the faces are read as the group."""
    rows = []
    for group in evidence.every_group:
        for language in evidence.languages:
            part = evidence.where(group=group, language=language)
            if part.any():
                trained = evidence.clips_trained[part][0]
                curve = evidence.figure_curve("read_own_group", "rendered", part)
                figure = curve.at(evidence.settings.confidence)
                rows.append((group, language, trained, *astuple(figure)))
    return pd.DataFrame(rows, columns=["group", "language", "clips_trained", *ESTIMATE])


def _changed(evidence: Evidence, metric: str, before: str, after: str) -> list[tuple[Any, ...]]:
    """A metric's change in every cell of group and language and over all of each, in order."""
    found: dict[tuple[object, ...], tuple[Any, ...]] = {}
    for keys, cells in evidence.every_cell("group", "language"):
        pairs = evidence.changes(metric, before, after, cells)
        found |= zip(keys, _compared(evidence, pairs, metric, f"{before}>{after}.{metric}"), strict=True)
    return [(*key, *found[key]) for key in _in_order(found)]


def _compared(evidence: Evidence, pairs: PairSums, metric: str, name: str) -> list[tuple[Any, ...]]:
    """Each cell's row: its figure, and its test where there are enough speakers for one."""
    kind, settings = evidence.metrics[metric].kind, evidence.settings
    figures = paired_estimates(pairs, kind, settings, [name] * pairs.sums.n_cells)
    return [
        (
            *astuple(figure),
            pairs.one(i, kind, settings, name).permutation().p if figure.n_speakers >= settings.min_speakers else None,
        )
        for i, figure in enumerate(figures)
    ]


def _with_q(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its p-values adjusted for how many there are (Benjamini and Hochberg 1995)."""
    p = table["p_value"].astype(float)
    return table.assign(p_value=p, q_value=benjamini_hochberg(p))


def _in_order(keys: Iterable[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Keys of group and language: groups in their fixed order, languages by code, all of each first."""
    held = list(keys)
    place = {group: i for i, group in enumerate([ALL, *ordered_groups({str(key[0]) for key in held} - {ALL})])}
    return sorted(held, key=lambda key: (place[str(key[0])], key[1] != ALL, str(key[1])))
