"""Records of earlier pushes: what was sent, packet by packet."""

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

    :param path: local or in object storage; unpacked while it is read if it ends in ``.gz``.
    :param path_of: opens the path.
    :raises InvalidValueError: if it is not there or not readable, before the first line; at a line that is
        none of a record: what came before it is no whole baseline.
    :raises StorageError: if its storage fails, and may be back.
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
