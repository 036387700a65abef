"""Paths in the user's storage, which retry passing faults and report others at once.

Everything that the package reads or writes for a user goes through a :class:`PatientPath`. After a permanent
fault, it raises the storage's own error as an ``OSError``. After a fault that should have passed but did not,
it raises :class:`~airflow_provider_diffgram.client.StorageError`; another attempt of the task may succeed.
"""

from __future__ import annotations

import io
import itertools
import logging
import os
import stat
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NoReturn, Self, TypeVar

from ...client.attempts import backoff
from ...client.clock import Clock
from ...client.errors import DiffgramError, StorageError, source_error
from ...models import InvalidValueError
from ...models.received import without_signatures
from ...storage_faults import is_passing, words_of_fault

_log = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds during which faults are retried, unless a connection says otherwise; the same as for a server."""

_BUFFER = 2**16
_MARKS = ("size", "ETag", "etag", "generation", "mtime", "LastModified", "last_modified", "updated")


def patient(
    path_of: Callable[[str], Any], seconds: float | None = None, clock: Clock | None = None
) -> Callable[[str], PatientPath]:
    """Return a ``path_of`` whose paths retry passing faults.

    :param path_of: converts a text to a path of any storage.
    :param seconds: how long to retry. None means as long as the paths already do, or else a minute.
    :param clock: returns the time and sleeps. None means the clock of the paths, or else real time.
    """

    def opened(path: str) -> PatientPath:
        found = path_of(path)
        if not isinstance(found, PatientPath):
            return PatientPath(found, PATIENCE if seconds is None else seconds, clock or Clock(), path)
        return found.with_patience(found.seconds if seconds is None else seconds, clock or found.clock)

    return opened


def open_to_write(what: str, path: str | None, path_of: Callable[[str], Any]) -> Any:
    """Return a context manager with a file to write bytes to, or with None if there is no path.

    :param what: the kind of file in a word, such as ``report``.
    :raises InvalidValueError: if it cannot be written.
    :raises StorageError: if its storage fails, which may pass.
    """
    if not path:
        return nullcontext()
    try:
        return patient(path_of)(path).open("wb")
    except (OSError, ImportError, ValueError) as error:
        raise InvalidValueError(what, [f"cannot write {path}: {error}"]) from error


@contextmanager
def lines_to_write(what: str, path: str | None, path_of: Callable[[str], Any]) -> Generator[Any, None, None]:
    """Like :func:`open_to_write`, but raise a fault of the file only at the end, so that the work goes on."""
    with open_to_write(what, path, path_of) as file:
        kept = None if file is None else _GivenUp(file)
        yield kept
        if kept is not None and kept.fault is not None:
            raise kept.fault


class _GivenUp:
    """A file that is written until a write fails.

    :ivar fault: why it failed.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self.fault: Exception | None = None

    def write(self, content: bytes) -> None:
        if self.fault is None:
            try:
                self._file.write(content)
            except (OSError, ValueError, DiffgramError) as error:
                self.fault = error


@contextmanager
def hiding_no(verdict: str) -> Generator[None, None, None]:
    """Add a verdict to errors of the block, which writes files about it: a fault must not hide it."""
    try:
        yield
    except DiffgramError as error:
        error.args = (f"{error}\n{verdict}",)
        raise
    except InvalidValueError as error:
        raise InvalidValueError(error.what, [*error.problems, verdict], error.unshown, error.sent) from error
    except OSError as error:
        error.add_note(verdict)
        raise


class PatientPath:
    """A path of any storage, which retries passing faults; other attributes are those of the wrapped path.

    :param path: UPath, ObjectStoragePath, or similar.
    :param seconds: how long to retry.
    :param clock: returns the time and sleeps.
    :param name: its name in messages. None means the path as its class shows it.
    """

    def __init__(self, path: Any, seconds: float, clock: Clock, name: str | None = None) -> None:
        self._path = path
        self._name = without_signatures(str(path) if name is None else name)
        self.seconds = seconds
        self.clock = clock

    def __str__(self) -> str:
        return str(self._path)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name!r})"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._path, name)

    def with_patience(self, seconds: float, clock: Clock) -> PatientPath:
        """Return the same path with another retry time."""
        return PatientPath(self._path, seconds, clock, self._name)

    def attempt(self, what: str, job: Callable[[], T]) -> T:
        """Call ``job``, and repeat it while it fails with faults that may pass.

        :param what: the job in words, such as ``read``.
        :raises StorageError: if time is up.
        :raises OSError: if it fails permanently; ImportError and ValueError are raised unchanged.
        """
        began = self.clock.monotonic()
        for failures in itertools.count(1):
            try:
                return job()
            except Exception as error:  # noqa: BLE001  # each storage has errors of its own
                seconds = backoff(failures)
                elapsed = self.clock.monotonic() - began
                if not _may_pass(error) or elapsed + seconds > self.seconds:
                    self._raise(what, error)
                if failures == 1:
                    _log.warning("cannot %s %s: %s; trying again", what, self._name, words_of_fault(error))
            self.clock.sleep(seconds)
        raise AssertionError

    def once(self, what: str, job: Callable[[], T]) -> T:
        """Call ``job`` once, with the same errors as :meth:`attempt`."""
        try:
            return job()
        except Exception as error:  # noqa: BLE001  # each storage has errors of its own
            self._raise(what, error)

    def _raise(self, what: str, error: Exception) -> NoReturn:
        """Raise the current error as one of this module's errors."""
        if _may_pass(error):
            raise source_error(what, self._name, error) from None
        if isinstance(error, DiffgramError | OSError | ImportError | ValueError):
            raise error
        raise OSError(words_of_fault(error)) from error

    def stat(self) -> Any:
        """Return an object with ``st_mtime``, and ``st_size`` in bytes; see :func:`kind_of`."""
        return self.attempt("look at", self._path.stat)

    def is_file(self) -> bool:
        """Return whether it exists and is a file.

        Not fsspec's own method, which also returns False if it could not look.
        """
        return self._kind() == "file"

    def is_dir(self) -> bool:
        """Return whether it exists and is a folder."""
        return self._kind() == "directory"

    def _kind(self) -> str | None:
        try:
            return kind_of(self.stat())
        except (FileNotFoundError, NotADirectoryError):
            return None

    def iterdir(self) -> list[PatientPath]:
        """Return the contents of a folder.

        Not fsspec's own method, which treats an unreadable folder as an empty one.
        """
        listed = self.attempt("list", self._list)
        return [PatientPath(each, self.seconds, self.clock) for each in listed]

    def _list(self) -> list[Any]:
        if self._is_local():
            return list(self._path.iterdir())
        folder = str(self._path.path).strip("/")
        found = [str(each).strip("/") for each in self._path.fs.ls(self._path.path, detail=False)]
        return [self._path / each.rpartition("/")[2] for each in found if each != folder]

    def _is_local(self) -> bool:
        return getattr(self._path, "protocol", "") in ("", "file", "local")

    def without_links(self) -> Path | None:
        """Return a local path with all symbolic links resolved; None in other storages."""
        return Path(self._path.path).resolve() if self._is_local() else None

    def glob(self, pattern: str) -> list[PatientPath]:
        """Return what matches a pattern such as ``**/*.png``; empty if there is no such folder.

        Not the method of fsspec or pathlib, which leave out folders that they could not list.
        """
        try:
            return list({str(each): each for each in _matching(self, pattern.split("/"))}.values())
        except FileNotFoundError:
            return []

    def open(self, mode: str = "r", **options: Any) -> Any:
        """Open the file: ``rb`` to read, ``w`` or ``wb`` to write it anew.

        After a passing fault, reading continues at the same position. A fault while writing is final for this
        file, which must be written again.
        """
        if mode == "rb":
            raw = _Resuming(self, options)
            self.attempt("read", raw.begin)
            return io.BufferedReader(raw, _BUFFER)
        if mode not in ("w", "wb"):
            raise ValueError(f"mode {mode!r}")
        return _Written(self, self.attempt("write", lambda: self._path.open(mode, **options)))

    def open_once(self, mode: str, **options: Any) -> Any:
        """Open the file without retries, for data that is read or written again as a whole."""
        return self._path.open(mode, **options)

    def head(self, size: int) -> bytes:
        """Return the first ``size`` bytes; from object storage, in one request."""

        def read() -> bytes:
            return bytes(self._path.fs.cat_file(self._path.path, start=0, end=size))

        return self.attempt("read", read)


def _may_pass(error: BaseException) -> bool:
    return not isinstance(error, DiffgramError) and is_passing(error)


def kind_of(found: Any) -> str | None:
    """Return ``file`` or ``directory``, from a result of ``stat``; None if it is neither.

    An object storage says it in a word; its mode may contain only permissions.
    """
    info = found if isinstance(found, Mapping) else getattr(found, "as_info", dict)()
    if "type" in info:
        return str(info["type"]) if info["type"] in ("file", "directory") else None
    if stat.S_ISREG(found.st_mode):
        return "file"
    return "directory" if stat.S_ISDIR(found.st_mode) else None


def raise_if_passing(error: Exception, what: str, path: str) -> None:
    """Raise StorageError if a fault may pass, so that it is not mistaken for bad input."""
    if isinstance(error, StorageError):
        raise error
    if not isinstance(error, DiffgramError) and is_passing(error):
        raise source_error(what, path, error) from None


def _matching(
    folder: PatientPath, parts: Sequence[str], above: frozenset[Path] = frozenset()
) -> Iterator[PatientPath]:
    """Yield what matches in a folder. ``**`` follows links to folders, but does not enter hidden ones.

    :param above: folders that ``**`` has passed, with links resolved, because a link may lead back to one.
    """
    first, *rest = parts
    if first == "**":
        real = folder.without_links()
        if real in above:
            return
        above = above if real is None else above | {real}
        yield from _matching(folder, rest or ["*"])
    for each in sorted(folder.iterdir(), key=str):
        if first == "**":
            if not each.name.startswith(".") and each.is_dir():
                yield from _matching(each, parts, above)
        elif not fnmatchcase(each.name, first):
            continue
        elif not rest:
            yield each
        elif each.is_dir():
            yield from _matching(each, rest)


class _Resuming(io.RawIOBase):
    """The bytes of a path; after a passing fault, the file is opened again and read on."""

    def __init__(self, path: PatientPath, options: dict[str, Any]) -> None:
        self._path = path
        self._options = options
        self._file: Any = None
        self._position = 0
        self._mark: dict[str, Any] | None = None

    def begin(self) -> None:
        """Open the file, if it is not open."""
        if self._file is not None:
            return
        file = self._path.open_once("rb", **self._options)
        mark = _mark_of(file)
        if self._mark is not None and mark != self._mark:
            file.close()
            raise OSError("it was changed while it was read")
        self._mark = mark
        if self._position:
            file.seek(self._position)
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = int(self._path.attempt("read", lambda: self._seek_once(offset, whence)))
        return self._position

    def _seek_once(self, offset: int, whence: int) -> int:
        self.begin()
        return int(self._file.seek(offset, whence))

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        piece = self._path.attempt("read", lambda: self._read_once(len(view)))
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def _read_once(self, size: int) -> bytes:
        self.begin()
        try:
            return bytes(self._file.read(size))
        except Exception:
            self._drop()
            raise

    def _drop(self) -> None:
        file, self._file = self._file, None
        try:
            file.close()
        except Exception as error:  # noqa: BLE001  # it was broken before, and that fault is reported
            _log.debug("closing %r: %s", self._path, error)

    def close(self) -> None:
        if not self.closed and self._file is not None:
            self._file.close()
        super().close()


class _Written:
    """A file that is being written; its faults are those of :meth:`PatientPath.once`."""

    def __init__(self, path: PatientPath, file: Any) -> None:
        self._path = path
        self._file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def write(self, content: Any) -> int:
        """Write text or bytes, depending on the mode."""
        return int(self._path.once("write", lambda: self._file.write(content)))

    def flush(self) -> None:
        """Flush what was written, if the storage can."""
        self._path.once("write", self._file.flush)

    def close(self) -> None:
        """Close the file; in object storage it exists only from now on."""
        self._path.once("write", self._file.close)


def _mark_of(file: Any) -> dict[str, Any]:
    """Return the fields that distinguish versions of a file; empty if the storage has none."""
    details = getattr(file, "details", None)
    if isinstance(details, dict):
        return {name: details[name] for name in _MARKS if name in details}
    try:
        found = os.fstat(file.fileno())
    except (OSError, AttributeError, TypeError, ValueError):
        return {}
    return {"size": found.st_size, "mtime": found.st_mtime_ns}
