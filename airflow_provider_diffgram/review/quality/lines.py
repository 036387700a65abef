"""JSON Lines that are found again by the file that they are about, without all of them in memory.

The lines are copied to a temporary file of this machine; only where each begins is kept.
"""

from __future__ import annotations

import gzip
import json
import re
import tempfile
import zlib
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, Self

from pydantic_core import from_json

from ...ingest.read.paths import PathOpener
from ...ingest.read.storage import patient
from ...models import InvalidValueError


class LinesByFile:
    """Lines of one or more files, in the order of the first line about each.

    :param paths: of JSON Lines files, local or in object storage; unpacked while they are read if they end in
        ``.gz``.
    :param what: what a line holds, for messages.
    :param key_of: returns what a line is about; raises ValueError or KeyError for a line that is no such.
    :raises InvalidValueError: if a file cannot be read, or a line is not what it should be.
    """

    def __init__(
        self,
        paths: Iterable[str],
        what: str,
        key_of: Callable[[bytes], Hashable],
        path_of: PathOpener,
    ) -> None:
        self._what = what
        self._places: dict[Hashable, Any] = {}
        self._file = tempfile.TemporaryFile(prefix="diffgram-compare-")  # noqa: SIM115  (closed at the end)
        at = 0
        try:
            for path in paths:
                for number, line in enumerate(_lines(path, what, path_of), start=1):
                    if not line.strip():
                        continue
                    if not line.endswith(b"\n"):
                        line += b"\n"
                    try:
                        self._note(key_of(line), at)
                    except (ValueError, KeyError, TypeError) as error:
                        raise InvalidValueError(
                            f"{what}s", [f"line {number} of {path} is no {what}: {error}"]
                        ) from error
                    self._file.write(line)
                    at += len(line)
            self._file.flush()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the copy."""
        self._file.close()

    def _note(self, key: Hashable, at: int) -> None:
        before = self._places.setdefault(key, at)
        if before is not at:
            self._places[key] = (*before, at) if isinstance(before, tuple) else (before, at)

    def __len__(self) -> int:
        return len(self._places)

    def join(self, key: Hashable, into: Hashable) -> None:
        """Take the lines about ``key`` for lines about ``into``; the order is that of the files."""
        places = [_listed(self._places.pop(each)) for each in (key, into)]
        self._places[into] = tuple(sorted([*places[0], *places[1]]))

    def keys(self) -> Iterator[Any]:
        """Yield what the lines are about, each once."""
        yield from self._places

    def of(self, key: Hashable) -> list[Any]:
        """Return the objects of the lines about ``key``, oldest first; none if there is none."""
        places = self._places.get(key)
        if places is None:
            return []
        found = []
        for at in _listed(places):
            self._file.seek(at)
            line = self._file.readline()
            try:
                found.append(from_json(line))
            except ValueError as error:
                raise InvalidValueError(
                    f"{self._what}s", [f"a {self._what} is not JSON: {error}; it begins {line[:80]!r}"]
                ) from error
        return found


def _listed(places: int | tuple[int, ...]) -> tuple[int, ...]:
    return places if isinstance(places, tuple) else (places,)


def _lines(path: str, what: str, path_of: PathOpener) -> Iterator[bytes]:
    try:
        with patient(path_of)(path).open("rb") as raw:
            file: Any = gzip.GzipFile(fileobj=raw, mode="rb") if path.endswith(".gz") else raw
            yield from iter(file.readline, b"")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InvalidValueError(f"{what}s", [f"no such file: {path}"]) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InvalidValueError(f"{what}s", [f"{path}: not a complete gzip file: {error}"]) from error
    except (OSError, ImportError) as error:
        raise InvalidValueError(f"{what}s", [f"cannot read {path}: {error}"]) from error


class RecordLines(LinesByFile):
    """The lines of records, by the files that they are about.

    A line about a file that the server's queue was still to make has no id. If another line of the same place
    and name has one, both are about one file.

    :param paths: of records, oldest first.
    """

    def __init__(self, paths: Iterable[str], path_of: PathOpener) -> None:
        self._ids: dict[Hashable, int | None] = {}
        super().__init__(paths, "record", self._key_of, path_of)
        for key in [each for each in self._places if isinstance(each, tuple)]:
            file_id = self._ids.get(key)
            if file_id is not None:
                self.join(key, file_id)
        self._ids.clear()

    def _key_of(self, line: bytes) -> Hashable:
        """Return the id of a line's file, or else where it is to be found by its name.

        Only what comes before the packet is read where the line is as a push writes it: no text of JSON holds
        the mark, since its quotes would be escaped.
        """
        head, mark, _ = line.partition(_PACKET)
        told = _object(head + b"}") if mark else _object(line)
        if not mark and not isinstance(told.get("packet"), dict):
            raise ValueError("it has no packet")
        place = (told.get("directory_id"), told.get("parent_file_id"), str(told["name"]))
        file_id = told.get("file_id")
        if file_id is None:
            return place
        if type(file_id) is not int:
            raise ValueError(f"file_id must be an id, not {file_id!r}")
        if self._ids.setdefault(place, file_id) != file_id:
            self._ids[place] = None  # children may share a name
        return file_id


_PACKET = b',"packet":'

_ID = re.compile(rb'\{"id":(\d+)[,}]')


def key_of_stored(line: bytes) -> Hashable:
    """Return the id of a file of a pulled set."""
    found = _ID.match(line)
    if found:
        return int(found[1])
    file_id = _object(line).get("id")
    if type(file_id) is not int:
        raise ValueError("it has no id")
    return file_id


def _object(line: bytes) -> dict[str, Any]:
    told = json.loads(line)
    if not isinstance(told, dict):
        raise ValueError("it must be an object")
    return told
