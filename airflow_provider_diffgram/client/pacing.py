"""Stays below the server's rate limits, by the headers of its answers (server.md 1.5). No I/O.

The server counts in fixed windows. The first request opens one; a certain number is admitted, and the rest is
refused until the window ends, one second before ``X-RateLimit-Reset``. All callers behind one address share a
window, and each worker process of the server keeps windows of its own.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

WINDOW = 1.0
"""Length of the server's window, in seconds."""

AN_HOUR = 3600.0
_LONGEST_REST = 60.0
"""Most seconds that a proxy can make all requests wait before the next attempt, whatever it says."""

_RESET_IS_LATE_BY = 1.0
_LEAST_MARGIN = 0.01
_MOST_MARGIN = 0.05
_MORE_MARGIN = 0.004
_DRIFT = 0.0005
_STEP = 0.05
_HEAD_START = 0.01
"""Seconds by which the first request of a window precedes the others, unless it is answered sooner. It opens
the window, and is the only one refused if it comes too early."""
_LOOK_AGAIN = 0.01
_SPREAD = 0.005
_GROW = 0.75
_SHRINK = 0.9


def seconds_until_window(headers: Mapping[str, str], now: Callable[[], float] = time.time) -> float:
    """Return the seconds until the server admits requests again, 0 to 1.

    ``X-RateLimit-Reset`` is one second late: the window ends at Reset - 1 s. If our clock and the server's
    differ too much for that, return a whole window.
    """
    try:
        left = float(headers.get("x-ratelimit-reset", "")) - _RESET_IS_LATE_BY - now()
    except ValueError:
        return WINDOW
    return left if 0 <= left <= WINDOW else WINDOW


def told_seconds(headers: Mapping[str, str]) -> float | None:
    """Return the seconds in a proxy's ``Retry-After``, at most an hour; None without one.

    Together with the limiter's headers it means nothing (quirk 25).
    """
    if "x-ratelimit-reset" in headers:
        return None
    try:
        return min(max(0.0, float(headers["retry-after"])), AN_HOUR)
    except (KeyError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class Turn:
    """The permission to send a request now.

    :param sent: local time at which it was sent.
    :param after: end of the window that was over by then, in the server's time.
    """

    sent: float
    after: float


class Pacer:
    """Admits requests as fast as the server accepts them. Thread-safe.

    A request that finds a window unused has opened it, so another request sent a second later finds the next
    one, whatever the latency and however the clocks differ. A single caller uses up each window at once. If
    others behind the same address use it, too, each spreads its share over the window, so that all are
    refused equally once it is used up. The share then shrinks by a fraction, and grows a little while nothing
    is refused, which makes the shares equal in time.

    :param ceiling: most requests per second, below what the server admits; None for the server's limit.
    :param clock: monotonic seconds.
    :param wall: returns seconds since the epoch, to compare with the server's clock.
    """

    def __init__(
        self,
        ceiling: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._spacing = 1 / ceiling if ceiling else 0.0
        self._clock = clock
        self._wall = wall
        self._lock = threading.Lock()
        self._limit = math.inf
        self._share = 1.0  # one request first, to find out whether there is a limit
        self._shared = False  # whether others use the windows, too
        self._refused = False
        self._live: dict[float, int] = {}  # end of a window in the server's time -> requests it has left
        self._newest = -math.inf  # end of the newest window, in the server's time
        self._over = -math.inf  # end of the one before
        self._opened = -math.inf
        self._opens = math.inf  # when a request finds the next window, in local time
        self._next = -math.inf
        self._used = self._in_flight = 0
        self._offset = math.inf  # local time of sending minus the server's time of counting
        self._exact = False
        self._margin = _LEAST_MARGIN

    def take(self) -> Turn | float:
        """Return a turn if a request may be sent now, otherwise the seconds after which to ask again."""
        with self._lock:
            now = self._clock()
            if now >= self._opens:
                self._open(now)
            wait = max(self._next - now, self._wait(now))
            if wait > 0:
                return wait
            spacing = max(self._spacing, WINDOW / self._share if self._shared else 0.0)
            self._next = max(self._next, now - spacing) + spacing
            if not self._used:
                self._opened = now
            self._used += 1
            self._in_flight += 1
            return Turn(now, self._over)

    def give_back(self, turn: Turn, headers: Mapping[str, str], refused: bool = False) -> None:
        """Record the answer to a request that was sent.

        :param headers: headers by lower-case name; empty if there was no answer.
        :param refused: whether the answer was 429.
        """
        with self._lock:
            self._in_flight -= 1
            counted = _counted(headers)
            if counted is None:
                self._without_window(refused, headers)
            else:
                limit, remaining, end = counted
                self._note_limit(limit, remaining)
                self._note_window(turn, end, remaining, refused)

    def _wait(self, now: float) -> float:
        if self._limit == math.inf:
            return _LOOK_AGAIN if self._used >= self._share else 0.0
        if self._shared:
            return 0.0
        if self._used < self._share:
            if self._used != 1 or not self._in_flight:
                return 0.0
            return min(self._opened + _HEAD_START - now, _LOOK_AGAIN)
        left = sum(self._live.values()) - self._in_flight
        if left > 0:
            return 0.0
        until_open = max(self._opens - now, _DRIFT)
        return min(until_open, _LOOK_AGAIN) if self._in_flight else until_open

    def _open(self, now: float) -> None:
        """Begin the next window, whose end the first answer will show."""
        most = self._limit * max(1, len(self._live))
        self._share = max(1.0, self._share * _SHRINK) if self._refused else min(most, self._share + _GROW)
        if self._share >= self._limit:
            self._shared = False
        if self._shared:
            self._next = now + random.random() * _SPREAD
        self._live, self._refused = {}, False
        self._over, self._opened, self._used = self._newest, now, 0
        self._opens = now + WINDOW  # until an answer shows the exact time

    def _note_limit(self, limit: int, remaining: int) -> None:
        if self._limit == math.inf:
            self._opened = self._clock()
            self._shared = remaining < limit - 1
            self._share = max(1.0, remaining / 2) if self._shared else float(limit)
        self._limit = float(limit)

    def _note_window(self, turn: Turn, end: float, remaining: int, refused: bool) -> None:
        if refused and end <= turn.after:
            self._was_early(turn, end)
        elif refused:
            self._was_late(end)
        self._note_offset(turn, end, opened_it=remaining == self._limit - 1)
        if end + self._offset > self._clock():
            self._live[end] = 0 if refused else min(remaining, self._live.get(end, remaining))
        self._newest = max(self._newest, end)
        if self._newest > self._over:
            margin = 0.0 if self._shared else self._margin  # some other is early anyway
            self._opens = self._newest + self._offset + margin
        if self._shared and refused and end > self._over:
            self._next = max(self._next, self._opens)

    def _note_offset(self, turn: Turn, end: float, *, opened_it: bool) -> None:
        latest = turn.sent - (end - WINDOW)  # it was counted after its window began
        if opened_it:
            self._offset = max(latest, self._offset - _DRIFT) if self._exact else latest
            self._exact = True
            self._margin = max(_LEAST_MARGIN, self._margin - _DRIFT)
        elif self._offset == math.inf:
            now = self._clock()
            guess = now - self._wall() - (now - turn.sent) / 2
            self._offset = guess if latest - WINDOW < guess < latest else latest
        else:
            self._offset = min(latest, self._offset)

    def _was_early(self, turn: Turn, end: float) -> None:
        """Record that a request came before the end of the window that was believed to be over."""
        self._offset = max(self._offset, turn.sent - end)
        self._margin = min(_MOST_MARGIN, self._margin + _MORE_MARGIN)
        self._used -= 1

    def _was_late(self, end: float) -> None:
        """Record that others used up the window first."""
        self._refused = True
        self._shared = True
        if not self._exact:
            self._offset -= _STEP

    def _without_window(self, refused: bool, headers: Mapping[str, str]) -> None:
        if refused:  # somebody else's limit, such as a proxy's
            told = min(told_seconds(headers) or 0.0, _LONGEST_REST)
            self._next = max(self._next, self._clock() + max(WINDOW, told))
        if self._limit < math.inf:
            return
        if headers and not refused:
            self._share = math.inf
        else:
            self._used -= 1  # another request finds out


def _counted(headers: Mapping[str, str]) -> tuple[int, int, float] | None:
    """Return limit, remaining requests and end of the window that counted a request; None without headers."""
    try:
        limit = int(headers["x-ratelimit-limit"])
        remaining = int(headers["x-ratelimit-remaining"])
        end = float(headers["x-ratelimit-reset"]) - _RESET_IS_LATE_BY
    except (KeyError, ValueError):
        return None
    return (limit, remaining, end) if limit > 0 <= remaining and math.isfinite(end) else None
