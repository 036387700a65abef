"""Reads records of earlier pushes: what was sent, packet by packet."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from ...models import InvalidValueError
from ...models.problems import describe
from ...models.recorded import Recorded
from .jsonlines import JsonLines
from .paths import PathOpener, universal_path


def read_record(path: str, path_of: PathOpener = universal_path) -> Iterator[Recorded]:
    """Yield the lines of a record, one in memory at a time.

    :param path: local or in object storage; decompressed while it is read if it ends in ``.gz``.
    :param path_of: opens the path.
    :raises InvalidValueError: before the first line, if the file does not exist or cannot be read; later, at
        a line that is not one of a record. Then the lines before it are not a complete baseline.
    :raises StorageError: if its storage fails, which may pass.
    """
    return _recorded(JsonLines(path, "record", path_of), path)


def _recorded(lines: JsonLines, path: str) -> Iterator[Recorded]:
    for number, line in enumerate(lines, start=1):
        if isinstance(line, list):
            raise InvalidValueError(f"record {path}", line)
        try:
            yield Recorded.model_validate(line)
        except ValidationError as error:
            problems = [f"line {number}: {problem}" for problem in describe(error)]
            raise InvalidValueError(f"record {path}", problems) from None
