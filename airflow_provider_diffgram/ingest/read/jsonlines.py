"""Reads packets from any source: a value, a list, JSON text, a JSON Lines file."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ...models import InvalidValueError
from ...models.repeats import RepeatedKeyError, json_without_repeats
from .paths import PathOpener
from .storage import patient

_GZIP = b"\x1f\x8b"
_OTHERWISE = {
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
"""First bytes of files in formats that cannot be read."""


class JsonLines:
    """The objects of a JSON Lines file, read line by line at each iteration.

    Raises StorageError if its storage fails, which may pass.

    :param path: local or in object storage; gzip data is decompressed while it is read, whatever the file's
        name.
    :param what: what a line holds, such as ``packet``.
    """

    def __init__(self, path: str, what: str, path_of: PathOpener) -> None:
        self._what = what
        self._name = path
        try:
            self._path = patient(path_of)(path)
            there = self._path.is_file()
        except (OSError, ImportError, ValueError) as error:
            raise InvalidValueError(f"{what}s", [f"cannot read {path}: {error}"]) from error
        if not there:
            told = f"a folder, not a file: {path}" if Path(path).is_dir() else f"no such file: {path}"
            if path in ("", "None"):
                told = f"a template rendered to {path!r}: does the task that it names return packets?"
            raise InvalidValueError(f"{what}s", [told])

    def __iter__(self) -> Iterator[Any]:
        """Yield each line's object, or what is wrong with the line; skip empty lines."""
        with self._path.open("rb") as raw:
            start = raw.peek(8)[:8]
            other = next((what for mark, what in _OTHERWISE.items() if start.startswith(mark)), None)
            if other is not None:
                yield [f"{self._name}: is {other}: give it as UTF-8, packed by gzip or not at all"]
                return
            if not start and self._name.endswith(".gz"):
                yield [f"{self._name}: not a complete gzip file: it is empty"]
                return
            with gzip.GzipFile(fileobj=raw) if start.startswith(_GZIP) else nullcontext(raw) as file:
                yield from self._objects(file)

    def _objects(self, file: Any) -> Iterator[Any]:
        begun = False
        try:
            # Not "for line in file": files that ObjectStoragePath opens on Airflow 2 cannot be iterated.
            for number, line in enumerate(iter(file.readline, b""), start=1):
                if not begun and line.strip(_BLANK) in (b"[", b"{"):
                    told = "is JSON over several lines: write each object on one line, as jq -c does"
                    yield [f"{self._what} in line {number} of {self._name}: {told}"]
                    return
                if line.strip():
                    begun = True
                    yield self._object(number, line)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            yield [f"{self._name}: not a complete gzip file: {error}"]

    def _object(self, number: int, line: bytes) -> Any:
        place = f"{self._what} in line {number} of {self._name}"
        try:
            value = json_without_repeats(line)
        except RepeatedKeyError as error:
            return [f"{place}: {error}"]
        except ValueError as error:
            after = ": write one object per line, and nothing after it" if "Extra data" in str(error) else ""
            return [f"{place}: not JSON: {error}{after}"]
        if isinstance(value, dict):
            return value
        return [f"{place}: must be an object, not {type(value).__name__}: write one object per line"]


_BLANK = codecs.BOM_UTF8 + b" \t\r\n"


def candidates(source: Any, what: str, path_of: PathOpener) -> Iterable[Any]:
    """Return the items of ``source``. They can be iterated several times, unless it is an iterator itself.

    :param source: a model, a mapping, an iterable of these, the path of a JSON Lines file, or JSON text from
        a rendered template.
    :param what: what to call an item in messages, such as ``packet``.
    :raises InvalidValueError: if it is anything else.
    """
    if isinstance(source, str):
        text = source.strip()
        return _from_json(text, what) if text[:1] in ("[", "{") else JsonLines(text, what, path_of)
    if isinstance(source, BaseModel | Mapping):
        return [source]
    if hasattr(source, "__fspath__"):
        return JsonLines(str(source), what, path_of)
    if isinstance(source, Iterator):
        return (_object(value, what, number) for number, value in enumerate(source))
    if isinstance(source, Iterable) and not isinstance(source, bytes):
        return [_object(value, what, number) for number, value in enumerate(source)]
    raise InvalidValueError(f"{what}s", [f"must be a {what}, a list of them or a path, not {source!r}"])


def _from_json(text: str, what: str) -> list[Any]:
    try:
        value = json_without_repeats(text)
    except ValueError as error:
        raise InvalidValueError(
            f"{what}s", [f"neither a path nor JSON ({error}); a template needs | tojson"]
        ) from None
    return list(candidates(value, what, _no_path))


def _object(value: Any, what: str, number: int) -> Any:
    """Return ``value`` if it can be an item, otherwise what is wrong; a list would be read as problems."""
    if isinstance(value, BaseModel | Mapping):
        return value
    return [f"{what} {number}: must be an object, not {type(value).__name__}"]


def _no_path(path: str) -> Any:
    raise InvalidValueError("path", [f"not expected within JSON: {path}"])
