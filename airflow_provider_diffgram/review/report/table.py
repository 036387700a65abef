"""The report as a Parquet table. Needs pyarrow."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, BinaryIO, Self

from ...models import InvalidValueError

_ROWS = 50_000
"""Rows that are kept before they are written."""


class ReportTable:
    """Takes lines of a report, and writes them as row groups.

    :param file: open for writing bytes.
    :raises InvalidValueError: if pyarrow is not installed.
    """

    def __init__(self, file: BinaryIO) -> None:
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError:
            raise InvalidValueError(
                "comparison", ["a table needs pyarrow, which is not installed: install it, or write a report"]
            ) from None
        text, number, ratio = pa.string(), pa.int64(), pa.float64()
        self._schema = pa.schema(
            [
                ("file_id", number),
                ("name", text),
                ("dataset", number),
                ("frame", number),
                ("reference", text),
                ("type", text),
                ("run", text),
                ("score", ratio),
                ("label", text),
                ("final_label", text),
                ("outcome", text),
                ("iou", ratio),
                ("shift", ratio),
                ("proof", text),
            ]
        )
        self._of = pa.RecordBatch.from_pylist
        self._writer = pq.ParquetWriter(Sink(file), self._schema)
        self._rows: list[Mapping[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._write()
        self._writer.close()

    def add(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Take lines."""
        self._rows += lines
        if len(self._rows) >= _ROWS:
            self._write()

    def _write(self) -> None:
        if self._rows:
            self._writer.write_batch(self._of(self._rows, schema=self._schema))
            self._rows = []


class Sink(io.RawIOBase):
    """A file of which pyarrow asks more than storages give: whether it is open, and how far."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._at = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, content: Any) -> int:
        written = bytes(content)
        self._file.write(written)
        self._at += len(written)
        return len(written)
