"""Time that is only counted: a wait takes none."""

from __future__ import annotations

from collections.abc import Callable

from airflow_provider_diffgram.client.clock import Clock


class CountedClock(Clock):
    """Writes down what was slept.

    :param sleeping: called with the seconds of each wait.
    """

    def __init__(self, sleeping: Callable[[float], None] = lambda seconds: None) -> None:
        self.slept: list[float] = []
        self._sleeping = sleeping

    def monotonic(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._sleeping(seconds)

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)
