"""Decides which of several tasks introduces a model run that all of them name, whenever each of them begins.

Each task writes what it wants on a board that all can read, and never writes for another: Lamport's bakery
algorithm. A task draws a number above all that it reads, and goes once no task with a lower one is before it.
So one goes at a time, in whatever order they begin, without a leader, a lock or a clock.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ....client.request import Steps, now, pause
from ....models.problems import named
from ...check.labels import Ref

_log = logging.getLogger(__name__)

LIFETIME = 300.0
"""Seconds after which a ticket that was not renewed is void, because its task has died."""

_RENEWED_AFTER = 60.0
_POLL = 1.0
_TELL_EVERY = 60.0


class Board(Protocol):
    """Where tasks write for each other. From then on, all tasks read what was written."""

    def write(self, ticket: dict[str, Any]) -> None:
        """Replace this task's ticket."""

    def read(self) -> list[Any]:
        """Return the tickets of all tasks, including this one's."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a task wants and knows.

    :param index: index of the task; each has its own.
    :param refs: model runs that it wants to introduce.
    :param is_drawing: whether it is about to draw a number.
    :param number: the number that it has drawn; 0 for none.
    :param until: when the ticket becomes void, in seconds since the epoch.
    :param known: model runs that the server has, as far as the task has found out.
    """

    index: int
    refs: frozenset[Ref] = frozenset()
    is_drawing: bool = False
    number: int = 0
    until: float = 0.0
    known: frozenset[Ref] = frozenset()

    def to_json(self) -> dict[str, Any]:
        """Return the ticket as it is written on the board."""
        return {
            "index": self.index,
            "refs": sorted(map(list, self.refs), key=str),
            "is_drawing": self.is_drawing,
            "number": self.number,
            "until": self.until,
            "known": sorted(map(list, self.known), key=str),
        }

    @classmethod
    def of(cls, written: Any) -> Ticket | None:
        """Parse an entry of the board; None if it is not a ticket."""
        if not isinstance(written, Mapping):
            return None
        try:
            return cls(
                int(written["index"]),
                _refs(written["refs"]),
                bool(written["is_drawing"]),
                int(written["number"]),
                float(written["until"]),
                _refs(written["known"]),
            )
        except (KeyError, TypeError, ValueError):
            return None


def next_number(tickets: Iterable[Ticket]) -> int:
    """Return a number above all drawn numbers."""
    return 1 + max((each.number for each in tickets), default=0)


def before(own: Ticket, tickets: Iterable[Ticket], moment: float) -> list[Ticket]:
    """Return the tickets that go before ``own``, or may, because they are still drawing a number.

    :param moment: seconds since the epoch.
    """
    return [
        each
        for each in tickets
        if each.index != own.index
        and each.until > moment
        and each.refs & own.refs
        and (each.is_drawing or (each.number and (each.number, each.index) < (own.number, own.index)))
    ]


class Turns:
    """The turn of one task.

    :param board: the board that it shares with the others.
    :param index: the task's own index.
    :param wall: returns the seconds since the epoch.
    """

    def __init__(self, board: Board, index: int, wall: Callable[[], float] = time.time) -> None:
        self._board = board
        self._wall = wall
        self._own = Ticket(index)

    @property
    def is_wanted(self) -> bool:
        """Whether this task has its turn or waits for it."""
        return bool(self._own.number)

    def take(self, refs: Collection[Ref]) -> Steps[frozenset[Ref]]:
        """Wait until it is this task's turn to introduce ``refs``, or other tasks know all of them.

        :return: the runs that are known.
        """
        began = told = yield from now()
        moment = began
        self._write(refs=frozenset(refs), is_drawing=True, number=0)
        self._write(is_drawing=False, number=next_number(self._tickets()))
        while True:
            tickets = self._tickets()
            known = frozenset[Ref]().union(*(each.known for each in tickets))
            ahead = before(self._own, tickets, self._wall())
            if not ahead or self._own.refs <= known:
                break
            if moment == began or moment - told > _TELL_EVERY:
                told = moment
                others = named("task", [each.index for each in ahead])
                _log.info("waiting for mapped %s to introduce the same model run", others)
            self.renew()
            moment = yield from pause(_POLL)
        if moment > began:
            _log.info("waited %.0f s for other tasks to introduce a model run", moment - began)
        return known

    def renew(self) -> None:
        """Tell the others from time to time that this task is still alive."""
        if self.is_wanted and self._own.until - self._wall() < LIFETIME - _RENEWED_AFTER:
            self._write()

    def leave(self, known: Collection[Ref]) -> None:
        """Let other tasks go, and tell them which of this task's runs the server knows."""
        if self.is_wanted:
            learned = self._own.known | (self._own.refs & frozenset(known))
            self._write(refs=frozenset(), is_drawing=False, number=0, known=learned)

    def _tickets(self) -> list[Ticket]:
        return [ticket for written in self._board.read() if (ticket := Ticket.of(written)) is not None]

    def _write(self, **change: Any) -> None:
        self._own = replace(self._own, **change, until=self._wall() + LIFETIME)
        self._board.write(self._own.to_json())


def _refs(written: Any) -> frozenset[Ref]:
    return frozenset((model, run) for model, run in written)
