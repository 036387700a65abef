"""Opens, decompresses, decodes and refuses files in the same way for all formats.

Every function raises :class:`~airflow_provider_diffgram.models.InvalidValueError` with the name of the file,
and the line where that is known, whatever the bytes are.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import os
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from os import PathLike
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.models.problems import first_of
from airflow_provider_diffgram.models.received import without_signatures
from airflow_provider_diffgram.models.repeats import RepeatedKeyError, json_without_repeats
from airflow_provider_diffgram.storage_faults import is_passing

Source = str | PathLike[str]
"""A file: local or in object storage, compressed with gzip or not."""

_GZIP = b"\x1f\x8b"
_OTHERWISE_PACKED = {
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf": "7-Zip",
}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Marks at the beginning of a text; that of UTF-32 begins with that of UTF-16."""

_DECLARED = re.compile(rb"""\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "shift-jis": "cp932"}
"""The encoding that files really have if they declare one: Windows writes its own, which is wider."""

_START = 4096
"""How many bytes tell what a file is."""

_BEGINNINGS = (*'{["-0123456789', "true", "false", "null", "NaN", "Infinity")
_SHOWN = 60
_SEEN = 3
_HALF = 0.4


def refusal(source: Source, *problems: str) -> InvalidValueError:
    """Return the error that names a file, without the signature of its address."""
    return InvalidValueError(without_signatures(str(source)), problems)


@contextmanager
def opened(source: Source) -> Iterator[IO[bytes]]:
    """Open a file to read its bytes; gzip is decompressed, whatever the name of the file.

    A passing fault of its storage is raised as it is: another attempt of the task may read the file.
    """
    with ExitStack() as stack:
        try:
            file: Any = stack.enter_context(_path_of(source).open("rb"))
        except (OSError, ImportError, ValueError) as error:
            if is_passing(error):
                raise
            raise refusal(source, f"cannot be read: {_cause(error)}") from None
        try:
            start = file.read(8)
            file.seek(0)
            packed = next((kind for mark, kind in _OTHERWISE_PACKED.items() if start.startswith(mark)), None)
            if packed is not None:
                raise refusal(source, f"is packed by {packed}: unpack it first")
            if start.startswith(_GZIP):
                file = stack.enter_context(gzip.GzipFile(fileobj=file, mode="rb"))
            yield file
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise refusal(source, f"cannot be unpacked: {error}") from None
        except OSError as error:
            if is_passing(error):
                raise
            raise refusal(source, f"cannot be read: {_cause(error)}") from None


def _cause(error: Exception) -> str:
    return getattr(error, "strerror", None) or without_signatures(str(error))


def _path_of(source: Source) -> Any:
    if "://" not in str(source):
        return Path(source)
    from upath import UPath

    return UPath(source)


def read_text(source: Source, encoding: str | None = None) -> str:
    """Return the text of a file, its lines ended by ``\\n`` only.

    A byte order mark decides. Without one, the text has the given encoding, or else UTF-8, or UTF-16 if every
    second byte is 0.

    :param encoding: of the text, such as ``cp1252``, if it is not UTF-8.
    """
    with opened(source) as file:
        data = file.read()
    return decoded(data, source, encoding).replace("\r\n", "\n").replace("\r", "\n")


def decoded(data: bytes, source: Source, encoding: str | None = None) -> str:
    """Return bytes as text, as :func:`read_text` does.

    :param source: for the error.
    """
    name = _mark_of(data) or encoding or _encoding_of(data)
    try:
        text = data.decode(name)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = f"0x{data[error.start]:02x}"
        remedy = "save it as UTF-8" if encoding is None else "give the encoding that it has"
        raise refusal(source, f"line {line}: the byte {byte} is not {name}: {remedy}") from None
    except (LookupError, ValueError) as error:
        raise refusal(source, f"cannot be decoded as {name!r}: {error}") from None
    text = text.removeprefix("\ufeff")
    place = text.find("\0")
    if place >= 0:
        line = text.count("\n", 0, place) + 1
        raise refusal(source, f"line {line}: holds bytes of 0, so it is not text")
    return text


def _mark_of(data: bytes) -> str | None:
    return next((name for mark, name in _MARKS if data.startswith(mark)), None)


def _encoding_of(data: bytes) -> str:
    """Return the encoding of a text: without a mark, in UTF-16 every second byte of plain text is 0."""
    marked = _mark_of(data)
    if marked is not None:
        return marked
    start = data[:_START]
    pairs = len(start) // 2
    if not pairs or b"\0" not in start:
        return "utf-8"
    if start[1::2].count(0) > _HALF * pairs and start[::2].count(0) == 0:
        return "utf-16-le"
    if start[::2].count(0) > _HALF * pairs and start[1::2].count(0) == 0:
        return "utf-16-be"
    return "utf-8"


def read_lines(source: Source, encoding: str | None = None) -> list[tuple[int, str]]:
    """Return the lines of a text that are not blank, each with its number from 1."""
    lines = enumerate(read_text(source, encoding).split("\n"), start=1)
    return [(number, line) for number, line in lines if line.strip()]


def read_json(source: Source) -> Any:
    """Return what a JSON file holds. NaN and Infinity are read, and refused where a value is looked at."""
    text = read_text(source)
    _refuse_no_json(text, source)
    try:
        return json_without_repeats(text)
    except json.JSONDecodeError as error:
        hint = "; a second value follows the first" if error.msg == "Extra data" else ""
        raise refusal(
            source, f"line {error.lineno}, column {error.colno}: is not JSON: {error.msg}{hint}"
        ) from None
    except RecursionError:
        raise refusal(source, "is nested too deeply") from None
    except RepeatedKeyError as error:
        raise refusal(source, str(error)) from None
    except ValueError as error:
        raise refusal(source, f"is not JSON: {error}") from None


def _refuse_no_json(start: str, source: Source) -> None:
    begin = start.lstrip()
    if not begin:
        raise refusal(source, "is empty, so it is not JSON")
    if begin[0] == "<":
        shown = begin.splitlines()[0][:_SHOWN]
        raise refusal(
            source,
            f"is a page of HTML or XML, not JSON (it begins with {shown!r}): is it a sign-in page "
            f"or an error?",
        )
    if not begin.startswith(_BEGINNINGS):
        shown = begin.splitlines()[0][:_SHOWN]
        raise refusal(source, f"is not JSON: it begins with {shown!r}")


@contextmanager
def json_stream(source: Source) -> Iterator[tuple[IO[bytes], str]]:
    """Open a JSON file of any size: its bytes in UTF-8 without a mark, and its first character.

    Faults of the JSON itself are left to the parser.
    """
    with opened(source) as file:
        start = file.read(_START)
        if _encoding_of(start) != "utf-8":
            text = decoded(start + file.read(), source)
            _refuse_no_json(text, source)
            yield io.BytesIO(text.encode()), text.lstrip()[0]
            return
        mark = len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0
        begin = start[mark:]
        while begin and not begin.strip():
            begin = file.read(_START)
        text = begin.decode(errors="replace")
        _refuse_no_json(text, source)
        file.seek(mark)
        yield file, text.lstrip()[0]


def read_xml(source: Source) -> ElementTree.Element:
    """Return the root of an XML file, in whatever encoding it declares."""
    with opened(source) as file:
        data = file.read()
    declared = _DECLARED.match(data)
    name = declared[1].decode("ascii").lower() if declared else None
    text = decoded(data, source, _WIDER.get(name, name) if name else None).lstrip()
    if not text:
        raise refusal(source, "is empty, so it is not XML")
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        line, column = error.position
        cause = str(error).partition(":")[0]
        raise refusal(source, f"line {line}, column {column}: is not XML: {cause}") from None
    except (ValueError, LookupError, RecursionError) as error:
        raise refusal(source, f"is not XML: {error}") from None


def files_in(folder: Source, suffixes: Iterable[str], what: str) -> list[Path]:
    """Return the files of a kind in a folder and the folders in it, in the order of their names.

    Symbolic links are followed. Names that begin with a dot are left out: they belong to the system.

    :param suffixes: such as ``.txt``, in lower case; files may have them in capitals.
    :param what: what the files are called in the error.
    :raises InvalidValueError: if the folder does not exist, has no such file, has a broken link to one, or
        contains a folder that cannot be read.
    """
    root = Path(folder)
    if not root.is_dir():
        kind = "is a file, not a folder" if root.is_file() else "is not a folder here"
        raise refusal(folder, f"{kind}: {what} are looked for in it")
    wanted = frozenset(suffixes)
    try:
        files = sorted(_below(root))
    except OSError as error:
        raise refusal(folder, f"{error.filename} cannot be read: {_cause(error)}") from None
    found = [path for path in files if path.suffix.lower() in wanted]
    lost = [str(path.relative_to(root)) for path in found if not path.is_file()]
    if lost:
        raise refusal(
            folder,
            f"links to {what} that are not on this machine, such as {first_of(lost, _SEEN)}: fetch them",
        )
    if not found:
        there = Counter(path.suffix or path.name for path in files).most_common(_SEEN)
        shown = ", ".join(f"{count} {suffix}" for suffix, count in there) or "no files at all"
        raise refusal(folder, f"holds no {what} ({', '.join(sorted(wanted))}), but {shown}")
    return found


def _below(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Yield the files in a folder and in those below it, and links to what is not there.

    :param above: the folders that this one is in, as they are without links: a link may lead back to one.
    """
    real = folder.resolve()
    if real in above:
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            path = folder / entry.name
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _below(path, above | {real})
            elif entry.is_file() or entry.is_symlink():
                yield path
