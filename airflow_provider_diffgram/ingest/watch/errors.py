"""Errors of waits."""

from __future__ import annotations

from ...client import DiffgramError
from ...models import Receipt


class WaitError(DiffgramError):
    """A wait failed."""


class EndedWaitError(WaitError):
    """A wait failed, and its outcome is known.

    :param verdict: how it ended.
    :param receipt: the state of everything.
    :param unwritten: why the report was not written, if it was not.
    """

    permanent = True

    def __init__(self, verdict: str, receipt: Receipt, unwritten: DiffgramError | None = None) -> None:
        also = "" if unwritten is None else f"\nThe report was not written: {unwritten}"
        super().__init__(f"{verdict}{also}")
        self.receipt = receipt


class InputsFailedError(EndedWaitError):
    """More inputs failed than allowed."""


class WaitTimeoutError(EndedWaitError):
    """Some inputs were not settled in time."""


class ReportNotWrittenError(WaitError):
    """All inputs are settled, but the report could not be written.

    :param receipt: the state of everything.
    :param error: why the report was not written.
    """

    def __init__(self, receipt: Receipt, error: DiffgramError) -> None:
        summary = receipt.summary()
        told = f"The inputs are settled: {summary}. Only the report was not written: {error}"
        super().__init__(told, permanent=error.permanent)
        self.receipt = receipt


class ServerLostError(WaitError):
    """Several polls in a row failed, so it is unknown what became of the inputs."""
