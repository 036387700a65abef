"""A server with rate limits and its clients, all in time that is only counted."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from airflow_provider_diffgram.client.pacing import Pacer

LIMIT = 20
SERVER_IS_AHEAD = 1000.0


@dataclass
class Client:
    """Threads that share a pacer, each sending one request after the other."""

    pacer: Pacer
    accepted: int = 0
    refused: int = 0


@dataclass
class Simulation:
    """Fixed windows of one second in each of the server's processes (server.md 1.5).

    :param latency: seconds of a round trip, on top of a jitter.
    :param jitter: mean seconds that each way takes more.
    :param processes: of the server; each has windows of its own and takes requests at random.
    :param wall_is_ahead: by how much the clients' wall clock is ahead of the server's, in seconds.
    """

    clients: int = 1
    latency: float = 0.06
    jitter: float = 0.002
    threads: int = 16
    processes: int = 1
    wall_is_ahead: float = 0.0
    ceiling: float | None = None
    seed: int = 1
    now: float = 0.0
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        random.seed(self.seed)  # the pacers'
        self._numbers = itertools.count()
        self._windows = [(-1.0, 0)] * self.processes
        wall = SERVER_IS_AHEAD + self.wall_is_ahead
        self.senders = [
            Client(Pacer(self.ceiling, clock=lambda: self.now, wall=lambda: self.now + wall))
            for _ in range(self.clients)
        ]

    def run(self, seconds: float) -> None:
        """Let all clients send for so long."""
        for client in self.senders:
            for _ in range(self.threads):
                self._after(self._random.random() * 0.3, lambda client=client: self._turn(client))
        while self._events and self._events[0][0] < seconds:
            self.now, _, event = heapq.heappop(self._events)
            event()

    @property
    def accepted(self) -> int:
        """Requests that the server admitted."""
        return sum(client.accepted for client in self.senders)

    @property
    def refused(self) -> int:
        """Requests that were over the limit."""
        return sum(client.refused for client in self.senders)

    def _after(self, seconds: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._numbers), event))

    def _one_way(self) -> float:
        return self.latency / 2 + self._random.expovariate(1 / self.jitter)

    def _turn(self, client: Client) -> None:
        turn = client.pacer.take()
        if isinstance(turn, float):
            self._after(turn + self._random.expovariate(2000), lambda: self._turn(client))
            return

        def counted() -> None:
            admitted, headers = self._count()
            client.accepted += admitted
            client.refused += not admitted

            def answered() -> None:
                client.pacer.give_back(turn, headers, not admitted)
                self._turn(client)

            self._after(self._one_way(), answered)

        self._after(self._one_way(), counted)

    def _count(self) -> tuple[bool, dict[str, str]]:
        now = self.now + SERVER_IS_AHEAD
        process = self._random.randrange(self.processes)
        end, used = self._windows[process]
        if now >= end:
            end, used = now + 1, 0
        self._windows[process] = end, used + 1
        headers = {
            "x-ratelimit-limit": str(LIMIT),
            "x-ratelimit-remaining": str(max(0, LIMIT - used - 1)),
            "x-ratelimit-reset": repr(end + 1),
        }
        return used < LIMIT, headers
