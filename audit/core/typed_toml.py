"""Parsing of TOML to typed models, with readable errors."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from audit.core.errors import PlanError, did_you_mean
from audit.core.opening import read_regular


class Section(BaseModel):
    """Base of the sections of TOML files: unknown keys are refused, and ``true`` and ``"1.0"`` are no numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _typed(cls, value: object, info: ValidationInfo) -> object:
        _refuse_other_kind(value, cls.model_fields[str(info.field_name)].annotation)
        return value


def _refuse_other_kind(value: object, annotation: object) -> None:
    """Raise ValueError for a number, a truth value or a text where the annotation asks for another of them."""
    kinds, items = {*_kinds(annotation)}, [value]
    if isinstance(value, dict | list | tuple):  # the items of a table or an array have the last argument's type
        of = next(
            (get_args(part) for part in (annotation, *get_args(annotation)) if get_origin(part) in (dict, tuple)), ()
        )
        kinds = {*_kinds(next((each for each in reversed(of) if each is not Ellipsis), object))}
        items = list(value.values()) if isinstance(value, dict) else list(value)
    for item in items:
        is_number = isinstance(item, int | float) and not isinstance(item, bool)
        if isinstance(item, bool) and kinds & {int, float} and bool not in kinds:
            raise ValueError("true and false are no numbers")
        if isinstance(item, str) and kinds <= {int, float, bool, type(None)}:
            raise ValueError("a text is neither a number nor true or false")
        if is_number and kinds <= {bool, type(None)}:
            raise ValueError("a number is neither true nor false")


def _kinds(annotation: object) -> Iterator[object]:
    """The plain types that an annotation allows for the value itself, a literal as the type of its values."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif origin is Literal:
        yield from map(type, get_args(annotation))
    elif origin in (Union, UnionType):
        for part in get_args(annotation):
            yield from _kinds(part)
    else:
        yield origin or annotation


Model = TypeVar("Model", bound=BaseModel)


def read_text(path: Path, what: str, allowed: str = "") -> str:
    """The text of a TOML file that a user names; raises PlanError with ``what`` it is and what is ``allowed``."""
    try:
        return read_regular(path).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise PlanError(f"The {what} {path} cannot be read: {error}.", allowed) from error


def parse_toml(kind: type[Model], text: str, source: str, keys: str) -> Model:
    """The model in a TOML text; see :func:`parse_mapping`."""
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PlanError(f"{source} is not a TOML file: {error}.") from error
    return parse_mapping(kind, data, source, keys)


def parse_mapping(kind: type[Model], data: object, source: str, keys: str) -> Model:
    """The model of parsed TOML.

    Parameters
    ----------
    kind : type
        The model; it forbids keys that it does not know.
    data : object
        The parsed TOML.
    source : str
        What to call it in an error.
    keys : str
        Page that documents the keys.

    Raises
    ------
    PlanError
        If a key or value is not allowed.
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        problems = "; ".join(_in_words(kind, problem) for problem in error.errors())
        raise PlanError(f"{source}: {problems}.", next_step=f"See {keys} for every key.") from error


def _in_words(kind: type[BaseModel], problem: Any) -> str:
    """A validation error in words, with the most similar key for a mistyped one."""
    place = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"the key {place} is missing"
    if problem["type"] != "extra_forbidden":
        words = str(problem["msg"]).removeprefix("Value error, ")
        if not place:
            return words
        shown = "" if isinstance(problem["input"], dict) else f" is {problem['input']!r}"
        return f"{place}{shown}: {words}"
    keys = _keys(kind)
    for part in problem["loc"][:-1]:
        if not isinstance(part, int):  # the place in a list of sections
            keys = _keys(_section_in(keys[str(part)].annotation))
    hint = did_you_mean(str(problem["loc"][-1]), keys, ", {}")
    return f"there is no key {place}{hint} (allowed: {', '.join(keys)})"


def _keys(section: type[BaseModel]) -> dict[str, FieldInfo]:
    """Fields of a section by their TOML keys."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def _section_in(annotation: Any) -> type[BaseModel]:
    """The model in a field's annotation."""
    inside = [annotation, *get_args(annotation)]
    return next(part for part in inside if isinstance(part, type) and issubclass(part, BaseModel))
