"""Readers against inputs that are nearly right: whatever they get, they read it or refuse it by name.

A target is a reader with good inputs. Files are changed byte by byte, values in one place or several; what
comes out may be images or :class:`~airflow_provider_diffgram.models.InvalidValueError`, and nothing else.
Each change follows from the target's name and a number, so that ``broken`` shows the same input again.
"""

from __future__ import annotations

import codecs
import copy
import gzip
import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.predictions import Options, RawImage, packets_of

_TOKENS = (
    *(b"null", b"true", b"NaN", b"Infinity", b"-1", b"0", b"1", b"1.5", b"1e999", b"9" * 400, b"1_0"),
    *(b'""', b"[]", b"{}", b"[[]]", b'"a"', b"[", b"}", b'"', b"\\u0000", b"\\ud800", b","),
    *(b"<", b">", b"</a>", b"<a>", b"&lt;", b"&a;", b"<!--", b"\n", b"\r\n", b" ", b"\t", b":", b"- "),
    *(
        b"\0",
        b"\xff",
        b"\xfe",
        b"\xe9",
        b"\xc3",
        codecs.BOM_UTF8,
        codecs.BOM_UTF16_LE,
        b"\x1f\x8b",
        b"PK\3\4",
    ),
)
_JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 7, 0.5, 1.0, -0.0, 2**31, 2**70, 10**400, 1e308, math.nan, math.inf),
    *("", " ", "a", "1", "1.5", "nan", "\0", "\ud800", "x" * 5000, b"", b"1", b"\xff"),
    *([], {}, [[]], [None], [1, 2], {"a": 1}, (), (1, 2, 3, 4), set(), 1j, range(3)),
    *(np.nan, np.float32(1), np.int64(3), np.zeros(0), np.zeros((2, 3)), np.array(["a"]), np.array(None)),
    *(
        np.full((2, 4), np.nan),
        np.ones((3, 3), dtype=bool),
        np.array([1, "a"], dtype=object),
        object(),
        print,
    ),
)


@dataclass(frozen=True)
class FileTarget:
    """A reader of a file.

    :param good: what such files hold.
    :param read: reads the file that is written to a path.
    :param path: where, in a folder of its own.
    """

    good: Sequence[bytes]
    read: Callable[[Path], Iterable[RawImage]]
    path: str

    def broken(self, rng: random.Random) -> bytes:
        """Return a good file with some changes."""
        data = bytearray(rng.choice(self.good))
        for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
            _change_bytes(data, rng, self.good)
        return _otherwise_written(bytes(data), rng)

    def run(self, data: bytes, folder: Path) -> None:
        """Write a file and read it."""
        path = folder / self.path
        path.write_bytes(data)
        drive(lambda: self.read(path))


@dataclass(frozen=True)
class ValueTarget:
    """A reader of values.

    :param good: makes such values, new ones each time.
    :param read: reads them.
    """

    good: Callable[[], Any]
    read: Callable[[Any], Iterable[RawImage]]

    def broken(self, rng: random.Random) -> Any:
        """Return good values with some places changed."""
        value = self.good()
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            value = _changed(value, rng)
        return value

    def run(self, value: Any, folder: Path) -> None:
        """Read the values."""
        drive(lambda: self.read(value))


Target = FileTarget | ValueTarget


def drive(read: Callable[[], Iterable[RawImage]]) -> None:
    """Read images and make packets of them, as a push does; a refusal is as good as an image."""
    try:
        packets = packets_of(
            read(), media=lambda image: {"url": "http://127.0.0.1/a.jpg"}, options=Options(max_wrong=1)
        )
        for packet in packets:
            packet.model_dump_json(by_alias=True)
    except InvalidValueError as error:
        refusal = error
    else:
        return
    assert refusal.problems, "a refusal says why"
    str(refusal).encode()  # it can be written to a log


def _change_bytes(data: bytearray, rng: random.Random, good: Sequence[bytes]) -> None:
    """Change some bytes in place."""
    start = rng.randrange(len(data) + 1)
    end = min(len(data), start + rng.choice((1, 1, 2, 4, 16, 200)))
    match rng.randrange(6):
        case 0:
            data[start:end] = rng.randbytes(end - start)
        case 1:
            del data[start:end]
        case 2:
            data[start:start] = rng.choice(_TOKENS)
        case 3:
            data[start:end] = rng.choice(_TOKENS)
        case 4:
            data[start:start] = data[start:end]
        case _:
            other = rng.choice(good)
            data[start:] = other[rng.randrange(len(other) + 1) :]


def _otherwise_written(data: bytes, rng: random.Random) -> bytes:
    """Return a file as it is, mostly; or packed, cut, or in another encoding."""
    match rng.randrange(40):
        case 0:
            return gzip.compress(data)
        case 1:
            return gzip.compress(data)[: rng.randrange(60)]
        case 2:
            return data.decode("latin-1").encode(rng.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-32")))
        case 3:
            return codecs.BOM_UTF8 + data
        case 4:
            return data[: rng.randrange(len(data) + 1)]
        case _:
            return data


def _changed(value: Any, rng: random.Random) -> Any:
    """Return a value with one place in it replaced, left out, repeated or of another kind."""
    if rng.random() < 0.15:
        return copy.copy(rng.choice(_JUNK))
    if isinstance(value, SimpleNamespace) and vars(value):
        return SimpleNamespace(**_changed_mapping(dict(vars(value)), rng))
    if isinstance(value, Mapping) and value:
        return _changed_mapping(dict(value), rng)
    if isinstance(value, list | tuple) and value:
        items = list(value)
        place = rng.randrange(len(items))
        match rng.randrange(5):
            case 0:
                del items[place]
            case 1:
                items.append(items[place])
            case _:
                items[place] = _changed(items[place], rng)
        return items if isinstance(value, list) or rng.random() < 0.5 else tuple(items)
    if isinstance(value, np.ndarray) and value.size:
        return _changed_array(value, rng)
    if isinstance(value, float | int) and abs(value) < 1e9 and rng.random() < 0.5:
        return rng.choice((-value, value + 0.5, value * 1000, value / 1000, str(value), float(value)))
    return copy.copy(rng.choice(_JUNK))


def _changed_mapping(value: dict[Any, Any], rng: random.Random) -> dict[Any, Any]:
    key = rng.choice(list(value))
    match rng.randrange(6):
        case 0:
            del value[key]
        case 1:
            value[rng.choice(list(value))] = value[key]
        case _:
            value[key] = _changed(value[key], rng)
    return value


def _changed_array(value: np.ndarray[Any, Any], rng: random.Random) -> Any:
    kind = rng.randrange(6)
    match kind if value.dtype.kind in "buif" and value.ndim else kind % 3:
        case 0:
            return value.reshape(-1)[:-1]
        case 1:
            return value.tolist()
        case 2:
            return value.reshape(-1)
        case 3:
            return value.astype(object)
        case _:
            flat = value.astype(float).reshape(-1)
            flat[rng.randrange(flat.size)] = rng.choice((math.nan, math.inf, -1.0, 0.5, 1e308, 7.0))
            return flat.reshape(value.shape)
