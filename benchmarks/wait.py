"""The family ``wait``: a thousand of our triggers in one event loop, beside simpler ways to wait."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from airflow_provider_diffgram.client.aio import UNDER_WAY

from .lag import percentile
from .process import Process
from .rows import Bar, Row, row
from .wait_server import Load, WaitServer, airflow_home, waited_for

OURS, NAIVE, BARE = "ours", "naive", "bare"

MANY = Load(handles=1000, batches=1, inputs=10, in_vain=100, poll_interval=10, quiet_seconds=20, seconds=40)
"""A thousand waits of ten inputs each, which end between 20 and 60 s after the start."""
LARGE = Load(handles=1, batches=5, inputs=1000, in_vain=0, poll_interval=10, quiet_seconds=5, seconds=60)
"""One wait of five batches; the naive one is given one of them."""
_FEWER = 4
"""So many times fewer naive waits than ours: one core does not come round a thousand in a poll interval."""
_BETWEEN_POLLS = 0.7
"""Seconds without a request that part one poll of a single wait from the next."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """What became of waits that began together.

    :param result: what their process told.
    :param requests: when each request came, in seconds since the epoch, and its path.
    :param late: seconds from the last input of each wait to its end.
    """

    load: Load
    result: dict[str, Any]
    requests: Sequence[tuple[float, str]]
    late: Sequence[float]

    def cpu_share(self, seconds: float) -> float:
        """Processor time, as a share of one core.

        :param seconds: to divide it by.
        """
        return float(self.result["cpu_seconds"] / seconds)

    @property
    def kib_per_wait(self) -> float:
        """Growth of the resident memory."""
        return float(self.result["growth_kib"] / self.load.handles)

    @property
    def intervals_to_end(self) -> float:
        """Poll intervals from the last input to the end of the wait, of the 99th of a hundred waits."""
        return percentile(self.late, 0.99) / self.load.poll_interval

    def requests_per_poll(self, polls: float) -> float:
        """Requests for a poll and a thousand inputs."""
        return len(self.requests) / polls / (self.load.all_inputs / 1000)


def measure(tell: Tell) -> list[Row]:
    """Return the rows of the family; say on the way what was measured."""
    return [*_large(LARGE, tell), *_many(MANY, tell)]


def _large(load: Load, tell: Tell) -> list[Row]:
    with ThreadPoolExecutor() as pool:  # requests are counted, not timed
        begun = pool.submit(run, OURS, load), pool.submit(run, NAIVE, replace(load, batches=1))
    ours, naive = (_told(each.result(), kind, tell) for each, kind in zip(begun, (OURS, NAIVE), strict=True))
    polls = polls_of([moment for moment, _ in ours.requests])
    asked, peer = ours.requests_per_poll(polls), naive.requests_per_poll(naive.result["looks"])
    return [row("wait.requests_per_poll_per_1000", asked, peer, "requests", Bar(most=1))]


def _many(load: Load, tell: Tell) -> list[Row]:
    ours = _told(run(OURS, load), OURS, tell)
    bare = _told(run(BARE, load, len(ours.requests), ours.result["seconds"]), BARE, tell)
    if len(bare.requests) != len(ours.requests):
        raise RuntimeError(f"{len(bare.requests)} requests beside our {len(ours.requests)}")
    naive = _told(run(NAIVE, replace(load, handles=max(1, load.handles // _FEWER))), NAIVE, tell)
    share, bares_share = (each.cpu_share(ours.result["seconds"]) for each in (ours, bare))
    lag, peers_lag = (float(each.result["lag_p99_ms"]) for each in (ours, naive))
    return [
        row("wait.loop_lag_p99_ms", lag, peers_lag, "ms", Bar(most=50)),
        row("wait.cpu_share", share, bares_share, "of a core", Bar(most_times_peer=1.3)),
        row("wait.memory_kib_per_wait", ours.kib_per_wait, naive.kib_per_wait, "KiB"),
        row(
            "wait.completion_to_end",
            ours.intervals_to_end,
            naive.intervals_to_end,
            "poll intervals",
            Bar(most=1),
        ),
    ]


def run(kind: str, load: Load, requests: int = 0, seconds: float = 0) -> Run:
    """Let one process wait for a server of its own.

    :param kind: the module ``wait_KIND``.
    :param requests: of ``bare``: how many to send.
    :param seconds: of ``bare``: over which to spread them.
    """
    with airflow_home() as home, waited_for(load) as server:
        command = (sys.executable, "-m", f"benchmarks.wait_{kind}")
        with Process(kind, command, home / "log", server.environment(home)) as process:
            process.prepare(
                {**server.address(), "requests": requests, "seconds": seconds, "at_once": UNDER_WAY}
            )
            with server.begun():
                process.begin()
                result = process.result()
        late = lateness(result["ended"], server) if kind != BARE else []
        return Run(load, result, server.requests, late)


def lateness(ended: dict[str, float], server: WaitServer) -> list[float]:
    """Return the seconds from the last input of each wait to its end.

    :param ended: by the id of the first batch.
    """
    completed = server.completed()
    return [
        ended[str(handle["batches"][0]["id"])] - max(completed[batch["id"]] for batch in handle["batches"])
        for handle in server.handles
    ]


def polls_of(moments: Sequence[float]) -> int:
    """Return how many polls of a single wait requests belong to: between two it pauses."""
    ordered = sorted(moments)
    pauses = sum(later - earlier > _BETWEEN_POLLS for earlier, later in pairwise(ordered))
    return pauses + bool(ordered)


def _told(ended: Run, kind: str, tell: Tell) -> Run:
    tell(
        f"{ended.load.handles} waits of {ended.load.batches * ended.load.inputs} inputs · {kind}: "
        f"{len(ended.requests)} requests, {ended.result['seconds']:.0f} s, "
        f"{ended.result['cpu_seconds']:.1f} s of CPU, "
        f"lag p99 {ended.result['lag_p99_ms']:.0f} ms, most {ended.result['lag_most_ms']:.0f} ms, "
        f"end after {percentile(ended.late, 0.5):.1f} s, at most {max(ended.late, default=0):.1f} s"
    )
    return ended
