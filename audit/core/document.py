"""Documents: results written as JSON with a schema version and a digest, and read again strictly."""

from __future__ import annotations

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, ValidationError, WrapValidator

from audit.core.addresses import place
from audit.core.errors import RunError
from audit.core.files import writing
from audit.core.opening import read_inside
from audit.core.written_files import write_files

SCHEMA_VERSION: Final = "1.2"
MAX_BYTES: Final = 512 * 2**20
"""Maximum size of a file to read.

Of all tables only ``failures`` grows with the clips, by a row for each clip without a result. If all 1.1 million clips
of VoxCeleb2 failed, audit.json would have about 150 MiB.
"""
MAX_DEPTH: Final = 32
"""Maximum nesting to read; documents of the package have at most 10 levels."""
_HEAD: Final = ("schema_version", "content_sha256")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_VERSION: Final = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}")
_TOO_DEEP: Final = f"it is nested too deeply (more than {MAX_DEPTH} levels)"


class Form(BaseModel):
    """Base of the forms that stored JSON must have: declared keys have their types, further keys are allowed."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True, allow_inf_nan=False)


def _as_stored(value: object, check: Callable[[object], object]) -> object:
    check(value)
    return value


AS_STORED: Final = WrapValidator(_as_stored)
"""Validates a JSON object by its form but keeps it as it is stored, with the order of its keys."""


class Stored(NamedTuple):
    """A document as stored in its file, and its validated content."""

    schema_version: str
    content: dict[str, Any]
    form: Form


class Document:
    """Base of the results that are stored as JSON: Audit, Comparison, Probe and Decision.

    The file is one JSON object: ``schema_version``, ``content_sha256``, then the content. The digest is the SHA-256 of
    the content as it is written by itself. It makes damage and careless edits visible; it is not a signature.

    Attributes
    ----------
    FILE : str
        The name of the file.
    COMMAND : str
        The command that writes it.
    FORM : type of Form
        The form of the content. Its fields are attributes of the document; a field whose published key differs has
        that key as its alias.
    schema_version : str
        ``"major.minor"``. Every minor version of the current major version is read.
    """

    FILE: ClassVar[str]
    COMMAND: ClassVar[str]
    FORM: ClassVar[type[Form]]
    schema_version: str

    def content(self) -> dict[str, object]:
        """The published keys and their values, in the order in which they are written."""
        return {field.alias or name: as_json(getattr(self, name)) for name, field in self.FORM.model_fields.items()}

    @property
    def content_sha256(self) -> str:
        """SHA-256 of the content, as 64 hex digits."""
        return _sha256(_written(self.content()))

    def to_json(self) -> str:
        """The document as JSON: the same content gives the same bytes."""
        written = _written(self.content())
        head = _written(dict(zip(_HEAD, (self.schema_version, _sha256(written)), strict=True)))
        return _opened(head) + written.removeprefix("{\n") + "\n"

    def write(self, folder: str | Path) -> Path:
        """Write the document into a folder; the file appears whole or not at all.

        Raises
        ------
        RunError
            If it cannot be written, or a file of that name exists that this tool did not write.
        """
        path = place(folder) / self.FILE
        with writing(path):
            write_files(path.parent, {self.FILE: self.to_json()}, durable=True)
        return path

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The document that :meth:`to_json` wrote.

        Raises
        ------
        RunError
            If the text is not such a document, has another major schema version, or was changed after it was written.
        """
        return cls._from_stored(cls.parse(text))

    @classmethod
    def read(cls, folder: str | Path) -> Self:
        """The document in a folder.

        Raises
        ------
        RunError
            If the folder has none, or for the reasons of :meth:`from_json`.
        """
        return cls._from_stored(cls.read_stored(folder))

    @classmethod
    def read_stored(cls, folder: str | Path) -> Stored:
        """The document in a folder as it is stored.

        Raises
        ------
        RunError
            As :meth:`read`.
        """
        path = place(folder) / cls.FILE
        try:
            data = read_inside(path.parent, cls.FILE, MAX_BYTES)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise RunError(f"{folder} has no {cls.FILE}.", next_step=f"Write it: {cls.COMMAND}.") from error
        except OSError as error:
            raise RunError(f"{path} cannot be read: {error}.", next_step=f"Write it again: {cls.COMMAND}.") from error
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise cls._refused(f"{path} is not UTF-8: {error}.") from error
        return cls.parse(text)

    @classmethod
    def parse(cls, text: str) -> Stored:
        """The document of a JSON text as it is stored.

        Raises
        ------
        RunError
            As :meth:`from_json`.
        """
        try:
            data = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_object)
            version = _version(data)
            if version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
                raise cls._refused(f"{cls.FILE} has schema version {version}.", SCHEMA_VERSION)
            _check_depth(data)
            content = {key: value for key, value in data.items() if key not in _HEAD}
            written = _content_text(text, data, content)
            cls._check_digest(data, written)
            form = cls.FORM.model_validate_json(written)
        except RecursionError as error:
            raise cls._refused(f"{cls.FILE} is not valid: {_TOO_DEEP}.") from error
        except ValidationError as error:
            raise cls._refused(f"{cls.FILE} is not valid: {_problems(error)}.") from error
        except ValueError as error:
            raise cls._refused(f"{cls.FILE} is not valid: {_shortened(error)}.") from error
        return Stored(version, content, form)

    @classmethod
    def _check_digest(cls, data: Mapping[str, Any], written: str) -> None:
        if "content_sha256" not in data:
            raise cls._refused(f"{cls.FILE} has no content_sha256: it was changed after it was written.")
        if data["content_sha256"] != _sha256(written):
            raise cls._refused(f"{cls.FILE} was changed after it was written.")

    @classmethod
    def _from_stored(cls, stored: Stored) -> Self:
        known = {item.name for item in fields(cls)}  # type: ignore[arg-type]  # every document is a dataclass
        values: dict[str, Any] = {name: value for name, value in stored.form if name in known}
        return cls(**values | {"schema_version": stored.schema_version})

    @classmethod
    def _refused(cls, found: str, allowed: str = "") -> RunError:
        return RunError(found, allowed, f"Write it again: {cls.COMMAND}.")


class HasJson(ABC):
    """An object whose JSON form is not that of its fields."""

    @abstractmethod
    def as_dict(self) -> dict[str, object]:
        """The JSON form."""


def as_json(value: Any) -> Any:
    """A value of a document as JSON types; a dataclass by the fields that are compared."""
    if isinstance(value, HasJson):
        return value.as_dict()
    if is_dataclass(value):
        return {item.name: as_json(getattr(value, item.name)) for item in fields(value) if item.compare}
    if isinstance(value, Mapping):
        return {key: as_json(item) for key, item in value.items()}
    return [as_json(item) for item in value] if isinstance(value, list | tuple) else value


def _written(content: Mapping[str, object]) -> str:
    """The content as JSON, with a list of plain values, such as the row of a table, in one line.

    Half of a surrogate pair, as in undecodable file names, becomes U+FFFD.
    """
    return _SURROGATE.sub("\ufffd", _lines(content, "\n"))


def _lines(value: object, margin: str) -> str:
    """A JSON value whose further lines begin with ``margin``, a line break and the indentation."""
    if not isinstance(value, dict | list) or not value:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    inner = margin + " "
    if isinstance(value, dict):
        items = (f"{json.dumps(key, ensure_ascii=False)}: {_lines(item, inner)}" for key, item in value.items())
        return f"{{{inner}{f',{inner}'.join(items)}{margin}}}"
    if not any(isinstance(item, dict | list) for item in value):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    return f"[{inner}{f',{inner}'.join(_lines(item, inner) for item in value)}{margin}]"


def _written_before(content: Mapping[str, object]) -> str:
    """The content as documents before schema 1.2 were written, with every value in a line of its own."""
    return _SURROGATE.sub("\ufffd", json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))


def _content_text(text: str, data: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    """The content as it was written, taken from the stored text where that has the package's own layout."""
    head = _opened(_written({key: data[key] for key in _HEAD if key in data}))
    if text.startswith(head):
        return "{\n" + text[len(head) :].rstrip("\n")
    written, before = _written(content), _written_before(content)
    return before if _sha256(before) == data.get("content_sha256") else written


def _opened(head: str) -> str:
    """The text of a JSON object up to the place of its next key."""
    return head.removesuffix("\n}") + ",\n"


def _sha256(written: str) -> str:
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys are all different."""
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:80]!r} occurs twice")
    return made


def _check_depth(data: object) -> None:
    """Raise ValueError if lists and objects are nested more than MAX_DEPTH deep."""
    level = [data]
    for _ in range(MAX_DEPTH + 1):
        containers = [value for value in level if isinstance(value, dict | list)]
        if not containers:
            return
        level = [inner for outer in containers for inner in (outer.values() if isinstance(outer, dict) else outer)]
    raise ValueError(_TOO_DEEP)


def _version(data: object) -> str:
    if not isinstance(data, dict):
        raise ValueError("it is not a JSON object")
    version = data.get("schema_version")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise ValueError(f"schema_version is {version!r:.40}, not a text such as {SCHEMA_VERSION!r}")
    return version


def _shortened(error: object) -> str:
    return " ".join(str(error).split())[:200]


def _problems(error: ValidationError) -> str:
    """The first validation errors with their locations."""
    problems = [
        f"{'.'.join(map(str, problem['loc'])) or 'content'}: {_shortened(problem['msg'])}"[:150]
        for problem in error.errors()[:3]
    ]
    more = len(error.errors()) - len(problems)
    return "; ".join(problems) + (f"; and {more} more" if more else "")
