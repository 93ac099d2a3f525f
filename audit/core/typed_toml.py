"""TOML into a typed model: every fault in words, a near miss named."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from audit.core.errors import PlanError, did_you_mean

Model = TypeVar("Model", bound=BaseModel)


def read_text(path: Path, what: str, allowed: str = "") -> str:
    """The text of a TOML file that a user names.

    Raises
    ------
    PlanError
        If it cannot be read; ``what`` it is, and what is ``allowed``, stand in the words.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"The {what} {path} cannot be read: {error}.", allowed) from error


def parse_toml(kind: type[Model], text: str, source: str, keys: str) -> Model:
    """The model that a TOML text holds.

    Parameters
    ----------
    kind : type
        The model; it forbids keys that it does not know.
    text, source : str
        The text, and what to call it in an error.
    keys : str
        Where every key is explained.

    Raises
    ------
    PlanError
        If it is no TOML, or a key or value is not allowed.
    """
    try:
        return kind.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PlanError(f"{source} is no TOML: {error}.") from error
    except ValidationError as error:
        faults = "; ".join(_in_words(kind, fault) for fault in error.errors())
        raise PlanError(f"{source}: {faults}.", next_step=f"See {keys} for every key.") from error


def _in_words(kind: type[BaseModel], fault: Any) -> str:
    """One fault, with the nearest allowed key where one was mistyped."""
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "missing":
        return f"the key {place} is missing"
    if fault["type"] != "extra_forbidden":
        words = str(fault["msg"]).removeprefix("Value error, ")
        return f"{place}: {words}" if isinstance(fault["input"], dict) else f"{place} is {fault['input']!r}: {words}"
    keys = _keys(kind)
    for part in fault["loc"][:-1]:
        if not isinstance(part, int):  # the place in a list of sections
            keys = _keys(_section_in(keys[str(part)].annotation))
    hint = did_you_mean(str(fault["loc"][-1]), keys, ", {}")
    return f"there is no key {place}{hint} (allowed: {', '.join(keys)})"


def _keys(section: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a section by the keys that stand for them in TOML."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def _section_in(annotation: Any) -> type[BaseModel]:
    """The model that a field holds: itself, several of it, or none."""
    inside = [annotation, *get_args(annotation)]
    return next(part for part in inside if isinstance(part, type) and issubclass(part, BaseModel))
