"""What the row of an input means (server.md 3.1 to 3.4). All rules about such rows are in this file.

A row is what the server returns for one thing that was sent: :class:`~airflow_provider_diffgram.models.Input`
in the listings of a push, :class:`~airflow_provider_diffgram.models.InputRow` in those of a wait.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from ...models import File, Input, InputRow, InputStatus

Row = Input | InputRow

Ref = tuple[str, str | None]
"""The user's references of a model and of its run, if any."""

Identity = str | int
"""The name of a new root file, which may have several inputs; otherwise the id of the input."""

_QUEUED = (InputStatus.INIT, InputStatus.LOCAL_PROCESSING_QUEUE, InputStatus.RETRYING)


def is_update(row: Row) -> bool:
    """Whether an input changes an existing file. Archiving it would remove the file (server.md 2.14)."""
    return row.mode is not None


def is_pending(row: Row) -> bool:
    """Whether the server still has to process an input.

    The parent of a compound file (server.md 4.2) and a video that hangs (quirk 62) are not pending.
    """
    return not (row.archived or has_ended(row) or row.status == InputStatus.BASE_OBJECT_CREATED)


def has_ended(row: Row) -> bool:
    """Whether the server has finished an input, unless somebody retries it."""
    return row.succeeded or row.failed or row.hangs


def was_taken_up(row: Row) -> bool:
    """Whether a worker of the server has started an input, so that it is no longer in a queue."""
    return not row.processing_deferred and row.status not in _QUEUED


def is_under_way(row: Row) -> bool:
    """Whether a worker has started an input and not finished it. In the queue it may wait for hours."""
    return was_taken_up(row) and not has_ended(row)


def awaits_chunks(row: Row) -> bool:
    """Whether the last chunk of an upload is missing (server.md 3.2)."""
    return row.source == "from_resumable" and row.status == InputStatus.INIT and not row.processing_deferred


def is_collision(row: Row) -> bool:
    """Whether an input failed because its file already exists.

    A child collides only with root files (server.md 3.5), so the child itself does not exist.
    """
    return row.existing_file_id is not None and row.parent_file_id is None


def is_retryable(row: Row) -> bool:
    """Whether the server's RETRY is safe for a stuck input: for new media that the server fetches itself.

    The bytes of an upload are gone. A retried update would remove its file or store its instances twice
    (server.md 2.14).
    """
    return not is_update(row) and row.source in ("from_url", "from_blob_path")


def identity_of(row: InputRow) -> Identity:
    """Return a key that inputs share only if they are of the same packet.

    A packet that was sent again because its answer was lost has two inputs; the second fails as a duplicate
    of the first. Children with the same name may be different files, and updates have no name.
    """
    named = row.parent_file_id is None and not is_update(row) and row.original_filename is not None
    return row.original_filename or row.id if named else row.id


def stored_nothing(row: Row, file: File) -> bool:
    """Whether the input that made a file stored fewer instances than it brought, by the file's counter.

    It succeeded without them (quirk 4), or the server stopped while processing it (server.md 3.2).
    """
    return not is_update(row) and len(row.instance_list) > (file.count_instances_changed or 0)


def lost_some(row: Input, counted: int, *, has_frames: bool) -> bool:
    """Whether the input that made a file failed, or stored fewer instances than it brought.

    :param counted: the file's counter of instances.
    :param has_frames: whether the packet brings instances of frames; after an upload in chunks, these follow
        as an update.
    """
    if is_update(row):
        return False
    fewer = row.succeeded and len(row.instance_list) > counted
    return row.failed or fewer or (row.source == "from_resumable" and has_frames)


def since_replaced(rows: Sequence[Input]) -> list[Input]:
    """Return the rows from the newest replacement on, which removed what earlier rows brought."""
    newest = max((row.id or 0 for row in rows if row.mode == "update_with_existing"), default=0)
    return [row for row in rows if (row.id or 0) >= newest]


def references(instances: Iterable[Any]) -> set[str]:
    """Return the references (``creation_ref_id``) of instances."""
    return {
        each["creation_ref_id"]
        for each in instances
        if isinstance(each, dict) and each.get("creation_ref_id")
    }


def references_of_row(row: Input) -> set[str]:
    """Return the references of the instances that an input brings, including those of its frames."""
    frames = (row.frame_packet_map or {}).values()
    return references([*row.instance_list, *(instance for frame in frames for instance in frame)])


def stored_references(row: Input) -> set[str]:
    """Return the references of a row, except those of frames that the server refused (quirk 52)."""
    errors = (row.update_log or {}).get("error") or {}
    frames = (row.frame_packet_map or {}).items()
    refused = [instance for frame, of in frames if f"Frame {frame}" in errors for instance in of]
    return references_of_row(row) - references(refused)


def is_work_of_people(instance: dict[str, Any], ours: Collection[str]) -> bool:
    """Whether somebody drew an instance, or has changed it since it was sent."""
    return instance.get("creation_ref_id") not in ours or (instance.get("version") or 1) > 1


def runs_named(row: Input) -> set[Ref]:
    """Return the model runs named in a row's instances, whether or not the server knows them."""
    instances = [each for each in row.instance_list if isinstance(each, dict) and each.get("model_ref")]
    return {(each["model_ref"], each.get("model_run_ref")) for each in instances}


def runs_resolved(row: Input) -> set[Ref]:
    """Return the model runs in a row's instances to which the server has given ids (server.md 3.1)."""
    return set(ids_resolved(row))


def ids_resolved(row: Input) -> dict[Ref, tuple[int, int | None]]:
    """Return the ids that the server has given to the models and runs in a row's instances."""
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
    """Return the fields that change when the server makes progress with an input."""
    return row.status, row.percent_complete, row.time_updated
