"""A folder in the user's storage, local or not, that holds pulled sets."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol, cast

from ..client import DiffgramError
from ..ingest.read.paths import PathOpener, is_local
from ..ingest.read.storage import patient
from ..models import InvalidValueError
from ..storage_faults import words_of_fault

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
        self._made: set[str] = set()

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
        """Open a file to write bytes; its folder is made."""
        path = self._path_of(f"{self.path}/{name}")
        self._make_room(name)
        with self._telling():
            try:
                opened = path.open("wb")
            except FileNotFoundError:
                self._make_folder(path)
                opened = path.open("wb")
        with opened as file:
            yield file

    def write(self, name: str, content: bytes) -> None:
        """Write a file at once; its folder is made."""
        with self.open(name) as file:
            file.write(content)

    def replace(self, name: str, content: bytes) -> None:
        """Write a file so that a reader finds the old one or the new one, and nothing in between."""
        if not self.is_local:
            self.write(name, content)  # an object appears when it is whole
            return
        self.bring(name, io.BytesIO(content))

    def bring(self, name: str, content: IO[bytes]) -> None:
        """Write a file of any size so; what breaks off leaves none."""
        if not self.is_local:
            try:
                with self.open(name) as file:
                    _copy(content, file)
            except BaseException:
                self.remove(name)  # closing made an object of the part that was written
                raise
            return
        there = self.local(name)
        new = there.with_name(f".{there.name}.new")
        with new.open("wb") as file:
            _copy(content, file)
        new.replace(there)

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

    def _make_room(self, name: str) -> None:
        folder = name.rpartition("/")[0]
        if folder not in self._made:
            self._made.add(folder)
            if self.is_local:
                self.local(name)


def _copy(content: IO[bytes], out: Any) -> None:
    while piece := content.read(_PIECE):
        out.write(piece)


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
