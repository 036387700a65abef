"""JSON files of any size, item by item. Needs ijson."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from os import PathLike
from typing import IO, Any

import ijson
from upath import UPath

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.models.received import without_signatures

Source = str | PathLike[str]
"""A file: local, in object storage, or ending in ``.gz``."""


def records_of(source: Source | Iterable[Any]) -> Iterator[Any]:
    """Yield the records of a results file, of a dataset file's ``annotations``, or those given."""
    if isinstance(source, Iterable) and not isinstance(source, str):
        yield from source
        return
    with _opened(source) as file:
        begin = file.read(64).lstrip()[:1]
    yield from member(source, "annotations.item" if begin == b"{" else "item")


def member(source: Source, prefix: str) -> Iterator[Any]:
    """Yield the items of an array in a JSON file.

    :param prefix: where it is, as ijson has it.
    :raises InvalidValueError: if the file cannot be read or is not JSON.
    """
    with _opened(source) as file:
        try:
            yield from ijson.items(file, prefix, use_float=True)
        except (ijson.JSONError, gzip.BadGzipFile, EOFError) as error:
            cause = str(error).strip().splitlines()[0]
            problem = f"{_shown(source)} is not JSON: {cause}; it has no NaN and no Infinity"
            raise InvalidValueError("COCO file", [problem]) from None


@contextmanager
def _opened(source: Source) -> Iterator[IO[bytes]]:
    with ExitStack() as stack:
        try:
            file: Any = stack.enter_context(UPath(source).open("rb"))
        except (OSError, ImportError, ValueError) as error:
            cause = without_signatures(str(error))
            raise InvalidValueError("COCO file", [f"cannot read {_shown(source)}: {cause}"]) from None
        if str(source).endswith(".gz"):
            file = stack.enter_context(gzip.GzipFile(fileobj=file, mode="rb"))
        yield file


def _shown(source: Source) -> str:
    return without_signatures(str(source))
