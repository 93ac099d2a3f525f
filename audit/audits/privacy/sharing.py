"""Pseudonyms for ids, clusters and pictures, and file names without paths, in documents that leave the run's folder.

The observations keep every id and stay in the folder; audits and comparisons are made to be shared.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeVar

import numpy as np
import pandas as pd
import tomli_w

from audit.core.front_matter import SECTION as FRONT_MATTER
from audit.runs.run_like import RunLike, as_run

if TYPE_CHECKING:
    from audit.audits.table import Kind, Table

NAMED: Final[dict[Kind, str]] = {
    "speaker_id": "speaker",
    "clip_id": "clip",
    "cluster": "cluster",
    "picture": "picture",
}
"""The kinds of columns whose values may identify people, and the prefixes of their pseudonyms."""
DIGITS: Final = 10
WITHHELD: Final = "withheld"

_PSEUDONYM: Final = re.compile(rf"({'|'.join(NAMED.values())}) [0-9a-f]{{{DIGITS}}}")

_PATH: Final = re.compile(
    r"(?<![\w/\\.<])(?:file:/+|[A-Za-z]:[\\/]|\\\\|~[\w.-]*/|(?:\.\./)+|/(?=[^\s/'\"]+/))(?:[^\n'\"<>|]*[/\\])?"
)
"""A path within a text, up to the last separator of the line, since folder names may contain spaces."""
_WHOLE: Final = re.compile(r"(?:[A-Za-z]:[\\/]|\\\\|~[\w.-]*/|\.\.[\\/]|/|[^\n:]*[\\/]\.\.[\\/])[^\n]*")


class Tabled(Protocol):
    """A document with tables that name speakers or clips."""

    @property
    def shared_tables(self) -> Mapping[str, Table]:
        """The tables that name speakers or clips."""
        ...

    def with_tables(self, tables: Mapping[str, Table]) -> Self:
        """The same document with other tables in their place."""
        ...


Shared = TypeVar("Shared", bound=Tabled)


def pseudonym_key(observations: pd.DataFrame) -> bytes:
    """The key of a run's pseudonyms: a digest of the reads of all rendered faces, in full precision.

    No report contains these numbers, so pseudonyms cannot be reversed with published data and a list of names. They can
    be reversed with the observations, or by repeating the run with the same data, model and instrument.
    """
    sha = hashlib.sha256(b"pseudonyms of a run\0")
    for name in sorted(map(str, observations.columns)):
        column = observations[name]
        if name.startswith("rendered_race_"):
            sha.update(np.ascontiguousarray(column.to_numpy(np.float64)).tobytes())
        elif name == "audio_sha256":
            # makes the key unguessable where no face was read
            sha.update("\0".join(column.head(10_000).fillna("").astype(str)).encode())
    return sha.digest()


def pseudonym(key: bytes, kind: str, name: str) -> str:
    """The pseudonym of a name: its kind and the first ten hex digits of an HMAC-SHA256 (RFC 2104).

    Examples
    --------
    >>> pseudonym(b"key", "speaker", "Ann")
    'speaker 607cafa5cc'
    """
    message = f"{kind}\0{name}".encode("utf-8", "surrogatepass")
    return f"{kind} {hmac.digest(key, message, 'sha256').hex()[:DIGITS]}"


def pseudonymous(tables: Mapping[str, Table], observations: pd.DataFrame) -> dict[str, Table]:
    """The tables with pseudonyms for speakers, clips, clusters and pictures, and without details."""
    key = pseudonym_key(observations)
    return _replaced(tables, lambda kind, name: pseudonym(key, NAMED[kind], name))


def with_ids(shared: Shared, run: RunLike) -> Shared:
    """An audit or comparison with the ids and details of its run, without paths, in place of pseudonyms.

    Parameters
    ----------
    shared : Audit or Comparison
        The document, as made or as read from a file.
    run : Run, Audit or path
        Its run; the baseline of a comparison.

    Examples
    --------
    >>> import audit
    >>> run = audit.simulate({"groups": ["asian"], "speakers_per_group": 5, "missing": 0.5})
    >>> table = audit.with_ids(audit.measure(run), run).tables["failures"].frame
    >>> set(table["speaker_id"]) <= set(run.observations["speaker_id"])
    True
    """
    run = as_run(run)
    key = pseudonym_key(run.observations)
    known = {
        pseudonym(key, kind, str(name)): name
        for column, kind in NAMED.items()
        if column in run.observations
        for name in run.observations[column].unique()
    }
    made = _replaced(shared.shared_tables, lambda kind, name: known.get(name, name))
    details = run.observations.set_index("clip_id").get("detail", pd.Series(dtype=object))
    for name, table in made.items():
        clips, shown = table.names("clip_id"), table.names("detail")
        if clips and shown:
            values = without_paths(details.reindex(table.frame[clips[0]]).tolist())
            made[name] = replace(table, frame=table.frame.assign(**dict.fromkeys(shown, values)))
    return shared.with_tables(made)


def is_pseudonym(name: str) -> bool:
    """Whether a name has the form of a pseudonym.

    Examples
    --------
    >>> is_pseudonym("speaker 607cafa5cc"), is_pseudonym("Ann")
    (True, False)
    """
    return _PSEUDONYM.fullmatch(name) is not None


def withheld(tables: Mapping[str, Table]) -> dict[str, Table]:
    """The tables with ids that are not pseudonyms replaced by ``withheld``."""
    return _replaced(tables, lambda kind, name: name if is_pseudonym(name) else WITHHELD)


def without_paths(value: Any) -> Any:
    """A JSON value in which absolute paths, and paths with ``~`` or ``..``, are reduced to their last part.

    Such paths reveal where someone keeps their files. Relative paths are kept.

    Examples
    --------
    >>> without_paths({"weights": "/home/ann/Model A/w.safetensors", "command": ["python", "--to=/home/ann/x.py"]})
    {'weights': 'w.safetensors', 'command': ['python', '--to=x.py']}
    >>> without_paths("man/woman, synthetic_bilingual/training and https://example.org/a")
    'man/woman, synthetic_bilingual/training and https://example.org/a'
    """
    if isinstance(value, str):
        return _last(value) if _WHOLE.fullmatch(value) else _PATH.sub("", value)
    if isinstance(value, Mapping):
        return {without_paths(key): without_paths(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_paths(item) for item in value]
    return value


def plan_without_paths(text: str) -> str:
    r"""The text of a plan, with paths reduced as by :func:`without_paths`, without front matter and the place of keys.

    Front matter is a part of the audit itself, and may be changed after the run. Equal runs may have different keys.

    Examples
    --------
    >>> plan_without_paths('[cohort]\npath = "/home/ann/our cohort"\n')
    '[cohort]\npath = "our cohort"\n'
    """
    try:
        plan = tomllib.loads(text)
        plan.pop(FRONT_MATTER, None)
        if isinstance(engine := plan.get("engine"), dict):
            engine.pop("keys", None)
        return tomli_w.dumps(without_paths(plan))
    except tomllib.TOMLDecodeError:
        return str(without_paths(text))


def _last(path: str) -> str:
    kind = PureWindowsPath if "\\" in path or re.match("[A-Za-z]:", path) else PurePosixPath
    return kind(path).name or "a folder"


def _replaced(tables: Mapping[str, Table], name_for: Callable[[Kind, str], str]) -> dict[str, Table]:
    """The tables with new names for speakers and clips, and without details."""

    def renamed(kind: Kind, values: pd.Series) -> pd.Series:
        names = values.astype(object).where(values.notna(), "").astype(str)
        empty = None if kind == "picture" else ""  # a clip may have no cluster, and no picture at a stage
        made = [name_for(kind, name) if name else empty for name in names]
        return pd.Series(made, values.index, object)

    made = dict(tables)
    for name, table in tables.items():
        new: dict[str, pd.Series | None] = {
            column.name: renamed(column.kind, table.frame[column.name])
            for column in table.columns
            if column.kind in NAMED
        }
        new |= dict.fromkeys(table.names("detail"))
        if new:
            made[name] = replace(table, frame=table.frame.assign(**new))
    return made
