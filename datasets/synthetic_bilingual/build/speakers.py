"""The table of all speakers of the embedded cohort, drawn from one seed and from nothing else.

Who is audited, who trains and who validates; the rest is as in a drawn cohort (audit/cohorts/drawing/speakers.py). No
result of any instrument or model enters here.

>>> table = draw()
>>> len(table), sorted(table["split"].unique())
(320, ['audited', 'training', 'validation'])
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.cohorts.drawing.seeds import generator, seeded_number
from audit.cohorts.drawing.speakers import EMBEDDED_SEED, GENDERS, GROUPS, OTHER_LANGUAGES, cell, voice_pools

PER_GROUP: Final = {"audited": 32, "training": 40, "validation": 8}


def draw(seed: int = EMBEDDED_SEED) -> pd.DataFrame:
    """All speakers, one row each, in the order of their ids.

    Within each split, group, sex and other language are fully crossed; half of the audited and of the validation
    speakers of every such cell blend base voices that no training speaker has (``unseen_voice``). Base voices are dealt
    like cards, each as often in every group as in any other (to within one), so that they carry no group. Ages are
    spread evenly over 18 to 75 within every split, group and sex.

    Returns
    -------
    DataFrame
        speaker_id, split, group, gender, age, portrait, the sources of the labels, native_language (empty),
        other_language, unseen_voice, voice_a, voice_b, weight_a (in [.25, .75]; voice_b has the rest), lean_u, lean_v
        (+1 or -1), jitter_u, jitter_v, jitter_age (standard normal), tempo_jitter (standard normal), portrait_seed.
    """
    pools = voice_pools(seed)
    cells = [
        _cell(seed, split, group, gender, per_group // 2, pools[gender])
        for split, per_group in PER_GROUP.items()
        for gender in GENDERS
        for group in GROUPS
    ]
    table = pd.concat(cells, ignore_index=True)
    order = generator(seed, "order").permutation(len(table))
    table = table.iloc[order].reset_index(drop=True)
    table.insert(0, "speaker_id", [f"s{place:03d}" for place in range(1, len(table) + 1)])
    table["portrait"] = "portraits/" + table["speaker_id"] + ".jpg"
    table["portrait_seed"] = [seeded_number(seed, "portrait", speaker) for speaker in table["speaker_id"]]
    return table


def _cell(seed: int, split: str, group: str, gender: str, count: int, pool: dict[str, list[str]]) -> pd.DataFrame:
    """The speakers of one split, group and sex."""
    languages = [str(language) for language in np.resize(OTHER_LANGUAGES, count)]
    unseen = np.zeros(count, bool) if split == "training" else (np.arange(count) // len(OTHER_LANGUAGES)) % 2 == 0

    def voices(
        rng: np.random.Generator, gender: str, languages: Sequence[str], unseen: NDArray[np.bool_]
    ) -> pd.DataFrame:
        pairs: dict[bool, list[tuple[str, str]]] = {
            kind: _deal(rng, pool[split if kind else "training"], int((unseen == kind).sum())) for kind in (True, False)
        }
        blended = pd.DataFrame([pairs[bool(kind)].pop() for kind in unseen], columns=["voice_a", "voice_b"])
        return blended.assign(weight_a=rng.uniform(0.25, 0.75, count).round(3))

    made = cell(generator(seed, split, group, gender), group, gender, languages, unseen, voices)
    made.insert(0, "split", split)
    return made


def _deal(rng: np.random.Generator, voices: list[str], count: int) -> list[tuple[str, str]]:
    """``count`` pairs of two different voices, every voice as often as any other to within one."""
    if count == 0:
        return []
    while True:
        rounds = [rng.permutation(voices) for _ in range(-(-2 * count // len(voices)))]
        cards = np.concatenate(rounds)[: 2 * count].reshape(count, 2)
        pairs = [(str(min(pair)), str(max(pair))) for pair in cards.tolist()]
        distinct = min(count, len(voices) * (len(voices) - 1) // 2)
        if all(one != other for one, other in pairs) and len(set(pairs)) >= distinct:
            return pairs


def digest(table: pd.DataFrame) -> str:
    """sha256 of the table as CSV."""
    return hashlib.sha256(table.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


if __name__ == "__main__":
    speakers = draw()
    print(speakers.to_csv(index=False, lineterminator="\n"), end="")
