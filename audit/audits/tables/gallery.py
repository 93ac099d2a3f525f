"""The faces that a report shows: failures and successes of each group and language, drawn by seed.

The table says which clips have pictures, not the names of their files: see :mod:`audit.audits.privacy.pictures`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping
from typing import Any, Final, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.audits.table import GROUP, LANGUAGE, Column
from audit.audits.tables.spec import TableSpec
from audit.core.columns import face_column
from audit.core.vocabulary import STAGES, UNKNOWN, group_members, ordered_groups
from audit.stats.speakers import Ints, divided, numbered

Pick: TypeAlias = Literal["failure", "success", "neither"]
"""Why a clip may be drawn; see :func:`pick`."""
_Clip: TypeAlias = Mapping[Hashable, Any]
_PEOPLE: Final = ("speaker_id", "language", "clip_id")
_RACES: Final = tuple(f"{stage}_race" for stage in STAGES)
_READ: Final = (*map(face_column, STAGES), *_RACES)


def pick(clip: _Clip) -> Pick:
    """What the rendered face of a clip is an example of.

    For a group that is one or more race labels, a failure is a face that is read as another group although the
    portrait, where there is one, was read as the own group; a success is a face that is read as the own group. For
    another group, a failure is a picture in which no face was found, a success one in which a face was found. Other
    clips, such as those of speakers of unknown group, are neither.

    Examples
    --------
    >>> pick({"group": "asian", "portrait_race": "asian", "rendered_race": "white"})
    'failure'
    >>> pick({"group": "asian", "portrait_race": "white", "rendered_race": "white"})
    'neither'
    >>> pick({"group": "scottish", "rendered_status": "no_face"})
    'failure'
    """
    own = group_members(str(clip["group"]))
    read, portrait = (_text(clip.get(f"{stage}_race")) for stage in ("rendered", "portrait"))
    if own:
        if read in own:
            return "success"
        return "failure" if read and (portrait is None or portrait in own) else "neither"
    if clip["group"] == UNKNOWN:
        return "neither"
    if clip.get("rendered_status") == "no_face":
        return "failure"
    return "success" if _text(clip.get(face_column("rendered"))) else "neither"


def gallery(frame: pd.DataFrame, clips: int, seed: int) -> pd.DataFrame:
    """Failures and successes of each group and language: their pictures, and the race read in each.

    Parameters
    ----------
    frame : DataFrame
        The observations.
    clips : int
        The number of clips of a group and language: half are failures, half successes, where there are as many. At
        least one of each is shown where there are any; 0 shows none. Clips that are neither are drawn only where there
        are no others.
    seed : int
        Within each group, language and kind the draw depends on the seed and the ids alone. One speaker is drawn at
        most once for each kind in a language.
    """
    names = [name for name in (*_PEOPLE, *_READ, "group", "rendered_status") if name in frame]
    strata: dict[tuple[str, str], dict[Pick, pd.DataFrame]] = {}
    for (group, language, kind), rows in _picked(frame).items():
        strata.setdefault((group, language), {})[kind] = frame[names].iloc[rows]
    order = {group: place for place, group in enumerate(ordered_groups(frame["group"].unique()))}
    drawn_rows: list[tuple[object, ...]] = []
    for group, language in sorted(strata, key=lambda key: (order[key[0]], key[1])):
        kinds = strata[group, language]
        sizes = {"failure": (clips + 1) // 2, "success": max(clips // 2, min(clips, 1))}
        if not kinds.keys() & sizes.keys():
            sizes = {"neither": clips}
        for kind in get_args(Pick):
            for drawn in _drawn(kinds[kind], sizes.get(kind, 0), seed) if kind in kinds else ():
                drawn_rows.append((group, language, drawn["speaker_id"], drawn["clip_id"], kind, *_pictures(drawn)))
    return pd.DataFrame(drawn_rows, columns=TABLE.names)


def random_sample(frame: pd.DataFrame, speakers: int, seed: int) -> pd.DataFrame:
    """One clip in each language of some speakers of each group, whatever was read in them.

    Parameters
    ----------
    frame : DataFrame
        The observations.
    speakers : int
        The number of speakers per group; the same ones in all their languages.
    seed : int
        The sample depends on the seed and the ids, never on reads or statuses, so that it is the same for every model.
    """
    everyone = frame[["group", "speaker_id"]].drop_duplicates()
    rows = []
    for group in ordered_groups(everyone["group"]):
        names = everyone.loc[everyone["group"] == group, "speaker_id"]
        chosen = sorted(names, key=lambda name: _lot(seed, name))[:speakers]
        shown = frame.loc[(frame["group"] == group) & frame["speaker_id"].isin(chosen), [*_PEOPLE, *_READ]]
        clips = dict(iter(shown.groupby(["speaker_id", "language"], sort=False, observed=True)))
        for person, language in sorted(clips, key=lambda key: (chosen.index(key[0]), key[1])):
            (drawn,) = _drawn(clips[person, language], 1, seed)
            rows.append((group, language, person, drawn["clip_id"], *_pictures(drawn)))
    return pd.DataFrame(rows, columns=[name for name in TABLE.names if name != "pick"])


def _picked(frame: pd.DataFrame) -> dict[tuple[str, str, Pick], Ints]:
    """The rows of each group, language and kind; each combination of what :func:`pick` reads is looked at once."""
    read = [name for name in ("group", "language", "rendered_status", *_RACES) if name in frame]
    columns: dict[str, tuple[NDArray[Any], list[object]]] = {name: numbered(frame[name]) for name in read}
    if "rendered_face" in frame:
        columns["rendered_face"] = frame["rendered_face"].notna().to_numpy(np.int64), [None, "a face"]
    keys, number = divided(list(columns.values()), len(frame))
    clips: list[_Clip] = [dict(zip(columns, key, strict=True)) for key in keys]
    found: dict[tuple[str, str, Pick], list[int]] = {}
    for place, clip in enumerate(clips):
        found.setdefault((str(clip["group"]), str(clip["language"]), pick(clip)), []).append(place)
    kind = np.empty(len(keys), np.int64)
    for i, places in enumerate(found.values()):
        kind[places] = i
    of_rows = kind[number]
    ends = np.cumsum(np.bincount(of_rows, minlength=len(found)))
    return dict(zip(found, np.split(np.argsort(of_rows, kind="stable"), ends)[:-1], strict=True))


def _drawn(clips: pd.DataFrame, number: int, seed: int) -> list[_Clip]:
    """Some of the clips, each of another speaker."""
    chosen = sorted(clips["speaker_id"].unique(), key=lambda name: _lot(seed, name))[:number]
    of_chosen = clips[clips["speaker_id"].isin(chosen)].to_dict("records")
    first: dict[str, _Clip] = {}
    for clip in sorted(of_chosen, key=lambda each: _lot(seed, each["clip_id"])):
        first.setdefault(clip["speaker_id"], clip)
    return [first[name] for name in chosen]


def _pictures(clip: _Clip) -> list[str | None]:
    """What tells the pictures of a clip apart from all others of the run, and the race read in each."""
    shown = [f"{stage} of {clip['clip_id']}" if _text(clip[face_column(stage)]) else None for stage in STAGES]
    return [*shown, *(_text(clip[f"{stage}_race"]) for stage in STAGES)]


def _lot(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\x1f{name}".encode()).digest()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


TABLE = TableSpec(
    name="gallery",
    title="Faces",
    note="Drawn by seed within each group and language: failures and successes. This is not a random sample.",
    columns=(
        GROUP,
        LANGUAGE,
        Column("speaker_id", "speaker_id", "Speaker"),
        Column("clip_id", "clip_id", "Clip"),
        Column("pick", "text", "Drawn as"),
        *(Column(stage, "picture", stage.capitalize()) for stage in STAGES),
        *(Column(f"{stage}_read", "read", f"{stage.capitalize()} read as") for stage in STAGES),
    ),
    make=lambda source: gallery(source.evidence.frame, source.settings.gallery, source.settings.seed),
)
