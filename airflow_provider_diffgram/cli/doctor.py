"""Checks step by step what can be wrong between here and a Diffgram, and says what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..client import CredentialError, DiffgramClient, DiffgramError, routes
from ..ingest.check.lookup import find_dataset, find_schema
from ..ingest.server.rows import is_pending, was_taken_up
from ..models import Input, InvalidValueError
from ..models.problems import count_of
from .errors import NoConnectionError, telling_of_connection, words_of

if TYPE_CHECKING:
    from ..hooks.connection import Defaults
    from ..hooks.diffgram import DiffgramHook

Status = Literal["ok", "warning", "wrong"]

_SKEW = 60.0
"""Most seconds by which clocks may differ; signed URLs of object storage tolerate more."""

_SLOW = 600.0
"""Seconds that an input may wait in the queue before the queue is reported as stalled."""

_FILLED = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    :param subject: one word: ``connection``, ``server``, ``role``, ...
    :param status: ``ok``; ``warning``: pushes work, but something needs attention; or ``wrong``.
    :param words: what was found, and what to do about it.
    """

    subject: str
    status: Status
    words: str


def examine(
    hook: DiffgramHook, *, dataset: str | None = None, label_schema: str | None = None
) -> Iterator[Finding]:
    """Check everything that a push needs, and stop at a fault on which the rest depends.

    Nothing is changed, and no request is repeated for longer than a second.

    :param hook: the hook of the connection to check.
    :param dataset: name or id. None means the connection's default dataset.
    :param label_schema: name or id. None means the connection's default schema, or else the project's.
    """
    try:
        with telling_of_connection(hook.diffgram_conn_id):
            settings = replace(hook.get_settings(), retry_timeout=1.0)
            defaults = hook.get_defaults()
            unknown = hook.unknown_extras()
    except NoConnectionError as error:
        yield Finding("connection", "wrong", words_of(error))
        return
    where = f"{hook.diffgram_conn_id}: {settings.base_url}, project {settings.project!r}"
    yield Finding("connection", "ok", where)
    if unknown:
        yield Finding("connection", "warning", f"unknown in the extra, and not used: {', '.join(unknown)}")
    with DiffgramClient(settings) as client:
        findings = list(_server(client))
        yield from findings
        if any(each.status == "wrong" for each in findings):
            return
        findings = list(_role(client))
        yield from findings
        if any(each.status == "wrong" for each in findings):
            return
        yield from _dataset(client, dataset or defaults.dataset)
        yield from _labels(client, label_schema or defaults.label_schema)
        yield from _storage(client, defaults)
        yield from _queue(client)


def _server(client: DiffgramClient) -> Iterator[Finding]:
    try:
        date = client.server_date()
        client.send(routes.list_schemas(client.project))
    except CredentialError as error:
        yield Finding("credential", "wrong", words_of(error))
        return
    except DiffgramError as error:
        yield Finding("server", "wrong", words_of(error))
        return
    yield Finding("server", "ok", "answers, and knows the project and the credential")
    yield _clock(date, datetime.now(UTC))
    try:
        client.send(routes.health("walrus"))
    except DiffgramError as error:
        yield Finding(
            "services",
            "wrong",
            f"the service walrus, which takes media and predictions, does not answer: {words_of(error)}. "
            "Have it started: everything else of Diffgram works without it, so nobody may have noticed",
        )
    else:
        yield Finding("services", "ok", "default and walrus answer")


def _clock(date: str | None, here: datetime) -> Finding:
    """Compare the server's clock with ours."""
    first = (date or "").partition("GMT")[0] + "GMT"  # the server sends it twice (server.md 1.1)
    try:
        skew = abs((here - parsedate_to_datetime(first)).total_seconds())
    except (TypeError, ValueError):
        return Finding("clock", "warning", f"the server does not tell the time: its Date header is {date!r}")
    if skew > _SKEW:
        return Finding(
            "clock",
            "warning",
            f"differs from the server's by {skew:.0f} s: set one of the two, or signed addresses of object "
            "storage may be refused as expired",
        )
    return Finding("clock", "ok", f"as the server's, within {_SKEW:.0f} s")


def _role(client: DiffgramClient) -> Iterator[Finding]:
    from ..hooks.diffgram import check_may_write

    try:
        check_may_write(client)
    except DiffgramError as error:
        yield Finding("role", "wrong", words_of(error))
    else:
        yield Finding("role", "ok", "Editor or admin: may write")


def _dataset(client: DiffgramClient, dataset: str | int | None) -> Iterator[Finding]:
    if dataset is None:
        told = "none named: give --dataset, or set a default dataset in the connection"
        yield Finding("dataset", "warning", told)
        return
    try:
        found = find_dataset(client, dataset)
    except (InvalidValueError, DiffgramError) as error:
        make = f"diffgram-airflow dataset create {dataset}"
        yield Finding("dataset", "wrong", f"{words_of(error)}. To make it: {make}")
        return
    yield Finding("dataset", "ok", f"{found.nickname!r}, id {found.id}")


def _labels(client: DiffgramClient, label_schema: str | int | None) -> Iterator[Finding]:
    try:
        schema = find_schema(client, label_schema)
        labels = client.send(routes.list_labels(client.project, schema.id)).labels
        attributes = client.send(routes.list_attributes(client.project, schema.id))
    except (InvalidValueError, DiffgramError) as error:
        yield Finding("schema", "wrong", words_of(error))
        return
    yield Finding("schema", "ok", f"{schema.name!r}, id {schema.id}")
    names = [label.name for label in labels]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not names:
        told = "the schema has no label, so no prediction can be sent: diffgram-airflow labels create NAME"
        yield Finding("labels", "wrong", told)
    elif twice:
        labels_found = count_of(len(names), "label")
        told = f"{labels_found}; named twice, so that a prediction must give an id: {', '.join(twice)}"
        yield Finding("labels", "warning", told)
    else:
        of = f", {count_of(len(attributes), 'attribute')}" if attributes else ""
        yield Finding("labels", "ok", f"{count_of(len(names), 'label')}{of}")


def _storage(client: DiffgramClient, defaults: Defaults) -> Iterator[Finding]:
    if defaults.local_root is not None and not Path(defaults.local_root).is_dir():
        told = (
            f"local_root {defaults.local_root!r} is no folder on this machine: no path of a medium is allowed"
        )
        yield Finding("storage", "wrong", told)
    try:
        connections = client.send(routes.list_connections(client.project))
    except DiffgramError as error:
        yield Finding("storage", "warning", f"Diffgram does not list its connections: {words_of(error)}")
        return
    useless = [each for each in connections if not each.archived and each.exists_private_secret is False]
    if useless:
        named = ", ".join(repr(each.name) for each in useless)
        yield Finding(
            "storage", "warning", f"connections of Diffgram without a secret, so blobs fail: {named}"
        )
        return
    kept = [each for each in connections if not each.archived]
    told = (
        f"Diffgram has {count_of(len(kept), 'connection')} for blobs"
        if kept
        else "Diffgram has no connection for blobs"
    )
    yield Finding("storage", "ok", told)


def _queue(client: DiffgramClient) -> Iterator[Finding]:
    try:
        rows = client.send(routes.list_inputs(client.project, status="Processing", limit=_FILLED))
    except DiffgramError as error:
        yield Finding("queue", "warning", words_of(error))
        return
    waiting = [row for row in rows if is_pending(row)]
    if not waiting:
        yield Finding("queue", "ok", "nothing waits")
        return
    untouched = [row for row in waiting if not was_taken_up(row)]
    oldest = max((_age(row) for row in untouched), default=0.0)
    if oldest > _SLOW:
        told = (
            f"{count_of(len(untouched), 'input')} waiting, the oldest since {oldest / 60:.0f} min: Diffgram "
            "takes none. "
            "Ask whoever runs it to look at the service walrus"
        )
        yield Finding("queue", "warning", told)
    else:
        yield Finding("queue", "ok", f"{count_of(len(waiting), 'input')} under way")


def _age(row: Input) -> float:
    """Return the seconds since the server last touched a row; 0 if it does not say."""
    told = row.time_updated or row.created_time
    try:
        moment = parsedate_to_datetime(told or "")
    except (TypeError, ValueError):
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (datetime.now(UTC) - moment).total_seconds()
