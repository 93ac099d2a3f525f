"""The table of all fictional speakers, drawn from one seed and from nothing else.

Who is audited, who trains and who validates; group, sex, age and other language; which base voices are blended; where
the voice lies on the axes of the synthetic timbre cue. No result of any instrument or model enters here.

>>> table = draw()
>>> len(table), sorted(table["split"].unique())
(320, ['audited', 'training', 'validation'])
"""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
import pandas as pd

SEED: Final = 20240611
GROUPS: Final = ("asian", "indian", "black", "white")
GENDERS: Final = ("woman", "man")
OTHER_LANGUAGES: Final = ("zh", "es")
PER_GROUP: Final = {"audited": 32, "training": 40, "validation": 8}
AGES: Final = (18, 75)

# Which way each group leans on the two axes of the cue: a convention of this fiction, which describes no real voice.
LEAN_U: Final = {"asian": 1, "indian": -1, "black": -1, "white": 1}
LEAN_V: Final = {"asian": 1, "indian": 1, "black": -1, "white": -1}

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


def draw(seed: int = SEED) -> pd.DataFrame:
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


def voice_pools(seed: int = SEED) -> dict[str, dict[str, list[str]]]:
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


def _cell(seed: int, split: str, group: str, gender: str, count: int, pool: dict[str, list[str]]) -> pd.DataFrame:
    """The speakers of one split, group and sex."""
    rng = generator(seed, split, group, gender)
    low, high = AGES
    years = low + (high - low + 1) * (rng.permutation(count) + rng.random(count)) / count
    language = np.resize(OTHER_LANGUAGES, count)
    unseen = np.zeros(count, bool) if split == "training" else (np.arange(count) // len(OTHER_LANGUAGES)) % 2 == 0
    pairs: dict[bool, list[tuple[str, str]]] = {
        kind: _deal(rng, pool[split if kind else "training"], int((unseen == kind).sum())) for kind in (True, False)
    }
    blended = [pairs[bool(kind)].pop() for kind in unseen]
    return pd.DataFrame(
        {
            "split": split,
            "group": group,
            "gender": gender,
            "age": np.floor(years).astype(int),
            "portrait": "",
            "group_source": "synthetic",
            "gender_source": "synthetic",
            "age_source": "synthetic",
            "native_language": "",
            "other_language": language,
            "unseen_voice": unseen,
            "voice_a": [one for one, _ in blended],
            "voice_b": [other for _, other in blended],
            "weight_a": rng.uniform(0.25, 0.75, count).round(3),
            "lean_u": LEAN_U[group],
            "lean_v": LEAN_V[group],
            "jitter_u": rng.standard_normal(count).round(4),
            "jitter_v": rng.standard_normal(count).round(4),
            "jitter_age": rng.standard_normal(count).round(4),
            "tempo_jitter": rng.standard_normal(count).round(4),
        }
    )


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


def seeded_number(seed: int, *names: str) -> int:
    """A 31-bit number that depends on the seed and the names alone."""
    return int.from_bytes(hashlib.sha256("/".join((str(seed), *names)).encode()).digest()[:4], "big") >> 1


def generator(seed: int, *names: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seeded_number(seed, *names)))


def digest(table: pd.DataFrame) -> str:
    """sha256 of the table as CSV."""
    return hashlib.sha256(table.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


if __name__ == "__main__":
    speakers = draw()
    print(speakers.to_csv(index=False, lineterminator="\n"), end="")
