"""The table of drawn speakers, and the conventions that it shares with the embedded cohort.

Group, sex, age and other language; which base voices are blended; where the voice lies on the axes of the synthetic
cue of timbre. No result of any instrument or model enters here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.cohorts.drawing.seeds import generator, seeded_number
from audit.cohorts.drawing.timbre import coordinates

EMBEDDED_SEED: Final = 20240611
"""The seed of the embedded cohort's tables, which also decides who may blend which base voices."""
GROUPS: Final = ("asian", "indian", "black", "white")
GENDERS: Final = ("woman", "man")
OTHER_LANGUAGES: Final = ("zh", "es")
AGES: Final = (18, 75)
"""The youngest and the oldest age that is drawn, in years."""

# Which way each group leans on the two axes of the cue: a convention of this fiction, which describes no real voice.
LEAN_U: Final = {"asian": 1, "indian": -1, "black": -1, "white": 1}
LEAN_V: Final = {"asian": 1, "indian": 1, "black": -1, "white": -1}

Voices = Callable[[np.random.Generator, str, Sequence[str], NDArray[np.bool_]], pd.DataFrame]
"""The voices of one group and sex: from a generator, the sex, each speaker's other language, and whether the base
voices must be unseen in training; a row for each speaker with voice_a, voice_b, weight_a and further columns."""


# Base voices by sex and family of origin, so that what is kept for audited speakers is a fair share of each family.
# Left out: a whisper (af_nicole), three caricatures (the santas), and two with a child's pitch for their sex, by median
# 290 Hz (zm_yunxia) and 316 Hz (jf_tebukuro), since the speakers are adults.
BASE_VOICES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "woman": {
        "english": (
            "af_alloy", "af_aoede", "af_bella", "af_heart", "af_jessica", "af_kore", "af_nova", "af_river", "af_sarah",
            "af_sky", "bf_alice", "bf_emma", "bf_isabella", "bf_lily",
        ),
        "east": (
            "jf_alpha", "jf_gongitsune", "jf_nezumi", "zf_xiaobei", "zf_xiaoni", "zf_xiaoxiao", "zf_xiaoyi",
        ),
        "other": ("ef_dora", "ff_siwis", "hf_alpha", "hf_beta", "if_sara", "pf_dora"),
    },
    "man": {
        "english": (
            "am_adam", "am_echo", "am_eric", "am_fenrir", "am_liam", "am_michael", "am_onyx", "am_puck", "bm_daniel",
            "bm_fable", "bm_george", "bm_lewis",
        ),
        "east": ("jm_kumo", "zm_yunjian", "zm_yunxi", "zm_yunyang"),
        "other": ("em_alex", "hm_omega", "hm_psi", "im_nicola", "pm_alex"),
    },
}  # fmt: skip

# How many base voices of each family only audited speakers have, and how many only validation speakers have.
RESERVED: Final = {
    "woman": {"audited": {"english": 4, "east": 2, "other": 2}, "validation": {"english": 1, "east": 1, "other": 1}},
    "man": {"audited": {"english": 4, "east": 1, "other": 2}, "validation": {"english": 1, "east": 1, "other": 1}},
}


def voice_pools(seed: int = EMBEDDED_SEED) -> dict[str, dict[str, list[str]]]:
    """Base voices by sex and by who may blend them: ``training`` (all may), ``validation`` only, ``audited`` only."""
    pools: dict[str, dict[str, list[str]]] = {}
    for gender, families in BASE_VOICES.items():
        pool: dict[str, list[str]] = {"audited": [], "validation": [], "training": []}
        for family, voices in families.items():
            dealt = list(generator(seed, "pools", gender, family).permutation(voices))
            for split in ("audited", "validation"):
                count = RESERVED[gender][split][family]
                pool[split] += [str(voice) for voice in dealt[:count]]
                dealt = dealt[count:]
            pool["training"] += [str(voice) for voice in dealt]
        pools[gender] = {split: sorted(voices) for split, voices in pool.items()}
    return pools


def people(
    key: str,
    per_group: int,
    voices: Voices,
    *,
    split: str = "audited",
    groups: Sequence[str] = GROUPS,
    others: Sequence[str] = OTHER_LANGUAGES,
) -> pd.DataFrame:
    """All speakers of a draw, one row each, in the order of their ids.

    Parameters
    ----------
    key : str
        The key of the draw.
    per_group : int
        Number of speakers in each group; half are women.
    voices : callable
        The voices of one group and sex.
    split : {"audited", "training"}
        The split of all speakers. Half of the audited ones have base voices that are unseen in training.
    groups, others : sequence of str
        The groups, and the languages other than English.

    Returns
    -------
    DataFrame
        The columns of :func:`cell`, then further columns of the voices, speaker_id, split, portrait, portrait_seed, and
        the cue of timbre. Other language and unseen base voices are crossed with group and sex in equal numbers if
        ``per_group`` is a multiple of four times the number of other languages; otherwise the remainder goes to the
        first other language for women and to the last for men, in every group alike.
    """
    count = per_group // 2
    cells = []
    for turn, gender in enumerate(GENDERS):
        languages = [str(language) for language in np.resize(others[::-1] if turn else others, count)]
        unseen = ((np.arange(count) // len(others) + turn) % 2 == 0) & (split == "audited")
        for group in groups:
            cells.append(cell(generator(key, group, gender), group, gender, languages, unseen, voices))
    table = pd.concat(cells, ignore_index=True)
    table = table.iloc[generator(key, "order").permutation(len(table))].reset_index(drop=True)
    width = max(3, len(str(len(table))))
    table.insert(0, "speaker_id", [f"d{place:0{width}d}" for place in range(1, len(table) + 1)])
    table.insert(1, "split", split)
    table["portrait"] = "portraits/" + table["speaker_id"] + ".jpg"
    table["portrait_seed"] = [seeded_number(key, "portrait", speaker) for speaker in table["speaker_id"]]
    return table.join(coordinates(table))


def cell(
    rng: np.random.Generator,
    group: str,
    gender: str,
    languages: Sequence[str],
    unseen: NDArray[np.bool_],
    voices: Voices,
) -> pd.DataFrame:
    """The speakers of one group and sex, one for each language in ``languages``; ages are spread evenly.

    Returns
    -------
    DataFrame
        group, gender, age, portrait (empty), the sources of the labels, native_language (empty), other_language,
        unseen_voice, the columns of ``voices``, lean_u, lean_v (+1 or -1), jitter_u, jitter_v, jitter_age and
        tempo_jitter (standard normal).
    """
    count = len(languages)
    low, high = AGES
    years = low + (high - low + 1) * (rng.permutation(count) + rng.random(count)) / count
    labels = pd.DataFrame(
        {
            "group": group,
            "gender": gender,
            "age": np.floor(years).astype(int),
            "portrait": "",
            "group_source": "synthetic",
            "gender_source": "synthetic",
            "age_source": "synthetic",
            "native_language": "",
            "other_language": languages,
            "unseen_voice": unseen,
        }
    )
    blended = voices(rng, gender, languages, unseen)
    cue = pd.DataFrame(
        {
            "lean_u": LEAN_U[group],
            "lean_v": LEAN_V[group],
            "jitter_u": rng.standard_normal(count).round(4),
            "jitter_v": rng.standard_normal(count).round(4),
            "jitter_age": rng.standard_normal(count).round(4),
            "tempo_jitter": rng.standard_normal(count).round(4),
        }
    )
    return pd.concat([labels, blended, cue], axis=1)
