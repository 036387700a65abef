"""Histories of rows that a file holds no more: they tell a person's deletion from a loss."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from ..client import CredentialError, DiffgramClient, RefusedError, ServerFaultError, routes
from ..models import File

_MISSES = 12
"""So many ids in a row that are not of the file end the way from one of its rows."""

_MOST_LOOKS = 400


def histories_of_gone(client: DiffgramClient, file: File, references: Collection[str]) -> list[list[Any]]:
    """Return the histories of instances that are gone, as far as they are found.

    No listing names them. Rows of one file are numbered nearly one after the other, so they are looked for
    beside those that are there; each history names its file and its reference, which proves a guess.

    :param references: those that are looked for.
    """
    left = set(references)
    found = []
    seen: set[int] = set()
    looks = 0
    for step, start in _ways(file):
        at, misses = start, 0
        while left and misses < _MISSES and looks < _MOST_LOOKS and at + step > 0:
            at += step
            if at in seen:
                continue
            seen.add(at)
            looks += 1
            history = _history(client, at)
            if not history or history[0].get("file_id") != file.id:
                misses += 1
                continue
            misses = 0
            told = {row.get("creation_ref_id") for row in history} & left
            if told:
                found.append(history)
                left -= told
    return found


def _ways(file: File) -> Iterator[tuple[int, int]]:
    """Yield direction and start of each way to look along."""
    starts = {row.get(key) for row in file.instance_list for key in ("root_id", "id", "previous_id")}
    for start in sorted(each for each in starts if isinstance(each, int)):
        yield 1, start
        yield -1, start


def _history(client: DiffgramClient, instance_id: int) -> list[Any]:
    """Return a history; nothing for an id of another project, or of none."""
    try:
        return client.send(routes.view_history(client.project, instance_id)).rows
    except CredentialError:
        raise
    except (RefusedError, ServerFaultError):
        return []
