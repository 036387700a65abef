"""What the sensors share. Imports as little as :mod:`..operators.base`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
)

from ..hooks.diffgram import failing_for_good
from ..ingest.defaults import MAX_POLL_FAILURES
from ..operators.base import DeferringOperator, check_flag, seconds_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class WaitSensor(DeferringOperator, BaseSensorOperator):
    """Waits in a worker, or in the triggerer."""

    deferrable: bool
    _failed = 0

    def execute(self, context: Context) -> Any:
        """Wait, here or in the triggerer, and return the receipt."""
        with failing_for_good():
            check_flag("deferrable", self.deferrable)
        # In reschedule mode, the task starts anew at each poll.
        self._began = time.time() if self.deferrable or self.mode == "poke" else None
        if not self.deferrable:
            return super().execute(context)
        try:
            return self._defer_unless_over(context, time.time() + self._patience())
        except AirflowFailException as error:
            if self.soft_fail:  # like the base class in its own execute
                raise AirflowSkipException(f"skipped, since soft_fail is set: {error}") from error
            raise

    def _surviving(self, poll: Callable[[], PokeReturnValue]) -> PokeReturnValue:
        """Poll in a worker; ignore passing faults, unless too many polls in a row have failed.

        In reschedule mode, each poll is its own process and knows no other: it fails, and Airflow retries.
        """
        from ..client import NotProcessedError, OutcomeUnknownError

        try:
            found = poll()
        except (NotProcessedError, OutcomeUnknownError) as error:
            self._failed += 1
            if self.mode != "poke" or self._failed >= MAX_POLL_FAILURES:
                raise
            self.log.warning("poll %s of %s failed: %s", self._failed, MAX_POLL_FAILURES, error)
            self._lose_sight()
            return PokeReturnValue(is_done=False)
        self._failed = 0
        return found

    def _lose_sight(self) -> None:
        """Record that a poll failed, so that the server was out of sight."""

    def _patience(self) -> float:
        return seconds_of(self.timeout)

    def _defer_unless_over(self, context: Context, deadline: float) -> Any:
        """Poll once; return the receipt, or hand the wait over to the triggerer.

        :param deadline: epoch seconds.
        """
        raise NotImplementedError
