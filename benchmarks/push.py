"""The family ``push``: our push beside the official client, each against a fresh server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median

from .figures import WINDOW, lost, rate_from_first_to_last, rate_in_window, smallest_share
from .rows import Bar, Row, row
from .server import serving
from .workers import OURS, PEER, Client, Run, run

REPEATS = 3
LATENCIES_MS = (10, 60, 250)
SENDERS = ("first", "second", "third", "fourth")

_OF_A_TASK = 1000
_LONGER_THAN_THE_WINDOW = 620
"""Packets of a process that has the limit of 20 a second for itself."""
_OF_EACH_SENDER = 250
_UNLIMITED = {OURS: 1200, PEER: 100}
_VOLUME = 200_000
_READY_SECONDS = 120.0

Tell = Callable[[str], None]
Figure = Callable[[Run], float]
Ready = Callable[[], object]
Sending = Callable[[Client, Ready], Run]


@dataclass(frozen=True)
class Case:
    """Runs of both clients under the same conditions.

    :param name: the conditions, in words.
    """

    name: str
    runs: dict[Client, list[Run]]

    def row(self, name: str, figure: Figure, unit: str, bar: Bar) -> Row:
        """Return the row of a figure: the medians."""
        ours, peer = (median(map(figure, self.runs[client])) for client in (OURS, PEER))
        return row(f"push.{name}", ours, peer, unit, bar)

    def lost(self, client: Client) -> int:
        """Return how many packets were lost in all runs together: no median hides one."""
        return sum(lost(one.reported, one.accepted) for one in self.runs[client])


def measure(tell: Tell) -> list[Row]:
    """Return the rows of the family; say on the way what was measured."""
    return [*_limited(tell), *_unlimited(tell), *_four_processes(tell), *_volume(tell)]


def _limited(tell: Tell) -> list[Row]:
    """Measure side by side what waits nearly all the time."""
    sendings = {f"{ms} ms": sending(_LONGER_THAN_THE_WINDOW, latency_ms=ms) for ms in LATENCIES_MS}
    *cases, task = alternate({**sendings, "1000 packets": sending(_OF_A_TASK)}, tell)
    rates = [
        case.row(f"limited.{ms}ms", _rate, "packets/s", Bar(least=19.5))
        for ms, case in zip(LATENCIES_MS, cases, strict=True)
    ]
    ours, peer = (sum(case.lost(client) for case in cases) for client in (OURS, PEER))
    return [
        *rates,
        row("push.limited.lost", ours, peer, "packets", Bar(most=0)),
        task.row("requests_per_packet", _cost, "requests/packet", Bar(most=1.02)),
    ]


def _unlimited(tell: Tell) -> list[Row]:
    def send(client: Client, ready: Ready) -> Run:
        return sending(_UNLIMITED[client], latency_ms=60, rate_limit=False)(client, ready)

    (case,) = alternate({"60 ms, no limit": send}, tell)
    return [case.row("unlimited.60ms", _whole_rate, "packets/s", Bar(times_peer=8))]


def _four_processes(tell: Tell) -> list[Row]:
    (case,) = alternate({"four processes": sending(_OF_EACH_SENDER, SENDERS)}, tell)
    return [
        case.row("four_processes.sum", _rate, "packets/s", Bar(least=19)),
        case.row("four_processes.smallest_share", _smallest_share, "of a quarter", Bar(least=0.5)),
        case.row("four_processes.requests_per_packet", _cost, "requests/packet", Bar(most=1.3)),
    ]


def _volume(tell: Tell) -> list[Row]:
    with serving(rate_limit=False) as server:
        ended = run(OURS, server, _VOLUME, reports=False)
    if len(ended.accepted) != _VOLUME:
        raise RuntimeError(f"{len(ended.accepted)} of {_VOLUME} packets were accepted")
    tell(f"{_VOLUME:,} packets, no limit · ours: {_whole_rate(ended):.0f}/s")
    (result,) = ended.results
    seconds = result["cpu_seconds"] / (_VOLUME / 1000)
    return [
        row("push.memory_growth_mib", result["growth_mib"], None, "MiB", Bar(most=64)),
        row("push.cpu_s_per_1000", seconds, None, "s/1000 packets"),
    ]


def sending(
    amount: int, senders: tuple[str, ...] = SENDERS[:1], *, latency_ms: float = 0, rate_limit: bool = True
) -> Sending:
    """Return what sends so many packets of each sender to a server of its own."""

    def send(client: Client, ready: Ready) -> Run:
        with serving(latency_ms, rate_limit=rate_limit) as server:
            return run(client, server, amount, senders, ready=ready)

    return send


def alternate(sendings: Mapping[str, Sending], tell: Tell) -> list[Case]:
    """Run ours and the peer in turn, each time all ``sendings`` side by side; return a case for each."""
    cases = [Case(name, {OURS: [], PEER: []}) for name in sendings]
    for client in (OURS, PEER) * REPEATS:
        barrier = threading.Barrier(len(sendings), timeout=_READY_SECONDS)
        with ThreadPoolExecutor(len(sendings)) as pool:
            begun = [pool.submit(send, client, barrier.wait) for send in sendings.values()]
        for case, one in zip(cases, begun, strict=True):
            ended = one.result()
            case.runs[client].append(ended)
            tell(f"{case.name} · {client.name}: {_told(ended)}")
    return cases


def _told(ended: Run) -> str:
    stopped = f"; stopped: {ended.errors[0][:60]}" if ended.errors else ""
    return (
        f"{len(ended.accepted)} packets accepted, {_rate(ended):.2f}/s over {WINDOW:.0f} s, "
        f"{_whole_rate(ended):.2f}/s from first to last, {ended.requests} requests{stopped}"
    )


def _rate(one: Run) -> float:
    return rate_in_window(one.accepted)


def _whole_rate(one: Run) -> float:
    return rate_from_first_to_last(one.accepted)


def _smallest_share(one: Run) -> float:
    return smallest_share(one.accepted, SENDERS)


def _cost(one: Run) -> float:
    return one.requests / max(1, len(one.accepted))
