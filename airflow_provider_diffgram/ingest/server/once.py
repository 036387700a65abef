"""Sends a write whose answer may be lost: checks whether it arrived before sending it again.

No endpoint accepts a key that would make a second request harmless. So each write needs something that shows
whether it arrived: an input in its batch, a file with its name, a label, a child's ordinal.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from ...client import DiffgramClient, OutcomeUnknownError, StoppedError
from ...client.request import pause

_log = logging.getLogger(__name__)

T = TypeVar("T")


def send_once(
    client: DiffgramClient,
    send: Callable[[], T],
    look: Callable[[], T | None],
    *,
    looks: Sequence[float],
    patience: float,
    give_up: Callable[[OutcomeUnknownError], None] | None = None,
) -> T:
    """Send a write until it has certainly arrived; return the answer, or what a check found instead.

    :param send: sends it; called again only if no check showed that it arrived.
    :param look: returns evidence that it arrived, or None.
    :param looks: seconds before each check, because the server may still be working on it.
    :param patience: seconds from the start during which it may be sent again.
    :param give_up: called with each lost answer before it is sent again; may raise an error to end it.
    :raises OutcomeUnknownError: if answers are lost and no check shows that it arrived before patience ends,
        or the client is asked to stop.
    """
    deadline = client.clock.monotonic() + patience
    while True:
        try:
            return send()
        except OutcomeUnknownError as error:
            _log.debug("%s; looking whether it arrived", error)
            try:
                found = _seen(client, look, looks)
            except StoppedError:
                raise error from None
            if found is not None:
                return found
            if give_up is not None:
                give_up(error)
            if client.clock.monotonic() >= deadline:
                raise


def _seen(client: DiffgramClient, look: Callable[[], T | None], looks: Sequence[float]) -> T | None:
    for seconds in looks:
        client.run(pause(seconds))
        found = look()
        if found is not None:
            return found
    return None
