"""Paths in the user's storage: passing faults are retried, others are reported at once.

Everything that the package reads or writes for a user goes through a :class:`PatientPath`. After a fault that
does not pass, it raises the storage's own error, as an ``OSError``. After one that should have passed and did
not, it raises :class:`~airflow_provider_diffgram.client.StorageError`, and another attempt of the task may
succeed.
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
"""Seconds to try again, unless a connection says otherwise: as long as with a server."""

_BUFFER = 2**16
_MARKS = ("size", "ETag", "etag", "generation", "mtime", "LastModified", "last_modified", "updated")


def patient(
    path_of: Callable[[str], Any], seconds: float | None = None, clock: Clock | None = None
) -> Callable[[str], PatientPath]:
    """Return ``path_of``, but that its paths have patience.

    :param path_of: makes a path of any storage of a text.
    :param seconds: how long to try again; as long as the paths do already, or else a minute, when None.
    :param clock: tells time and lets it pass; that of the paths, or else real time, when None.
    """

    def opened(path: str) -> PatientPath:
        found = path_of(path)
        if not isinstance(found, PatientPath):
            return PatientPath(found, PATIENCE if seconds is None else seconds, clock or Clock(), path)
        return found.with_patience(found.seconds if seconds is None else seconds, clock or found.clock)

    return opened


def open_to_write(what: str, path: str | None, path_of: Callable[[str], Any]) -> Any:
    """Return a context manager with a file to write bytes to; with None without a path.

    :param what: the file is, in a word: ``report``.
    :raises InvalidValueError: if it cannot be written.
    :raises StorageError: if its storage fails, and may be back.
    """
    if not path:
        return nullcontext()
    try:
        return patient(path_of)(path).open("wb")
    except (OSError, ImportError, ValueError) as error:
        raise InvalidValueError(what, [f"cannot write {path}: {error}"]) from error


@contextmanager
def lines_to_write(what: str, path: str | None, path_of: Callable[[str], Any]) -> Generator[Any, None, None]:
    """Give a file as :func:`open_to_write` does, but raise its fault in the end: what it tells of goes on."""
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
    """Add a verdict to what is raised where files are written that tell it: a fault must not hide it."""
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
    """A path of any storage; whatever else its class offers is there as well.

    :param path: UPath, ObjectStoragePath, or alike.
    :param seconds: how long to try again.
    :param clock: tells time and lets it pass.
    :param name: what it is called in messages; the path as its class shows it when None.
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
        """Return the same path with other patience."""
        return PatientPath(self._path, seconds, clock, self._name)

    def attempt(self, what: str, job: Callable[[], T]) -> T:
        """Do ``job``, and do it again while it fails with what may pass.

        :param what: the job in words, such as ``read``.
        :raises StorageError: if time is up.
        :raises OSError: if it fails for good; ImportError and ValueError pass as they are.
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
        """Do ``job`` once, and raise what :meth:`attempt` raises."""
        try:
            return job()
        except Exception as error:  # noqa: BLE001  # each storage has errors of its own
            self._raise(what, error)

    def _raise(self, what: str, error: Exception) -> NoReturn:
        """Raise the error that is being handled in the words of this module."""
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

        Not what fsspec calls so: that says no as well where it could not look.
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
        """Return what is in a folder.

        Not fsspec's own: it takes a folder that it could not read for an empty one.
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
        """Return where a local path is once all symbolic links are followed; None elsewhere."""
        return Path(self._path.path).resolve() if self._is_local() else None

    def glob(self, pattern: str) -> list[PatientPath]:
        """Return what matches, such as ``**/*.png``; nothing if there is no such folder.

        Not what fsspec and pathlib call so: they leave out the folders that they could not list.
        """
        try:
            return list({str(each): each for each in _matching(self, pattern.split("/"))}.values())
        except FileNotFoundError:
            return []

    def open(self, mode: str = "r", **options: Any) -> Any:
        """Open the file: ``rb`` to read, ``w`` or ``wb`` to write what was not there before.

        After a passing fault, reading continues where it was. A fault while writing is final for this file,
        which must be written again.
        """
        if mode == "rb":
            raw = _Resuming(self, options)
            self.attempt("read", raw.begin)
            return io.BufferedReader(raw, _BUFFER)
        if mode not in ("w", "wb"):
            raise ValueError(f"mode {mode!r}")
        return _Written(self, self.attempt("write", lambda: self._path.open(mode, **options)))

    def open_once(self, mode: str, **options: Any) -> Any:
        """Open the file without patience: for what is read or written again as a whole."""
        return self._path.open(mode, **options)

    def head(self, size: int) -> bytes:
        """Return the first bytes, of object storage in one request."""

        def read() -> bytes:
            return bytes(self._path.fs.cat_file(self._path.path, start=0, end=size))

        return self.attempt("read", read)


def _may_pass(error: BaseException) -> bool:
    return not isinstance(error, DiffgramError) and is_passing(error)


def kind_of(found: Any) -> str | None:
    """Return ``file`` or ``directory``, as a result of ``stat`` tells; None if it is neither.

    A storage tells it by a word; what it calls a mode may be the permissions alone.
    """
    info = found if isinstance(found, Mapping) else getattr(found, "as_info", dict)()
    if "type" in info:
        return str(info["type"]) if info["type"] in ("file", "directory") else None
    if stat.S_ISREG(found.st_mode):
        return "file"
    return "directory" if stat.S_ISDIR(found.st_mode) else None


def raise_if_passing(error: Exception, what: str, path: str) -> None:
    """Raise StorageError if a fault may pass, so that it is not taken for bad input."""
    if isinstance(error, StorageError):
        raise error
    if not isinstance(error, DiffgramError) and is_passing(error):
        raise source_error(what, path, error) from None


def _matching(
    folder: PatientPath, parts: Sequence[str], above: frozenset[Path] = frozenset()
) -> Iterator[PatientPath]:
    """Yield what matches in a folder. ``**`` follows links to folders, and enters none that is hidden.

    :param above: the folders that ``**`` came through, as they are without links: a link may lead back to
        one.
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
    """The bytes of a path; after a fault that passed the file is opened anew, and read on."""

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
        except Exception as error:  # noqa: BLE001  # it was broken before; what broke it is told
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
        """Write text or bytes, as the file was opened for."""
        return int(self._path.once("write", lambda: self._file.write(content)))

    def flush(self) -> None:
        """Hand on what was written, as far as the storage can."""
        self._path.once("write", self._file.flush)

    def close(self) -> None:
        """Close the file; in object storage it is there only now."""
        self._path.once("write", self._file.close)


def _mark_of(file: Any) -> dict[str, Any]:
    """Return what tells one version of a file from another, as far as the storage tells."""
    details = getattr(file, "details", None)
    if isinstance(details, dict):
        return {name: details[name] for name in _MARKS if name in details}
    try:
        found = os.fstat(file.fileno())
    except (OSError, AttributeError, TypeError, ValueError):
        return {}
    return {"size": found.st_size, "mtime": found.st_mtime_ns}
