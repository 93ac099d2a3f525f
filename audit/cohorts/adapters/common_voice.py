"""Common Voice, of any version; see datasets/cards/common_voice.md."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.importing.metadata import GENDER_WORDS, read_metadata
from audit.cohorts.importing.scanning import scan
from audit.core.audio_formats import AUDIO_SUFFIXES
from audit.core.errors import AuditError, CohortError, did_you_mean
from audit.core.registry import Part
from audit.core.vocabulary import GENDERS, UNKNOWN, is_language

TABLES = ("validated", "train", "dev", "test", "other")
COLUMNS = {"client_id": "speaker_id", "path": "path"}
FURTHER = {name: name for name in ("gender", "accents", "accent", "variant")}
RENAMED = {"age": "age_band", "locale": "language"}


def read_common_voice(root: Path, table: str = "validated") -> Imported:
    """The cohort in a download of Common Voice: ``<locale>/clips/*.mp3`` and ``<locale>/validated.tsv``.

    ``root`` is the folder of one locale, or has the folders of several; ``table`` is one of :data:`TABLES`. A speaker
    is a ``client_id``, a language is a locale. Age is a band there and stays one (``age_band``).
    """
    if table not in TABLES:
        raise AuditError(f"Common Voice has no table {table!r}{did_you_mean(table, TABLES)}.", ", ".join(TABLES))
    places = [folder for folder in (root, *sorted(root.iterdir())) if (folder / f"{table}.tsv").is_file()]
    if not places:
        raise CohortError([f"{root} has no {table}.tsv."], f"<locale>/{table}.tsv and <locale>/clips/*.mp3")
    parts, remarks = zip(*(_read_locale(root, folder, table) for folder in places), strict=True)
    clips = pd.concat(parts, ignore_index=True)
    speakers, changing = _speakers(clips)
    others = clips["gender"].str.lower()
    others = others[(others != "") & ~others.isin(list(GENDER_WORDS))]
    n, words = clips.loc[others.index, "speaker_id"].nunique(), ", ".join(sorted(set(others))[:5])
    return Imported(
        speakers,
        clips.drop(columns=["gender", "age_band"]).assign(language_source="metadata"),
        CohortNotes(
            name="Common Voice",
            licence="not checked here",
            consent="recorded by the speakers themselves for the data set; its terms not checked here",
            notes="Languages are the data set's locales; genders and ages are what speakers said. No faces, no race.",
        ),
        (
            *chain(*remarks),
            *counted(
                (n, f"{n} speakers state a gender that is not supported ({words}); set to unknown."),
                (changing, f"{changing} speakers state different ages or genders in different clips; set to unknown."),
            ),
        ),
    )


def _read_locale(root: Path, folder: Path, table: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The clips of one locale's table that are there."""
    frame = read_metadata(folder / f"{table}.tsv", COLUMNS, FURTHER | RENAMED)
    below = "" if folder == root else f"{folder.name}/"
    files = scan(root, AUDIO_SUFFIXES, f"{below}clips")
    there = {path.rsplit("/", 1)[-1]: path for path in files.files if path.count("/") == below.count("/") + 1}
    audio = frame["path"].map(there).astype(object)
    audio = audio.fillna((frame["path"] + ".mp3").map(there))  # older versions omit the suffix
    gone = audio.isna()
    anonymous = (frame["speaker_id"] == "") & ~gone
    language = frame["language"].replace("", folder.resolve().name)
    ill = sorted({code for code in language.unique() if not is_language(code)})
    if ill:
        raise CohortError(
            [f"{table}.tsv of {folder.name}: the locale {code!r} is not a language code." for code in ill[:20]],
            "a BCP-47 code such as en or zh-TW, in the column locale or as the folder's name",
        )
    kept = ~(gone | anonymous)
    name = audio.where(kept, "").str.rsplit("/", n=1).str[-1].str.rsplit(".", n=1).str[0]
    clips = frame.assign(
        audio=audio,
        language=language,
        clip_id=name,
        accents=frame["accents"].where(frame["accents"] != "", frame["accent"]),
    )[kept].drop(columns=["path", "accent"])
    unique = clips.drop_duplicates("clip_id")
    label = f"{table}.tsv of {folder.resolve().name}"
    n_gone, n_anonymous, again = int(gone.sum()), int(anonymous.sum()), len(clips) - len(unique)
    remarks = counted(
        (n_gone, f"{n_gone} rows of {label} name a clip that is not in clips/ and were left out."),
        (n_anonymous, f"{n_anonymous} rows of {label} have no client_id and were left out."),
        (again, f"{again} rows of {label} repeat a clip."),
    )
    return unique, (*remarks, *files.remarks())


def _speakers(clips: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """One row per speaker, unknown gender and age where clips disagree, and the number of such speakers."""
    said = clips["gender"].str.lower()
    gender = said.map(GENDER_WORDS).astype(object).fillna(said)  # an unsupported word disagrees with the known ones
    columns = {}
    changing: set[str] = set()
    ids = sorted(clips["speaker_id"].unique())
    for name, values in (("gender", gender), ("age_band", clips["age_band"])):
        stated = pd.DataFrame({"speaker_id": clips["speaker_id"], name: values})
        stated = stated[stated[name] != ""].drop_duplicates()
        several = set(stated.loc[stated["speaker_id"].duplicated(), "speaker_id"])
        changing |= several
        one = stated[~stated["speaker_id"].isin(several)].set_index("speaker_id")[name]
        columns[name] = one.reindex(ids).fillna("").to_numpy()
    known = np.isin(columns["gender"], GENDERS)
    columns["gender"] = np.where(known, columns["gender"], UNKNOWN)
    sources = np.where(known, "self_reported", "")
    return pd.DataFrame({"speaker_id": ids, **columns, "gender_source": sources}), len(changing)


ADAPTER = Part(
    name="common_voice",
    summary="Common Voice: <locale>/clips/*.mp3 and <locale>/validated.tsv",
    value=read_common_voice,
)
