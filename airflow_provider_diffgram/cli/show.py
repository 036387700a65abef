"""Shows the progress of a command: a bar on a terminal, plain lines now and then elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..models import Receipt

_PACKAGE = __package__.partition(".")[0]


@contextmanager
def telling_log() -> Generator[None, None, None]:
    """Show what the provider logs, one plain line each, on standard error; what Airflow logs is left out."""
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
    """Writes to what standard error is at the moment: while a bar is shown, lines go above it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        sys.stderr.write(self.format(record) + "\n")
        sys.stderr.flush()


class Bar:
    """Shows the progress of a wait: a bar on a terminal, which replaces lines in the log.

    :param what: a word or two.
    :param total: how many there are.
    """

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total

    def __enter__(self) -> Bar:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self._task = self._progress.add_task(self._what, total=self._total)
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, receipt: Receipt) -> None:
        """Show the state of a wait."""
        failed = f", {receipt.problems} failed" if receipt.problems else ""
        ended = receipt.expected - receipt.pending
        self._progress.update(
            self._task, completed=ended, total=receipt.expected, description=f"{self._what}{failed}"
        )


def table(rows: list[tuple[str, ...]]) -> str:
    """Return rows as text in columns."""
    widths = [max(map(len, column)) for column in zip(*(row[:-1] for row in rows), strict=True)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    )
