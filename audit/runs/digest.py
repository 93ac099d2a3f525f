"""The digest of a run: what it covers, and how it is computed without a copy of the observations."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from audit.core.columns import keyed_columns

SECTIONS: Final = ("cohort", "model", "instrument", "seed")
"""The sections of the manifest that the digest covers."""
_AT_ONCE: Final = 10_000


def run_digest(observed: pd.DataFrame, manifest: Mapping[str, Any]) -> str:
    """SHA-256 of all observations and of the manifest's :data:`SECTIONS`.

    Columns whose texts depend on a secret key (:func:`audit.core.columns.keyed_columns`) are left out.

    ``observed`` has one row per clip, sorted by ``clip_id``; whether its texts are categories makes no difference.

    Examples
    --------
    >>> seen = pd.DataFrame({"clip_id": ["a", "b"], "group": ["asian", None]})
    >>> run_digest(seen, {"seed": 1}) == run_digest(seen.astype({"group": "category"}), {"seed": 1})
    True
    """
    sha = hashlib.sha256()
    columns = set(map(str, observed.columns))
    for name in sorted(columns - keyed_columns(columns)):
        column = observed[name]
        sha.update(name.encode() + b"\0")
        if column.dtype.kind in "fiub":
            sha.update(np.ascontiguousarray(column.to_numpy(np.float64)).data)
            continue
        for place, part in enumerate(_texts(column)):
            sha.update(b"\0" + part if place else part)
    for section in SECTIONS:
        sha.update(json.dumps(manifest.get(section), sort_keys=True).encode())
    return sha.hexdigest()


def _texts(column: pd.Series) -> Iterator[bytes]:
    """A column's texts joined by a separator, with a marker for missing ones, in parts."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        names = pa.array([*map(str, column.cat.categories), "\1"], pa.string())
        codes = column.cat.codes.to_numpy()
        for start in range(0, len(codes), _AT_ONCE):
            places = codes[start : start + _AT_ONCE].astype(np.int64)
            yield _one_text(names.take(pa.array(np.where(places < 0, len(names) - 1, places))))
    elif isinstance(column.dtype, pd.StringDtype) and len(column):
        texts = column.array.__arrow_array__()
        for start in range(0, len(texts), _AT_ONCE):
            piece = pc.fill_null(texts.slice(start, _AT_ONCE).cast(pa.string()), "\1")
            yield _one_text(piece.combine_chunks() if isinstance(piece, pa.ChunkedArray) else piece)
    else:
        for start in range(0, len(column), _AT_ONCE):
            values = column.iloc[start : start + _AT_ONCE].to_numpy(object, copy=True)
            values[pd.isna(values)] = "\1"
            yield "\0".join(map(str, values.tolist())).encode()


def _one_text(texts: pa.StringArray) -> bytes:
    joined = pc.binary_join(pa.ListArray.from_arrays([0, len(texts)], texts), "\0")
    return bytes(joined[0].as_buffer())
