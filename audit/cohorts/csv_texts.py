"""The bytes of a table as CSV, some rows at a time, for a digest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

ROWS: Final = 50_000
"""Rows at a time."""
_QUOTED: Final = (b'"', b"\r")
"""Characters because of which CSV quotes a value, besides the separators of values and of rows."""


def csv_texts(frame: pd.DataFrame) -> Iterator[bytes]:
    r"""The pieces of ``frame.to_csv(index=False, lineterminator="\n")``, encoded.

    Rows of words are joined by Arrow; others are written by pandas.

    Examples
    --------
    >>> b"".join(csv_texts(pd.DataFrame({"a": ["x", "y, z"], "b": [1.5, None]})))
    b'a,b\nx,1.5\n"y, z",\n'
    """
    yield frame.iloc[:0].to_csv(index=False, lineterminator="\n").encode()
    for start in range(0, len(frame), ROWS):
        rows = frame.iloc[start : start + ROWS]
        yield _joined(rows) or rows.to_csv(index=False, header=False, lineterminator="\n").encode()


def _joined(rows: pd.DataFrame) -> bytes:
    """The rows, joined; nothing if there is a value that is not a word, or that is quoted."""
    if rows.shape[1] < 2 or not all(isinstance(kind, pd.StringDtype) for kind in rows.dtypes):
        return b""
    words = pa.Table.from_pandas(rows, preserve_index=False).columns
    columns = [pc.fill_null(column.cast(pa.large_string()), "") for column in words]
    lines = pc.binary_join_element_wise(*columns, pa.scalar(",", pa.large_string()))
    text = ("\n".join(lines.to_pylist()) + "\n").encode()
    # a separator more than between values and rows is part of a value, which is quoted
    is_plain = text.count(b",") == len(rows) * (len(columns) - 1) and text.count(b"\n") == len(rows)
    return text if is_plain and not any(mark in text for mark in _QUOTED) else b""
