"""Labels assumed or inferred on request of the user: language, and group from nationality."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.importing.metadata import read_metadata
from audit.cohorts.validation import RULES, ValidationErrors, check_ids, check_values
from audit.core.errors import AuditError
from audit.core.languages import UNDETERMINED, canonical_language, is_language
from audit.core.vocabulary import UNKNOWN


def with_language(found: Imported, language: str) -> Imported:
    """Assume a language (a BCP-47 code) for clips without one, with a remark on their number."""
    if not is_language(language) or canonical_language(language) == UNDETERMINED:
        raise AuditError(f"{language!r} is not a language code.", "a BCP-47 code such as en or zh-TW")
    language = canonical_language(language)
    missing = found.clips["language"].isin(["", "und"])
    clips = found.clips.assign(
        language=found.clips["language"].where(~missing, language),
        language_source=found.clips["language_source"].where(~missing, "assumed"),
    )
    remark = (
        f"The language of {int(missing.sum())} of {len(clips)} clips is assumed to be {language}, because --language "
        "says so; no clip was checked."
    )
    return replace(found, clips=clips, remarks=(*found.remarks, remark))


def with_inferred_groups(found: Imported, path: Path) -> Imported:
    """Infer the group of speakers of unknown group from their nationality, by a table of the user.

    The table is a CSV with the columns ``nationality`` and ``group``. Nationality is not race, and the package has no
    such table. Inferred groups have the source ``inferred``, and the cohort's notes have their number.
    """
    if "nationality" not in found.speakers:
        raise AuditError("The data set states no nationality of its speakers.", "voxceleb1 does, in vox1_meta.csv")
    table = read_metadata(path, {"nationality": "nationality", "group": "group"})
    errors = ValidationErrors()
    check_ids(path.name, table["nationality"], errors)
    check_values(path.name, table["group"], RULES["group"], errors)
    errors.stop("Fix the table and try again.")
    group_of = table.set_index("nationality")["group"]
    nationality = found.speakers["nationality"].fillna("")
    lacking = found.speakers["group"].isin(["", UNKNOWN])
    guess = nationality.map(group_of).astype(object).where(lacking)
    guess = guess.where(guess != UNKNOWN)
    inferred = guess.notna()
    speakers = found.speakers.assign(
        group=guess.fillna(found.speakers["group"]),
        group_source=found.speakers["group_source"].where(~inferred, "inferred"),
    )
    unmapped = int((lacking & ~inferred).sum())
    warning = (
        f"NATIONALITY IS NOT RACE: the group of {int(inferred.sum())} of {len(speakers)} speakers was inferred from "
        f"their nationality, by {path.name}, because --group-from-nationality says so; no source states it."
    )
    without = f"{unmapped} speakers of unknown group have a nationality that {path.name} does not map, or none."
    return replace(found, speakers=speakers, remarks=(*found.remarks, warning, *counted((unmapped, without))))
