"""Common Voice, of any version; see datasets/cards/common_voice.md."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from audit.cohorts import CohortNotes
from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.importing.bilingual import bilingual_remark
from audit.cohorts.importing.damaged_rows import read_rows
from audit.cohorts.importing.metadata import GENDER_WORDS, choose_columns, read_metadata
from audit.cohorts.importing.scanning import scan, suffix_of
from audit.core.audio_formats import AUDIO_SUFFIXES
from audit.core.errors import AuditError, CohortError, did_you_mean
from audit.core.languages import is_language
from audit.core.registry import Part
from audit.core.vocabulary import GENDERS, UNKNOWN

TABLES = ("validated", "train", "dev", "test", "other")
VALIDATED_PARTS = ("train", "dev", "test")
"""Tables that are parts of ``validated``."""
COLUMNS = {"client_id": "speaker_id", "path": "path"}
FURTHER = {name: name for name in ("gender", "accents", "accent", "variant")}
RENAMED = {"age": "age_band", "locale": "language"}
LAYOUT = "<locale>/{0}.tsv and <locale>/clips/*.mp3, or transcript/<locale>/{0}.tsv and audio/<locale>/"


@dataclass(frozen=True)
class Locale:
    """Tables and clips of one locale."""

    name: str
    tables: tuple[Path, ...]
    clips: str
    """Folder of the clips, relative to the root."""
    nested: bool
    """Whether clips may be in folders of ``clips``, as on the Hugging Face Hub."""
    parts: bool = False
    """Whether the tables are parts of ``validated``, which is not there."""


def read_common_voice(root: Path, table: str = "") -> Imported:
    """The cohort in a download of Common Voice: ``<locale>/clips/*.mp3`` and ``<locale>/validated.tsv``.

    ``root`` is the folder of one locale, or has the folders of several, or is the data set's repository on the Hugging
    Face Hub with its archives extracted: ``audio/<locale>/`` and ``transcript/<locale>/``. ``table`` is one of
    :data:`TABLES`; the default is ``validated``, or if the Hub has none, its parts train, dev and test. A speaker is a
    ``client_id``, the same in all locales, so that one with clips in several locales is bilingual. Age is a band there
    and stays one (``age_band``). A clip that was converted to another format is found by its name without the
    extension.
    """
    if table and table not in TABLES:
        raise AuditError(f"Common Voice has no table {table!r}{did_you_mean(table, TABLES)}.", ", ".join(TABLES))
    places = _locales(root, table or "validated") or ([] if table else _hub_locales(root, VALIDATED_PARTS))
    if not places:
        layout = LAYOUT.format(table or "validated")
        raise CohortError([f"{root} has no {table or 'validated'}.tsv."], layout, "See --option table=.")
    parts, remarks = zip(*(_read_locale(root, place) for place in places), strict=True)
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
                (len(places) > 1, bilingual_remark(clips)),
            ),
        ),
    )


def _locales(root: Path, table: str) -> list[Locale]:
    """The locales of a download that have the table."""
    folders = [folder for folder in (root, *sorted(root.iterdir())) if (folder / f"{table}.tsv").is_file()]
    found = [
        Locale(
            folder.resolve().name,
            (folder / f"{table}.tsv",),
            "clips" if folder == root else f"{folder.name}/clips",
            False,
        )
        for folder in folders
    ]
    return found or _hub_locales(root, (table,))


def _hub_locales(root: Path, tables: tuple[str, ...]) -> list[Locale]:
    """The locales of the repository on the Hub that have one of the tables."""
    folders = sorted(root.glob("transcript/*/"))
    there = {
        folder.name: tuple(filter(Path.is_file, (folder / f"{name}.tsv" for name in tables))) for folder in folders
    }
    parts = tables == VALIDATED_PARTS
    return [Locale(name, files, f"audio/{name}", True, parts) for name, files in there.items() if files]


def _read_locale(root: Path, place: Locale) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The clips of one locale's tables that are there."""
    names = ", ".join(path.name for path in place.tables)
    label = f"{names} of {place.name}"
    tables, damages = zip(*map(_read_rows, place.tables), strict=True)
    frame = pd.concat(tables, ignore_index=True)
    files = scan(root, AUDIO_SUFFIXES, place.clips)
    depth = place.clips.count("/") + 1
    paths = [path for path in files.files if place.nested or path.count("/") == depth]
    there = {path.rsplit("/", 1)[-1]: path for path in paths}
    by_stem = {name.rsplit(".", 1)[0]: path for name, path in reversed(there.items())}
    stem = frame["path"].str.rsplit(".", n=1).str[0]
    audio = frame["path"].map(there).astype(object)
    audio = audio.fillna(stem.map(by_stem)).fillna(frame["path"].map(by_stem))  # older versions omit the suffix
    gone = audio.isna()
    anonymous = (frame["speaker_id"] == "") & ~gone
    language = frame["language"].replace("", place.name)
    ill = sorted({code for code in language.unique() if not is_language(code)})
    if ill:
        raise CohortError(
            [f"{label}: the locale {code!r} is not a language code." for code in ill[:20]],
            "a BCP-47 code such as en or zh-TW, in the column locale or as the folder's name",
        )
    kept = ~(gone | anonymous)
    name = audio.where(kept, "").str.rsplit("/", n=1).str[-1].str.rsplit(".", n=1)
    converted = (
        kept & (frame["path"].map(suffix_of) != "") & (frame["path"].map(suffix_of) != "." + name.str[-1].str.lower())
    )
    clips = frame.assign(
        audio=audio,
        language=language,
        clip_id=name.str[0],
        accents=frame["accents"].where(frame["accents"] != "", frame["accent"]),
    )[kept].drop(columns=["path", "accent"])
    unique = clips.drop_duplicates("clip_id")
    n_gone, n_anonymous, again = int(gone.sum()), int(anonymous.sum()), len(clips) - len(unique)
    n_converted, unlisted = int(converted.sum()), len(paths) - audio.nunique()
    below = place.clips if place.nested else "clips"
    remarks = counted(
        (place.parts, f"The download has no validated.tsv of {place.name}; its parts {names} were read."),
        (n_gone, f"{n_gone} rows of {label} name a clip that is not in {below}/ and were left out."),
        (n_anonymous, f"{n_anonymous} rows of {label} have no client_id and were left out."),
        (again, f"{again} rows of {label} repeat a clip."),
        (
            n_converted,
            f"{n_converted} rows of {label} name a clip in another format than the file's; they were matched by the "
            "name without the extension.",
        ),
        (unlisted, f"{unlisted} clips of {place.name} are not in {label} and were left out."),
    )
    return unique, (*chain(*damages), *remarks, *files.remarks())


def _read_rows(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The rows of a table, and remarks on those that are damaged."""
    wanted = {**COLUMNS, **FURTHER, **RENAMED}
    rows = read_rows(path, wanted, text="sentence", numbers=("up_votes", "down_votes"))
    if rows is None:
        return read_metadata(path, COLUMNS, FURTHER | RENAMED), ()
    return (
        choose_columns(rows.table, path.name, COLUMNS, FURTHER | RENAMED),
        rows.remarks(f"{path.name} of {path.resolve().parent.name}"),
    )


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
    summary="Common Voice: <locale>/clips/*.mp3 and <locale>/validated.tsv, or as on the Hugging Face Hub",
    value=read_common_voice,
)
