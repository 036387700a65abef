"""Measures how many synchronous requests at once a server handles without getting slower. No I/O.

Such a request keeps a process of the server busy until it is answered, and the same processes answer people.
Beyond the server's capacity nothing gets faster; everybody only waits longer. A client does not know that
capacity, so it is measured, as in congestion control of networks. The limit grows by one while answers come
no later than they did with two at once (the delay-based TCP Vegas, and Gradient2 of adaptive concurrency
limits, compare with a time without a queue). It never grows by more, because people feel a step that is too
large. It is halved if the server fails or its answers take twice as long (AIMD). It rests before the first
step and after a step too far, longer each time. If requests spend most of their time in transit, only few are
at the server at once, and the limit doubles until two are. Requests begin at intervals, as in the pacing of
TCP BBR.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import median

START = 2
"""Requests at once at the start. On a server with two cores, two were as fast as eight, and a person who
saved waited twice as long as on an idle server, not three times or more (server.md 8)."""

GROWS_BELOW = 1.2
SHRINKS_ABOVE = 1.4
HALVES_ABOVE = 2.0
"""How many times longer than with two at once the answers of a round may take. A server that is at its limit
with k requests takes longer by 1 / k for k + 1; one with idle processes takes no longer."""

_ROUND = 8
"""Minimum number of answers that are judged together: one may be for a large image."""

_ROUNDS_TO_TRUST = 16
"""Rounds after which the time of two at once is measured again: media and servers change."""

_REST, _LONGEST_REST = 24, 96
"""Rounds without growth, at the start and after a step too far; the longest after many such steps. So fewer
than one in twenty saves of people meets a step too far."""

_SPREAD = 0.75
"""How evenly requests begin: with 1, as far apart as they end on average. Two that begin together wait for
the same resource at the same time, first the disk, then the processor, and end together, again and again:
13.3 uploads a second, compared with 15.9 if they take turns. Less than 1: an answer may come early."""

_DRIFT = 0.25
"""How far the normal time follows a slower round if the limit cannot go lower."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A request that ended.

    :param seconds: how long it took.
    :param at_once: number of requests under way when it began, including itself.
    :param failed: whether the server was in trouble: 5xx, or no answer.
    :param way: minimum seconds of any request: the round trip to the server.
    """

    seconds: float
    at_once: int
    failed: bool = False
    way: float = 0.0


@dataclass(frozen=True, slots=True)
class Congestion:
    """What is known of a server.

    :param most: most requests at once, whatever the server can handle.
    :param limit: requests that may be under way at once now.
    :param normal: seconds of an answer with two at once; None until measured.
    :param round: seconds of the answers of this round.
    :param was_full: whether as many as allowed were under way in this round; otherwise it proves nothing.
    :param rounds: rounds since ``normal`` was measured.
    :param rest: rounds without growth still to come.
    :param next_rest: how many rounds the next rest will take.
    :param slow_at: the last limit that was too high; infinite if none was.
    :param held: the limit to return to after measuring again.
    :param stale: answers still to come from requests that began before the limit changed.
    """

    most: int
    limit: int
    normal: float | None = None
    round: tuple[float, ...] = ()
    was_full: bool = False
    rounds: int = 0
    rest: int = _REST
    next_rest: int = _REST
    slow_at: float = math.inf
    held: int | None = None
    stale: int = 0

    @classmethod
    def of(cls, most: int) -> Congestion:
        """Return the state before the first request.

        :param most: most requests at once, at least 1.
        """
        return cls(most, min(START, most))

    @property
    def gap(self) -> float:
        """Minimum seconds between the beginnings of two requests."""
        return _SPREAD * (self.normal or 0.0) / self.limit

    def after(self, answer: Answer) -> Congestion:
        """Return the state after one more answer."""
        if self.stale:
            return replace(self, stale=self.stale - 1)
        if answer.failed:
            return self._halved(answer.at_once)
        told = replace(
            self,
            round=(*self.round, answer.seconds),
            was_full=self.was_full or answer.at_once >= self.limit,
        )
        if len(told.round) < max(_ROUND, 2 * told.limit):
            return told
        return told._judged(answer.at_once, answer.way)

    def _judged(self, at_once: int, way: float) -> Congestion:
        """Return the state after a whole round."""
        seconds = median(self.round)
        rounds = self.rounds + 1 if self.limit > START else 0
        after = replace(self, round=(), was_full=False, rounds=rounds, rest=max(0, self.rest - 1))
        if self.held is not None:
            return replace(after, normal=seconds, limit=self.held, held=None, rounds=0)
        normal = seconds if self.normal is None else min(self.normal, seconds)
        later = seconds / normal if normal else 1.0
        if self.limit <= START:
            normal += _DRIFT * (seconds - normal)
        after = replace(after, normal=normal)
        if later > HALVES_ABOVE:
            return after._halved(at_once)
        if later > SHRINKS_ABOVE and self.limit > START:
            return after._rested(self.limit - 1, at_once)
        if after.rounds >= _ROUNDS_TO_TRUST and self.limit > START:
            return replace(after, limit=START, held=self.limit, stale=max(0, at_once - 1))
        if later < GROWS_BELOW and self.was_full:
            return after._grown(at_once, _filling(way, seconds))
        return after

    def _grown(self, at_once: int, filling: float) -> Congestion:
        """Return the state after a round that was no slower.

        :param filling: requests at once that keep two of them at the server.
        """
        was_ever_slow = self.slow_at < math.inf
        harmless = min(filling, self.slow_at - 1)
        is_harmless = self.limit + 1 <= harmless
        if self.rest and (was_ever_slow or not is_harmless):
            return self
        next_rest = _REST if self.limit >= self.slow_at else self.next_rest
        limit = int(min(2 * self.limit, harmless)) if is_harmless else self.limit + 1
        return replace(self, limit=min(limit, self.most), next_rest=next_rest, stale=at_once - 1)

    def _halved(self, at_once: int) -> Congestion:
        """Return the state after trouble; requests that were under way then no longer count."""
        return self._rested(max(1, (self.held or self.limit) // 2), at_once)

    def _rested(self, limit: int, at_once: int) -> Congestion:
        return replace(
            self,
            limit=limit,
            round=(),
            was_full=False,
            rest=self.next_rest,
            next_rest=min(2 * self.next_rest, _LONGEST_REST),
            slow_at=self.limit,
            held=None,
            stale=max(0, at_once - 1),
        )


def _filling(way: float, seconds: float) -> float:
    """Return how many requests at once keep two of them at the server.

    :param way: seconds of a request that are not the server's work.
    :param seconds: seconds of the whole request.
    """
    return START * seconds / (seconds - way) if seconds > way else math.inf
