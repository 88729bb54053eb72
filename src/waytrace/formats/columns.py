"""Parquet and Feather tables of strangers, as NumPy columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .untrusted import MAX_COORDINATE_M, read_bytes, refuse, require

MAX_ROWS = 5_000_000
MAX_TABLE_BYTES = 2 * 2**30


class Table:
    """Named columns of one file; asking for one that is absent, mistyped or not finite refuses the file."""

    def __init__(self, path: Path, table: Any) -> None:
        self.path = path
        self._table = table

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __contains__(self, name: str) -> bool:
        return name in self._table.column_names

    def _column(self, name: str) -> Any:
        if name not in self:
            refuse(self.path, f"column {name!r} is missing")
        column = self._table.column(name)
        if column.null_count:
            refuse(self.path, f"column {name!r} has empty cells")
        return column

    def floats(self, name: str, limit: float = MAX_COORDINATE_M) -> NDArray[np.float64]:
        """A column of finite numbers of at most ``limit`` in size."""
        try:
            values = np.asarray(self._column(name).to_numpy(), dtype=np.float64)
        except (TypeError, ValueError):
            refuse(self.path, f"column {name!r} is not numeric")
        if not np.isfinite(values).all() or (np.abs(values) > limit).any():
            refuse(self.path, f"column {name!r} holds values out of range")
        return values

    def integers(self, name: str) -> NDArray[np.int64]:
        """A column of whole numbers."""
        values = self._column(name).to_numpy()
        if values.dtype.kind not in "iu":
            refuse(self.path, f"column {name!r} does not hold whole numbers")
        return np.asarray(values, dtype=np.int64)

    def codes(self, name: str) -> tuple[NDArray[np.int64], list[str]]:
        """A column of texts as codes into a list of distinct texts, in order of first appearance."""
        encoded = self._column(name).combine_chunks()
        if hasattr(encoded, "chunks"):
            encoded = encoded.chunk(0)
        if "dictionary" not in str(encoded.type):
            encoded = encoded.dictionary_encode()
        texts = [str(t) for t in encoded.dictionary.to_pylist()]
        return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64), texts


def _load(path: Path, limit: int, parquet: bool) -> Table:
    arrow = require("pyarrow")
    data = arrow.BufferReader(read_bytes(path, limit))
    try:
        if parquet:
            file = require("pyarrow.parquet").ParquetFile(data)
            rows = file.metadata.num_rows
            size = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
            if not 0 <= rows <= MAX_ROWS or not 0 <= size <= MAX_TABLE_BYTES:
                refuse(path, f"claims {rows:,} rows, {size:,} bytes")
            table = file.read(use_threads=False)
        else:
            table = require("pyarrow.ipc").open_file(data).read_all()
            if table.num_rows > MAX_ROWS:
                refuse(path, f"{table.num_rows:,} rows")
        table.validate(full=True)
        _decode_texts(table)
    except (arrow.ArrowException, OSError, ValueError, KeyError, MemoryError, TypeError) as error:
        text = str(error).strip().splitlines() or [type(error).__name__]
        refuse(path, f"not a readable {'Parquet' if parquet else 'Feather'} table ({text[0][:160]})")
    if not table.num_rows:
        refuse(path, "the table has no rows")
    return Table(path, table)


def _decode_texts(table: Any) -> None:
    """Names of columns are the one text that validation does not cover."""
    for name in table.column_names:
        name.encode()


def read_parquet(path: Path, limit: int) -> Table:
    """A Parquet file of at most ``limit`` bytes."""
    return _load(path, limit, True)


def read_feather(path: Path, limit: int) -> Table:
    """A Feather (Arrow IPC) file of at most ``limit`` bytes."""
    return _load(path, limit, False)
