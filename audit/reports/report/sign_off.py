"""The sign-off: who decided what on an audit, kept in the run's folder by digest.

It is a record, not a cryptographic signature: it says what somebody wrote down of one audit, and notices when the audit
or the record itself is another one. It does not prove who wrote it.
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
from audit.core.clean_text import clean
from audit.core.errors import AuditError, RunError, did_you_mean
from audit.core.files import writing
from audit.core.written_files import write_files

Decision = Literal["release", "release_with_conditions", "do_not_release", "more_data_needed"]
DECISIONS: Final[tuple[Decision, ...]] = get_args(Decision)
MOST_BYTES: Final = 100_000
_KEPT: Final = re.compile(r"sign-off-([0-9a-f]{12})\.json")
_NEXT: Final = "Fill in the form of the report's section on the sign-off and save the file again."


class SignOff(BaseModel):
    """What one person decided on one audit.

    Attributes
    ----------
    audit_sha256 : str
        SHA-256 of the bytes of the audit.json that was read, 64 hex digits.
    name, role : str
        Who decided, and as what; 1 to 200 characters.
    decision : {"release", "release_with_conditions", "do_not_release", "more_data_needed"}
        What was decided.
    conditions : str
        The conditions, or the reasons; up to 4,000 characters. Only a plain release needs none.
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
        """The name under which it is kept: the first 12 hex digits of the digest of its own text."""
        return f"sign-off-{hashlib.sha256(self.to_json().encode('utf-8')).hexdigest()[:12]}.json"

    def to_json(self) -> str:
        """The text that is kept: the same sign-off gives the same bytes."""
        return json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=True) + "\n"


@dataclass(frozen=True)
class SignOffs:
    """The sign-offs in a run's folder: those that count for the audit, and how many do not.

    Attributes
    ----------
    counting : tuple of SignOff
        Of this very audit, by date and name.
    of_another : tuple of SignOff
        Of another audit: the run was measured again, or the file was copied here.
    unreadable : tuple of str
        Names of files that are no sign-off, or were changed after they were kept.
    """

    counting: tuple[SignOff, ...] = ()
    of_another: tuple[SignOff, ...] = ()
    unreadable: tuple[str, ...] = ()


def audit_sha256(audit: Audit, folder: Path) -> str:
    """The digest that a sign-off names: of the folder's audit.json, as ``sha256sum`` prints it.

    Where that file tells of another audit, or there is none, it is the digest of the file which the audit would be
    written as, so that nobody's sign-off of other figures counts for these. Tables may differ: ids are put into them.
    """
    path = folder / Audit.FILE
    data = path.read_bytes() if path.is_file() and _tells(path, audit) else None
    return hashlib.sha256(audit.to_json().encode("utf-8", "surrogatepass") if data is None else data).hexdigest()


def _tells(path: Path, audit: Audit) -> bool:
    """Whether a folder's audit.json has the audit's own run, settings and findings."""
    try:
        written = Audit.read(path.parent)
    except AuditError:
        return False
    return replace(written, tables={}).to_json() == replace(audit, tables={}).to_json()


def keep_sign_off(file: str | Path, folder: str | Path) -> Path:
    """Check a sign-off against the folder's audit and keep it there.

    Parameters
    ----------
    file : str or Path
        What the report's form saved.
    folder : str or Path
        The run's folder, with its audit.json.

    Returns
    -------
    Path
        The file that is kept; the same one where it was kept before.

    Raises
    ------
    AuditError
        If the file is no sign-off, or one of another audit.
    RunError
        If the folder holds no audit.json, or the disk takes no file.
    """
    home = Path(folder)
    signed = _read(Path(file))
    if not (home / Audit.FILE).is_file():
        raise RunError(f"{home} holds no audit.json.", next_step="Measure the run first: audit measure RUN.")
    found = hashlib.sha256((home / Audit.FILE).read_bytes()).hexdigest()
    if signed.audit_sha256 != found:
        raise AuditError(
            f"{file} signs the audit {signed.audit_sha256[:12]}, and that of {home} is {found[:12]}: it was measured "
            "again since, or is of another run.",
            "a sign-off that was saved from this run's own report",
            "Read the present report and sign that.",
        )
    kept = home / signed.file_name
    with writing(kept):
        write_files(home, {kept.name: signed.to_json()})
    return kept


def sign_offs(folder: Path, digest: str) -> SignOffs:
    """The sign-offs that a folder keeps, told apart by the audit that they are of."""
    counting, other, unreadable = [], [], []
    for path in sorted(path for path in folder.glob("sign-off-*.json") if path.is_file()):
        try:
            signed = _read(path)
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
        if path.stat().st_size > MOST_BYTES:
            raise AuditError(f"{path} is larger than a sign-off can be.", f"{MOST_BYTES:,} bytes", _NEXT)
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AuditError(f"The sign-off {path} cannot be read: {error}.", next_step=_NEXT) from error
    try:
        return SignOff.model_validate_json(text)
    except ValidationError as error:
        faults = "; ".join(_in_words(fault["type"], fault["loc"], fault["msg"]) for fault in error.errors())
        raise AuditError(f"{path} is no sign-off: {faults}.", ", ".join(SignOff.model_fields), _NEXT) from error


def _in_words(kind: str, loc: tuple[int | str, ...], message: str) -> str:
    """One fault in words."""
    place = ".".join(str(part) for part in loc)
    if kind == "missing":
        return f"{place} is missing"
    if kind == "extra_forbidden":
        return f"there is no field {place}" + did_you_mean(place, SignOff.model_fields)
    message = message.removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
