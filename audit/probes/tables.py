"""The tables of a probe and their columns."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from audit.audits.table import GROUP, LANGUAGE, METHOD, N_CLIPS, P_VALUE, Column, Table, interval_columns
from audit.core.attributes import Attribute
from audit.core.languages import same_language
from audit.core.vocabulary import STATED_GENDERS, UNKNOWN, ordered_groups
from audit.probes import factors
from audit.probes.asking import UNCHANGED, Asked
from audit.probes.changes import VOICE_GENDER, properties_of
from audit.probes.voices import FIRST, lot
from audit.runs.faces import face_file
from audit.runs.run import FACES
from audit.stats import ALL

SPEAKER: Final = Column("speaker_id", "speaker_id", "Voice")
CLIP: Final = Column("clip_id", "clip_id", "Clip")
GENDER: Final = Column("gender", "key", "Sex")
FACTOR: Final = Column("factor", "key", "Factor")
STATUS: Final = Column("status", "status", "Status")
P_ADJUSTED: Final = Column("p_adjusted", "p_value", "p, adjusted")
N_VOICES: Final = Column("n_voices", "n_speakers", "Voices")
N_FACES: Final = Column("n_faces", "count", "Faces")
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
    *(P_VALUE, P_ADJUSTED, N_VOICES, N_FACES, N_MISSING, METHOD),
)
READS: Final = (
    FACTOR,
    Column("read", "key", "Read"),
    GROUP,
    GENDER,
    *interval_columns("level", "Level", ""),
    *interval_columns("shift", "Shift", "", signed=True),
    *(P_VALUE, P_ADJUSTED, N_VOICES, N_MISSING, METHOD),
)
_TEXTS: Final = ("family", "role", "title", "formula", "source")
FACTOR_COLUMNS: Final = (
    FACTOR,
    *(Column(name, "text", name.capitalize()) for name in _TEXTS),
    N_CLIPS,
    Column("n_lowered", "count", "Clips made quieter"),
    Column("most_lowered_db", "value", "Made quieter by at most, dB"),
)
MISSING: Final = (
    FACTOR,
    GROUP,
    N_VOICES,
    Column("n_voices_failed", "count", "Voices that failed"),
    Column("n_voices_without", "count", "Voices without such a clip"),
    N_FACES,
    Column("n_not_read", "count", "Faces not read"),
)
_HEADINGS: Final = {"race": "Read as", "man": "Read as a man", "gender": "Gender read", "age": "Age read"}
"""Headings of the shipped reads, by column."""


def _reads(attribute: Attribute, column: str, number: str, prefix: str = "") -> Column:
    """The column of an attribute's labels, or of one of its numbers."""
    heading = _HEADINGS.get(column, f"{column.replace('_', ' ').capitalize()} read")
    if number == "label":
        return Column(prefix + column, "read" if attribute.name == "race" else "text", heading)
    unit = next(each.unit for each in attribute.numbers if each.name == number)
    return Column(prefix + column, "value", heading, unit)


def _voices(changes: pd.DataFrame, read: tuple[Attribute, ...]) -> Table:
    moved = [Column(each.name, "value", each.title[:1].upper() + each.title[1:]) for each in properties_of(read)]
    # the change of the read gender keeps the place that it has in earlier versions
    columns = (
        *(SPEAKER, GROUP, Column(VOICE_GENDER, "key", "Sex")),
        *(column for column in moved if column.name == "gender"),
        FACTOR,
        *(column for column in moved if column.name != "gender"),
        *(N_CLIPS, N_MISSING),
    )
    frame = _rounded(changes[[column.name for column in columns]])
    return Table("Every voice", "The change of its faces under each factor.", frame, columns)


def _faces(asked: Asked) -> Table:
    columns = (
        *(SPEAKER, GROUP, GENDER, LANGUAGE, CLIP, FACTOR, STATUS),
        Column("detail", "detail", "Detail"),
        Column("lowered_db", "value", "Made quieter by, dB"),
        *(_reads(each, column, number) for each in asked.read for column, number in each.probe_columns.items()),
        Column("face", "picture", "Picture, sha256"),
    )
    return Table("Every face", "The reads of each face.", _rounded(asked.faces.drop(columns=["base", "of"])), columns)


def _strip(asked: Asked, seed: int) -> Table:
    columns = (
        *(GROUP, GENDER, SPEAKER, CLIP, LANGUAGE, FACTOR),
        Column("picture", "picture", "Picture"),
        STATUS,
        *(_reads(each, each.name, "label" if each.labels else each.numbers[0].name, "read_") for each in asked.read),
    )
    frame, rows = asked.faces, []
    shown = {f"read_{attribute.name}": _shown(attribute, frame) for attribute in asked.read}
    for group in ordered_groups(frame["group"]):
        for gender in (*STATED_GENDERS, UNKNOWN):
            mine = frame[(frame["group"] == group) & (frame["gender"] == gender)]
            if mine.empty:
                continue
            # the draw does not depend on reads or statuses
            name = min(mine["speaker_id"].unique(), key=lambda each: lot(seed, each))
            for factor, face in _one_under_each_factor(mine[mine["speaker_id"] == name]):
                row = {column.name: face.get(column.name) for column in columns}
                picture = face_file(Path(FACES), face["face"]).as_posix() if isinstance(face["face"], str) else None
                read = {name: of[face.name] for name, of in shown.items()}
                rows.append(row | {"factor": factor, "picture": picture} | read)
    note = "One voice of each group and sex, drawn by the seed."
    return Table("The same voices under every factor", note, pd.DataFrame(rows), columns)


def _one_under_each_factor(mine: pd.DataFrame) -> list[tuple[str, pd.Series]]:
    natural = mine[mine["factor"] == UNCHANGED]
    english = natural["language"].map(lambda code: same_language(code, FIRST))
    chosen = [
        (UNCHANGED, natural[natural["base"]]),
        (factors.CLIP.name, natural[english & ~natural["base"]]),
        (factors.LANGUAGE.name, natural[~english]),
        *((factor.name, mine[mine["factor"] == factor.name]) for factor in (factors.ACCENT, *factors.ALTERED)),
    ]
    return [(name, of.sort_values("clip_id").iloc[0]) for name, of in chosen if len(of)]


def _shown(attribute: Attribute, frame: pd.DataFrame) -> dict[object, object]:
    """The label or, without labels, the first number read in each face; ``None`` if none was read."""
    reads = attribute.probe_reads(frame)
    if attribute.labels:
        values: list[object] = [attribute.labels[place] if place >= 0 else None for place in reads.label]
    else:
        numbers = reads.where_read(reads.number(attribute.numbers[0].name))
        values = [None if np.isnan(value) else round(float(value), 9) for value in numbers]
    return dict(zip(frame.index, values, strict=True))


def tables(
    asked: Asked, effects: pd.DataFrame, reads: pd.DataFrame, changes: pd.DataFrame, seed: int
) -> dict[str, Table]:
    """Every table of a probe, by name.

    The frames are those of :func:`audit.probes.effects.effect_table`, :func:`audit.probes.effects.read_table` and
    :func:`audit.probes.changes.voice_changes`; the seed is that of the sample of faces.
    """
    return {
        "effects": Table(
            "Change under each factor, against another clip",
            "changed: the mean over voices under the factor; clip: between two clips of one voice in one language; "
            "excess: the first minus the second, of the voices that have both. Intervals of the excess are "
            "simultaneous over the factors of one family (all voices), the groups, or the sexes. p over all voices is "
            "adjusted for all questions (Holm), p by group and by sex for their rows (Benjamini-Hochberg).",
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
        "missing": _missing(asked),
        "voices": _voices(changes, asked.read),
        "faces": _faces(asked),
        "strip": _strip(asked, seed),
    }


def _factors(asked: Asked) -> pd.DataFrame:
    frame = asked.faces
    rows = []
    for factor in factors.FACTORS:
        natural = factor in (factors.CLIP, factors.LANGUAGE)
        mine = frame[frame["factor"] == (UNCHANGED if natural else factor.name)]
        lowered = mine["lowered_db"].to_numpy(np.float64)
        rows.append(
            {
                "factor": factor.name,
                **{name: getattr(factor, name) for name in _TEXTS},
                "n_clips": len(mine),
                "n_lowered": int((lowered > 0).sum()),
                "most_lowered_db": round(float(lowered.max(initial=0.0)), 2),
            }
        )
    return pd.DataFrame(rows)


def _missing(asked: Asked) -> Table:
    frame = asked.faces
    statuses = sorted(set(frame["status"]) - {"ok"})
    rows = []
    everyone = frame[frame["factor"] == UNCHANGED].groupby("group")["speaker_id"].nunique()
    for factor in (UNCHANGED, *(each.name for each in (factors.ACCENT, *factors.ALTERED))):
        mine = frame[frame["factor"] == factor]
        for group in (ALL, *ordered_groups(frame["group"])):
            of = mine if group == ALL else mine[mine["group"] == group]
            failed, there = of["status"] != "ok", int(of["speaker_id"].nunique())
            rows.append(
                {
                    "factor": factor,
                    "group": group,
                    "n_voices": there,
                    "n_voices_failed": int(of.loc[failed, "speaker_id"].nunique()),
                    "n_voices_without": int(everyone.sum() if group == ALL else everyone[group]) - there,
                    "n_faces": len(of),
                    "n_not_read": int(failed.sum()),
                    **{status: int((of["status"] == status).sum()) for status in statuses},
                }
            )
    columns = (*MISSING, *(Column(status, "count") for status in statuses))
    return Table("Faces that could not be read", "Faces by factor, group and status.", pd.DataFrame(rows), columns)


def _rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Rounded to nine digits, beyond which machines may differ."""
    numbers = frame.select_dtypes("float").columns
    return frame.assign(**{str(name): frame[name].round(9) for name in numbers}).reset_index(drop=True)
