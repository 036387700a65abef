"""Shows the progress of a command: a bar on a terminal, plain lines from time to time elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager

_PACKAGE = __package__.partition(".")[0]


@contextmanager
def telling_log() -> Generator[None, None, None]:
    """Print the provider's log as plain lines on standard error, without Airflow's log."""
    handler = _ToStandardError()
    handler.setFormatter(logging.Formatter("%(message)s"))
    log = logging.getLogger(_PACKAGE)
    before, propagates = log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)
        log.propagate = propagates


class _ToStandardError(logging.Handler):
    """Writes to the current standard error, so that lines appear above a progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        sys.stderr.write(self.format(record) + "\n")
        sys.stderr.flush()


class Bar:
    """Shows the progress of a command: a bar on a terminal, nothing elsewhere.

    :param what: what is done, in a word or two.
    """

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> Bar:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self._task = self._progress.add_task(self._what, total=None)
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, done: int, total: int | None, failed: int) -> None:
        """Show how many are done.

        :param total: how many there are; None if unknown.
        :param failed: how many of the done failed.
        """
        told = f"{self._what}, {failed:,} failed" if failed else self._what
        self._progress.update(self._task, completed=done, total=total, description=told)


def table(rows: list[tuple[str, ...]]) -> str:
    """Return rows as text in columns."""
    widths = [max(map(len, column)) for column in zip(*(row[:-1] for row in rows), strict=True)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    )
