"""TOML into a typed model: every fault in words, a near miss named."""

from __future__ import annotations

import difflib
import tomllib
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from audit.errors import PlanError

Model = TypeVar("Model", bound=BaseModel)


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
    except tomllib.TOMLDecodeError as error:
        raise PlanError(f"{source} is no TOML: {error}.") from error
    except ValidationError as error:
        faults = "; ".join(_in_words(kind, fault) for fault in error.errors())
        raise PlanError(f"{source}: {faults}.", next_step=f"See {keys} for every key.") from error


def _in_words(kind: type[BaseModel], fault: Any) -> str:
    """One fault, with the nearest allowed key where one was mistyped."""
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] != "extra_forbidden":
        return f"{place} is {fault['input']!r}: {fault['msg']}"
    section: Any = kind
    for part in fault["loc"][:-1]:
        section = section.model_fields[str(part)].annotation
    near = difflib.get_close_matches(str(fault["loc"][-1]), section.model_fields, n=1)
    hint = f", did you mean {near[0]!r}?" if near else ""
    return f"there is no key {place}{hint} (allowed: {', '.join(section.model_fields)})"
