"""Task groups that push and wait, for your own DAGs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from airflow.providers.common.compat.sdk import TaskGroup

from ..operators.diffgram import (
    DiffgramCreateCompoundFileOperator,
    DiffgramSendPacketOperator,
    DiffgramUploadChildrenOperator,
)
from ..sensors.diffgram import DiffgramInputSensor

DEFAULT_CONN_ID = "diffgram_default"
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Pushed:
    """A group of tasks, and what they return.

    :param group: the group, to put before or after other tasks.
    :param handle: what the sending task returns; a list of these if the task is mapped.
    :param receipt: what the wait returns.
    """

    group: TaskGroup
    handle: Any
    receipt: Any


def push_predictions(
    packets: Any,
    *,
    group_id: str = "push_predictions",
    dataset: str | int | None = None,
    label_schema: str | int | None = None,
    diffgram_conn_id: str = DEFAULT_CONN_ID,
    timeout: timedelta | float = _DAY,
    outlets: Sequence[Any] = (),
    sending: Mapping[str, Any] | None = None,
    waiting: Mapping[str, Any] | None = None,
) -> Pushed:
    """Send packets in one task, and wait until they are in Diffgram.

    :param packets: as for :class:`~airflow_provider_diffgram.operators.diffgram.DiffgramSendPacketOperator`.
    :param group_id: id of the group; its tasks' ids begin with it.
    :param dataset: name or id. None means the connection's default dataset.
    :param label_schema: name or id. None means the connection's default schema, or else the project's.
    :param diffgram_conn_id: id of a connection of type ``diffgram``.
    :param timeout: seconds to wait, or a timedelta.
    :param outlets: assets that have one event when everything is in, however many tasks send.
    :param sending: more arguments of the operator, such as ``{"if_exists": "append", "retries": 3}``.
    :param waiting: more arguments of the sensor, such as ``{"max_failed": 0.01}``.
    """
    targets = _targets(dataset, label_schema, diffgram_conn_id)
    with TaskGroup(group_id=group_id) as group:
        given = _given("sending", {"task_id": "send", "packets": packets}, targets, sending)
        send = DiffgramSendPacketOperator(**given)
        wait = _wait(send.output, diffgram_conn_id, timeout, outlets, waiting)
    return Pushed(group, send.output, wait.output)


def push_prediction_chunks(
    chunks: Any,
    *,
    group_id: str = "push_predictions",
    dataset: str | int | None = None,
    label_schema: str | int | None = None,
    diffgram_conn_id: str = DEFAULT_CONN_ID,
    timeout: timedelta | float = _DAY,
    outlets: Sequence[Any] = (),
    sending: Mapping[str, Any] | None = None,
    waiting: Mapping[str, Any] | None = None,
) -> Pushed:
    """Send chunks of packets, each in a mapped task, and wait for all of them.

    :param chunks: a list of paths, or the output of a task that lists them.
    :param group_id: id of the group; its tasks' ids begin with it.
    :param dataset: name or id. None means the connection's default dataset.
    :param label_schema: name or id. None means the connection's default schema, or else the project's.
    :param diffgram_conn_id: id of a connection of type ``diffgram``.
    :param timeout: seconds to wait, or a timedelta.
    :param outlets: assets that have one event when everything is in, however many tasks send.
    :param sending: more arguments of the operator, such as ``{"if_exists": "append", "retries": 3}``.
    :param waiting: more arguments of the sensor, such as ``{"max_failed": 0.01}``.
    """
    targets = _targets(dataset, label_schema, diffgram_conn_id)
    if "outlets" in (sending or {}):
        raise ValueError(
            "leave 'outlets' out of sending: each mapped task would have an event of its own. Give the group "
            "outlets: they have one event, when everything is in"
        )
    with TaskGroup(group_id=group_id) as group:
        mapped = DiffgramSendPacketOperator.partial(
            **_given("sending", {"task_id": "send"}, targets, sending, also=("packets",))
        )
        send = mapped.expand(packets=chunks)
        wait = _wait(send.output, diffgram_conn_id, timeout, outlets, waiting)
    return Pushed(group, send.output, wait.output)


def push_compound_file(
    name: str,
    children: Any,
    *,
    group_id: str = "push_compound_file",
    dataset: str | int | None = None,
    label_schema: str | int | None = None,
    diffgram_conn_id: str = DEFAULT_CONN_ID,
    timeout: timedelta | float = _DAY,
    outlets: Sequence[Any] = (),
    creating: Mapping[str, Any] | None = None,
    sending: Mapping[str, Any] | None = None,
    waiting: Mapping[str, Any] | None = None,
) -> Pushed:
    """Find or create a compound file, send its children, and wait until they are in Diffgram.

    :param name: unique in the dataset.
    :param children: as for
        :class:`~airflow_provider_diffgram.operators.diffgram.DiffgramUploadChildrenOperator`.
    :param group_id: id of the group; its tasks' ids begin with it.
    :param dataset: name or id. None means the connection's default dataset.
    :param label_schema: name or id. None means the connection's default schema, or else the project's.
    :param diffgram_conn_id: id of a connection of type ``diffgram``.
    :param timeout: seconds to wait, or a timedelta.
    :param outlets: assets that have one event when everything is in, however many tasks send.
    :param creating: more arguments of the operator that creates, such as ``{"instance_list": [...]}``.
    :param sending: more arguments of the operator that sends the children.
    :param waiting: more arguments of the sensor.
    """
    targets = _targets(dataset, label_schema, diffgram_conn_id)
    with TaskGroup(group_id=group_id) as group:
        create = DiffgramCreateCompoundFileOperator(
            **_given("creating", {"task_id": "create", "name": name}, targets, creating)
        )
        parent = {"parent_file_id": cast(Any, create.output)["file_id"], "children": children}
        upload = DiffgramUploadChildrenOperator(
            **_given("sending", {"task_id": "upload", **parent}, targets, sending)
        )
        wait = _wait(upload.output, diffgram_conn_id, timeout, outlets, waiting)
    return Pushed(group, upload.output, wait.output)


def _targets(dataset: str | int | None, label_schema: str | int | None, conn_id: str) -> dict[str, Any]:
    return {"dataset": dataset, "label_schema": label_schema, "diffgram_conn_id": conn_id}


def _given(
    argument: str,
    own: Mapping[str, Any],
    defaults: Mapping[str, Any],
    more: Mapping[str, Any] | None,
    also: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the arguments of a task of a group.

    :param argument: name of the group's argument for ``more``.
    :param own: arguments that the group sets itself.
    :param defaults: arguments that ``more`` may override.
    :param also: names of arguments that the group sets later.
    :raises ValueError: if ``more`` contains an argument that the group sets itself.
    """
    taken = sorted((more or {}).keys() & {*own, *also})
    if taken:
        named = ", ".join(map(repr, taken))
        raise ValueError(f"leave {named} out of {argument}: the group gives that itself")
    return {**defaults, **(more or {}), **own}


def _wait(
    handle: Any,
    conn_id: str,
    timeout: timedelta | float,
    outlets: Sequence[Any],
    more: Mapping[str, Any] | None,
) -> DiffgramInputSensor:
    """Return the task that waits, by default in the triggerer."""
    defaults = {
        "deferrable": True,
        "diffgram_conn_id": conn_id,
        "timeout": timeout,
    }
    own = {"task_id": "wait", "handle": handle, **({"outlets": list(outlets)} if outlets else {})}
    return DiffgramInputSensor(**_given("waiting", own, defaults, more))
