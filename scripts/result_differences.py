"""Differences between two JSON documents of audit that matter to a reader or a script.

Numbers must be equal to the last digit, and so must every string that is not display text. Rows, findings and estimates
must keep their order. Keys and columns may be added, but none may be renamed or removed.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Final, Literal, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Kind: TypeAlias = Literal[
    "value", "type", "removed", "order", "length", "added", "text", "text with other numbers", "ignored"
]

FAILING: Final[tuple[Kind, ...]] = ("value", "type", "removed", "order", "length")
IGNORED: Final = {
    "schema_version": "the version of the document's form",
    "*content_sha256": "a digest of the text, which may change",
    "run.digest": "depends on the columns of the observations, which may be added",
    "runs.digest": "depends on the columns of the observations, which may be added",
    "*.versions*": "the versions of the packages",
    "*code.*": "the version and revision of the code",
    "decided": "the day of the decision",
    "*plan_sha256": "a digest of the plan's text, to which keys may be added",
    "policy.sha256": "a digest of the policy's text, with its comments",
    "policy.source": "the place of the policy's file",
}
"""Paths whose values may differ although they are no display text, with the reason. The keys must still be there."""

TEXTS: Final = (
    "*title", "*note", "*notices", "*notes", "*sentence", "*sentences", "*reason", "*would_change", "*detail",
    "tables.power.columns.comparison", "tables.factors.columns.formula", "tables.factors.columns.source",
    "*model_description.ceiling", "model.ceiling", "checks.told", "metrics.told",
)  # fmt: skip
"""Paths of display text. Every other string is an identifier, and must be equal."""

ORDERED: Final = ("estimates", "columns")
"""Objects whose keys must also keep their order."""


@dataclass(frozen=True)
class Difference:
    """One place at which two documents differ; ``path`` has the indices that ``key_path`` lacks."""

    kind: Kind
    path: str
    before: object = None
    after: object = None

    @property
    def fails(self) -> bool:
        """Whether the results are no longer the same."""
        return self.kind in FAILING

    @property
    def key_path(self) -> str:
        """The path without indices: the same for every row and every finding."""
        return re.sub(r"\[\d+\]", "", self.path)

    def __str__(self) -> str:
        if self.kind in ("added", "removed"):
            return f"{self.kind}: {self.path}"
        return f"{self.kind}: {self.path}: {shortened(self.before)} -> {shortened(self.after)}"


def differences(before: Json, after: Json, path: str = "", reworded: Sequence[str] = ()) -> Iterator[Difference]:
    """Every difference between two JSON values, in the order of the first.

    The wording of the key paths in ``reworded`` (patterns) may change as well, but no number in it.
    """
    key_path = re.sub(r"\[\d+\]", "", path)
    if allowed := _allowed_kind(key_path, before, after, reworded):
        if before != after:
            yield Difference(allowed, path, before, after)
    elif type(before) is not type(after):
        yield Difference("type", path, before, after)
    elif isinstance(before, dict) and isinstance(after, dict):
        yield from _of_objects(_columns_of(before), _columns_of(after), path, reworded)
    elif isinstance(before, list) and isinstance(after, list):
        if len(before) != len(after):
            yield Difference("length", path, len(before), len(after))
        for index, (one, other) in enumerate(zip(before, after, strict=False)):
            yield from differences(one, other, f"{path}[{index}]", reworded)
    elif key_path.endswith(".plan") and before != after:
        yield from differences(tomllib.loads(str(before)), tomllib.loads(str(after)), path, reworded)
    elif before != after:
        yield Difference("value", path, before, after)


def _allowed_kind(key_path: str, before: Json, after: Json, reworded: Sequence[str]) -> Kind | None:
    """The kind of a difference between values that need not be equal; None where they must be."""
    if _matches(key_path, tuple(IGNORED)):
        return "ignored"
    if not (_is_text(before) and _is_text(after)) or (isinstance(before, list) and ".columns." in key_path):
        return None  # a column is a list of texts, each of which is compared
    same_numbers = _numbers(before) == _numbers(after)
    if _matches(key_path, TEXTS):
        return "text" if same_numbers else "text with other numbers"
    if _matches(key_path, reworded):
        return "text" if same_numbers else "value"
    return None


def _matches(key_path: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch(key_path, pattern) for pattern in patterns)


def _of_objects(
    before: dict[str, Json], after: dict[str, Json], path: str, reworded: Sequence[str]
) -> Iterator[Difference]:
    for key, value in before.items():
        place = f"{path}.{key}".lstrip(".")
        if key in after:
            yield from differences(value, after[key], place, reworded)
        else:
            yield Difference("removed", place)
    yield from (Difference("added", f"{path}.{key}".lstrip(".")) for key in after if key not in before)
    one, other = [key for key in before if key in after], [key for key in after if key in before]
    if one != other and path.endswith(ORDERED):
        yield Difference("order", path, one, other)


def _columns_of(table: dict[str, Json]) -> dict[str, Json]:
    """A table with its cells by column instead of by row; any other object as it is."""
    columns, rows = table.get("columns"), table.get("rows")
    if not isinstance(columns, list) or not isinstance(rows, list):
        return table
    by_row = [row for row in rows if isinstance(row, list)]
    cells: dict[str, Json] = {str(name): [row[at] for row in by_row] for at, name in enumerate(columns)}
    others = {key: value for key, value in table.items() if key not in ("columns", "rows")}
    return {**others, "columns": cells}


def _is_text(value: Json) -> bool:
    strings = value if isinstance(value, list) else [value]
    return value is None or all(isinstance(string, str) for string in strings)


def _numbers(text: Json) -> list[str]:
    return sorted(re.findall(r"\d+(?:\.\d+)?", json.dumps(text)))


def shortened(value: object, most: int = 160) -> str:
    """The repr of a value, cut to a length."""
    text = repr(value)
    return text if len(text) <= most else text[: most - 3] + "..."
