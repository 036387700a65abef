"""What a row of an input means (server.md 3.1 to 3.4). Every rule on rows lives in this file.

A row is what the server returns for one thing that was sent: :class:`~airflow_provider_diffgram.models.Input`
from a push's listings, :class:`~airflow_provider_diffgram.models.InputRow` from those of a wait.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from ...models import File, Input, InputRow, InputStatus

Row = Input | InputRow

Ref = tuple[str, str | None]
"""A model, and its run where there is one, by the references of the user."""

Identity = str | int
"""Name of a new root file, which may have several inputs; else the id of the input."""

_QUEUED = (InputStatus.INIT, InputStatus.LOCAL_PROCESSING_QUEUE, InputStatus.RETRYING)


def is_update(row: Row) -> bool:
    """Whether an input changes an existing file: archiving it would remove the file (server.md 2.14)."""
    return row.mode is not None


def is_pending(row: Row) -> bool:
    """Whether the server is not done with an input.

    It is with the parent of a compound file (server.md 4.2), and with a video that hangs (quirk 62).
    """
    return not (row.archived or has_ended(row) or row.status == InputStatus.BASE_OBJECT_CREATED)


def has_ended(row: Row) -> bool:
    """Whether the server has finished with an input, unless somebody retries it."""
    return row.succeeded or row.failed or row.hangs


def was_taken_up(row: Row) -> bool:
    """Whether a worker of the server has begun with an input, rather than left it in a queue."""
    return not row.processing_deferred and row.status not in _QUEUED


def is_under_way(row: Row) -> bool:
    """Whether a worker has begun with an input and not ended it. In the queue it may wait for hours."""
    return was_taken_up(row) and not has_ended(row)


def awaits_chunks(row: Row) -> bool:
    """Whether the last chunk of an upload is missing (server.md 3.2)."""
    return row.source == "from_resumable" and row.status == InputStatus.INIT and not row.processing_deferred


def is_collision(row: Row) -> bool:
    """Whether an input failed because its file exists already.

    A child collides only with root files (server.md 3.5), so the child itself does not exist.
    """
    return row.existing_file_id is not None and row.parent_file_id is None


def is_retryable(row: Row) -> bool:
    """Whether the server's RETRY is right for an input that is stuck.

    New media that the server fetches itself: of an upload the bytes are gone; of an update the file would be
    removed, or its instances stored twice (server.md 2.14).
    """
    return not is_update(row) and row.source in ("from_url", "from_blob_path")


def identity_of(row: InputRow) -> Identity:
    """Return what tells the inputs of different packets apart.

    A packet that was sent again because its answer was lost has two inputs; the second fails as a duplicate
    of the first. Children of one name may be different ones, and updates have no name.
    """
    named = row.parent_file_id is None and not is_update(row) and row.original_filename is not None
    return row.original_filename or row.id if named else row.id


def stored_nothing(row: Row, file: File) -> bool:
    """Whether the input that made a file left its instances out: the file's counter tells.

    It succeeded without them (quirk 4), or the server ended while it was at it (server.md 3.2).
    """
    return not is_update(row) and len(row.instance_list) > (file.count_instances_changed or 0)


def lost_some(row: Input, counted: int, *, has_frames: bool) -> bool:
    """Whether the input that made a file failed, or stored fewer instances than it brought.

    :param counted: the file's counter of instances.
    :param has_frames: whether the packet brings instances of frames: of an upload in chunks they follow as
        an update.
    """
    if is_update(row):
        return False
    fewer = row.succeeded and len(row.instance_list) > counted
    return row.failed or fewer or (row.source == "from_resumable" and has_frames)


def since_replaced(rows: Sequence[Input]) -> list[Input]:
    """Return the rows from the newest replacement on: what others brought before is gone with it."""
    newest = max((row.id or 0 for row in rows if row.mode == "update_with_existing"), default=0)
    return [row for row in rows if (row.id or 0) >= newest]


def references(instances: Iterable[Any]) -> set[str]:
    """Return the references, ``creation_ref_id``, that instances have."""
    return {
        each["creation_ref_id"]
        for each in instances
        if isinstance(each, dict) and each.get("creation_ref_id")
    }


def references_of_row(row: Input) -> set[str]:
    """Return the references of the instances that an input brings, those of its frames included."""
    frames = (row.frame_packet_map or {}).values()
    return references([*row.instance_list, *(instance for frame in frames for instance in frame)])


def stored_references(row: Input) -> set[str]:
    """Return the references of a row but for those of frames that the server refused (quirk 52)."""
    errors = (row.update_log or {}).get("error") or {}
    frames = (row.frame_packet_map or {}).items()
    refused = [instance for frame, of in frames if f"Frame {frame}" in errors for instance in of]
    return references_of_row(row) - references(refused)


def is_work_of_people(instance: dict[str, Any], ours: Collection[str]) -> bool:
    """Whether somebody drew an instance, or changed it since it was sent."""
    return instance.get("creation_ref_id") not in ours or (instance.get("version") or 1) > 1


def runs_named(row: Input) -> set[Ref]:
    """Return the model runs in a row's instances, whether the server has met them or not."""
    instances = [each for each in row.instance_list if isinstance(each, dict) and each.get("model_ref")]
    return {(each["model_ref"], each.get("model_run_ref")) for each in instances}


def runs_resolved(row: Input) -> set[Ref]:
    """Return the model runs in a row's instances that the server has given ids (server.md 3.1)."""
    return set(ids_resolved(row))


def ids_resolved(row: Input) -> dict[Ref, tuple[int, int | None]]:
    """Return the ids that the server has given to the models, and runs, in a row's instances."""
    instances = [each for each in row.instance_list if isinstance(each, dict) and each.get("model_id")]
    with_run: dict[Ref, tuple[int, int | None]] = {
        (each["model_ref"], each["model_run_ref"]): (each["model_id"], each["model_run_id"])
        for each in instances
        if each.get("model_ref") and each.get("model_run_ref") and each.get("model_run_id")
    }
    without: dict[Ref, tuple[int, int | None]] = {
        (each["model_ref"], None): (each["model_id"], None)
        for each in instances
        if each.get("model_ref") and not each.get("model_run_ref")
    }
    return with_run | without


def progress_of(row: Row) -> tuple[Any, ...]:
    """Return what changes when the server makes progress with an input."""
    return row.status, row.percent_complete, row.time_updated
