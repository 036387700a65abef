"""JSON files of any size, item by item. Needs ijson."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from typing import IO, Any

import ijson

from airflow_provider_diffgram.models import InvalidValueError

from ...core.files import Source, json_stream, refusal
from ...core.reading import several

RECORDS = "annotations"
"""Where the records of an object are."""

_DATASET = frozenset({"images", "categories"})
_DEEPEST = 1000
_PIECE = 8192
_SMALL_PIECE = 16


def records_of(source: Source | Mapping[str, Any] | Iterable[Any]) -> Iterator[Any]:
    """Yield the records of a results file, of a dataset's ``annotations``, or those given.

    :raises InvalidValueError: if there is no list of records, such as in a dataset without annotations.
    """
    if isinstance(source, str | PathLike):
        yield from _records_of_file(source)
    elif isinstance(source, Mapping):
        yield from _records_of_object("COCO results", source)
    elif hasattr(source, "to_dict"):
        raise InvalidValueError("COCO results", ["are a table: give table.to_dict('records')"])
    elif isinstance(source, Iterable) and not isinstance(source, bytes | bytearray):
        yield from several(source, "COCO results")
    else:
        kind = type(source).__name__
        raise InvalidValueError("COCO results", [f"are a {kind}; give a file, or a list of records"])


def _records_of_file(source: Source) -> Iterator[Any]:
    with _beginning(source) as begin:
        pass
    if begin == "[":
        yield from _items(source, "item")
        return
    there = _members(source, begin, "a list of records")
    found = False
    for record in _items(source, f"{RECORDS}.item") if there.get(RECORDS) is list else ():
        found = True
        yield record
    if not found:
        _refuse_without_records(source, there)


def _records_of_object(name: str, holder: Mapping[str, Any]) -> Iterator[Any]:
    records = holder.get(RECORDS)
    if not isinstance(records, list) or not records:
        _refuse_without_records(name, {key: type(value) for key, value in holder.items()})
    yield from records or ()


def _refuse_without_records(source: Source, there: Mapping[str, type]) -> None:
    """Refuse an object without records, unless it says itself that there are none."""
    keys = ", ".join(map(str, there)) or "nothing"
    if RECORDS in there and there[RECORDS] is not list:
        raise refusal(source, f"{RECORDS} is {_kind_of(there[RECORDS])}, not a list of records")
    if there.keys() >= _DATASET:
        remedy = "this is a dataset without predictions: give the results; [] if nothing was found"
        raise refusal(source, f"has no records in {RECORDS}, but {keys}: {remedy}")
    if RECORDS not in there:
        remedy = "results are a list of records, or an object with such a list"
        raise refusal(source, f"has no {RECORDS}, but {keys}: {remedy}")


def members_of(source: Source | Mapping[str, Any], keys: Iterable[str]) -> dict[str, Iterable[Any]]:
    """Return the lists that a dataset has under some keys; of a file their items come one by one.

    :raises InvalidValueError: if it is no object, a key is missing or twice, or not a list.
    """
    if isinstance(source, str | PathLike):
        with _beginning(source) as begin:
            pass
        there: Mapping[str, Any] = _members(source, begin, "an object with images and categories")
        name: Source = source
    elif isinstance(source, Mapping):
        there, name = {str(key): type(value) for key, value in source.items()}, "COCO dataset"
    else:
        cause = f"is a {type(source).__name__}; give the dataset file that has images and categories"
        raise InvalidValueError("COCO dataset", [cause])
    problems = [
        f"{key} is {_kind_of(there[key])}, not a list"
        if key in there
        else f"has no {key}, but {', '.join(there) or 'nothing'}: give the dataset file"
        for key in keys
        if not issubclass(there.get(key, type(None)), list | tuple)
    ]
    if problems:
        raise refusal(name, *problems)
    if isinstance(source, Mapping):
        return {key: source[key] for key in keys}
    return {key: _items(source, f"{key}.item") for key in keys}


@contextmanager
def _beginning(source: Source) -> Iterator[str]:
    with json_stream(source) as (_, begin):
        yield begin


def _members(source: Source, begin: str, wanted: str) -> dict[str, type]:
    """Return which keys the object in a file has, and the kind of what they hold.

    :param begin: the first character of the file.
    :param wanted: what the file should be, for the error.
    """
    if begin == "[":
        raise refusal(source, f"is a list, not {wanted}: are these the results?")
    if begin != "{":
        raise refusal(source, f"is a single value, not {wanted}")
    there: dict[str, type] = {}
    for key, value in _parsed(source, lambda file: ijson.kvitems(file, "", use_float=True, map_type=_Hollow)):
        if key in there:
            raise refusal(source, f"the key {key!r} is there twice")
        there[key] = type(value)
    return there


class _Hollow:
    """What stands for an object whose content is not wanted."""

    def __setitem__(self, key: str, value: Any) -> None:
        """Forget a member."""


def _kind_of(kind: type) -> str:
    return {type(None): "null", _Hollow: "an object", dict: "an object", str: "a text"}.get(
        kind, f"a {kind.__name__}"
    )


def _items(source: Source, prefix: str) -> Iterator[Any]:
    """Yield the items of an array in a JSON file.

    :param prefix: where it is, as ijson has it.
    :raises InvalidValueError: if the file cannot be read or is not JSON, or an object has a key twice.
    """
    repeats = [0]

    class Object(_Object):
        """One of this file: what parses it in C cannot stop for an error, so repeats are counted."""

        def __setitem__(self, key: str, value: Any) -> None:
            if key in self:
                self.twice = key
                repeats[0] += 1
            super().__setitem__(key, value)

    parsed = _parsed(source, lambda file: ijson.items(file, prefix, use_float=True, map_type=Object))
    for number, item in enumerate(parsed):
        if repeats[0]:
            key = _repeated_in(item)
            if key is not None:
                what = prefix.removesuffix("item").removesuffix(".") or "record"
                raise refusal(source, f"{what} {number}: the key {key!r} is there twice in one object")
        yield item


class _Object(dict[str, Any]):
    """An object of JSON.

    :ivar twice: a key that it has twice; None if there is none.
    """

    twice: str | None = None


def _repeated_in(value: Any) -> str | None:
    """Return a key that is twice in an object, or in one inside it."""
    if isinstance(value, _Object):
        inside = (_repeated_in(each) for each in value.values())
        return value.twice or next(filter(None, inside), None)
    return next(filter(None, map(_repeated_in, value)), None) if isinstance(value, list) else None


_HINTS = {
    "lexical error": "; JSON has no NaN and no Infinity",
    "parse error: trailing garbage": "; a second value follows the first, as in JSON Lines",
}
"""What is often behind an error of the parser, by its beginning."""


def _parsed(source: Source, parse: Callable[[IO[bytes]], Iterator[Any]]) -> Iterator[Any]:
    with json_stream(source) as (file, _):
        shallow = _Shallow(file, source)
        try:
            yield from parse(shallow)  # type: ignore[arg-type]
        except _NO_JSON as error:
            place = _place_of_error(source, shallow.before_last)
            raise refusal(source, f"is not JSON{place}: {_cause_of(error)}") from None


_NO_JSON = (ijson.JSONError, UnicodeDecodeError)


def _cause_of(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8: {error.reason}"
    told = error.args[0] if error.args else "unknown"
    text = told.decode(errors="replace") if isinstance(told, bytes) else str(told)
    cause = text.strip().partition("\n")[0]
    return cause + next((hint for start, hint in _HINTS.items() if cause.startswith(start)), "")


def _place_of_error(source: Source, right: int) -> str:
    """Return which record or other item of a file is the last one that begins before an error.

    :param right: how many bytes of the file are known to be right.
    """
    last, count = None, 0
    with json_stream(source) as (file, _):
        try:
            for prefix, event, _value in ijson.parse(_Shallow(file, source, right), use_float=True):
                if event == "start_map" and prefix.endswith("item") and prefix.count(".") < 2:
                    last, count = prefix, count + 1 if prefix == last else 1
        except _NO_JSON:
            pass
    if last is None:
        return ""
    return f" at {last.removesuffix('item').removesuffix('.') or 'record'} {count - 1}"


class _Shallow:
    """A file that is not read where it is nested so deeply that the parser would need all memory.

    :param file: to read.
    :param source: for the error.
    :param right: from which byte on it is read in small pieces, since what is parsed of a piece before an
        error in it is lost.
    :ivar before_last: how many bytes were read before the last piece.
    """

    def __init__(self, file: IO[bytes], source: Source, right: int | None = None) -> None:
        self._file = file
        self._source = source
        self._right = right
        self._read = self.before_last = 0
        self._depth = 0

    def read(self, size: int = -1) -> bytes:
        """Return the next piece of the file."""
        slow = self._right is not None and self._read >= self._right
        most = _SMALL_PIECE if slow else _PIECE
        data = self._file.read(most if size < 0 else min(size, most))
        self.before_last = self._read
        self._read += len(data)
        self._depth += data.count(b"[") + data.count(b"{") - data.count(b"]") - data.count(b"}")
        if self._depth > _DEEPEST:
            raise refusal(self._source, "is nested too deeply")
        return data
