"""What the sensors share. Imports as little as :mod:`..operators.base`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSkipException,
    BaseSensorOperator,
)

from ..hooks.diffgram import failing_for_good
from ..operators.base import DeferringOperator, check_flag, seconds_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class WaitSensor(DeferringOperator, BaseSensorOperator):
    """Waits in a worker, or in the triggerer."""

    deferrable: bool

    def execute(self, context: Context) -> Any:
        """Wait, here or in the triggerer, and return the receipt."""
        with failing_for_good():
            check_flag("deferrable", self.deferrable)
        # Rescheduled, the task starts anew at each look.
        self._began = time.time() if self.deferrable or self.mode == "poke" else None
        if not self.deferrable:
            return super().execute(context)
        try:
            return self._defer_unless_over(context, time.time() + self._patience())
        except AirflowFailException as error:
            if self.soft_fail:  # as the base class does for what it runs itself
                raise AirflowSkipException(f"skipped, since soft_fail is set: {error}") from error
            raise

    def _patience(self) -> float:
        return seconds_of(self.timeout)

    def _defer_unless_over(self, context: Context, deadline: float) -> Any:
        """Poll once; return the receipt, or hand the wait over to the triggerer.

        :param deadline: epoch seconds.
        """
        raise NotImplementedError
