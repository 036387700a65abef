"""Writes JSON Lines files during a push: they never stop it, and never hide that a line is missing."""

from __future__ import annotations

import gzip
import logging
import threading
from collections.abc import Callable
from typing import Any

from ....client import DiffgramError
from ....storage_faults import words_of_fault
from ...read.paths import PathOpener
from ...read.storage import open_to_write
from .errors import PushError

_log = logging.getLogger(__name__)


class Lines:
    """A file that is written line by line. Safe to use from several threads.

    :param what: the kind of file in a word, such as ``report``.
    :param path: local or in object storage; compressed if it ends in ``.gz``. Without one nothing is written.
    :param opened: whether to open it now, which empties it; otherwise :meth:`open` does.
    :raises InvalidValueError: if it cannot be written.
    :raises StorageError: if its storage fails, which may pass.
    """

    def __init__(self, what: str, path: str | None, path_of: PathOpener, *, opened: bool = True) -> None:
        self.path = path or None
        self._what = what
        self._path_of = path_of
        self._is_opened = False
        self._lock = threading.Lock()
        self._unwritten: PushError | None = None
        self._files: list[Any] = []  # the file, preceded by its compressor
        if opened:
            self.open()

    def open(self) -> None:
        """Open the file, unless it is open.

        :raises InvalidValueError: if it cannot be written.
        :raises StorageError: if its storage fails, which may pass.
        """
        if not self.path or self._is_opened:
            return
        self._files = [open_to_write(self._what, self.path, self._path_of)]
        if self.path.endswith(".gz"):
            self._files.insert(0, gzip.GzipFile(fileobj=self._files[0], mode="wb"))
        self._is_opened = True

    def write(self, line: str) -> None:
        """Write a line. If that fails, the file is given up, and :meth:`close` says so."""
        assert self._is_opened or not self.path
        with self._lock:
            if self._files:
                self._unless_given_up(lambda: self._files[0].write(line.encode() + b"\n"))

    def close(self) -> PushError | None:
        """Close the file, so that it exists; return why it is incomplete, if it is."""
        with self._lock:
            files, self._files = self._files, []
            for file in files:
                self._unless_given_up(file.close)
            return self._unwritten

    def _unless_given_up(self, job: Callable[[], object]) -> None:
        if self._unwritten is not None:
            return
        try:
            job()
        except (OSError, ValueError, DiffgramError) as error:
            words = str(error) if isinstance(error, DiffgramError) else words_of_fault(error)
            told = f"the {self._what} {self.path} is not complete: {words}"
            self._unwritten = PushError(told, permanent=getattr(error, "permanent", True))
            _log.error("%s", self._unwritten)
