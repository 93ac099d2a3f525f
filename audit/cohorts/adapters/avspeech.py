"""AVSpeech clips with the file names of Speech2Face; see datasets/cards/avspeech.md."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.importing.metadata import find_file
from audit.cohorts.importing.scanning import scan
from audit.core.errors import CohortError
from audit.core.registry import Part

CLIP = re.compile(
    r"(?P<video>[A-Za-z0-9_-]{11})_(?P<start>\d+(?:\.\d+)?)[-_](?P<end>\d+(?:\.\d+)?)(?:[-_.][A-Za-z][A-Za-z0-9_-]*)?"
)
NAMES = "<id of 11 letters>_<start>-<end>.wav, or <id>_<start>_<end> with any addition such as _audio"
SETS = ("train", "test")
COLUMNS = ["video", "start", "end", "face_x", "face_y"]


def read_avspeech(root: Path) -> Imported:
    """The cohort in a folder of AVSpeech clips: ``<video id>_<start>-<end>.wav``, anywhere below the root.

    Names with ``_`` in place of ``-`` and with an addition are read too, as common downloaders write them:
    ``<video id>_<start>_<end>_audio.mp3``. A clip is named ``<video id>_<start>-<end>`` in the cohort.

    ``avspeech_train.csv`` and ``avspeech_test.csv``, if present, give the set of each clip and the
    position of the face; they have no header. The data set names no speakers: each video is assumed to have one.
    """
    found = scan(root)
    stems = [path.rsplit("/", 1)[-1].rsplit(".", 1)[0] for path in found.files]
    frame = pd.DataFrame({"audio": found.files})
    skipped = found.remarks(known=[".csv"])
    named = pd.Series(stems, dtype=str).str.extract(rf"^{CLIP.pattern}$")
    good = named["video"].notna()
    if not good.any():
        no_clip = f"{root} has no audio file that is named as a segment of AVSpeech."
        raise CohortError([" ".join([no_clip, *skipped])], NAMES)
    clips = pd.concat([frame, named], axis=1)[good]
    clips["clip_id"] = clips["video"] + "_" + clips["start"] + "-" + clips["end"]
    clips = clips.drop_duplicates("clip_id").reset_index(drop=True)
    others, again = int((~good).sum()), int(good.sum()) - len(clips)
    clips, remarks = _with_segments(clips, root)
    return Imported(
        pd.DataFrame({"speaker_id": sorted(clips["video"].unique())}),
        clips.rename(columns={"video": "speaker_id"}).assign(cluster=clips["video"]),
        CohortNotes(
            name="AVSpeech",
            licence="not checked here",
            consent="none known: people in videos that they or others put online",
            notes="It has no labels of race, gender, age or language.",
        ),
        (
            *counted(
                (others, f"{others} audio files are not named <id>_<start>-<end> and were left out."),
                (again, f"{again} clips occur more than once and were used once."),
            ),
            *skipped,
            *remarks,
            "All clips of a video are assumed to have one speaker: the data set names no speakers.",
        ),
    )


def _with_segments(clips: pd.DataFrame, root: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The set and face position of each clip, from the lists of segments."""
    paths = {name: find_file(root, [f"avspeech_{name}.csv"]) for name in SETS}
    lists = [_read_segments(path, set(clips["video"])).assign(set=name) for name, path in paths.items() if path]
    if not lists:
        return clips.drop(columns=["start", "end"]), ("avspeech_train.csv and avspeech_test.csv were not found.",)
    segments = pd.concat(lists)
    key = ["video", "start", "end"]
    for table in (segments, clips):
        for column in key[1:]:
            table[column] = (table[column].astype(float) * 1000).round().astype("int64")
    joined = clips.merge(segments.drop_duplicates(key), on=key, how="left").drop(columns=key[1:])
    unlisted = int(joined["set"].isna().sum())
    return joined.fillna(""), counted((unlisted, f"{unlisted} clips are in none of the lists of segments."))


def _read_segments(path: Path, videos: set[str]) -> pd.DataFrame:
    """Rows of the list for the given videos; ids are text, also those that look like numbers."""
    try:
        frame = pd.read_csv(path, header=None, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise CohortError(
            [f"{path.name} cannot be read: {error}."], "a CSV of five columns without a header"
        ) from error
    if len(frame.columns) != len(COLUMNS):
        raise CohortError(
            [f"{path.name} has {len(frame.columns)} columns."], "youtube id, start, end, x and y of the face; no header"
        )
    frame = pd.DataFrame({name: frame[i].str.strip() for i, name in enumerate(COLUMNS)})
    frame = frame[frame["video"].isin(videos)]
    numbers = frame[COLUMNS[1:]].apply(pd.to_numeric, errors="coerce").astype("float64")
    bad = ~np.isfinite(numbers.to_numpy(float)).all(axis=1) | (numbers[["face_x", "face_y"]].abs() > 1).any(axis=1)
    if bad.any():
        rows = [f"{path.name}, row {i + 1}: {','.join(frame.loc[i])!r}." for i in frame.index[bad][:20]]
        raise CohortError(rows, "seconds, and a position in the picture from 0 to 1")
    return frame


ADAPTER = Part(
    name="avspeech",
    summary="AVSpeech clips <id>_<start>-<end>.wav, with avspeech_{train,test}.csv",
    value=read_avspeech,
)
