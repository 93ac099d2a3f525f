"""Languages of clips from published lists of the clips in one language."""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pandas as pd

from audit.cohorts.importing.adapter import Imported, counted
from audit.core.errors import AuditError, CohortError
from audit.core.languages import UNDETERMINED, canonical_language, is_language
from audit.core.opening import MAX_TABLE_BYTES, read_regular

GZIP: Final = b"\x1f\x8b"
FORM: Final = "one clip per line, such as dev/mp4/id05668/XWKC1JUM_ow/00053; what follows a tab is not read"


def with_language_lists(found: Imported, lists: Sequence[tuple[str, Path]]) -> Imported:
    """Give clips of undetermined language the language of the list that names them.

    A clip that no list names stays ``und``: it is not evidence of another language. So does a clip that lists of
    two languages name. The source is ``inferred``, since such lists are made by language identification, and the column
    ``language_maker`` has the name of the list.

    Parameters
    ----------
    found : Imported
        The adapter's result.
    lists : sequence of tuple of str and Path
        BCP-47 codes, each with a file of clip ids, plain or compressed by gzip; a language may have several lists.

    Raises
    ------
    AuditError
        If a code is not one.
    CohortError
        If a list cannot be read or names no clip.
    """
    clips = found.clips
    ids = pd.Index(clips["clip_id"])
    parts = int(clips["clip_id"].str.count("/").max()) + 1
    language = pd.Series(UNDETERMINED, index=ids, dtype=object)
    maker = pd.Series("", index=ids, dtype=object)
    several = pd.Series(False, index=ids)
    remarks = []
    for stated, path in lists:
        code = canonical_language(stated) if is_language(stated) else UNDETERMINED
        if code == UNDETERMINED:
            raise AuditError(f"{stated!r} is not a language code.", "a BCP-47 code such as en or zh-TW")
        named = read_clip_list(path, parts)
        here = ids.isin(named)
        several |= here & (language != UNDETERMINED) & (language != code)
        language[here] = code
        maker[here] = path.name
        absent = len(named) - int(here.sum())
        remarks += [
            f"{path.name} names {int(here.sum())} of {len(ids)} clips as {code} (source inferred: nobody listened).",
            *counted((absent, f"{absent} clips of {path.name} are not in the download.")),
        ]
    language[several], maker[several] = UNDETERMINED, ""
    before = pd.Series(clips["language"].to_numpy(), index=ids)
    lacking = before.isin(["", UNDETERMINED])
    against = int((~lacking & (language != UNDETERMINED) & (language != before)).sum())
    taken = (lacking & (language != UNDETERMINED)).to_numpy()
    left = int((lacking & (language == UNDETERMINED)).sum()) - int((lacking & several).sum())
    remarks += counted(
        (int(several.sum()), f"{int(several.sum())} clips are in lists of several languages: und."),
        (against, f"{against} clips have another language in the data set, which is kept."),
        (
            left,
            f"{left} clips are in no list: und. That a list lacks a clip does not show that it is in another language.",
        ),
    )
    clips = clips.assign(
        language=clips["language"].where(~taken, language.to_numpy()),
        language_source=clips["language_source"].where(~taken, "inferred"),
        language_maker=maker.where(taken, "").to_numpy(),
    )
    return replace(found, clips=clips, remarks=(*found.remarks, *remarks))


def read_clip_list(path: Path, parts: int) -> list[str]:
    """The distinct clip ids of a list, as the last ``parts`` names of each line's path, without the suffix.

    Raises
    ------
    CohortError
        If the file cannot be read, or a line has fewer names.
    """
    try:
        data = read_regular(path, MAX_TABLE_BYTES)
        if data.startswith(GZIP):
            with gzip.open(io.BytesIO(data)) as unpacked:
                data = unpacked.read(MAX_TABLE_BYTES + 1)
            if len(data) > MAX_TABLE_BYTES:
                raise CohortError([f"{path.name} is larger than {MAX_TABLE_BYTES:,} bytes unpacked."], FORM)
        text = data.decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise CohortError([f"{path.name} cannot be read: {error}."], FORM) from error
    lines = pd.Series(text.splitlines(), dtype=object).str.split("\t").str[0].str.strip()
    lines = lines[lines != ""]
    names = lines.str.extract(rf"(?:^|/)((?:[^/]+/){{{parts - 1}}}[^/]+?)(?:\.\w+)?$", expand=False)
    if lines.empty:
        raise CohortError([f"{path.name} names no clip."], FORM)
    if names.isna().any():
        i = int(names.index[names.isna()][0])
        more = int(names.isna().sum()) - 1
        raise CohortError(
            [f"{path.name}, line {i + 1}: {lines[i]!r} is no clip's path (and {more} other lines)."], FORM
        )
    return [str(name) for name in names.unique()]
