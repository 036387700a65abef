"""A folder in the user's storage, local or not, that holds pulled sets."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol, cast

from ...client import DiffgramError
from ...ingest.read.paths import PathOpener, is_local
from ...ingest.read.storage import open_to_write, patient
from ...models import InvalidValueError
from ...storage_faults import words_of_fault

_PIECE = 2**20

_log = logging.getLogger(__name__)


class Place(Protocol):
    """Where the files of a set go."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file at once."""

    def open(self, name: str) -> Any:
        """Return a context manager with a file to write bytes to."""


class Folder:
    """A folder and what is below it.

    :param path: local or in object storage.
    """

    def __init__(self, path: str, path_of: PathOpener) -> None:
        self.path = path.rstrip("/") or path
        self._path_of = patient(path_of)

    def __str__(self) -> str:
        return self.path

    def below(self, name: str) -> Folder:
        """Return a folder in this one."""
        return Folder(f"{self.path}/{name}", self._path_of)

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return is_local(self._path_of(self.path))

    def local(self, name: str) -> Path:
        """Return the local path of a file; its folder is made."""
        path = self._path_of(f"{self.path}/{name}")
        found = Path(getattr(path, "path", None) or str(path))
        with self._telling():
            found.parent.mkdir(parents=True, exist_ok=True)
        return found

    def names(self) -> set[str]:
        """Return what is directly in it; nothing if it is not there."""
        try:
            return {each.name for each in self._path_of(self.path).iterdir()}
        except (FileNotFoundError, NotADirectoryError):
            return set()

    def read(self, name: str) -> bytes | None:
        """Return what a file holds; None if it is not there."""
        try:
            with self._path_of(f"{self.path}/{name}").open("rb") as file:
                return bytes(file.read())
        except (FileNotFoundError, NotADirectoryError):
            return None

    @contextmanager
    def reading(self, name: str) -> Iterator[BinaryIO]:
        """Open a file to read bytes."""
        with self._path_of(f"{self.path}/{name}").open("rb") as file:
            yield cast(BinaryIO, file)

    @contextmanager
    def open(self, name: str) -> Iterator[Any]:
        """Open a file to write bytes; its folder is made.

        On this machine the file is there, in place of an earlier one, once all is written. An object storage
        does the same by itself, but for an error in the middle: see :meth:`bring`.
        """
        with ExitStack() as stack:
            with self._telling():
                if self.is_local:
                    file = stack.enter_context(
                        whole(self.local(name), lambda new: self._path_of(str(new)).open("wb"))
                    )
                else:
                    file = stack.enter_context(self._opened(name))
            yield file

    def _opened(self, name: str) -> Any:
        path = self._path_of(f"{self.path}/{name}")
        try:
            return path.open("wb")
        except FileNotFoundError:
            self._make_folder(path)
            return path.open("wb")

    def write(self, name: str, content: bytes) -> None:
        """Write a file at once; its folder is made."""
        with self.open(name) as file:
            file.write(content)

    def bring(self, name: str, content: IO[bytes]) -> None:
        """Write a new file of any size; what breaks off leaves none."""
        try:
            with self.open(name) as file:
                while piece := content.read(_PIECE):
                    file.write(piece)
        except BaseException:
            if not self.is_local:
                self.remove(name)  # closing made an object of the part that was written
            raise

    def link(self, name: str, other: Folder, target: str) -> None:
        """Make a file that is one of another folder: a link on this machine, a copy elsewhere."""
        if self.is_local:
            there, target_path = self.local(name), other.local(target)
            there.unlink(missing_ok=True)
            there.symlink_to(os.path.relpath(target_path, there.parent))
            return
        found: Any = self._path_of(f"{self.path}/{name}")
        source: Any = self._path_of(f"{other.path}/{target}")
        try:
            found.attempt("write", lambda: found.fs.copy(source.path, found.path))
        except FileNotFoundError:
            self._make_folder(found)
            found.attempt("write", lambda: found.fs.copy(source.path, found.path))

    def remove(self, name: str) -> None:
        """Remove a file that nothing refers to any more; where the storage refuses, it stays."""
        path = self._path_of(f"{self.path}/{name}")
        try:
            path.once("remove", path.unlink)
        except FileNotFoundError:
            return
        except (OSError, DiffgramError) as error:
            _log.warning("%s is no longer used, but cannot be removed: %s", name, error)

    def _make_folder(self, path: Any) -> None:
        """Make the folder of a file, where a storage has folders, and does not make them by itself."""
        path.attempt("write", lambda: path.fs.makedirs(path.path.rpartition("/")[0], exist_ok=True))

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Say which folder cannot be written, where another attempt would not help."""
        try:
            yield
        except (PermissionError, FileNotFoundError, NotADirectoryError, FileExistsError) as error:
            raise InvalidValueError("path", [f"cannot write {self.path}: {words_of_fault(error)}"]) from None


@contextmanager
def whole(place: Path, opened: Callable[[Path], Any]) -> Iterator[Any]:
    """Open a local file to write bytes. It is there, in place of an earlier one, once all is written.

    Whoever is killed leaves a hidden file beside it, which the next attempt writes over.

    :param opened: opens the hidden file.
    """
    mark = hashlib.blake2b(place.name.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
    new = place.with_name(f".{mark}.new")  # as short as any name may be
    try:
        with opened(new) as file:
            yield file
    except BaseException:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise
    new.replace(place)


@contextmanager
def output(
    what: str, path: str | None, path_of: PathOpener, opened: Callable[..., Any] = open_to_write
) -> Iterator[Any]:
    """Open a file of the user's to write bytes, as :func:`whole` does if it is local; None without a path.

    The folder of a local file is made.

    :param what: what it belongs to, for errors.
    :param opened: opens it: :func:`~...ingest.read.storage.open_to_write`, or what is called as that is.
    :raises InvalidValueError: if it cannot be written.
    :raises StorageError: if its storage fails, and may be back.
    """
    place = None
    with suppress(OSError, ImportError, ValueError):  # to open it tells what is wrong
        found: Any = path_of(path) if path else None
        if found is not None and is_local(found):
            place = Path(getattr(found, "path", None) or str(found)).resolve()
            place.parent.mkdir(parents=True, exist_ok=True)
    if place is None or (place.exists() and not place.is_file()):  # such as a pipe
        with opened(what, path, path_of) as file:
            yield file
        return
    with whole(place, lambda new: opened(what, path, lambda _: path_of(str(new)))) as file:
        yield file


class Nowhere:
    """Takes files, and keeps none: what is to be refused is found before anything is written."""

    def write(self, name: str, content: bytes) -> None:
        """Forget a file."""

    @contextmanager
    def open(self, name: str) -> Iterator[Any]:
        """Forget what is written."""
        yield _Void()


class _Void:
    def write(self, content: bytes) -> int:
        return len(content)

    def flush(self) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """Nothing is open."""
