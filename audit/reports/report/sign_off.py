"""The sign-off: a person's decision on an audit, stored in the run's folder by digest.

It is a record, not a cryptographic signature: it states a decision on one audit and detects changes of the audit or of
the record. It does not prove who wrote it.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from audit.audits.audit import Audit
from audit.core.addresses import place
from audit.core.clean_text import clean
from audit.core.document import MAX_BYTES
from audit.core.errors import AuditError, did_you_mean
from audit.core.files import writing
from audit.core.opening import read_inside, read_regular
from audit.core.transfer import at_hand, listing
from audit.core.written_files import write_files

Decision = Literal["release", "release_with_conditions", "do_not_release", "more_data_needed"]
DECISIONS: Final[tuple[Decision, ...]] = get_args(Decision)
MOST_BYTES: Final = 100_000
_KEPT: Final = re.compile(r"sign-off-([0-9a-f]{12})\.json")
_NEXT: Final = "Fill in the form in the report's section Sign-off and save the file again."


class SignOff(BaseModel):
    """The decision of one person on one audit.

    Attributes
    ----------
    audit_sha256 : str
        SHA-256 of the bytes of the audit.json that was read, 64 hex digits.
    name, role : str
        The person and their role; 1 to 200 characters.
    decision : {"release", "release_with_conditions", "do_not_release", "more_data_needed"}
        The decision.
    conditions : str
        The conditions or reasons; up to 4,000 characters. Optional only for an unconditional release.
    date : date
        The day of the decision, as the person wrote it.

    Examples
    --------
    >>> signed = SignOff(audit_sha256="ab" * 32, name="A. Reviewer", role="ethics board", decision="release",
    ...                  date=datetime.date(2026, 3, 1))
    >>> signed.file_name
    'sign-off-00ccf85178c8.json'
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    audit_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    role: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    decision: Decision
    conditions: Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)] = ""
    date: datetime.date

    @model_validator(mode="after")
    def _says_why(self) -> SignOff:
        if self.decision != "release" and not self.conditions:
            raise ValueError(f"conditions: {self.decision} needs its conditions or reasons")
        return self

    @property
    def file_name(self) -> str:
        """The file name, with the first 12 hex digits of the digest of its text."""
        return f"sign-off-{hashlib.sha256(self.to_json().encode('utf-8')).hexdigest()[:12]}.json"

    def to_json(self) -> str:
        """The JSON text: the same sign-off gives the same bytes."""
        return json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=True) + "\n"


@dataclass(frozen=True)
class SignOffs:
    """The sign-offs in a run's folder, by whether they count for the audit.

    Attributes
    ----------
    counting : tuple of SignOff
        Sign-offs of this audit, by date and name.
    of_another : tuple of SignOff
        Sign-offs of another audit: the run was measured again, or the file was copied here.
    unreadable : tuple of str
        Names of files that are not sign-offs, or were changed later.
    """

    counting: tuple[SignOff, ...] = ()
    of_another: tuple[SignOff, ...] = ()
    unreadable: tuple[str, ...] = ()


def audit_sha256(audit: Audit, folder: Path) -> str:
    """The digest that a sign-off names: that of the folder's audit.json, as ``sha256sum`` prints it.

    If that file is missing or has another audit, it is the digest of the file that the audit would be written as, so
    that a sign-off of other figures does not count. Tables may differ, because ids may be added to them.
    """
    path = folder / Audit.FILE
    data = read_inside(folder, Audit.FILE, MAX_BYTES) if path.is_file() and same_audit(path, audit) else None
    return hashlib.sha256(audit.to_json().encode("utf-8", "surrogatepass") if data is None else data).hexdigest()


def same_audit(path: Path, audit: Audit) -> bool:
    """Whether an audit.json has the audit's run, settings and findings."""
    try:
        written = Audit.read(path.parent)
    except AuditError:
        return False
    return replace(written, tables={}).to_json() == replace(audit, tables={}).to_json()


def keep_sign_off(file: str | Path, folder: str | Path) -> Path:
    """Check a sign-off against the folder's audit and store it there.

    Parameters
    ----------
    file : str or Path
        The file that the report's form saved.
    folder : str or Path
        The run's folder, with its audit.json.

    Returns
    -------
    Path
        The stored file.

    Raises
    ------
    AuditError
        If the file is not a sign-off, or is of another audit.
    RunError
        If the folder has no audit.json, or the file cannot be written.
    """
    home = place(folder)
    signed = _read(Path(file))
    Audit.read_stored(home)  # raises RunError if there is none
    found = hashlib.sha256(read_inside(home, Audit.FILE, MAX_BYTES)).hexdigest()
    if signed.audit_sha256 != found:
        raise AuditError(
            f"{file} signs the audit {signed.audit_sha256[:12]}, but that of {home} is {found[:12]}: the run was "
            "measured again since, or the sign-off is of another run.",
            "a sign-off that was saved from this run's report",
            "Read the current report and sign it.",
        )
    kept = home / signed.file_name
    with writing(kept):
        write_files(home, {kept.name: signed.to_json()})
    return kept


def sign_offs(folder: Path, digest: str) -> SignOffs:
    """The sign-offs in a folder, by whether they are of the audit with this digest."""
    counting, other, unreadable = [], [], []
    for path in (path for path in listing(folder, "sign-off-*.json") if path.is_file()):
        try:
            signed = _read(at_hand(path))
        except AuditError:
            unreadable.append(clean(path.name))
            continue
        if not _KEPT.fullmatch(path.name) or signed.file_name != path.name:
            unreadable.append(clean(path.name))
        elif signed.audit_sha256 == digest:
            counting.append(signed)
        else:
            other.append(signed)
    return SignOffs(tuple(sorted(counting, key=_place)), tuple(sorted(other, key=_place)), tuple(unreadable))


def _place(signed: SignOff) -> tuple[datetime.date, str, str, str]:
    return signed.date, signed.name, signed.role, signed.file_name


def _read(path: Path) -> SignOff:
    try:
        text = read_regular(path, MOST_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AuditError(f"The sign-off {path} cannot be read: {error}.", next_step=_NEXT) from error
    try:
        return SignOff.model_validate_json(text)
    except ValidationError as error:
        problems = "; ".join(_in_words(item["type"], item["loc"], item["msg"]) for item in error.errors())
        raise AuditError(
            f"{path} is not a valid sign-off: {problems}.", ", ".join(SignOff.model_fields), _NEXT
        ) from error


def _in_words(kind: str, loc: tuple[int | str, ...], message: str) -> str:
    """One validation error in words."""
    place = ".".join(str(part) for part in loc)
    if kind == "missing":
        return f"{place} is missing"
    if kind == "extra_forbidden":
        return f"there is no field {place}" + did_you_mean(place, SignOff.model_fields)
    message = message.removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
