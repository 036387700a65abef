"""A storage of fsspec's kind that fails as it is told to: a folder behind ``flaky://``."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import fsspec
from fsspec import AbstractFileSystem

Operation = Literal["info", "ls", "open", "read", "write"]


def reset() -> OSError:
    """Return what a connection that broke looks like."""
    return OSError(errno.ECONNRESET, "Connection reset by peer")


@dataclass
class Fault:
    """What goes wrong.

    :param name: part of the path.
    :param times: so often; for ever when None.
    :param skip: so many times it goes well before.
    """

    operation: Operation
    error: Callable[[], Exception]
    name: str = ""
    times: int | None = 1
    skip: int = 0
    seen: int = field(default=0, init=False)


class Flaky(AbstractFileSystem):
    """Reads and writes a local folder."""

    protocol = "flaky"
    root: ClassVar[Path]
    faults: ClassVar[list[Fault]] = []
    _lock: ClassVar[threading.Lock] = threading.Lock()

    @classmethod
    def meet(cls, operation: Operation, path: str) -> None:
        """Raise what is to go wrong."""
        with cls._lock:
            for fault in cls.faults:
                if fault.operation == operation and fault.name in path:
                    fault.seen += 1
                    due = fault.seen - fault.skip
                    if due > 0 and (fault.times is None or due <= fault.times):
                        raise fault.error()

    def _real(self, path: str) -> Path:
        return self.root / self._strip_protocol(path).lstrip("/")

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        self.meet("info", path)
        return self._told(path)

    def _told(self, path: str) -> dict[str, Any]:
        found = self._real(path).stat()
        kind = "directory" if self._real(path).is_dir() else "file"
        return {
            "name": self._strip_protocol(path),
            "size": found.st_size,
            "type": kind,
            "mtime": found.st_mtime,
        }

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        self.meet("ls", path)
        folder = self._strip_protocol(path).rstrip("/")
        names = [f"{folder}/{name}" for name in sorted(each.name for each in self._real(path).iterdir())]
        return [self._told(name) for name in names] if detail else names

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        self.meet("write", path)
        self._real(path).mkdir(parents=True, exist_ok=exist_ok)

    def _open(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
        self.meet("open", path)
        return _File(path, self._real(path).open(mode))


class _File:
    def __init__(self, path: str, file: Any) -> None:
        self._path = path
        self._file = file

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self, size: int = -1) -> bytes:
        Flaky.meet("read", self._path)
        found: bytes = self._file.read(size)
        return found

    def write(self, content: bytes) -> int:
        Flaky.meet("write", self._path)
        return int(self._file.write(content))


@contextmanager
def flaky_storage(folder: Path) -> Iterator[list[Fault]]:
    """Serve ``folder`` as ``flaky://``; yield the list of faults to plant in."""
    fsspec.register_implementation("flaky", Flaky, clobber=True)
    Flaky.root, Flaky.faults = folder, []
    Flaky.clear_instance_cache()
    try:
        yield Flaky.faults
    finally:
        Flaky.faults = []
