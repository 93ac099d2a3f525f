"""The tables of a probe and their columns."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from audit.audits.table import GROUP, LANGUAGE, METHOD, N_CLIPS, P_VALUE, Column, Table, interval_columns
from audit.core.vocabulary import ordered_groups
from audit.probes.asking import UNCHANGED, Asked
from audit.probes.changes import PROPERTIES
from audit.probes.factors import ALTERED, FACTORS
from audit.probes.strip import strip
from audit.stats import ALL

SPEAKER: Final = Column("speaker_id", "speaker_id", "Voice")
CLIP: Final = Column("clip_id", "clip_id", "Clip")
GENDER: Final = Column("gender", "key", "Sex")
FACTOR: Final = Column("factor", "key", "Factor")
P_ADJUSTED: Final = Column("p_adjusted", "p_value", "p, adjusted")
N_VOICES: Final = Column("n_voices", "n_speakers", "Voices")
N_MISSING: Final = Column("n_missing", "count", "Not read")

EFFECTS: Final = (
    FACTOR,
    Column("property", "key", "Property"),
    GROUP,
    GENDER,
    *interval_columns("changed", "Changed", ""),
    *interval_columns("clip", "Another clip", ""),
    *interval_columns("excess", "Excess", "", signed=True),
    Column("margin", "setting", "Margin"),
    Column("outcome", "text", "Outcome"),
    P_VALUE,
    P_ADJUSTED,
    N_VOICES,
    Column("n_faces", "count", "Faces"),
    N_MISSING,
    METHOD,
)
READS: Final = (
    FACTOR,
    Column("read", "key", "Read"),
    GROUP,
    GENDER,
    *interval_columns("level", "Level", ""),
    *interval_columns("shift", "Shift", "", signed=True),
    P_VALUE,
    P_ADJUSTED,
    N_VOICES,
    N_MISSING,
    METHOD,
)
FACTOR_COLUMNS: Final = (
    FACTOR,
    Column("family", "text", "Family"),
    Column("role", "text", "Role"),
    Column("title", "text", "Title"),
    Column("formula", "text", "Formula"),
    Column("source", "text", "Source"),
    N_CLIPS,
    Column("n_lowered", "count", "Clips made quieter"),
    Column("most_lowered_db", "value", "Made quieter by at most, dB"),
)
MISSING: Final = (
    FACTOR,
    GROUP,
    N_VOICES,
    Column("n_voices_failed", "count", "Voices that failed"),
    Column("n_faces", "count", "Faces"),
    Column("n_not_read", "count", "Faces not read"),
)
_MOVED: Final = {each.name: Column(each.name, "value", each.title[:1].upper() + each.title[1:]) for each in PROPERTIES}
# the change of the read gender replaces the voice's own gender
VOICES: Final = (
    SPEAKER,
    GROUP,
    _MOVED["gender"],
    FACTOR,
    *(column for column in _MOVED.values() if column.name != "gender"),
    N_CLIPS,
    N_MISSING,
)
FACES: Final = (
    SPEAKER,
    GROUP,
    GENDER,
    LANGUAGE,
    CLIP,
    FACTOR,
    Column("status", "status", "Status"),
    Column("detail", "detail", "Detail"),
    Column("lowered_db", "value", "Made quieter by, dB"),
    Column("race", "read", "Read as"),
    Column("man", "value", "Read as a man", "share"),
    Column("age", "value", "Age read", "years"),
    Column("face", "picture", "Picture, sha256"),
)
STRIP: Final = (
    GROUP,
    GENDER,
    SPEAKER,
    CLIP,
    LANGUAGE,
    FACTOR,
    Column("picture", "picture", "Picture"),
    Column("status", "status", "Status"),
    Column("read_race", "read", "Read as"),
    Column("read_gender", "text", "Gender read"),
    Column("read_age", "value", "Age read", "years"),
)


def tables(
    asked: Asked, effects: pd.DataFrame, reads: pd.DataFrame, changes: pd.DataFrame, seed: int
) -> dict[str, Table]:
    """Every table of a probe, by name.

    Parameters
    ----------
    asked : Asked
        The model's faces.
    effects, reads : DataFrame
        From :func:`audit.probes.effects.effect_table` and :func:`audit.probes.effects.read_table`.
    changes : DataFrame
        From :func:`audit.probes.changes.voice_changes`.
    seed : int
        Seed of the sample of faces.
    """
    missing = _missing(asked)
    statuses = tuple(Column(str(name), "count") for name in missing.columns[len(MISSING) :])
    return {
        "effects": Table(
            "Change under each factor, against another clip",
            "changed: the mean over voices under the factor; clip: between two clips of one voice in one language; "
            "excess: the first minus the second, of the voices that have both. Intervals of the excess are "
            "simultaneous over the factors of one family (all voices), the groups, or the sexes; p adjusted by "
            "Benjamini-Hochberg.",
            effects,
            EFFECTS,
        ),
        "reads": Table(
            "Reads under each factor",
            "level: the mean over voices; shift: after minus before, of the same voices. Intervals are simultaneous "
            "over the groups, and over the sexes; p adjusted by Benjamini-Hochberg.",
            reads,
            READS,
        ),
        "factors": Table(
            "The factors", "The change to a voice, its formula and its source.", _factors(asked), FACTOR_COLUMNS
        ),
        "missing": Table(
            "Faces that could not be read", "Faces by factor, group and status.", missing, (*MISSING, *statuses)
        ),
        "voices": Table("Every voice", "The change of its faces under each factor.", _rounded(changes), VOICES),
        "faces": Table("Every face", "The reads of each face.", _rounded(asked.faces.drop(columns="base")), FACES),
        "strip": Table(
            "The same voices under every factor",
            "One voice of each group and sex, drawn by the seed.",
            strip(asked, seed),
            STRIP,
        ),
    }


def _factors(asked: Asked) -> pd.DataFrame:
    frame = asked.faces
    rows = []
    for factor in FACTORS:
        mine = frame[frame["factor"] == (factor.name if factor in ALTERED else UNCHANGED)]
        lowered = mine["lowered_db"].to_numpy(np.float64)
        rows.append(
            {
                "factor": factor.name,
                "family": factor.family,
                "role": factor.role,
                "title": factor.title,
                "formula": factor.formula,
                "source": factor.source,
                "n_clips": len(mine),
                "n_lowered": int((lowered > 0).sum()),
                "most_lowered_db": round(float(lowered.max(initial=0.0)), 2),
            }
        )
    return pd.DataFrame(rows)


def _missing(asked: Asked) -> pd.DataFrame:
    frame = asked.faces
    statuses = sorted(set(frame["status"]) - {"ok"})
    rows = []
    for factor in (UNCHANGED, *(each.name for each in ALTERED)):
        mine = frame[frame["factor"] == factor]
        for group in (ALL, *ordered_groups(frame["group"])):
            of = mine if group == ALL else mine[mine["group"] == group]
            failed = of["status"] != "ok"
            rows.append(
                {
                    "factor": factor,
                    "group": group,
                    "n_voices": int(of["speaker_id"].nunique()),
                    "n_voices_failed": int(of.loc[failed, "speaker_id"].nunique()),
                    "n_faces": len(of),
                    "n_not_read": int(failed.sum()),
                    **{status: int((of["status"] == status).sum()) for status in statuses},
                }
            )
    return pd.DataFrame(rows)


def _rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Rounded to nine digits, beyond which machines may differ."""
    numbers = frame.select_dtypes("float").columns
    return frame.assign(**{str(name): frame[name].round(9) for name in numbers}).reset_index(drop=True)
