"""Sends videos alone: one that the server reads while another input waits is lost forever (quirk 62).

So a push holds its videos back, sends them one at a time when none of its other inputs is pending, and sends
nothing else until each has ended. It can neither see nor stop what others send to the same server process.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Literal

from ....client import DiffgramClient, routes
from ....client.request import Steps, ask, now, pause
from ....client.routes import PAGE
from ....models import Input, InputRow
from ....models.problems import count_of
from ...defaults import STALL_TIMEOUT
from ...server.files import settle_seconds
from ...server.rows import Row, is_pending, is_under_way
from ..decisions.item import Item
from ..outcomes.errors import PushError
from .batches import Batches, Place
from .liveness import Liveness

_log = logging.getLogger(__name__)

MOST_HELD = 1000
"""Most videos that are held back while other inputs of the push may still wait."""

LOST_AFTER = 120.0
"""Seconds without change after which an image or text that the server has started no longer counts."""

VIDEO_LOST_AFTER = 600.0
"""The same for a video, which the server may take minutes to fetch."""

_POLL = 1.0
_SAMPLE = 100
_TELL_EVERY = 60.0


def next_step(held: int, waiting: int, *, more: bool) -> Literal["hold", "wait", "send"]:
    """Return what to do about videos that are held back.

    :param held: number of videos held back.
    :param waiting: number of inputs of the push that the server has not finished.
    :param more: whether other packets may follow.
    """
    if not held:
        return "hold"
    if not waiting:
        return "send"
    return "hold" if more and held < MOST_HELD else "wait"


class Videos:
    """The videos of one push, held back until they can be sent alone.

    :param batches: the batches of the push.
    """

    def __init__(self, client: DiffgramClient, batches: Batches) -> None:
        self._client = client
        self._batches = batches
        self._held: list[Item] = []
        self._quiet: dict[tuple[int | None, int | None], int | None] = {}
        self._lost: set[int | None] = set()
        self._sent, self._waited = 0, 0.0

    @property
    def held(self) -> int:
        """Number of videos that are held back."""
        return len(self._held)

    def hold(self, item: Item) -> None:
        """Keep an item until it can be sent alone."""
        self._held.append(item)

    def due(self, *, more: bool) -> list[Item]:
        """Return the videos to send now, after waiting for other inputs; empty to send others first.

        :param more: whether other packets may follow.
        :raises PushError: if the inputs that they wait for make no progress for half an hour.
        """
        if not self._held:
            return []
        waiting = len(self._client.run(self._waiting()))
        step = next_step(len(self._held), waiting, more=more)
        if step == "hold":
            return []
        if step == "wait":
            self._client.run(self._until_none_waits())
        held, self._held = self._held, []
        _log.info(
            "sending %s, one at a time, each once the one before has ended", count_of(len(held), "video")
        )
        self._sent += len(held)
        return held

    def tell(self) -> None:
        """Log how many videos were sent alone, and how long they waited."""
        if self._sent:
            told = "sent %s one at a time, after %.0f s of waiting for the other inputs"
            _log.info(told, count_of(self._sent, "video"), self._waited)

    def await_place(self, place: Place) -> Input | InputRow | None:
        """Wait until the server is done with the video whose input is listed there, and return the input.

        :return: None if none is listed, or if the server has started it and abandoned it.
        :raises PushError: if it waits in a queue that makes no progress for half an hour.
        """
        rows = self._client.run(place.rows(self._client.project))
        return self._client.run(until_ended(self._client.project, rows[0])) if rows else None

    def await_all(self, rows: Iterable[Input]) -> None:
        """Wait until the server is done with videos of an earlier push, so that nothing waits beside them.

        :raises PushError: if one waits in a queue that makes no progress for half an hour.
        """
        for row in rows:
            _log.info(
                "input %s, the video %r of an earlier push, is read first", row.id, row.original_filename
            )
            self._client.run(until_ended(self._client.project, row))

    def _until_none_waits(self) -> Steps[None]:
        began = told = yield from now()
        movement = Liveness(began)
        moment = began
        while rows := (yield from self._waiting()):
            movement.note(rows, moment)
            self._lost |= {
                row.id
                for row in rows
                if is_under_way(row) and movement.stood(row, moment) > _patience_with(row)
            }
            if moment - movement.moved_at > STALL_TIMEOUT:
                raise self._standstill(len(rows))
            if moment == began or moment - told > _TELL_EVERY:
                told = moment
                _log.info(
                    "waiting for %s, then sending %s", _number_of(rows), count_of(len(self._held), "video")
                )
            moment = yield from pause(_POLL)
        self._waited += moment - began
        _log.info("nothing of this push waits any more, after %.0f s", moment - began)

    def _waiting(self) -> Steps[list[InputRow]]:
        """Return the pending inputs of this push, at most a hundred per batch."""
        found: list[InputRow] = []
        for batch in self._batches.sent():
            key = batch.id, batch.parent_file_id
            if batch.only is None and self._quiet.get(key) == batch.inputs:
                continue
            rows = yield from ask(
                routes.list_rows(
                    self._client.project,
                    batch_id=batch.id,
                    parent_file_id=batch.parent_file_id,
                    status="Processing",
                    limit=_SAMPLE if batch.only is None else PAGE,
                )
            )
            ours = [row for row in rows if batch.only is None or row.id in batch.only]
            pending = [row for row in ours if is_pending(row) and row.id not in self._lost]
            if not pending and batch.only is None:
                self._quiet[key] = batch.inputs
            found += pending
        return found

    def _standstill(self, waiting: int) -> PushError:
        return PushError(
            f"nothing has moved for {STALL_TIMEOUT / 60:.0f} minutes in {count_of(waiting, 'input')} of this "
            f"push, so it did not send {count_of(len(self._held), 'video')}: the server would lose a video "
            "that it reads beside them. Is it ingesting at all? Retry once it does"
        )


def until_ended(project: str, row: Input) -> Steps[Input | InputRow | None]:
    """Follow the input of a video until the server is done with it, and return it.

    A failure counts only once it has lasted: after a refused frame it may turn into success, or the video may
    hang (quirks 52 and 62).

    :return: None if the server has started it and abandoned it.
    :raises PushError: if it waits in a queue that makes no progress for half an hour.
    """
    moment = yield from now()
    movement, failed_at = Liveness(moment), None
    latest: Input | InputRow = row
    while not (latest.succeeded or latest.hangs or latest.archived):
        if latest.failed and latest.file_id is None:
            break  # nothing of it was read
        failed_at = (moment if failed_at is None else failed_at) if latest.failed else None
        if failed_at is not None and moment - failed_at > settle_seconds(0):
            break
        movement.note([latest], moment)
        stood = movement.stood(latest, moment)
        if is_under_way(latest) and stood > VIDEO_LOST_AFTER:
            _log.warning("input %s is %s for %.0f s: not waiting for it", latest.id, latest.status, stood)
            return None
        if stood > STALL_TIMEOUT:
            raise PushError(
                f"input {latest.id}, the video {latest.original_filename!r}, is {latest.status} for "
                f"{stood / 60:.0f} minutes: is the server ingesting at all? Retry once it does"
            )
        moment = yield from pause(_POLL)
        latest = yield from _look_again(project, row)
    return latest


def _look_again(project: str, row: Input) -> Steps[Input | InputRow]:
    """Read an input; while it is pending, from a listing, because the input itself comes with all frames."""
    assert row.id is not None
    if row.batch_id is not None:
        listed = yield from ask(
            routes.list_rows(
                project,
                batch_id=row.batch_id,
                parent_file_id=row.parent_file_id,
                status="Processing",
                limit=_SAMPLE,
            )
        )
        for each in listed:
            if each.id == row.id:
                return each
    return (yield from ask(routes.view_row(project, row.id)))


def _patience_with(row: Row) -> float:
    return VIDEO_LOST_AFTER if row.media_type == "video" else LOST_AFTER


def _number_of(rows: list[InputRow]) -> str:
    return count_of(len(rows), "input") if len(rows) < _SAMPLE else f"{len(rows):,} inputs or more"
