"""The order of children: where it is wrong it is corrected, and nothing is sent again (server.md 2.6)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Set

from ...client import DiffgramClient, routes
from ...models import File
from ..server.files import children_by_place
from ..server.once import send_once

_log = logging.getLogger(__name__)


def put_in_order(
    client: DiffgramClient, children: Iterable[File], places: Collection[tuple[str, int]]
) -> list[File]:
    """Return the living children of a compound file, each of a wanted name at its wanted ordinal.

    A name that several children have, or are to have, tells none of them from the others: they stay.

    :param places: names and ordinals of all children of the compound file that are to be.
    """
    children = list(children)
    held = Counter(child.original_filename for child in children)
    wanted = Counter(name for name, _ in places)
    ordinals = {name: ordinal for name, ordinal in places if wanted[name] == held[name] == 1}
    return [_put(client, child, ordinals) for child in children]


def _put(client: DiffgramClient, child: File, ordinals: dict[str, int]) -> File:
    found = child.ordinal or 0
    ordinal = ordinals.get(child.original_filename or "", found)
    if ordinal == found:
        return child
    _log.warning("child %r (file %s): ordinal %s, not %s", child.original_filename, child.id, ordinal, found)
    request = routes.update_metadata(client.project, child.id, ordinal=ordinal)
    look = routes.view_file(client.project, child.id)
    send_once(
        client,
        lambda: bool(client.send(request)),
        lambda: client.send(look).ordinal == ordinal or None,
        looks=[0.0],
        patience=client.settings.retry_timeout,
    )
    return child.model_copy(update={"ordinal": ordinal})


def verify_order(
    client: DiffgramClient, children: Iterable[File], places: Set[tuple[str, int]]
) -> list[tuple[str, int]]:
    """Compare the children of a compound file with what they are to be, and correct their order.

    :param children: of it, listed after everything was sent.
    :return: those that are not there, or not yet.
    """
    there = children_by_place(put_in_order(client, children, places))
    ours = {ordinal for _, ordinal in places}
    strangers = [place for place in there.keys() - places if place[1] in ours]
    for name, ordinal in sorted(strangers):
        _log.warning("ordinal %s is also that of %r, which is not one of these children", ordinal, name)
    return [place for place in places if place not in there]
