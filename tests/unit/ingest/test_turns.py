"""Of tasks that begin whenever they like, one at a time introduces a model run (quirk 48)."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest

from airflow_provider_diffgram.client.request import Pause
from airflow_provider_diffgram.ingest.send.queue.turns import (
    LIFETIME,
    Ticket,
    Turns,
    before,
    next_number,
)

RUN = ("model", "run")
OTHER = ("model", "another")


def ticket(index: int, number: int = 0, *, refs: Any = (RUN,), **more: Any) -> Ticket:
    return Ticket(index, frozenset(refs), number=number, until=1000.0, **more)


@pytest.mark.parametrize(
    "other, waits",
    [
        (ticket(2, 1), True),
        (ticket(2, 5), False),
        (ticket(0, 3), True),
        (ticket(2, 3), False),
        (ticket(2, is_drawing=True), True),
        (ticket(2), False),
        (ticket(2, 1, refs=[OTHER]), False),
        (ticket(2, 1, refs=[RUN, OTHER]), True),
        (Ticket(2, frozenset([RUN]), number=1, until=99.0), False),
        (ticket(1, 1), False),
    ],
)
def test_lower_numbers_go_first_then_lower_indexes_and_who_draws_is_waited_for(other: Ticket, waits: bool):
    assert bool(before(ticket(1, 3), [other], 100.0)) is waits


def test_a_number_is_above_all_that_are_drawn():
    assert next_number([]) == 1
    assert next_number([ticket(0, 4), ticket(1), ticket(2, 2)]) == 5


def test_what_is_written_is_read_again():
    full = Ticket(3, frozenset([RUN, ("model", None)]), True, 7, 12.5, frozenset([OTHER]))
    assert Ticket.of(full.to_json()) == full


@pytest.mark.parametrize("written", [None, "x", {}, {"index": 1}, {**ticket(1).to_json(), "refs": 5}])
def test_what_is_not_a_ticket_is_passed_over(written: Any):
    assert Ticket.of(written) is None


class Board:
    """A board that others wrote on before."""

    def __init__(self, *others: Ticket) -> None:
        self.own: list[Any] = []
        self.others = [each.to_json() for each in others]

    def write(self, written: dict[str, Any]) -> None:
        self.own = [written]

    def read(self) -> list[Any]:
        return [*self.own, *self.others]


def taken(turns: Turns, board: Board, *then: list[Ticket]) -> tuple[frozenset[Any], int]:
    """Return what is known once it is the turn, and after how many pauses; in each the others write."""
    steps, pauses, moment = turns.take([RUN]), 0, 0.0
    left = list(then)
    try:
        step = steps.send(None)
        while True:
            assert isinstance(step, Pause)
            if step.seconds:
                pauses += 1
                board.others = [each.to_json() for each in left.pop(0)]
            moment += step.seconds
            step = steps.send(moment)
    except StopIteration as done:
        return done.value, pauses


def test_who_is_alone_does_not_wait():
    board = Board()
    assert taken(Turns(board, 5, lambda: 0.0), board) == (frozenset(), 0)


def test_who_learns_that_the_run_is_known_does_not_wait_for_the_turn():
    board = Board(ticket(0, 1))
    ended = Ticket(0, known=frozenset([RUN]))
    turns = Turns(board, 5, lambda: 0.0)
    assert taken(turns, board, [ticket(0, 1)], [ended, ticket(1, 2)]) == (frozenset([RUN]), 2)
    turns.leave([RUN])
    assert Ticket.of(board.own[0]) == Ticket(5, until=LIFETIME, known=frozenset([RUN]))


def test_who_died_is_not_waited_for_for_ever():
    seconds = [0.0]
    board = Board(Ticket(0, frozenset([RUN]), number=1, until=LIFETIME))
    steps = Turns(board, 5, lambda: seconds[0]).take([RUN])
    assert steps.send(None) == Pause(0.0)
    assert steps.send(0.0) == Pause(1.0)
    seconds[0] = LIFETIME + 1
    with pytest.raises(StopIteration):
        steps.send(1.0)


def test_a_turn_that_lasts_is_renewed_and_one_that_is_over_is_not():
    seconds = [0.0]
    board = Board()
    turns = Turns(board, 5, lambda: seconds[0])
    taken(turns, board)
    seconds[0] = 100.0
    turns.renew()
    renewed = Ticket.of(board.own[0])
    assert renewed is not None
    assert renewed.until == 100.0 + LIFETIME
    turns.leave([])
    turns.leave([RUN])
    seconds[0] = 300.0
    turns.renew()
    assert Ticket.of(board.own[0]) == Ticket(5, until=100.0 + LIFETIME)


class Stepped:
    """A board whose readings and writings come in an order that a seed decides, whoever wants to."""

    def __init__(self, tasks: int, seed: int) -> None:
        self._chance = random.Random(seed)
        self._changed = threading.Condition()
        self._wanting: set[int] = set()
        self._running = tasks
        self._next: int | None = None
        self.written: dict[int, Any] = {}

    def step(self, index: int) -> None:
        """Wait until it is this task's step: one is chosen once all that run want one."""
        with self._changed:
            self._wanting.add(index)
            self._choose()
            assert self._changed.wait_for(lambda: self._next == index, 20)
            self._next = None
            self._wanting.discard(index)

    def end(self) -> None:
        with self._changed:
            self._running -= 1
            self._choose()

    def _choose(self) -> None:
        if self._wanting and len(self._wanting) == self._running:
            self._next = self._chance.choice(sorted(self._wanting))
            self._changed.notify_all()


class OneOf:
    """What one task has of a stepped board."""

    def __init__(self, board: Stepped, index: int) -> None:
        self._board = board
        self._index = index

    def write(self, written: dict[str, Any]) -> None:
        self._board.step(self._index)
        self._board.written[self._index] = written

    def read(self) -> list[Any]:
        self._board.step(self._index)
        return list(self._board.written.values())


def wait_for(turns: Turns) -> frozenset[Any]:
    steps = turns.take([RUN])
    moment: Any = None
    while True:
        try:
            steps.send(moment)
        except StopIteration as done:
            known: frozenset[Any] = done.value
            return known
        moment = 0.0


@pytest.mark.parametrize("is_introduced", [True, False], ids=["introduced", "failed"])
@pytest.mark.parametrize("seed", range(30))
def test_never_two_at_once_whatever_the_order_and_all_come_to_an_end(seed: int, is_introduced: bool):
    tasks = 4
    board = Stepped(tasks, seed)
    inside: list[int] = []
    together: list[int] = []

    def run(index: int) -> None:
        turns = Turns(OneOf(board, index), index, lambda: 0.0)
        try:
            if RUN not in wait_for(turns):
                inside.append(index)
                together.append(len(inside))
                for _ in range(3):
                    board.step(index)
                inside.remove(index)
            turns.leave([RUN] if is_introduced else [])
        finally:
            board.end()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert together == [1] * (1 if is_introduced else tasks)
