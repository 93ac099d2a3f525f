"""The same speakers compared with themselves: from stage to stage, and from language to language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from audit.evidence import Evidence
from audit.flips import flip_figures
from audit.stats import ALL
from audit.tables.figures import ESTIMATE
from audit.vocabulary import RACES, ordered_groups

STAGE_PAIRS = (("portrait", "ceiling"), ("ceiling", "rendered"), ("portrait", "rendered"))
CHANGING = ("read_own_group", "read_white", "gender_right", "age_error")


def changes(evidence: Evidence) -> pd.DataFrame:
    """What each step of the model changes, by group and language, paired by speaker."""
    rows = []
    for metric in CHANGING:
        for before, after in STAGE_PAIRS:
            if not (evidence.has(before) and evidence.has(after)):
                continue
            for group, mask in _parts(evidence):
                for language in (ALL, *evidence.languages):
                    part = mask if language == ALL else mask & evidence.where(language=language)
                    if part.any():
                        rows.append(
                            (
                                metric,
                                before,
                                after,
                                group,
                                language,
                                *astuple(evidence.change(metric, before, after, part)),
                            )
                        )
    return pd.DataFrame(rows, columns=["metric", "from_stage", "to_stage", "group", "language", *ESTIMATE])


def language_effects(evidence: Evidence) -> pd.DataFrame:
    """English minus another language in the rendered faces of the same speakers, by group."""
    rows = []
    english = evidence.where(english=True)
    others = [language for language in evidence.languages if not (evidence.where(language=language) & english).any()]
    metrics = ["read_own_group", "read_white", "gender_right"]
    metrics += [f"similarity_{model.lower()}" for model in evidence.similarity_models]
    for metric in metrics:
        for group, mask in _parts(evidence):
            for language in (ALL, *others):
                other = mask & (~english if language == ALL else evidence.where(language=language))
                estimate = evidence.contrast(metric, "rendered", other, mask & english)
                if estimate.n_speakers:
                    rows.append((metric, group, language, *astuple(estimate)))
    return pd.DataFrame(rows, columns=["metric", "group", "language", *ESTIMATE])


def rendered_as(evidence: Evidence) -> pd.DataFrame:
    """The change of every read from portrait (or ceiling) to rendered, by group and language."""
    before = "portrait" if evidence.has("portrait") else "ceiling"
    rows = []
    for group, mask in _parts(evidence):
        for race in RACES:
            for language in (ALL, *evidence.languages):
                part = mask if language == ALL else mask & evidence.where(language=language)
                if part.any() and evidence.has(before):
                    rows.append(
                        (group, race, language, *astuple(evidence.change(f"read_{race}", before, "rendered", part)))
                    )
    return pd.DataFrame(rows, columns=["group", "read", "language", *ESTIMATE])


def language_flips(evidence: Evidence) -> pd.DataFrame:
    """How often two clips of one speaker are read differently, by group and pair of languages."""
    rows = []
    everything = evidence.where()
    pairs = [(ALL, everything)] + [
        (f"{one} {other}", evidence.where(language=one) | evidence.where(language=other))
        for one, other in combinations(evidence.languages, 2)
        if evidence.shared(evidence.where(language=one), evidence.where(language=other))
    ]
    for group, mask in _parts(evidence):
        for languages, part in pairs:
            figures = flip_figures(evidence, mask & part)
            if figures["between"].n_speakers:
                rows += [(name, group, languages, *astuple(figure)) for name, figure in figures.items()]
    return pd.DataFrame(rows, columns=["figure", "group", "languages", *ESTIMATE])


def coverage(evidence: Evidence) -> pd.DataFrame:
    """What the training heard of each group in each language, beside how often the faces are read as the group."""
    rows = []
    for group in ordered_groups(set(evidence.frame["group"])):
        for language in evidence.languages:
            part = evidence.where(group=group, language=language)
            if part.any():
                trained = evidence.clips_trained[part][0]
                figure = evidence.figure("read_own_group", "rendered", part)
                rows.append((group, language, trained, *astuple(figure)))
    return pd.DataFrame(rows, columns=["group", "language", "clips_trained", *ESTIMATE])


def _parts(evidence: Evidence) -> Iterator[tuple[str, np.ndarray[Any, np.dtype[np.bool_]]]]:
    yield ALL, evidence.where()
    for group in ordered_groups(set(evidence.frame["group"])):
        yield group, evidence.where(group=group)
