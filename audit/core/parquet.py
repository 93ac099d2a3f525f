"""Opening of Parquet files that others may have made: row groups that would not fit in memory are refused."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from audit.core.opening import UnsafeFile, check_regular

MAX_GROUP_BYTES: Final = 1 << 31
"""Maximum unpacked size of one row group of a Parquet file."""
MAX_GROUP_VALUES: Final = 1 << 28
"""Maximum number of values of one row group of a Parquet file: rows times columns, each item of a list counted."""


@contextmanager
def parquet_file(path: Path, coded: Sequence[str] = ()) -> Iterator[pq.ParquetFile]:
    """A Parquet file during the block, with row groups of a size that can be read.

    Texts of the columns ``coded`` are read as dictionaries.

    Raises
    ------
    OSError, ArrowException
        If it cannot be read; :class:`UnsafeFile` if it is not a regular file or a row group is too large.
    """
    check_regular(os.stat(path), path)  # noqa: PTH116  # Arrow opens it by its path, which is faster
    with pq.ParquetFile(path, read_dictionary=list(coded)) as file:
        check_row_groups(file.metadata)
        yield file


def check_row_groups(metadata: Any) -> None:
    """Refuse a Parquet file with a row group that would take too much memory, by what its footer states.

    Raises
    ------
    UnsafeFile
        If one has more than :data:`MAX_GROUP_BYTES` or :data:`MAX_GROUP_VALUES`.
    """
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        columns = [group.column(place) for place in range(group.num_columns)]
        n_bytes = max(group.total_byte_size, sum(column.total_uncompressed_size for column in columns))
        n_values = max(group.num_rows * group.num_columns, sum(column.num_values for column in columns))
        if n_bytes > MAX_GROUP_BYTES or n_values > MAX_GROUP_VALUES:
            raise UnsafeFile(
                errno.EINVAL,
                f"its row group {number} has {n_values:,} values and {n_bytes:,} bytes; at most {MAX_GROUP_VALUES:,} "
                f"values and {MAX_GROUP_BYTES:,} bytes are read: write it with smaller row groups",
            )
